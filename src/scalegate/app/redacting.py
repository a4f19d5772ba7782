"""Commitments to the samples of a log, and what is shown of them later: a table of scores, or single samples.

A secret of 32 bytes is drawn for each log, and kept under its digest in `secrets/` of the store's folder; of a log in a
database, on the machine that the result was recorded on. It opens every commitment: whoever loses it can show the log
itself and nothing less, and whoever finds it can open every table.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.book import Book
from scalegate.app.refusal import RefusalError
from scalegate.app.signing import SigningStore
from scalegate.audit.openings import Shown, format_shown
from scalegate.audit.outcomes import evaluations_of
from scalegate.audit.redacted import Committed, committed
from scalegate.audit.results import examine
from scalegate.core.events import Entry, PolicyAdopted, ResultReported, RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.core.order import shuffled
from scalegate.core.reading import Reading
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.redact import Items, Redaction, RedactionError, log_texts, redact
from scalegate.ingest.sample_texts import sample_parts
from scalegate.ledger.commitments import SECRET_SIZE
from scalegate.ledger.files import sync_folder
from scalegate.ledger.sealed import Recipient, SealError

FOLDER = "secrets"
MAX_PEM = 65_536
_SECRET = re.compile(rb"[0-9a-f]{64}\n")


_FORMS: tuple[Items, Items] = ("shown", "blinded")


@dataclass(frozen=True, slots=True)
class Reported:
    """A result in the log, with its entry and the registration of its run."""

    entry: Entry
    event: ResultReported
    plan: RunRegistered


def commit(book: Book, log: Path, reading: Reading) -> str:
    """Return the commitments to the samples of a log, as its result has them; their secret is kept.

    Args:
        book: where the result will stand. A copy that only signs keeps no secrets, and commits to nothing.
        log: the log as it is kept.
        reading: what was made of it.

    Raises:
        RefusalError: if the secret cannot be kept.
    """
    if isinstance(book.store, SigningStore) or reading.evidence_class != "samples" or not reading.columns:
        return ""
    try:
        texts = log_texts(log, reading)
        secret = _make_secret(book.store.folder, reading.digest)
        shown, blinded = (redact(reading, texts, secret, items=items).commitments for items in _FORMS)
    except (RedactionError, ObjectionError):
        return ""  # its samples cannot be told apart: the log is shown as a whole, or not
    except OSError as error:
        raise RefusalError("store", "secret-unkept", f"cannot keep the secret of a log: {error.strerror}") from error
    return str(Committed(shown.size, shown.root, blinded.root)) if shown.size else ""


def reported(entries: Sequence[Entry], run: str) -> Reported:
    """Return the result of a run.

    Raises:
        RefusalError: if the run was never registered, or has no result.
    """
    plan = next((e.event for e in entries if isinstance(e.event, RunRegistered) and e.event.run == run), None)
    if plan is None:
        raise RefusalError("usage", "run-unknown", f"no run `{run:.80}` was registered", "`scalegate evidence list`")
    for entry in entries:
        if isinstance(entry.event, ResultReported) and entry.event.run == run:
            return Reported(entry, entry.event, plan)
    raise RefusalError("refused", "run-open", f"run `{run:.80}` has no result")


def redaction(book: Book, entries: list[Entry], found: Reported, items: Items) -> tuple[Reading, Redaction]:
    """Return the reading of a kept log, and its redacted table as the result committed to it.

    Raises:
        RefusalError: if the result commits to nothing, log or secret are not kept, or this is not what it committed to.
    """
    event = found.event
    known = commitment_of(found)
    if items == "blinded" and found.plan.sampling is not None:
        raise RefusalError(
            "refused",
            "blinded-order",
            f"run `{event.run:.80}` has a registered order, in which nobody can put blinded items",
            "show the items, or hand over nothing of the run with --withhold",
        )
    evaluation = _evaluation(entries, found.plan)
    try:
        paths = [book.store.locate_blob(mark) for mark in (event.log, *event.beside)]
        reading = examine(paths[0], paths[1] if len(paths) > 1 else None, edited=evaluation.accept_edited)
        secret = _read_secret(book.store.folder, event.log)
        made = redact(reading, log_texts(paths[0], reading), secret, items=items)
    except KeyError as error:
        raise RefusalError("refused", "log-missing", f"the log of run `{event.run:.80}` is not kept here") from error
    except (RedactionError, ObjectionError) as error:
        raise RefusalError("untrusted", "log-unredacted", f"run `{event.run:.80}`: {error}") from error
    if made.commitments.root != known.root(items):
        raise RefusalError(
            "untrusted",
            "commitments-other",
            f"the log and the secret of run `{event.run:.80}` do not give the roots that its result commits to",
            "use the version of scalegate that recorded the result, and the secret that was kept with its log",
        )
    return reading, made


def open_sample(book: Book, run: str, sample: int) -> tuple[Reported, bytes]:
    """Return what shows one sample of a run to an auditor, texts included.

    Raises:
        RefusalError: as for `redaction`, or if there is no such sample.
    """
    entries = list(book.page().history.entries)
    found = reported(entries, run)
    size = commitment_of(found).size
    if not 0 <= sample < size:
        raise RefusalError(
            "usage", "sample-unknown", f"run `{run:.80}` has {size} samples, from 0 to {size - 1}, and no {sample}"
        )
    reading, made = redaction(book, entries, found, "shown")
    opening = made.commitments.opening(sample)
    parts: tuple[tuple[str, bytes], ...] = ()
    salt = None
    try:
        if opening.record.text is not None:
            parts = sample_parts(book.store.locate_blob(found.event.log), reading, made.order[sample])
            salt = made.commitments.text_salt(sample)
        return found, format_shown(Shown(found.entry.digest, run, opening, salt, parts))
    except (RedactionError, ObjectionError) as error:
        raise RefusalError("refused", "sample-unshown", f"sample {sample} of run `{run:.80}`: {error}") from error


def read_recipients(paths: Iterable[Path]) -> tuple[Recipient, ...]:
    """Return the public keys that logs are sealed for.

    Raises:
        RefusalError: if a file cannot be read, or holds no X25519 key in PEM.
    """
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found.append(Recipient.from_pem(file.read(MAX_PEM)))
        except OSError as error:
            raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
        except SealError as error:
            hint = "`openssl pkey -in KEY -pubout` writes the public part of an X25519 key"
            raise RefusalError("malformed", "key-unfit", f"`{path}`: {error}", hint) from error
    return tuple(found)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, readable by its owner only.

    Raises:
        RefusalError: if it is there, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except FileExistsError as error:
        raise RefusalError("refused", "file-exists", f"there is something at `{path}` already") from error
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"cannot write `{path}`: {error.strerror}") from error


def draw(size: int, count: int, seed: str) -> tuple[int, ...]:
    """Return which samples are to be shown, sorted: the first of all in the order that a seed fixes.

    Raises:
        RefusalError: if there are not so many.
    """
    if not 0 < count <= size:
        raise RefusalError("usage", "count-impossible", f"of {size} samples, {count} cannot be drawn")
    return tuple(sorted(map(int, shuffled(map(str, range(size)), seed)[:count])))


def commitment_of(found: Reported) -> Committed:
    """Return what a result commits to.

    Raises:
        RefusalError: if that is nothing.
    """
    try:
        return committed(found.event)
    except RedactionError as error:
        raise RefusalError(
            "refused",
            "uncommitted",
            f"run `{found.event.run:.80}`: {error}",
            "show its log, or hand over nothing of it with --withhold",
        ) from error


def _evaluation(entries: list[Entry], plan: RunRegistered) -> Evaluation:
    for entry in entries:
        if isinstance(entry.event, PolicyAdopted):
            found = evaluations_of(entry.event).get(plan.evaluation)
            if found is not None:
                return found
    raise RefusalError("refused", "evaluation-gone", f"no policy of the log has the evaluation of run `{plan.run:.80}`")


# ---------------------------------------------------------------- secrets


def _make_secret(folder: Path, digest: str) -> bytes:
    """Return the secret of a log, drawn unless somebody did before; on disk, and readable by its owner only."""
    path = _place(folder, digest)
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{os.urandom(6).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(SECRET_SIZE).hex().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # never over another: two writers of one log use the secret of the first
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
        sync_folder(folder)
    return _read_secret(folder, digest)


def _read_secret(folder: Path, digest: str) -> bytes:
    path = _place(folder, digest)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RefusalError(
            "refused",
            "secret-missing",
            f"the secret of the log {digest} is not in `{path.parent}`: {error.strerror}",
            "restore it from a copy of the store; without it the log can be shown as a whole only",
        ) from error
    if _SECRET.fullmatch(data) is None:
        raise RefusalError("untrusted", "secret-damaged", f"`{path}` holds no secret: it has 64 hexadecimal digits")
    return bytes.fromhex(data.decode())


def _place(folder: Path, digest: str) -> Path:
    return folder / FOLDER / digest.removeprefix("sha256:")
