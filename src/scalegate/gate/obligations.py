"""What has to be done in time: which clocks started, until when they run, what met them, and what is late.

Starting a clock needs no entitlement: anybody's affirmation of the event does, in whatever role, at the time of its
entry, so that nobody can backdate it, and nothing but a discharge stops it. A discharge counts in the role that the
policy names, with its quorum, behind the start, about the same subject or about every one. One discharge meets every
clock that runs at that time. A period of what recurs is a clock that starts by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scalegate.core.duties import EventName, Obligation
from scalegate.core.events import Entry, Statement
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import Kernel, Role
from scalegate.core.person import person
from scalegate.core.quantities import FOREVER, show_instant
from scalegate.core.terms import Elapsed
from scalegate.gate.records import Records
from scalegate.gate.voices import may_speak

Said: TypeAlias = list[tuple[Entry, Statement]]
ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock: from `start` on it runs, and `due` is the last instant in time. All in seconds since 1970.

    Attributes:
        start, due: when it started, and runs out.
        met: when it was discharged; None where it was not.
        certain: whether it counts where being late would help somebody: the start was stated by whom the policy names,
            and nobody says that it was met.
        evidence: digests of the entries that started it, and discharged it.
    """

    start: int
    due: int
    met: int | None
    certain: bool
    evidence: tuple[str, ...]

    def late(self, now: int) -> bool:
        """Whether it was, or is, too late."""
        return self.due < (now if self.met is None else self.met)


@dataclass(frozen=True, slots=True)
class ObligationState:
    """How an obligation stands.

    Attributes:
        obligation: which one.
        state: no clock started yet; one runs; one ran out and is not met; all are met.
        at: until when the first one runs, since when it is overdue, or when the last one was met; None if none started.
        ever_late: whether any clock ever ran out before it was met.
        deadlines: the clocks, oldest first; of those of a recurring obligation that the same statement met, the first.
    """

    obligation: Obligation
    state: Literal["not started", "running", "overdue", "met"]
    at: int | None
    ever_late: bool
    deadlines: tuple[Deadline, ...]


def obligation_state(records: Records, kernel: Kernel, obligation: Obligation) -> ObligationState:
    """Return how an obligation of a policy stands at the time of the records."""
    now = records.now
    deadlines = tuple(_recurring(records, kernel, obligation) or _started(records, kernel, obligation))
    ever_late = any(item.late(now) for item in deadlines)
    open_ones = [item.due for item in deadlines if item.met is None]
    if not deadlines:
        return ObligationState(obligation, "not started", None, False, ())
    if open_ones:
        due = min(open_ones)
        return ObligationState(obligation, "overdue" if due < now else "running", due, ever_late, deadlines)
    met = max(item.met or 0 for item in deadlines)
    return ObligationState(obligation, "met", met, ever_late, deadlines)


def obligation_states(records: Records, kernel: Kernel) -> list[ObligationState]:
    """Return how every obligation of a policy stands, overdue ones first."""
    order = ("overdue", "running", "not started", "met")
    found = [obligation_state(records, kernel, item) for item in kernel.duties.obligations.values()]
    return sorted(found, key=lambda item: (order.index(item.state), item.at or 0))


def in_words(state: ObligationState) -> str:
    """Return how an obligation stands, in words."""
    met = state.obligation.met
    late = ", and was late before" if state.ever_late else ""
    match state.state:
        case "overdue":
            return f"overdue since {show_instant(state.at or 0)}: {met.role} has not stated {met.predicate}"
        case "running":
            return f"due until {show_instant(state.at or 0)}{late}"
        case "met":
            return f"met on {show_instant(state.at or 0)}{late}"
        case _:
            return "not started"


def overdue(records: Records, kernel: Kernel, name: str) -> Fact:
    """Return whether an obligation is overdue.

    Read by who wants it not to be: late unless whoever has to says that it was met. Read by who wants it to be: not
    late where the start was stated by others than the policy names, or anybody says that it was met.
    """
    state = obligation_state(records, kernel, kernel.duties.obligations[name])
    late = [item for item in state.deadlines if item.met is None and item.late(records.now)]
    certain = any(item.certain for item in late)
    rising = (ONE, ONE) if certain else (ZERO, ONE if late else ZERO)
    waiting = [item.due + 1 for item in state.deadlines if item.met is None and not item.late(records.now)]
    value = ONE if late else ZERO
    evidence = tuple(mark for item in late or state.deadlines[-1:] for mark in item.evidence)
    until = FOREVER if late else min(waiting, default=FOREVER)
    words = in_words(state)
    return Fact(f"obligation {name}", value, value, rising=rising, until=until, evidence=evidence, detail=words)


def elapsed(records: Records, kernel: Kernel, term: Elapsed, subject: str) -> Fact:
    """Return the seconds since a role first stated a predicate; open where it has not.

    Who wants little time to have passed has anybody's statement against him; who wants much needs that of the role,
    with its quorum.
    """
    label = f"time since {term.predicate} by {term.role}"
    said = [item for item in _affirmed(records, term.predicate) if item[1].subject in ("", subject)]
    heard = _entitled(records, kernel, EventName(term.predicate, term.role))
    heard = [item for item in heard if item[1].subject in ("", subject)]
    first = _quorate(kernel, term.role, heard)
    if not first:
        gap = Gap("not_attested", f"{label}: {term.role} has not stated it, and no time counts before")
        return Fact(label, ZERO, None, gaps=(gap,), grows=True)
    longest, surely = (Fraction(records.now - at) for at in (said[0][0].at, first[-1].at))
    evidence = tuple(entry.digest for entry in first)
    words = f"stated on {show_instant(first[-1].at)}"
    return Fact(label, longest, longest, rising=(surely, surely), evidence=evidence, detail=words, grows=True)


# ---------------------------------------------------------------- clocks


def _started(records: Records, kernel: Kernel, obligation: Obligation) -> Iterator[Deadline]:
    """Yield a clock for every statement of an event that starts one."""
    within = obligation.within
    if within is None:
        return
    discharges = _entitled(records, kernel, obligation.met)
    claims = _affirmed(records, obligation.met.predicate)
    named = {(item.predicate, item.role) for item in obligation.starts}
    words = dict.fromkeys(name.predicate for name in obligation.starts)
    starts = [item for word in words for item in _affirmed(records, word)]
    for entry, statement in sorted(starts, key=lambda item: item[0].index):
        role = statement.role
        entitled = (statement.topic, role) in named and _stands(records, kernel, entry, statement)
        fits = {"", statement.subject}
        later = [item for item in discharges if item[0].index > entry.index and item[1].subject in fits]
        claimed = any(item[0].index > entry.index for item in claims)
        met = _quorate(kernel, obligation.met.role, later)
        evidence = (entry.digest, *(item.digest for item in met))
        at = met[-1].at if met else None
        yield Deadline(entry.at, entry.at + within, at, entitled and not claimed, evidence)


def _recurring(records: Records, kernel: Kernel, obligation: Obligation) -> list[Deadline]:
    """Return the clocks of an obligation that recurs, up to the one that nothing has met yet.

    A period ends with the instant with which the next one begins, and a statement of that instant belongs to the first.
    """
    every, begin = obligation.every, kernel.effective
    if every is None or begin > records.now:
        return []
    discharges = _entitled(records, kernel, obligation.met)
    claims = [entry.at for entry, _ in _affirmed(records, obligation.met.predicate)]
    found: list[Deadline] = []
    start = begin
    while True:
        later = [item for item in discharges if item[0].at > start and item[1].subject == ""]
        met = _quorate(kernel, obligation.met.role, later)
        certain = not any(at > start for at in claims)
        marks = tuple(item.digest for item in met)
        found.append(Deadline(start, start + every, met[-1].at if met else None, certain, marks))
        if not met:
            return found
        # Every period that began before these statements is met by them: go on with the first that is not.
        start = begin + -((begin - max(met[0].at, start + 1)) // every) * every


def _stands(records: Records, kernel: Kernel, entry: Entry, statement: Statement) -> bool:
    """Whether a start was stated by one who might, still may, and has not taken it back."""
    role, who = statement.role, person(statement.by)
    if not (may_speak(records, kernel, role, who, entry.index) and may_speak(records, kernel, role, who)):
        return False
    said = records.statements.get(("predicate", statement.topic), ())
    return not any(person(other.by) == who and not other.holds and later.index > entry.index for later, other in said)


def _affirmed(records: Records, predicate: str) -> Said:
    """Return who affirmed a predicate, whoever it was, oldest first."""
    return [item for item in records.statements.get(("predicate", predicate), ()) if item[1].holds]


def _entitled(records: Records, kernel: Kernel, name: EventName) -> Said:
    """Return what was said on a predicate by those who may speak in a role, oldest first.

    Affirming needs that when it was said and now, denying only when it was said.
    """
    return [
        (entry, statement)
        for entry, statement in records.statements.get(("predicate", name.predicate), ())
        if statement.role == name.role
        and may_speak(records, kernel, name.role, statement.by, entry.index)
        and (not statement.holds or may_speak(records, kernel, name.role, statement.by))
    ]


def _quorate(kernel: Kernel, role: str, said: Sequence[tuple[Entry, Statement]]) -> list[Entry]:
    """Return the statements with which a role first had its quorum.

    None where somebody of it took his back since, or where more of it deny it than its quorum leaves room for, and no
    quorum affirmed it again behind them. A statement that has expired still happened.
    """
    standing: dict[str, Entry] = {}
    last: dict[str, tuple[Entry, bool]] = {}
    for entry, statement in said:
        who = person(statement.by)
        last[who] = entry, statement.holds
        if statement.holds:
            standing.setdefault(who, entry)
        else:
            standing.pop(who, None)
    spec = kernel.roles.get(role) or Role(role)
    found = sorted(standing.values(), key=lambda item: item.index)[: spec.quorum]
    renewed = sorted((entry.index for entry, holds in last.values() if holds), reverse=True)[: spec.quorum]
    denials = [entry for entry, holds in last.values() if not holds and renewed and entry.index > renewed[-1]]
    spare = max(0, (spec.of or spec.quorum) - spec.quorum)
    return found if len(found) >= spec.quorum and len(denials) <= spare else []
