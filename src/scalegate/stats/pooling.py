"""Looks at one pooled stream: every registered run counts, and looking again has a price.

Runs with one evaluation, subject, elicitation and scaffold form one pool. A developer who has seen
a report may choose to run again, so each report is one look, and the looks share one error budget
per side: nine tenths for the first, one tenth for all that follow. The price of the fiftieth look
is paid by the fiftieth look, not by the first.

The proof is a union over looks. It covers going on or stopping in view of the scores, but not the
choice of the next size in view of them; that takes an anytime-valid bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.stats.binomial import (
    BoundError,
    check_not_negative,
    interval,
    lower_bound,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples of one report: successes, failures, and missing (unscored, refused, errored).

    Raises BoundError when a count is negative.
    """

    successes: int
    failures: int
    missing: int = 0

    def __post_init__(self) -> None:
        check_not_negative(successes=self.successes, failures=self.failures, missing=self.missing)

    @property
    def trials(self) -> int:
        """All samples that were to be scored."""
        return self.successes + self.failures + self.missing


@dataclass(frozen=True, slots=True)
class Pooled:
    """What a stream shows after its looks; rates are whole multiples of the grid in [0, 1].

    `lower` is latched: the largest bound that any look has shown, which no later look takes back.
    `lower_at_most` is where that latch could stand had every missing sample been a success; with
    nothing missing the two are equal. `upper` comes from the whole pool and is never below `lower`.
    """

    lower: Fraction
    upper: Fraction
    lower_at_most: Fraction
    successes: int
    failures: int
    missing: int
    looks: int


def share(look: int) -> Fraction:
    """Give the part of a side's error that this look may spend; looks count from 1.

    9/10, then 1/(10 j (j - 1)): over all looks the parts sum to exactly 1.
    Raises BoundError for a look before the first.
    """
    if look < 1:
        raise BoundError(f"looks count from 1, not from {look}")
    if look == 1:
        return Fraction(9, 10)
    return Fraction(1, 10 * look * (look - 1))


def pooled(looks: Sequence[Counts], error_above: Fraction, error_below: Fraction) -> Pooled:
    """Bound the rate of a stream after these looks, in the order in which they were reported.

    `error_above` bounds the chance that any look ever wrongly says "above", `error_below` the
    chance that any wrongly says "not above", for sizes of looks fixed without regard to the scores.
    Missing samples stay missing in the pool. No look at all shows nothing: [0, 1].
    Raises BoundError for an error outside (0, 1/2) or a pool too large to bound.
    """
    lower = lower_at_most = Fraction(0)
    successes = failures = missing = 0
    upper = interval(0, 0, 0, error_above, error_below).upper
    for look, counts in enumerate(looks, start=1):
        successes += counts.successes
        failures += counts.failures
        missing += counts.missing
        trials = successes + failures + missing
        error = error_above * share(look)
        lower = _raised(lower, successes, trials, error)
        lower_at_most = _raised(lower_at_most, successes + missing, trials, error)
    if looks:
        spent = share(len(looks))
        last = interval(successes, failures, missing, error_above * spent, error_below * spent)
        upper = max(last.upper, lower)
    return Pooled(lower, upper, lower_at_most, successes, failures, missing, len(looks))


def _raised(reached: Fraction, successes: int, trials: int, error: Fraction) -> Fraction:
    """Raise a running maximum by one look; a bound never exceeds the share of successes."""
    if successes <= reached * trials:
        return reached
    return max(reached, lower_bound(successes, trials, error))
