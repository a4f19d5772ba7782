"""What is wrong with a policy that no single line of it shows: commitments that never or always hold, and the like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from scalegate.core.actions import HARDER
from scalegate.core.kernel import Commitment, Constant, Kernel
from scalegate.prove.ask import Script, Status
from scalegate.prove.compare import Solvers, in_force
from scalegate.prove.formula import Formula, every, neg, some
from scalegate.prove.nominal import uneventful
from scalegate.prove.permits import Permits, Reading, let_through, stands
from scalegate.prove.variables import Variables
from scalegate.prove.verdict import Verdict, attainable, verdicts
from scalegate.prove.views import Sight

Flaw: TypeAlias = Literal[
    "vacuous trigger",
    "holds always",
    "unreachable release",
    "redundant commitment",
    "weights looser",
    "undecided",
]


@dataclass(frozen=True, slots=True)
class Defect:
    """One finding about a policy, proved for all situations."""

    flaw: Flaw
    commitment: str
    message: str


@dataclass(frozen=True, slots=True)
class Deep:
    """What was proved about a policy: its defects, and what could lift each hold."""

    defects: tuple[Defect, ...]
    verdicts: tuple[Verdict, ...]


def examine(kernel: Kernel, solvers: Solvers) -> Deep:
    """Return everything that can be proved to be wrong with a policy, and the verdict on each commitment."""
    defects = [*_of_commitments(kernel, solvers), *_of_weights(kernel, solvers)]
    return Deep(tuple(defects), verdicts(kernel, solvers))


def _of_commitments(kernel: Kernel, solvers: Solvers) -> Iterator[Defect]:
    for commitment in kernel.commitments:
        yield from _of_commitment(kernel, commitment, solvers)
    for commitment in kernel.commitments:
        yield from _redundant(kernel, commitment, solvers)


def _of_commitment(kernel: Kernel, commitment: Commitment, solvers: Solvers) -> Iterator[Defect]:
    name, variables = commitment.id, Variables()
    # Contexts and training differ by action: something is possible where it is for one of them.
    adverse = commitment.unsettled != "hold"
    sights = [Sight(variables, kernel, item, adverse=adverse) for item in HARDER if item in commitment.actions]
    refuted = some(let_through(sight, commitment) for sight in sights)
    untouchable = every(let_through(sight, commitment) for sight in sights)
    shown = some(stands(sight, commitment.until, permissive=True) for sight in sights)
    uneventful(variables, (kernel,))
    possible = tuple(attainable(variables, kernel))

    def found(formula: Formula) -> Status:
        script = Script(variables, {"asked": formula}, possible)
        return solvers.ask(script).status

    crossable, untouched, released = found(neg(untouchable)), found(refuted), found(shown)
    if "unknown" in (crossable, untouched, released):
        yield Defect("undecided", name, "no solver decided it in time")
        return
    if crossable == "unsat":
        yield Defect("vacuous trigger", name, "nothing can cross it: it never holds")
        return
    hole = _waits_for_a_hole(kernel, commitment)
    if released == "unsat" and not isinstance(commitment.until, Constant) and not hole:
        words = "what it asks for to go on can never be shown"
        yield Defect("unreachable release", name, words)
    if untouched == "unsat" and released == "unsat" and not commitment.declared_stop and not hole:
        yield Defect("holds always", name, "it can never be lifted, and does not say that it is a stop")


def _waits_for_a_hole(kernel: Kernel, commitment: Commitment) -> bool:
    """Whether filling holes would make a difference to a commitment."""
    variables = Variables()
    sight = Sight(variables, kernel, "", filled=True)
    for condition, permissive in ((commitment.when, False), (commitment.until, True)):
        stands(sight, condition, permissive=permissive)
    return any(item.key[0] == "filled" for item in variables)


def _redundant(kernel: Kernel, commitment: Commitment, solvers: Solvers) -> Iterator[Defect]:
    """Yield a commitment that holds nothing which the others do not hold anyway.

    What holes hold today says nothing about which commitments are needed: all are imagined filled.
    """
    others = replace(kernel, commitments=tuple(item for item in kernel.commitments if item is not commitment))
    for action in HARDER:
        if action not in commitment.actions:
            continue
        variables = Variables()
        reading = Reading(weakest=commitment.modality, filled=True)
        whole, without = (Permits(variables, item, reading).action(action) for item in (kernel, others))
        uneventful(variables, (kernel,))
        part = whole.parts.get(f"commitment {commitment.id}", True)
        rest = (every((without.formula, neg(whole.unbound), neg(part))), *in_force(variables, (kernel,)))
        answer = solvers.ask(Script(variables, {}, rest))
        if answer.status == "unknown":
            yield Defect("undecided", commitment.id, "no solver decided in time whether the others hold as much")
        if answer.status != "unsat":
            return
    if commitment.actions:
        yield Defect("redundant commitment", commitment.id, "whatever it holds, the other commitments hold as well")


def _of_weights(kernel: Kernel, solvers: Solvers) -> Iterator[Defect]:
    """Yield that in some situation weights may be released that no API may serve."""
    variables = Variables()
    permits = Permits(variables, kernel)
    weights, served = permits.action("release.weights"), permits.action("deploy.api")
    if not weights.parts and not served.parts:
        return
    uneventful(variables, (kernel,))
    times = tuple(in_force(variables, (kernel,)))
    looser = Script(variables, {}, (weights.formula, neg(served.formula), *times))
    status = solvers.ask(looser).status
    if status == "unknown":
        yield Defect("undecided", "", "no solver decided in time whether weights may go where no API may")
    if status == "sat":
        yield Defect("weights looser", "", "in some situation weights may be released that no API may serve")
