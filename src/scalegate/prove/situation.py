"""A situation made concrete: facts as the gate reads them, and the gate's own interpreter asked about them.

Nothing of the formulas that a solver saw is used here to decide: conditions are judged by `scalegate.gate.interpret`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.actions import IRREVERSIBLE, MITIGATION, NEW_SCALE, TRAIN
from scalegate.core.evidence import Fact, Gap
from scalegate.core.kernel import Commitment, Condition, Exception_, Kernel
from scalegate.core.terms import Clock, Elapsed, Measure, Term
from scalegate.gate.interpret import AGAINST, FOR, Facts, stand
from scalegate.prove.formula import Values, holds, some
from scalegate.prove.nominal import leaves
from scalegate.prove.permits import WHOLE, Reading, mandated, may_come_to
from scalegate.prove.symbols import rule_of
from scalegate.prove.variables import Variables
from scalegate.prove.views import SECOND, Sight, View, directions

ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the interpreter says of an action: whether the policy binds, and which of its parts hold."""

    binds: bool
    held_by: tuple[str, ...]
    escapes: tuple[str, ...] = ()

    @property
    def permits(self) -> bool:
        """Whether the policy permits the action."""
        return not self.held_by


class Replay:
    """Asks the gate's interpreter what one policy says in situations over shared variables."""

    def __init__(self, variables: Variables, kernel: Kernel, reading: Reading = WHOLE) -> None:
        """Read a policy; a variable that a situation does not list is nominal."""
        self.variables, self.kernel, self.reading = variables, kernel, reading
        self._sights: dict[str, tuple[Sight, frozenset[int]]] = {}
        self._directions = directions(kernel)

    def action(self, action: str, values: Values) -> Judged:
        """Return what the policy says of an action, one of `scalegate.core.actions.HARDER`."""
        _, facts, known = self._look(action, values)
        if stand(self.kernel.scope, facts, 0, 0, False, []) == FOR:
            return Judged(binds=False, held_by=() if self.reading.about else tuple(self._always(action, known)))
        actions = self._implied(action, known)
        held, escapes = [], []
        for commitment in self.kernel.commitments:
            counted = self.reading.counts(commitment.about, commitment.modality)
            if not counted or commitment.actions.isdisjoint(actions) or _released(commitment, facts):
                continue
            used = next((item.id for item in self._escapes(commitment, action) if self._used(item, facts, known)), "")
            if used:
                escapes.append(used)
            else:
                held.append(f"commitment {commitment.id}")
        if not self.reading.about:
            held += self._powers(action, known)
        return Judged(True, tuple(held), tuple(escapes))

    def outcomes(self, action: str, values: Values) -> dict[str, str]:
        """Return how every commitment that covers an action comes out.

        It is `held`, or released: `shown` by what it asks for, by `resumption`, by `exception NAME`, or `below scope`.
        """
        _, facts, known = self._look(action, values)
        actions = self._implied(action, known)
        bound = stand(self.kernel.scope, facts, 0, 0, False, []) != FOR
        found: dict[str, str] = {}
        for commitment in self.kernel.commitments:
            if not commitment.actions.isdisjoint(actions):
                used = [item.id for item in self._escapes(commitment, action) if self._used(item, facts, known)]
                otherwise = f"exception {used[0]}" if used else "held"
                found[commitment.id] = (_way(commitment, facts) or otherwise) if bound else "below scope"
        return found

    def condition(self, action: str, condition: Condition, values: Values) -> int:
        """Return how a condition comes out that some commitment on an action reads: 1 proven, -1 refuted, 0 neither."""
        _, facts, _ = self._look(action, values)
        return stand(condition, facts, 0, 0, True, [])

    def silence(self, values: Values) -> Judged:
        """Return which obligations are overdue."""
        sight, facts, known = self._look("", values)
        if stand(self.kernel.scope, facts, 0, 0, False, []) == FOR:
            return Judged(binds=False, held_by=())
        names = [
            f"obligation {name}"
            for name, item in self.kernel.duties.obligations.items()
            if self.reading.counts(item.about, item.modality) and holds(sight.overdue(name), known)
        ]
        return Judged(True, tuple(names))

    def unbound(self, values: Values) -> Judged:
        """Return whether the policy binds at all."""
        _, facts, _ = self._look("", values)
        binds = stand(self.kernel.scope, facts, 0, 0, False, []) != FOR
        return Judged(binds, ("scope",) if binds else ())

    # ------------------------------------------------------------ as the gate applies a policy

    def _look(self, action: str, values: Values) -> tuple[Sight, Facts, Values]:
        """Return the facts of everything that is read under an action; of anything else nothing is known."""
        if action not in self._sights:
            sight = Sight(self.variables, self.kernel, action, adverse=True, filled=self.reading.filled)
            self._sights[action] = sight, frozenset(self._read(action))
        sight, read = self._sights[action]
        known: Values = ChainMap(dict(values), self.variables.nominal)
        facts = [
            (_fact(sight, term, known, self._directions) if place in read else Fact("unread"),)
            for place, term in enumerate(self.kernel.terms)
        ]
        return sight, facts, known

    def _read(self, action: str) -> Iterator[int]:
        """Yield the places of the terms that what is asked about an action may read."""
        conditions = [self.kernel.scope]
        actions = may_come_to(action)
        for commitment in self.kernel.commitments:
            if not commitment.actions.isdisjoint(actions):
                conditions += [commitment.when, commitment.until]
                for item in self._escapes(commitment, action):
                    conditions += [item.when, item.until, *item.needs]
        yield from (leaf.term for condition in conditions for leaf in leaves(condition))

    def _implied(self, action: str, values: Values) -> frozenset[str]:
        """Return the action with those it implies, as `gate.apply.implied` does."""
        if action == NEW_SCALE:
            return frozenset({TRAIN, NEW_SCALE})
        if action == TRAIN:
            scaled = values[self.variables.amount("scaled", unit="flop")]
            if values[self.variables.amount("to", unit="flop")] > max(self.kernel.existing_scale, scaled):
                return frozenset({TRAIN, NEW_SCALE})
        return frozenset({action})

    def _escapes(self, commitment: Commitment, action: str) -> list[Exception_]:
        if action in IRREVERSIBLE:
            return []
        return [item for item in self.kernel.exceptions if item.instead_of == commitment.id]

    def _used(self, item: Exception_, facts: Facts, values: Values) -> bool:
        """Whether an exception is in use: invoked, within its sunset, and everything that it asks for is shown."""
        make = self.variables.amount
        parts: tuple[Condition, ...] = (item.when, item.until, *item.needs)
        return (
            holds(self.variables.flag("invoked", item.id, nominal=False), values)
            and values[make("invoked-ago", item.id, unit="seconds")] < item.each
            and values[make("used", item.id, item.window, item.each, unit="seconds")] < item.total
            and all(stand(part, facts, 0, 0, True, []) == FOR for part in parts)
        )

    def _powers(self, action: str, values: Values) -> list[str]:
        flag, roles, held = self.variables.flag, dict(self.kernel.roles), []
        for role in self.kernel.countersigned_by:
            signed = flag("affirmed", "countersignature", rule_of(roles, role))
            if not holds(signed, values):
                held.append(f"countersignature by {role}")
        lacking = [item for item in self.kernel.duties.mandates if not holds(flag(*mandated(item)), values)]
        held += [f"mandated role {item.name}" for item in lacking]
        return held + self._always(action, values)

    def _always(self, action: str, values: Values) -> list[str]:
        """Return what holds whether or not the policy binds: stop orders, and the cap on mitigation training."""
        held, flag = [], self.variables.flag
        # An order on new scale stops training that comes to it.
        beyond = action == TRAIN and NEW_SCALE in self._implied(action, values)
        for role in self.kernel.stop_orders_by:
            rule = rule_of(dict(self.kernel.roles), role).alone
            kinds = ("stopped", "scale-stopped") if beyond else ("stopped",)
            if any(holds(flag(kind, role, rule, nominal=False), values) for kind in kinds):
                held.append(f"stop order by {role}")
        if action == MITIGATION:
            to = values[self.variables.amount("to", unit="flop")]
            start = values[self.variables.amount("mitigated-from", unit="flop")]
            if to > start * (1 + self.kernel.mitigation_cap):
                held.append("mitigation cap")
        return held


# ---------------------------------------------------------------- facts


def _fact(sight: Sight, term: Term, values: Values, read: frozenset[tuple[Term, bool]]) -> Fact:
    """Return the fact of a term: its ends as variables say, with a gap where its evidence may not be used."""
    falling, rising = (
        sight.view(term, above=above) if (term, above) in read else View(usable=False) for above in (False, True)
    )
    label = type(term).__name__.lower()
    either = falling if falling.yes is not None else rising
    if either.yes is not None and either.no is not None:
        yes, no, against_yes, against_no = (
            holds(part or False, values)
            for part in (either.yes, either.no, either.opposed(above=True), either.opposed(above=False))
        )
        falling_ends = (ONE if against_no else ZERO, ZERO if no else ONE)
        rising_ends = (ONE if yes else ZERO, ZERO if against_yes else ONE)
        return Fact(label, *falling_ends, rising=rising_ends, gaps=() if yes or no else (Gap("missing", label),))
    gaps = () if holds(some((falling.usable, rising.usable)), values) else (Gap("missing", label),)

    def at(name: str | None) -> Fraction | None:
        return None if name is None else Fraction(values[name])

    if isinstance(term, Measure) and sight.opened(term, values):
        return Fact(label, gaps=gaps)
    high = at(falling.high)
    if high is not None and isinstance(term, Clock | Elapsed):
        high += SECOND
    return Fact(
        label,
        at(falling.low),
        high,
        rising=(at(rising.rise_low), at(rising.rise_high)),
        gaps=gaps,
    )


def _released(commitment: Commitment, facts: Facts) -> bool:
    """Whether a commitment permits by its own conditions."""
    return _way(commitment, facts) != ""


def _way(commitment: Commitment, facts: Facts) -> str:
    """Return by which of its conditions a commitment permits; empty where by neither."""
    when = stand(commitment.when, facts, 0, 0, False, [])
    if when == FOR or (commitment.unsettled != "hold" and when != AGAINST):
        return "shown"
    return "resumption" if stand(commitment.until, facts, 0, 0, True, []) == FOR else ""
