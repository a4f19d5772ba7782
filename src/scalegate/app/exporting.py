"""A store as a plain directory that holds everything, for whoever verifies without us."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.book import Book
from scalegate.app.places import refusal_of
from scalegate.app.redacting import redaction, reported
from scalegate.app.refusal import RefusalError, nearest
from scalegate.audit.attestations import gates_of, views
from scalegate.audit.bundle import Bundle
from scalegate.audit.derived import write_derived
from scalegate.audit.redacted import table_name
from scalegate.audit.unsealed import sealed_name
from scalegate.core.events import DecisionMade, Entry, PolicyAdopted, ResultRefused, ResultReported, RunRegistered
from scalegate.core.log_events import OrderDrawn
from scalegate.core.policy_events import PolicyCompared
from scalegate.ledger import blobs
from scalegate.ledger.checkpoint import parse_checkpoint
from scalegate.ledger.dsse import IN_TOTO, sign_envelope
from scalegate.ledger.errors import StoreDamagedError, StoreError
from scalegate.ledger.files import write_durably
from scalegate.ledger.log import Keys
from scalegate.ledger.mirror import write_tiles
from scalegate.ledger.note import parse_note
from scalegate.ledger.sealed import Recipient, SealError, seal_stream
from scalegate.ledger.sigstore import format_bundle
from scalegate.ledger.standing import Standing
from scalegate.ledger.store import HEAD

_ABOUT = """\
This directory holds a log of scalegate and the documents it names.

    checkpoint, tile/   the log, as C2SP tlog-tiles: any file server can host it
    blobs/sha256/       logs of evaluations, item orders and decisions, by digest
    redacted/           scores without texts, of runs whose logs are not handed over
    sealed/             what is left out, for its recipients only, by digest
    attestations/       answers and results in public words (SLSA VSA, SVR, test result), as Sigstore bundles
    trust               the trust file in force in the log; bring your own to verify

    scalegate verify . --trust YOUR-TRUST-FILE

{left}"""


@dataclass(frozen=True, slots=True)
class Handing:
    """What is handed over of a store.

    Attributes:
        without: runs whose logs are not: their scores are, in redacted tables.
        withhold: runs of which not even those are, nor the items and their order. The log itself is handed over in any
            case, and has the counts of each result and, of a sampled run, what each item came to in the drawn order.
        blind: hide the ids of items in these tables, and the order of the log.
        recipients: for whom what is left out of both is added, sealed.
    """

    without: frozenset[str] = frozenset()
    withhold: frozenset[str] = frozenset()
    blind: bool = False
    recipients: tuple[Recipient, ...] = ()

    @property
    def left(self) -> frozenset[str]:
        """All runs whose logs are not handed over in the open."""
        return self.without | self.withhold


EVERYTHING = Handing()


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        entries: number of entries.
        blobs: number of documents.
        left: digests of documents that were left out, or are not kept.
        tables: number of redacted tables.
        sealed: number of sealed documents.
        tableless: runs whose scores were to be handed over without their logs, and that have no redacted table.
    """

    entries: int
    blobs: int
    left: tuple[str, ...]
    tables: int = 0
    sealed: int = 0
    tableless: tuple[str, ...] = ()


def export(book: Book, folder: Path, handing: Handing = EVERYTHING, keys: Keys | None = None) -> Exported:
    """Write a store into an empty or new directory.

    Args:
        book: the store.
        folder: where to.
        handing: what is left out, redacted or sealed.
        keys: where the key of the gate is, which then says in public words, too, what the log says.

    Raises:
        RefusalError: if the directory is not empty, cannot be written, or the store is not sound; if there is no such
            run, or no redacted table of its log; or if something is to be hidden, and nothing is left out.
    """
    if (handing.blind or handing.recipients) and not handing.left:
        raise RefusalError(
            "usage",
            "nothing-left-out",
            "nothing is left out of this export, so that nothing in it is blinded or sealed",
            "name each run whose log is not handed over with --without or --withhold",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RefusalError("refused", "folder-full", f"`{folder}` is not empty", "export into a new directory")
        return _write(book, folder, handing, keys)
    except OSError as error:
        raise RefusalError("usage", "folder-unwritable", f"cannot write in `{folder}`: {error.strerror}") from error
    except StoreError as error:
        raise refusal_of(error) from error


def _write(book: Book, folder: Path, handing: Handing, keys: Keys | None) -> Exported:
    # The head first: whatever others record meanwhile is behind it, and not in the directory.
    note = book.store.head()
    standing = book.store.standing()
    size = parse_checkpoint(parse_note(note).text).size
    entries, leaves = standing.entries[:size], book.store.leaves()[:size]
    tables = list(_tables(book, entries, handing))

    def write(path: str, data: bytes) -> None:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    write_tiles(write, lambda start, stop: leaves[start:stop], len(leaves), node=standing.tree.node)
    count, left = 0, []
    for mark in sorted(_named(entries, handing)):
        try:
            if blobs.put_file(folder, book.store.locate_blob(mark)) != mark:
                raise _damaged(mark)
            count += 1
        except KeyError:
            left.append(mark)
    left += sorted(_named(entries, EVERYTHING) - _named(entries, handing))
    for name, data in tables:
        write(name, data)
    hidden = _logs(entries, handing.left) | _items(entries, handing)
    sealed = _seal(book, folder, sorted(hidden), handing.recipients)
    if standing.trust is not None:
        write("trust", standing.trust.text.encode())
    write_derived(Bundle(folder), entries, write)
    if keys is not None:
        for name, data in _attested(standing, entries, keys):
            write(name, data)
    told = "".join(f"not here: {mark}\n" for mark in left)
    write("README", _ABOUT.format(left=told).encode())
    # Last: a directory without it is none that anybody takes for whole.
    write_durably(folder / HEAD, note)
    return Exported(len(leaves), count, tuple(left), len(tables), sealed, _tableless(entries, handing))


def _tables(book: Book, entries: list[Entry], handing: Handing) -> Iterator[tuple[str, bytes]]:
    """Yield the redacted tables of runs whose logs are not handed over."""
    known = {entry.event.run for entry in entries if isinstance(entry.event, RunRegistered)}
    unknown = sorted(handing.left - known)
    if unknown:
        raise RefusalError(
            "usage", "run-unknown", f"no run `{unknown[0]:.80}` was registered", nearest(unknown[0], known)
        )
    for run in _shown(entries, handing):
        found = reported(entries, run)
        if found.event.commitments:
            _, made = redaction(book, entries, found, "blinded" if handing.blind else "shown")
            yield table_name(run, found.entry.index), made.table


def _shown(entries: list[Entry], handing: Handing) -> list[str]:
    """Return the runs with a result of which the scores are handed over, and the logs are not."""
    return sorted((handing.without - handing.withhold) & _with_results(entries))


def _tableless(entries: list[Entry], handing: Handing) -> tuple[str, ...]:
    return tuple(run for run in _shown(entries, handing) if not reported(entries, run).event.commitments)


def _with_results(entries: list[Entry]) -> set[str]:
    return {entry.event.run for entry in entries if isinstance(entry.event, ResultReported)}


def _seal(book: Book, folder: Path, marks: list[str], recipients: tuple[Recipient, ...]) -> int:
    """Write documents sealed for their recipients, and return how many; none without recipients."""
    count = 0
    for mark in marks if recipients else []:
        place = folder / sealed_name(mark)
        place.parent.mkdir(exist_ok=True)
        try:
            with book.store.locate_blob(mark).open("rb") as source, place.open("xb") as target:
                if f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}" != mark:
                    raise _damaged(mark)
                source.seek(0)
                seal_stream(source, target, recipients)
        except KeyError:
            continue  # not kept, and named as left out
        except SealError as error:
            raise RefusalError("refused", "log-unsealed", f"{mark}: {error}") from error
        count += 1
    return count


def _damaged(mark: str) -> RefusalError:
    return refusal_of(StoreDamagedError(f"the bytes kept as {mark} have another digest"))


def _attested(standing: Standing, entries: list[Entry], keys: Keys) -> Iterator[tuple[str, bytes]]:
    """Yield the public statements of a log as Sigstore bundles, signed by its gate."""
    for key in gates_of(standing):
        signer = keys.signer(key)
        if signer is not None:
            for view in views(entries):
                yield view.name, format_bundle(sign_envelope(IN_TOTO, view.payload, [signer]), key.digest)
            return
    raise RefusalError("refused", "key-missing", "the private key of the gate is not at hand, which attests")


def _named(entries: list[Entry], handing: Handing) -> set[str]:
    """Return the digests of the documents that entries name, but for those that are not handed over."""
    found = {mark for entry in entries if isinstance(entry.event, RunRegistered) for mark in entry.event.claims}
    leave = handing.left
    adopted = {entry.event.digest for entry in entries if isinstance(entry.event, PolicyAdopted)}
    for entry in entries:
        match entry.event:
            case ResultReported() as event if event.run not in leave:
                found |= {event.log, *event.beside}
            case ResultRefused() as event if event.run not in leave:
                found.add(event.log)
            case RunRegistered() | OrderDrawn() as event:
                found |= _item_marks(event)
            case PolicyCompared() as event:
                found.add(event.document)
            case DecisionMade() as event:
                found |= {event.decision, *(mark for mark in event.policies if mark not in adopted)}
            case _:
                pass
    # A log that is not handed over may have been offered for another run as well.
    return found - {"", *_logs(entries, leave), *_items(entries, handing)}


def _items(entries: list[Entry], handing: Handing) -> set[str]:
    """Return the digests of the lists and orders of items that are not handed over.

    With the order of a sampled run every outcome in the log is that of an item. What a run with a result that is
    handed over names as well stays: its scores name the same items.
    """
    hiding = handing.left if handing.blind else handing.withhold
    hidden, shown = set[str](), set[str]()
    results = _with_results(entries)
    for entry in entries:
        event = entry.event
        if isinstance(event, RunRegistered | OrderDrawn):
            if event.run in hiding:
                hidden |= _item_marks(event)
            elif event.run in results:
                shown |= _item_marks(event)
    return hidden - shown - {""}


def _item_marks(event: RunRegistered | OrderDrawn) -> set[str]:
    if isinstance(event, OrderDrawn):
        return {event.order}
    return {event.item_ids, event.sampling.order if event.sampling else ""}


def _logs(entries: list[Entry], leave: frozenset[str]) -> set[str]:
    """Return the digests of everything that results of some runs were read from, or were refused for."""
    found: set[str] = set()
    for entry in entries:
        match entry.event:
            case ResultReported() as event if event.run in leave:
                found |= {event.log, *event.beside}
            case ResultRefused() as event if event.run in leave:
                found.add(event.log)
            case _:
                pass
    return found
