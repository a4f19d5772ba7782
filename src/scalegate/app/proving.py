"""Proofs that the log has an entry: made from the store, and checked without it. And the files that the log is read as.

A proof is a C2SP tlog-proof under a checkpoint of the log: the newest one that the quorum cosigned, where it covers
the entry, and otherwise the newest one. It shows that the log has the entry. Whether the log should have admitted it is
for `scalegate verify` to say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.answers import last_live
from scalegate.app.book import Book
from scalegate.app.places import refusal_of
from scalegate.app.refusal import RefusalError
from scalegate.core.events import Entry, History
from scalegate.core.log_events import HeadWitnessed
from scalegate.ledger.checkpoint import CheckpointError
from scalegate.ledger.errors import StoreError
from scalegate.ledger.leaf import MAX_LEAF
from scalegate.ledger.merkle import NodeMissingError, Tree
from scalegate.ledger.mirror import CHECKPOINT
from scalegate.ledger.note import NoteError, format_note, parse_note
from scalegate.ledger.proof import ProofError, Prover
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.standing import Standing
from scalegate.ledger.store import HEAD, LocalStore
from scalegate.ledger.tiles import TILE_WIDTH, Bundle, TilePathError, cut_tile, encode_bundle, parse_path
from scalegate.ledger.tlog_proof import (
    MAX_PROOF,
    TlogProofError,
    format_proof,
    parse_proof,
    prove_entry,
    verify_proof,
)
from scalegate.ledger.trust import Head, Trust, open_head


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof.

    Attributes:
        entry: the entry.
        leaf: its bytes in the log.
        proof: bytes of the tlog-proof.
        size: number of entries under the checkpoint.
        by: names of the witnesses that cosigned it.
        at: when the quorum had cosigned it; None for a checkpoint that only the log signed.
    """

    entry: Entry
    leaf: bytes
    proof: bytes
    size: int
    by: tuple[str, ...]
    at: int | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A proof that holds.

    Attributes:
        origin: the log.
        index: which entry of it.
        size: number of entries under the checkpoint.
        by: names of the witnesses that cosigned it.
        at: when the quorum had cosigned it; None where it did not.
        enough: whether the trust file asks for no more.
    """

    origin: str
    index: int
    size: int
    by: tuple[str, ...]
    at: int | None
    enough: bool


def find_entry(history: History, which: str = "", decision: str = "") -> Entry:
    """Return an entry by its index or digest, or that of a live answer by its number or digest.

    Raises:
        RefusalError: if there is none.
    """
    if decision:
        found = last_live(history, decision)
        if found is None:
            raise RefusalError("usage", "decision-unknown", f"the log has no answer `{decision:.80}`")
        return found
    for entry in history.entries:
        if which in (str(entry.index), entry.digest, entry.digest.removeprefix("sha256:")):
            return entry
    if history.fault:
        raise RefusalError("untrusted", "history-fault", f"the log is not to be trusted: {history.fault}")
    raise RefusalError(
        "usage",
        "entry-unknown",
        f"the log has no entry `{which:.80}`",
        "`scalegate ledger show` lists them",
    )


def prove(book: Book, index: int) -> Proven:
    """Return the proof that the log has an entry.

    Raises:
        RefusalError: if the log cannot be read, or has no such entry.
    """
    try:
        standing = book.store.standing()
        leaves = book.store.leaves()
        if not 0 <= index < len(standing.entries):
            raise RefusalError("usage", "entry-unknown", f"the log has no entry {index}")
        head, note = _cosigned(standing, index) or _newest(standing, book.store.head())
    except StoreError as error:
        raise refusal_of(error) from error
    prover = Prover(standing.tree.node, head.checkpoint.size)
    proof = format_proof(prove_entry(prover, index, parse_note(note)))
    return Proven(standing.entries[index], leaves[index], proof, head.checkpoint.size, _names(head), head.at)


def check(proof: Path, leaf: Path, trust: Trust) -> Checked:
    """Check a proof with nothing but a trust file.

    Raises:
        RefusalError: if a file cannot be read or is no proof; `untrusted` if the proof does not hold.
    """
    try:
        parsed = parse_proof(_read(proof, MAX_PROOF))
    except TlogProofError as error:
        raise RefusalError("malformed", "proof-malformed", f"`{proof}` is no tlog-proof: {error}") from error
    entry = _read(leaf, MAX_LEAF)
    try:
        keys = [item.key for item in trust.witnesses]
        signed = verify_proof(parsed, entry, trust.origin, trust.logs, keys)
        head = open_head(format_note(parsed.note), trust)
    except (NoteError, CheckpointError, ProofError, SignatureError) as error:
        raise RefusalError("untrusted", "proof-false", f"the proof does not hold: {error}") from error
    enough = head.at is not None or not trust.needs_witnesses
    return Checked(trust.origin, parsed.index, signed.checkpoint.size, _names(head), head.at, enough)


def _cosigned(standing: Standing, index: int) -> tuple[Head, bytes] | None:
    """Return the newest head over an entry that the log says was cosigned, if the trust file in force agrees."""
    for entry in reversed(standing.entries):
        event = entry.event
        if isinstance(event, HeadWitnessed) and event.size > index and standing.trust is not None:
            try:
                head = open_head(event.note.encode(), standing.trust)
            except (NoteError, CheckpointError, SignatureError):
                continue
            if head.at is not None:
                return head, event.note.encode()
    return None


def _newest(standing: Standing, note: bytes) -> tuple[Head, bytes]:
    if standing.trust is None:
        raise RefusalError("usage", "log-empty", "a log without entries proves nothing")
    return open_head(note, standing.trust), note


def _names(head: Head) -> tuple[str, ...]:
    return tuple(head.times)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error


# ---------------------------------------------------------------- the log as files


class LogFiles:
    """The files of C2SP tlog-tiles, made from a store as they are asked for; several threads may ask.

    What is shown under one checkpoint never changes. The store is read again once its checkpoint is another one.
    """

    def __init__(self, open_store: Callable[[], LocalStore]) -> None:
        """Read the store for the first time.

        Args:
            open_store: opens it; called in whichever thread asks.

        Raises:
            StoreError: if it cannot be read, or is not what its log signed.
        """
        self._open = open_store
        self._alone = threading.Lock()
        self._published = b""
        self._shown: tuple[bytes, Tree, list[bytes]] = (b"", Tree(), [])
        self._refresh()

    def read(self, path: str) -> bytes | None:
        """Return the bytes of `checkpoint`, a tile or a bundle; None where the log has no such part."""
        if path == CHECKPOINT:
            self._refresh()
            return self._shown[0]
        _, tree, leaves = self._shown
        try:
            place = parse_path(path)
            if not isinstance(place, Bundle):
                return cut_tile(tree, place)
        except (TilePathError, NodeMissingError):
            return None
        start = place.index * TILE_WIDTH
        found = leaves[start : start + place.width]
        return encode_bundle(found) if len(found) == place.width else None

    def _refresh(self) -> None:
        with self._alone:
            store = self._open()
            try:
                published = _bytes(store.folder / HEAD)
                if published and published == self._published:
                    return
                standing, head = store.standing(), store.head()
                size = len(standing.entries)
                self._shown = (head, standing.tree, store.leaves()[:size])
                self._published = published
            finally:
                store.close()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
