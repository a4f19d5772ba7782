"""The most dangerous situation that a policy still permits, for each of its commitments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from scalegate.core.kernel import Commitment, Kernel
from scalegate.prove.ask import Answer, Script
from scalegate.prove.compare import Solvers, in_force
from scalegate.prove.formula import AtMost, Flag, Formula, Many, Neg, at_most, neg
from scalegate.prove.minimal import smallest
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import Permits, Reading, opposed, stands
from scalegate.prove.situation import Judged, Replay
from scalegate.prove.symbols import Value, Variable
from scalegate.prove.variables import Variables
from scalegate.prove.views import Sight

# What is permitted, the hardest to undo first.
DANGER = (
    "release.weights",
    "deploy.finetuning",
    "deploy.api",
    "deploy.partners",
    "deploy.internal.autonomous-research",
    "deploy.internal",
    "train.new-scale",
    "train",
    "train.mitigation",
    "delete.weights",
    "store.weights",
)

Stage: TypeAlias = Literal["uncrossed", "unsettled", "crossed"]
STAGES: Final[tuple[Stage, ...]] = ("uncrossed", "unsettled", "crossed")


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst that a commitment lets happen.

    Attributes:
        commitment: its id.
        action: the action hardest to undo that is permitted at all; empty where none ever is.
        stage: `uncrossed`: shown not to have crossed; `crossed`: shown to have, or not shown not to have where that
            is as good; `unsettled`: neither is shown, and the text does not hold there.
        values: what is not nominal in the situation.
        judged: what the gate's interpreter says of it.
        variables: what the values are about.
        why: why there is no such situation, or nothing is known.
    """

    commitment: str
    action: str
    stage: Stage
    values: Mapping[str, Value]
    judged: Judged | None
    variables: Variables
    why: str = ""

    @property
    def crossed(self) -> bool:
        """Whether what the commitment watches has crossed, and it goes on all the same."""
        return self.stage == "crossed"


def worst(kernel: Kernel, solvers: Solvers) -> tuple[Worst, ...]:
    """Return the most dangerous permitted situation for each commitment: once uncrossed, and once crossed.

    Where a text does not hold what is settled neither way, that is a third one: it is no crossing.
    """
    return tuple(
        found
        for commitment in kernel.commitments
        for stage in STAGES
        if stage != "unsettled" or commitment.unsettled != "hold"
        for found in (_Search(kernel, commitment, solvers, stage).worst(),)
        if found is not None
    )


class _Search:
    def __init__(self, kernel: Kernel, commitment: Commitment, solvers: Solvers, stage: Stage) -> None:
        self.kernel, self.commitment, self.solvers, self.stage = kernel, commitment, solvers, stage
        # What a text only aims at, or recommends, is looked at together with all that binds as strongly.
        self.reading = Reading(weakest=commitment.modality)

    def worst(self) -> Worst | None:
        """Return the worst, for the action hardest to undo that is permitted; None where crossing it is the same."""
        why, variables = "", Variables()
        for action in (name for name in DANGER if name in self.commitment.actions):
            variables = Variables()
            given, watched = self._given(variables, action)
            if self.stage != "uncrossed" and not any(item.unit != "flag" for item in watched):
                return None
            answer = self._ask(variables, given)
            if answer.status == "sat":
                return self._push(variables, action, given, watched)
            if answer.status == "unknown":
                why = answer.why
        never = "nothing that it covers is ever permitted"
        words = f"once it is crossed, {never}" if self.stage == "crossed" else never
        return Worst(self.commitment.id, "", self.stage, {}, None, variables, why or words)

    def _given(self, variables: Variables, action: str) -> tuple[list[Formula], list[Variable]]:
        """Return that the policy binds and permits the action, and what the commitment reads, `when` first.

        Of what it reads: the ends of intervals, then whether each safeguard is shown.
        """
        permission = Permits(variables, self.kernel, self.reading).action(action)
        untouched = stands(Sight(variables, self.kernel, action), self.commitment.when, permissive=False)
        uneventful(variables, (self.kernel,))
        own = Variables()
        sight = Sight(own, self.kernel, action)
        stands(sight, self.commitment.when, permissive=False)
        stands(sight, self.commitment.until, permissive=True)
        read = [variables.by_key[item.key] for item in own if item.key[0] in ("high", "low")]
        read += [variables.by_key[item.key] for item in own if _is_safeguard(item)]
        given = [permission.formula, neg(permission.unbound), *in_force(variables, (self.kernel,))]
        if self.stage == "uncrossed":
            return [*given, untouched], read
        given.append(neg(untouched))
        if self.commitment.unsettled != "hold":
            sight = Sight(variables, self.kernel, action, adverse=True)
            against = opposed(sight, self.commitment.when, permissive=False)
            uneventful(variables, (self.kernel,))
            given.append(against if self.stage == "crossed" else neg(against))
        return given, read

    def _push(self, variables: Variables, action: str, given: list[Formula], read: list[Variable]) -> Worst:
        """Push each end of an interval as far to the bad side as it goes, one after the other; then drop safeguards."""
        given = list(given)
        for variable in read:
            given += self._farthest(variables, given, variable)
        answer = self._ask(variables, given)
        replay = Replay(variables, self.kernel, self.reading)
        laws = (*variables.laws(), *given)
        values = smallest(variables, answer.values, laws, lambda known: replay.action(action, known).permits)
        if answer.status != "sat" or values is None:
            why = answer.why or "the gate's interpreter does not confirm the situation that was found"
            return Worst(self.commitment.id, action, self.stage, {}, None, variables, why)
        judged = replay.action(action, values)
        return Worst(self.commitment.id, action, self.stage, values, judged, variables)

    def _farthest(self, variables: Variables, given: list[Formula], variable: Variable) -> list[Formula]:
        """Return the strongest bound on the bad side of a variable that the rest allows: a constant, or just short."""
        if variable.unit == "flag":
            lacking = neg(Flag(variable.name))
            return [lacking] if self._ask(variables, [*given, lacking]).status == "sat" else []
        rising = variable.key[0] != "low"
        ends = sorted(_breaks(given, variable), reverse=rising)
        for place, end in enumerate(ends):
            tries = [end]
            if place + 1 < len(ends):
                tries.append((ends[place + 1] + end * 99) / 100)
            for bound in tries:
                at = _at_least(variable.name, bound) if rising else at_most(variable.name, bound)
                if self._ask(variables, [*given, at]).status == "sat":
                    return [at]
        return []

    def _ask(self, variables: Variables, given: list[Formula]) -> Answer:
        return self.solvers.ask(Script(variables, {}, tuple(given)))


def _at_least(name: str, bound: Fraction) -> Formula:
    return neg(at_most(name, bound, strict=True))


def _is_safeguard(variable: Variable) -> bool:
    """Tell whether a variable says that a safeguard is shown, and not a belief or a count behind one."""
    kind, *rest = variable.key
    return kind == "affirmed" and bool(rest) and str(rest[0]).startswith("safeguard:")


def _breaks(given: list[Formula], variable: Variable) -> set[Fraction]:
    """Return the constants that a variable is compared with, and the ends of its domain."""
    found = {item for item in (variable.low, variable.high) if item is not None}
    todo = list(given)
    while todo:
        match todo.pop():
            case AtMost(parts=((factor, name),), bound=bound):
                if name == variable.name:
                    found.add(bound / factor)
            case Neg(part=part):
                todo.append(part)
            case Many(parts=parts):
                todo.extend(parts)
            case _:
                pass
    return found
