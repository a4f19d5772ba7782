"""Which step is the last: a pure function of the permit and the plan, so that all ranks agree without talking.

A step is one call of an optimizer, and is allowed only if the whole of it stays within the permit. What a rank
measures beyond the plan, and what the clock or an outsider says, is no such function: ranks agree on that by talking.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from scalegate.enforce.compute import Reading, Shape, Step, step_flop
from scalegate.enforce.permit import PermitError


@dataclass(frozen=True, slots=True)
class Plan:
    """What one optimizer step costs at most, over all ranks, padding and recomputation counted.

    Attributes:
        flop: FLOP of one optimizer step, by the largest way to count them.
        tokens: tokens that one rank feeds into one optimizer step; 0 where nobody counts them.
        analytic: the same FLOP by the counting rules alone; 0 where somebody stated `flop` without them.
        length: tokens of the longest sequence that was planned; 0 where nobody says: then more tokens are taken to be
            in longer sequences.
    """

    flop: int
    tokens: int = 0
    analytic: int = 0
    length: int = 0

    def __post_init__(self) -> None:
        """Refuse a plan in which steps are free, or count for less than the rules say."""
        if self.flop <= 0 or self.tokens < 0 or self.length < 0:
            raise PermitError(
                "plan-free", "an optimizer step costs at least one FLOP: what costs nothing is never held"
            )
        if not 0 <= self.analytic <= self.flop:
            raise PermitError("plan-free", "a plan counts no step as less than the counting rules say")


def plan_of(shape: Shape, step: Step, ratio: Fraction | None = None) -> Plan:
    """Return the plan of a training step.

    Args:
        shape: what is trained.
        step: what goes into one optimizer step, over all ranks.
        ratio: how much more was counted once than the rules say; None where nobody counted.

    Raises:
        ComputeError: if shape and step do not belong together.
    """
    reading = Reading(step_flop(shape, step), ratio)
    return Plan(reading.largest, -(-step.tokens // step.world), reading.analytic, max(step.length, step.source or 0))


def last_step(left: int, plan: Plan, step: int) -> int:
    """Return the last optimizer step that a lease allows, counted as `step` is; `step` itself where none is left.

    Args:
        left: FLOP that the lease leaves, from where the job is.
        plan: what a step costs.
        step: optimizer steps behind.
    """
    return step + left // plan.flop


def save_by(expires: int, seconds: float) -> float:
    """Return when a job has to stop, so that its checkpoint is written before the permit ends.

    Args:
        expires: end of the permit, in seconds since 1970.
        seconds: what a step and a checkpoint took, at most, so far.
    """
    return expires - max(5.0, 3 * seconds)
