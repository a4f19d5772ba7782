"""How far evidence measured on one model carries: until when, and up to which effective compute."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.kernel import Evaluation
from scalegate.core.quantities import FOREVER, UNBOUNDED
from scalegate.gate.lineage import Link

# Exact evidence that may be used for training says nothing about growth; an unstated growth is bounded by this.
UNSTATED_GROWTH = Fraction(4)


@dataclass(frozen=True, slots=True)
class Reach:
    """Until when and how far favorable evidence holds for the question asked."""

    until: int
    compute: int


def limits_of(evaluation: Evaluation, link: Link, compute_low: int, compute_high: int, *, training: bool) -> Reach:
    """Return how far evidence on a model holds before the evaluation is due."""
    return _limits(evaluation, link, compute_low, compute_high, evaluation.validity.due_compute, training=training)


def hard_limits_of(evaluation: Evaluation, link: Link, low: int, high: int) -> Reach:
    """Return how far evidence on a model holds at the hard end, which only a pending run reaches."""
    return _limits(evaluation, link, low, high, evaluation.validity.stop_compute, training=True)


def _limits(
    evaluation: Evaluation, link: Link, low: int, high: int, factor: Fraction | None, *, training: bool
) -> Reach:
    if not training:
        return Reach(FOREVER, UNBOUNDED)
    if not evaluation.validity.training:
        return Reach(FOREVER, 0)
    base = high if link.same_run else low
    if base >= UNBOUNDED:
        base = low
    grown = base * (factor or UNSTATED_GROWTH)
    return Reach(FOREVER, grown.numerator // grown.denominator)
