"""Pause, stop, open, outside-only: what could ever lift a hold, over every path, and whether the developer alone could.

- pause: evidence that can be had would lift it, or the calendar will;
- open: only what fills a hole would;
- stop: nothing would, short of another policy.

Beside that stands who is needed. A hold is lifted *outside only* where nothing that the developer alone can sign lifts
it: no evidence, fill, exception, amendment, retraction, appointment or withdrawal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scalegate.core.actions import HARDER, IRREVERSIBLE
from scalegate.core.kernel import Commitment, Compare, Kernel
from scalegate.core.terms import Compute, Measure
from scalegate.prove.ask import Script
from scalegate.prove.compare import Solvers
from scalegate.prove.formula import Flag, Formula, at_most, every, neg, some
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import let_through, stands
from scalegate.prove.symbols import RoleRule, Variable, rule_of
from scalegate.prove.variables import Variables
from scalegate.prove.views import Sight

Lift: TypeAlias = Literal["pause", "stop", "open", "undecided"]

# Flags of what somebody says in a role; no other flag is anybody's signature.
SPOKEN = ("reported", "affirmed", "denied", "began", "stated", "discharged", "specified")


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a hold.

    Attributes:
        path: evidence, fill, exception, amendment, withdrawal, retraction or appointment.
        alone: whether the developer alone can take it; None where that is undecided.
        words: who is needed, or why nobody can.
    """

    path: str
    alone: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What could lift the hold of one commitment.

    Attributes:
        commitment: its id.
        before: what lifts it while nothing has crossed it.
        crossed: what lifts it once everything it watches has crossed.
        ways: every path, with whether the developer alone can take it.
    """

    commitment: str
    before: Lift
    crossed: Lift
    ways: tuple[Way, ...]

    @property
    def outside_only(self) -> bool:
        """Whether nothing that the developer alone can sign lifts the hold."""
        return all(way.alone is False for way in self.ways)


def verdicts(kernel: Kernel, solvers: Solvers) -> tuple[Verdict, ...]:
    """Return the verdict on every commitment of a policy."""
    return tuple(_Hold(kernel, commitment, solvers).verdict() for commitment in kernel.commitments)


def controlled(kernel: Kernel, role: str | None) -> bool:
    """Whether the developer alone can speak in a role: anybody can, or nothing keeps the developer out of it."""
    return _controlled(rule_of(dict(kernel.roles), role))


def _controlled(rule: RoleRule) -> bool:
    return "developer" not in rule.independent_of


class _Beyond(Sight):
    """A view in which asking for less is no way out: what is asked for lies beyond every bound on compute."""

    def stands(self, leaf: Compare, *, permissive: bool) -> Formula:
        """Return that a comparison stands for the permit; never by the size of what is asked for."""
        if isinstance(self.kernel.terms[leaf.term], Compute):
            return False
        return super().stands(leaf, permissive=permissive)

    def opposed(self, leaf: Compare, *, permissive: bool) -> Formula:
        """Return that a comparison stands against the permit; always by the size of what is asked for."""
        if isinstance(self.kernel.terms[leaf.term], Compute):
            return True
        return super().opposed(leaf, permissive=permissive)


class _Crossed(_Beyond):
    """The same, once every measurement that a trigger watches has crossed: a latch, and no later result removes it."""

    def stands(self, leaf: Compare, *, permissive: bool) -> Formula:
        """Return that a comparison stands for the permit; never by a measurement that can cross and has."""
        return False if self._latched(leaf, permissive=permissive) else super().stands(leaf, permissive=permissive)

    def opposed(self, leaf: Compare, *, permissive: bool) -> Formula:
        """Return that a comparison stands against the permit; always by a measurement that can cross and has."""
        return True if self._latched(leaf, permissive=permissive) else super().opposed(leaf, permissive=permissive)

    def _latched(self, leaf: Compare, *, permissive: bool) -> bool:
        term = self.kernel.terms[leaf.term]
        watched = isinstance(term, Measure) and term.position == "when"
        return watched and _crossable(leaf, above=leaf.above is permissive)


def _crossable(leaf: Compare, *, above: bool) -> bool:
    """Whether any rate lies on the wrong side of a bound: nothing is ever above 100%, or below 0%."""
    bound = Fraction(leaf.num, leaf.den)
    if above:
        return bound > 0 or (bound == 0 and not leaf.edge)
    return bound < 1 or (bound == 1 and leaf.edge)


class _Hold:
    """One commitment, asked what could lift it."""

    def __init__(self, kernel: Kernel, commitment: Commitment, solvers: Solvers) -> None:
        self.kernel, self.commitment, self.solvers = kernel, commitment, solvers
        self.variables = Variables()
        # What lifts it for one of its actions lifts it: contexts, and what training needs, differ among them.
        names = [name for name in HARDER if name in commitment.actions]
        adverse = commitment.unsettled != "hold"
        sights = [_Beyond(self.variables, kernel, name, adverse=adverse, filled=True) for name in names]
        self.untouched = some(let_through(sight, commitment) for sight in sights)
        latched = [_Crossed(self.variables, kernel, name, adverse=adverse, filled=True) for name in names]
        self.recovered = some(let_through(sight, commitment) for sight in latched)
        self.shown = some(stands(sight, commitment.until, permissive=True) for sight in sights)
        self.escapes = tuple(escape for sight in sights for escape in self._escapes(sight))
        uneventful(self.variables, (kernel,))
        self.attainable = tuple(attainable(self.variables, kernel))
        self.unfilled = tuple(neg(Flag(item.name)) for item in self.variables if item.key[0] == "filled")
        self.fillable = tuple(
            neg(Flag(item.name))
            for item in self.variables
            if item.key[0] == "filled" and not self._fillers(str(item.key[1]))
        )

    def verdict(self) -> Verdict:
        """Return the verdict."""
        before = some((self.untouched, self.shown, *self.escapes))
        crossed = some((self.recovered, self.shown, *self.escapes))
        ways = (self._evidence(crossed, before), *self._fills(before), *self._changes())
        return Verdict(self.commitment.id, self._lift(before), self._lift(crossed), ways)

    def _lift(self, released: Formula) -> Lift:
        plain = self._possible(released, self.unfilled)
        if plain is not False:
            return "pause" if plain else "undecided"
        filled = self._possible(released, self.fillable)
        if filled is not False:
            return "open" if filled else "undecided"
        return "stop"

    def _possible(self, released: Formula, given: tuple[Formula, ...]) -> bool | None:
        """Whether some attainable situation releases; None where that is undecided."""
        script = Script(self.variables, {"released": released}, (*self.attainable, *given))
        status = self.solvers.ask(script).status
        return None if status == "unknown" else status == "sat"

    def _fillers(self, hole: str) -> tuple[str, ...]:
        spec = self.kernel.holes.get(hole)
        return spec.filled_only_by if spec is not None else ()

    # ------------------------------------------------------------ ways

    def _alone(self) -> tuple[Formula, ...]:
        """Return that nobody but the developer speaks."""
        return tuple(neg(Flag(item.name)) for item, _ in self._from_outside())

    def _evidence(self, crossed: Formula, before: Formula) -> Way:
        """Return whether what the developer alone can show lifts the hold, exceptions included."""
        alone = self._possible(before, (*self.unfilled, *self._alone()))
        if self._possible(before, self.unfilled) is False:
            return Way("evidence", False, "no evidence lifts it")
        if alone:
            late = self._possible(crossed, (*self.unfilled, *self._alone()))
            words = (
                "what the developer alone can show lifts it" if late else "before a crossing, the developer's own word"
            )
            return Way("evidence", True, words)
        who = ", ".join(sorted(self._outsiders()))
        return Way("evidence", alone, f"it takes somebody independent of the developer: {who}" if who else "nobody")

    def _outsiders(self) -> set[str]:
        return {rule.name for _, rule in self._from_outside()}

    def _from_outside(self) -> Iterator[tuple[Variable, RoleRule]]:
        """Yield what somebody says whom the developer does not control, and as whom."""
        for item in self.variables:
            if item.key[0] in SPOKEN:
                yield from ((item, rule) for rule in item.key if isinstance(rule, RoleRule) and not _controlled(rule))

    def _escapes(self, sight: Sight) -> Iterator[Formula]:
        """Yield what releases by an exception; none ever covers what cannot be undone."""
        if sight.action in IRREVERSIBLE:
            return
        for item in self.kernel.exceptions:
            if item.instead_of == self.commitment.id:
                yield every(stands(sight, part, permissive=True) for part in (item.when, item.until, *item.needs))

    def _fills(self, before: Formula) -> Iterator[Way]:
        """Yield whether the developer alone, by filling holes and by what it can show, lifts the hold."""
        names = {item.name: str(item.key[1]) for item in self.variables if item.key[0] == "filled"}
        own = {name for name, hole in names.items() if self._own(hole)}
        others = tuple(neg(Flag(name)) for name in names if name not in own)
        alone = self._possible(before, (*others, *self._alone())) if own else False
        for name, hole in names.items():
            fillers = self._fillers(hole)
            words = f"{hole} may be filled by {' and '.join(fillers)}"
            if not fillers:
                yield Way("fill", False, f"nobody may fill {hole}")
            elif name not in own:
                yield Way("fill", False, words)
            else:
                short = "" if alone is not False else "; it takes others besides to lift this"
                yield Way("fill", alone, f"{words}, none of whom is independent{short}")

    def _own(self, hole: str) -> bool:
        """Whether the developer alone can fill a hole."""
        fillers = self._fillers(hole)
        return bool(fillers) and all(controlled(self.kernel, role) for role in fillers)

    def _changes(self) -> Iterator[Way]:
        """Yield the ways of changing or leaving the policy itself, and of unsaying evidence."""
        approvers = self.kernel.amendments.approved_by
        outside = [role for role in approvers if not controlled(self.kernel, role)]
        for path, what in (("amendment", "it can be amended"), ("withdrawal", "it can be withdrawn")):
            if not approvers:
                yield Way(path, False, "nobody may approve that")
            elif outside:
                yield Way(path, False, f"{what} only with {' and '.join(outside)}")
            else:
                who = " and ".join(approvers)
                yield Way(
                    path, True, f"{what} by {who}, none of whom is independent, while no declared subject is held"
                )
        independent = sorted(name for name, role in self.kernel.roles.items() if role.is_outside)
        words = (
            f"only {' or '.join(independent)} can retract evidence" if independent else "nobody can retract evidence"
        )
        yield Way("retraction", False, words)
        yield Way("appointment", False, self._appointment())

    def _appointment(self) -> str:
        """Return who says who holds the roles that a release needs."""
        open_roles = sorted(name for name in self._outsiders() if not self.kernel.roles[name].members)
        words = "nobody who ever acted as developer may act in a role that is independent of it"
        if open_roles:
            words += f"; who is {' or '.join(open_roles)} the trust file says, of which every verifier keeps a copy"
        return words


def attainable(variables: Variables, kernel: Kernel) -> Iterator[Formula]:
    """Yield what finite evidence cannot reach: of a population no rate is ever shown to be 0 or 1."""
    banks = {item.digest for item in kernel.evaluations.values() if item.estimand == "bank"}
    for variable in variables:
        if variable.key[0] in ("high", "low") and variable.key[1] not in banks:
            yield from _open(variable)


def _open(variable: Variable) -> Iterator[Formula]:
    if variable.key[0] == "high":
        yield neg(at_most(variable.name, Fraction(0)))
    else:
        yield at_most(variable.name, Fraction(1), strict=True)
