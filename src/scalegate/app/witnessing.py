"""Witnesses: asked to cosign the log, and what follows from it: its time, and the order of registered runs.

The order of a run is drawn from the cosignature that the first witness of the trust file gives for the log as it was
right behind the registration. A witness cosigns no size twice and never goes back: as long as a run waits, the first
witness is asked for nothing larger. What the others said of that size is kept until he has answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scalegate.adapters.witness_http import Gathered, WitnessClient, WitnessError, gather
from scalegate.app.book import Book
from scalegate.app.places import refusal_of
from scalegate.app.refusal import RefusalError
from scalegate.app.sampling import draw_order
from scalegate.core.events import Entry, RunRegistered
from scalegate.core.log_events import HeadWitnessed, OrderDrawn, TrustAdopted
from scalegate.ledger.checkpoint import CheckpointError
from scalegate.ledger.errors import StoreError
from scalegate.ledger.files import write_durably
from scalegate.ledger.note import Note, NoteError, NoteSignature, format_note, parse_note, verify_note
from scalegate.ledger.proof import Prover
from scalegate.ledger.signatures import SignatureError
from scalegate.ledger.standing import Standing, witnessed

# Cosignatures of heads behind registrations, by size of the log.
KEPT = "cosigned"
# So many other writers in a row while witnesses are asked.
_TRIES = 3


@dataclass(slots=True)
class Witnessed:
    """What came of asking the witnesses.

    Attributes:
        size: how many entries the last cosigned head has; 0 where too few cosigned.
        time: the time that enough of them vouch for; 0 where too few cosigned.
        by: names of those who cosigned that head, in the order of the trust file, enough of them or not.
        reasons: why the others did not.
        drawn: runs whose order was drawn.
        waiting: runs that still wait for their order.
        ahead: witnesses that know a longer history of this log, or another one.
    """

    size: int = 0
    time: int = 0
    by: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    ahead: frozenset[str] = frozenset()


def ask_witnesses(book: Book, timeout: float = 10.0) -> Witnessed:
    """Have the log cosigned: first as it was right behind each run that waits for its order, then as it is now.

    Raises:
        RefusalError: if the trust file names no witness that can be asked, or the log cannot be read or written.
    """
    try:
        return _Asking(book, timeout).answer()
    except StoreError as error:
        raise refusal_of(error) from error


def waiting(standing: Standing) -> list[Entry]:
    """Return the registrations whose order is still to be drawn, oldest first.

    Not those from before the trust file in force: which witness draws them would be a matter of choice.
    """
    drawn = {entry.event.run for entry in standing.entries if isinstance(entry.event, OrderDrawn)}
    adopted = max((entry.index for entry in standing.entries if isinstance(entry.event, TrustAdopted)), default=0)
    return [
        entry
        for entry in standing.entries[adopted:]
        if isinstance(entry.event, RunRegistered)
        and entry.event.sampling is not None
        and not entry.event.sampling.seed
        and entry.event.run not in drawn
    ]


class _Asking:
    """One round of questions."""

    def __init__(self, book: Book, timeout: float) -> None:
        trust = book.store.standing().trust
        asked = [item for item in trust.witnesses if item.url] if trust is not None else []
        if trust is None or not asked:
            raise RefusalError("usage", "witnesses-none", "the trust file in force names no witness with a URL")
        try:
            self._clients = [WitnessClient(item, timeout) for item in asked]
        except WitnessError as error:
            raise RefusalError("usage", "witness-url", str(error)) from error
        self._book = book
        self._trust = trust
        # Sizes that witnesses are known to be at.
        self._known: dict[str, int] = {}
        self._found = Witnessed()

    def answer(self) -> Witnessed:
        found, runs = self._found, waiting(self._book.store.standing())
        fresh = bool(runs)
        for run in runs:
            told = self._ask(run.index + 1, self._clients)
            self._keep(run.index + 1, told)
            if not (self._record(run.index + 1, told, marked=True) and self._draw(run)):
                # The first witness may be asked for a later size only once he cosigned this one.
                fresh = False
                break
            # Whoever cosigned a larger head before may know this log, or another: the whole of it shows which.
            fresh = fresh and not told.ahead
        if not fresh:
            self._ask_now()
        found.waiting = tuple(
            run.event.run for run in waiting(self._book.store.standing()) if isinstance(run.event, RunRegistered)
        )
        return found

    def _ask_now(self) -> None:
        """Have the log cosigned as it is, and once more where what the witnesses vouch for is old by now."""
        clients = self._clients
        first = self._trust.witnesses[0].name
        sizes = {run.index + 1 for run in waiting(self._book.store.standing())}
        if any(first not in self._kept(size) for size in sizes):
            clients = [item for item in clients if item.name != first]
        for _ in range(_TRIES):
            size = len(self._book.store.standing().entries)
            told = self._ask(size, clients)
            self._found.ahead = told.ahead
            if told.ahead and len(self._book.store.standing().entries) > size:
                # Another writer had the larger log cosigned.
                continue
            # Of a size that a run waits for, the first head that is recorded says what its order is drawn from.
            enough = self._record(size, told, marked=size in sizes)
            if not enough or self._book.clock.now() - self._found.time <= self._trust.fresh:
                return

    def _ask(self, size: int, clients: Sequence[WitnessClient]) -> Gathered:
        standing = self._book.store.standing()
        prover = Prover(standing.tree.node, size)
        told = gather(clients, self._book.store.checkpoint(size), size, prover.consistency, self._known)
        self._known.update(dict.fromkeys(told.signatures, size))
        self._found.size, self._found.time, self._found.by = 0, 0, self._ordered(told.signatures)
        left = {item.name for item in self._clients} - {item.name for item in clients}
        why = "it is first asked for the head that a run waits for"
        before = {name: self._found.reasons.get(name, f"{name} was not asked: {why}") for name in left}
        self._found.reasons = {**before, **told.reasons}
        return told

    def _record(self, size: int, told: Gathered, *, marked: bool = False) -> bool:
        """Record a cosigned head; return whether enough witnesses cosigned it, the first of them if it is `marked`."""
        lines = {**self._kept(size), **told.signatures}
        note = parse_note(self._book.store.checkpoint(size))
        # The trust file's order, so that one set of witnesses has one note.
        names = self._ordered(lines)
        event = witnessed(format_note(Note(note.text, (*note.signatures, *map(lines.__getitem__, names)))), self._trust)
        if event is None or (marked and not event.mark):
            return False
        if not any(entry.event == event for entry in self._book.store.standing().entries):
            self._book.record(lambda _: event)
        self._found.size, self._found.time, self._found.by = size, event.time, names
        return True

    def _draw(self, run: Entry) -> bool:
        heads = [
            entry.event
            for entry in self._book.store.standing().entries
            if isinstance(entry.event, HeadWitnessed) and entry.event.size == run.index + 1 and entry.event.mark
        ]
        if not heads or not isinstance(run.event, RunRegistered):
            return False
        drawn = draw_order(self._book, run, heads[0].mark)
        self._book.record(lambda _: drawn)
        self._found.drawn = (*self._found.drawn, run.event.run)
        return True

    def _ordered(self, names: object) -> tuple[str, ...]:
        return tuple(item.name for item in self._trust.witnesses if item.name in names)  # type: ignore[operator]

    # ------------------------------------------------------------ what was said of a size before

    def _path(self, size: int) -> Path:
        return self._book.store.folder / KEPT / str(size)

    def _kept(self, size: int) -> dict[str, NoteSignature]:
        """Return the good cosignatures of the head of a size that were kept, by name of the witness."""
        text = parse_note(self._book.store.checkpoint(size)).text
        try:
            kept = parse_note(self._path(size).read_bytes())
        except (OSError, NoteError):
            return {}
        found = {}
        for witness in self._trust.witnesses:
            key = witness.key
            own = [item for item in kept.signatures if (item.name, item.key_id) == (key.name, key.key_id)]
            # What does not verify was never said: whoever wrote the file chose it.
            with suppress(NoteError, CheckpointError, SignatureError):
                if kept.text == text and len(own) == 1 and verify_note(Note(text, tuple(own)), [key]):
                    found[witness.name] = own[0]
        return found

    def _keep(self, size: int, told: Gathered) -> None:
        lines = {**self._kept(size), **told.signatures}
        if not lines:
            return
        note = Note(parse_note(self._book.store.checkpoint(size)).text, tuple(lines.values()))
        path = self._path(size)
        try:
            path.parent.mkdir(exist_ok=True)
            write_durably(path, format_note(note))
        except OSError as error:
            raise StoreError(f"cannot keep what witnesses said in `{path.parent}`: {error.strerror}") from error
