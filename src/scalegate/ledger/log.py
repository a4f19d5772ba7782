"""The log over some table of leaves: read whole, written in groups, each group with one signed checkpoint.

Where the leaves are kept is the business of a `Table`: SQLite in a folder, or PostgreSQL. One writer at a time has the
table to himself; what he writes in one go, leaves and the checkpoint over all of them, is there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from scalegate.core.canonical import digest_bytes
from scalegate.core.events import DecisionMade, Entry, Event, History
from scalegate.core.log_events import TrustAdopted
from scalegate.core.ports import Signer
from scalegate.ledger.checkpoint import Checkpoint, CheckpointError, format_checkpoint, parse_checkpoint
from scalegate.ledger.errors import (
    KeyMissingError,
    NotAdmittedEntryError,
    StoreDamagedError,
    StoreError,
    StoreMovedError,
)
from scalegate.ledger.holders import NotAdmittedError, read_trust
from scalegate.ledger.leaf import Leaf, LeafError, sign_leaf, write_statement
from scalegate.ledger.note import (
    Note,
    NoteError,
    NoteKey,
    SignatureType,
    SignedCheckpoint,
    format_note,
    open_checkpoint,
    parse_note,
    verify_note,
)
from scalegate.ledger.signatures import PublicKey, SignatureError
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import Trust

# An author's clock may be so far ahead of the log's, in seconds.
MAX_SKEW = 300


class Keys(Protocol):
    """Whoever may have private keys: those of speakers, and those of logs."""

    def signer(self, key: PublicKey) -> Signer | None:
        """Return what signs with a key; None where its private key is elsewhere."""
        ...

    def note_signer(self, key: NoteKey) -> Signer | None:
        """Return what signs checkpoints with a key; None where its private key is elsewhere."""
        ...

    def trusts(self) -> tuple[Trust, ...]:
        """Return the trust files that a log may have here; none for any."""
        ...


class NoKeys:
    """Whoever only reads."""

    def signer(self, key: PublicKey) -> Signer | None:  # noqa: ARG002 - the protocol's argument
        """Return None."""
        return None

    def note_signer(self, key: NoteKey) -> Signer | None:  # noqa: ARG002 - the protocol's argument
        """Return None."""
        return None

    def trusts(self) -> tuple[Trust, ...]:
        """Return none."""
        return ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Leaves from some index on, and the note over all leaves, as they stood at one moment.

    `published` is the note that was written beside the table last; None where there is none.
    """

    start: int
    leaves: Sequence[tuple[int, bytes]]
    note: bytes
    published: bytes | None


class Table(Protocol):
    """Where leaves are kept."""

    def read(self, start: int) -> Rows:
        """Return the leaves from `start` on."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Keep other writers out; what was not committed inside is taken back."""
        ...

    def write(self, start: int, leaves: Sequence[bytes], note: bytes) -> None:
        """Add leaves and replace the note, durably; call it alone. `publish` comes after it."""
        ...

    def publish(self, note: bytes) -> None:
        """Write the note beside the table, where readers of files find it."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants recorded.

    Attributes:
        event: what happened; an answer of the gate is given its number here.
        at: when, in seconds since 1970.
        after: the head that it was made on; None for any.
        leaf: the leaf, where somebody else signed it; the event is then the one in it.
    """

    event: Event
    at: int
    after: str | None = None
    leaf: bytes = b""


class Log:
    """A log that is read and written through its table."""

    def __init__(self, table: Table, keys: Keys) -> None:
        """Keep both; nothing is read yet."""
        self._table = table
        self._keys = keys
        known = keys.trusts()
        # Whoever can write the table could begin the log anew, with a trust file of his own.
        self._trusts = frozenset(trust.digest for trust in known)
        self._accept = self._trusts.union(*(trust.replaces for trust in known)) if known else None
        self._standing = Standing(self._accept)
        self._note = b""
        # Looking for a key reads a folder.
        self._signers: dict[PublicKey | NoteKey, Signer] = {}

    def history(self) -> History:
        """Return every entry; a history that is not what its log signed carries its fault."""
        standing, fault = self._caught_up()
        return History(tuple(standing.entries), fault, standing.terms)

    def standing(self) -> Standing:
        """Return the log as it stands.

        Raises:
            StoreDamagedError: if it is not what its log signed.
        """
        found, fault = self._caught_up()
        if fault:
            raise StoreDamagedError(fault)
        return found

    def head(self) -> bytes:
        """Return the signed checkpoint over everything."""
        self.standing()
        return self._note

    def commit(self, asks: Sequence[Ask]) -> list[Entry | StoreError]:
        """Record a group durably, in order, under one checkpoint. Once this returned, no crash loses what it returned.

        What cannot be recorded is returned as its error, in its place, and the rest is recorded without it.

        Raises:
            StoreError: if nothing could be recorded.
        """
        with self._table.alone():
            standing = self.standing()
            start = len(standing.entries)
            leaves: list[bytes] = []
            try:
                found = [self._one(standing, ask, leaves) for ask in asks]
                if leaves:
                    note = self._sign(standing)
                    self._table.write(start, leaves, note)
                    self._note = note
            except BaseException:
                self._forget()
                raise
        if leaves:
            self._table.publish(self._note)
        return found

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return a signed checkpoint over the first `size` entries; over all of them without it.

        Raises:
            StoreError: if the log never had so many, or its key is elsewhere.
        """
        standing = self.standing()
        if size is not None and not 0 <= size <= len(standing.entries):
            raise StoreError(f"a log of {len(standing.entries)} entries never had {size}")
        return self._sign(standing, size)

    # ------------------------------------------------------------ parts

    def _forget(self) -> None:
        self._standing, self._note = Standing(self._accept), b""

    def _caught_up(self) -> tuple[Standing, str]:
        """Return the log with what was added since it was read last, and what is wrong with it.

        Where a gate signed the head beside the log, it admitted every entry below: so they are only recalled. Else each
        is admitted here, with all its signatures: whoever has the log's key, and no more, gets nothing past this.
        """
        standing, note = self._standing, self._note
        # Whatever is added below was not checked yet: should anything fail, nothing of it stays.
        self._forget()
        rows = self._table.read(len(standing.entries))
        fault = _taken(rows, standing.recall)
        if not fault and rows.leaves and not _vouched(standing, rows.note):
            standing = Standing(self._accept)
            rows = self._table.read(0)
            fault = _taken(rows, standing.admit)
        fault = fault or _fault(standing, rows) or self._other_trust(standing)
        if not fault:
            self._standing, self._note = standing, rows.note or note
        return standing, fault

    def _other_trust(self, standing: Standing) -> str:
        """Return what is wrong with the trust file in force, if the keys at hand are for others only."""
        if standing.trust is None or not self._trusts or standing.trust.digest in self._trusts:
            return ""
        return f"its trust file {standing.trust.digest} is none of those that are kept with the keys"

    def _one(self, standing: Standing, ask: Ask, leaves: list[bytes]) -> Entry | StoreError:
        """Admit one event, and keep its leaf; what stands in its way is returned."""
        head = standing.entries[-1].digest if standing.entries else ""
        event = ask.event
        if isinstance(event, DecisionMade) and ask.after is not None and standing.allows_head(ask.after):
            # Answers in between change nothing that this one rests on: only its number.
            event = replace(event, number=standing.decisions + 1)
        elif ask.after is not None and ask.after != head:
            return StoreMovedError("another entry was recorded in the meantime")
        try:
            if ask.leaf:
                leaf = ask.leaf
                entry = standing.admit(leaf)
            else:
                leaf, entry = self._signed(standing, event, ask.at)
        except (NotAdmittedError, LeafError) as error:
            return NotAdmittedEntryError(f"the log does not admit this: {error}")
        except StoreError as error:
            return error
        leaves.append(leaf)
        return entry

    def _found(self, key: PublicKey | NoteKey) -> Signer | None:
        """Return what signs with a key, and remember it."""
        if key not in self._signers:
            signer = self._keys.note_signer(key) if isinstance(key, NoteKey) else self._keys.signer(key)
            if signer is None:
                return None
            self._signers[key] = signer
        return self._signers[key]

    def _signed(self, standing: Standing, event: Event, at: int) -> tuple[bytes, Entry]:
        """Sign an event with the keys at hand, and admit it: its signatures are checked where they are made."""
        pairs = standing.signers_of(event)
        for name, keys in pairs:
            found = [self._found(key) for key in keys]
            signers = [item for item in found if item is not None]
            if len(signers) == len(keys):
                subjects = standing.subjects_of(event)
                origin = _origin(standing, event)
                at = max(at, standing.at, standing.witnessed)
                number = standing.number_of(name)
                statement = write_statement(event, origin, number, at, subjects)
                envelope, data = sign_leaf(statement, signers)
                leaf = Leaf(digest_bytes(statement), origin, number, at, event, subjects, envelope)
                return data, standing.admit_signed(leaf, name, data)
        raise KeyMissingError(f"the private key of `{pairs[0][0]:.80}` is not here, and nobody else may say this")

    def _sign(self, standing: Standing, size: int | None = None) -> bytes:
        trust = standing.trust
        if trust is None:
            raise StoreError("a log without entries has no checkpoint")
        checkpoint = Checkpoint(trust.origin, len(standing.entries) if size is None else size, standing.tree.root(size))
        text = format_checkpoint(checkpoint)
        pairs = [(key, self._found(key)) for key in trust.logs]
        lines = [key.sign(text, signer) for key, signer in pairs if signer is not None]
        if not lines:
            raise KeyMissingError(f"the private key of the log `{trust.origin:.80}` is not here, which signs its heads")
        if size is None:
            for key in _gate_keys(standing):
                gate = self._found(key.key)
                lines += [key.sign(text, gate)] if gate is not None else []
        return format_note(Note(text, tuple(lines)))


def _taken(rows: Rows, take: Callable[[bytes], Entry]) -> str:
    """Add the leaves of some rows to a log, and return what is wrong with the first that cannot be."""
    for place, (index, leaf) in enumerate(rows.leaves, start=rows.start):
        if index != place:
            return f"entry {place} is missing"
        try:
            take(leaf)
        except NotAdmittedError as error:
            return f"entry {place} is not one of this log: {error}"
    return ""


def _gate_keys(standing: Standing) -> tuple[NoteKey, ...]:
    """Return the keys with which gates sign heads beside the log, under a name that no log and no witness has."""
    trust = standing.trust
    if trust is None:
        return ()
    found = [key for _, key in standing.holders.gates() if key.algorithm == "ed25519"]
    return tuple(NoteKey(f"{trust.origin[:200]}/gate", SignatureType.NOTE, key) for key in found)


def _vouched(standing: Standing, note: bytes) -> bool:
    """Whether a gate signed the head over exactly these entries."""
    try:
        parsed = parse_note(note)
        head = parse_checkpoint(parsed.text)
        verify_note(parsed, _gate_keys(standing))
    except (NoteError, CheckpointError, SignatureError):
        return False
    return (head.size, head.root) == (len(standing.entries), standing.tree.root())


def _origin(standing: Standing, event: Event) -> str:
    if standing.trust is not None:
        return standing.trust.origin
    if isinstance(event, TrustAdopted):
        return read_trust(event.text).origin
    raise NotAdmittedError("the first entry of a log adopts a trust file")


def _fault(standing: Standing, rows: Rows) -> str:
    """Return what is wrong between leaves, the checkpoint over them, and the one beside the table."""
    size = len(standing.entries)
    if standing.trust is None:
        return "" if rows.published is None and not rows.note else "the ledger has a head, and no entries"
    try:
        head = _open(rows.note, standing.trust)
    except StoreDamagedError as error:
        return str(error)
    if head.checkpoint.size != size:
        return f"the log signed a head of {head.checkpoint.size} entries, and the ledger has {size}"
    if head.checkpoint.root != standing.tree.root():
        return "the entries are not those that the log signed"
    if rows.published is None:
        return "" if size == 1 else f"the ledger has {size} entries and no readable head"
    return "" if rows.published == rows.note else _fault_beside(standing, standing.trust.origin, rows.published)


def _fault_beside(standing: Standing, origin: str, note: bytes) -> str:
    """Return what is wrong between leaves and the checkpoint beside the table, which may be older than the last one."""
    size = len(standing.entries)
    try:
        # A crash may have left one from before the log got another key.
        published = open_checkpoint(note, origin, _log_keys(standing)).checkpoint
    except (NoteError, CheckpointError, SignatureError):
        return f"the ledger has {size} entries and no readable head"
    if published.size > size:
        return f"the head counts {published.size} entries, and the ledger has {size}: the newest are gone"
    if published.root != standing.tree.root(published.size):
        return f"the head counts {published.size} entries, and the ledger has others"
    return ""


def _log_keys(standing: Standing) -> tuple[NoteKey, ...]:
    """Return every key that the log has or had."""
    texts = [entry.event.text for entry in standing.entries if isinstance(entry.event, TrustAdopted)]
    return tuple(dict.fromkeys(key for text in texts for key in read_trust(text).logs))


def _open(note: bytes, trust: Trust) -> SignedCheckpoint:
    try:
        return open_checkpoint(note, trust.origin, trust.logs)
    except (NoteError, CheckpointError, SignatureError) as error:
        raise StoreDamagedError(f"the head of the log is not signed well: {error}") from error
