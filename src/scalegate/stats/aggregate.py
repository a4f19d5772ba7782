"""Bounds from an aggregate alone: a value and its standard error, without the samples.

The number of trials is derived from the standard error of a share of successes, always downward,
and the counts are rounded away from the side that is bounded. An aggregate can thus show less than
its samples would, never more, provided that it is what it says it is.
"""

from __future__ import annotations

from fractions import Fraction

from scalegate.stats.binomial import (
    MAX_TRIALS,
    BoundError,
    Interval,
    lower_bound,
    upper_bound,
)


def derived_trials(
    value: Fraction,
    stderr: Fraction,
    *,
    at_most: int = MAX_TRIALS,
    half_digit: Fraction = Fraction(0),
) -> int | None:
    """Derive how many trials a share of successes with this standard error stands for.

    stderr**2 is p(1-p)/n, or p(1-p)/(n-1) as harnesses report the error of a sample mean; the first
    gives fewer trials and is used. `at_most` caps the answer by what the report itself claims;
    `half_digit` is half a unit of the last printed place, which both numbers may be off by.
    None when nothing can be derived: a value of 0 or 1, no spread, or less than one trial.
    Raises BoundError for a value outside [0, 1] or anything negative.
    """
    if not 0 <= value <= 1:
        raise BoundError(f"a share of successes lies between 0 and 1, not at {value}")
    if stderr < 0 or half_digit < 0 or at_most < 0:
        raise BoundError("a standard error, its rounding and a cap cannot be negative")
    if stderr == 0:
        return None
    # p(1-p) is smallest at the end of the rounded interval that lies farther from one half.
    extreme = min(value - half_digit, 1 - value - half_digit)
    if extreme <= 0:
        return None
    trials = int(extreme * (1 - extreme) / (stderr + half_digit) ** 2)
    return min(trials, at_most, MAX_TRIALS) or None


def aggregate_interval(value: Fraction, trials: int, error_above: Fraction, error_below: Fraction) -> Interval:
    """Bound a rate by a share of successes among (derived) trials, counts rounded outward.

    Errors mean what they mean in `binomial.interval`.
    Raises BoundError for a value outside [0, 1], and as the one-sided bounds do.
    """
    if not 0 <= value <= 1:
        raise BoundError(f"a share of successes lies between 0 and 1, not at {value}")
    successes = value * trials
    fewest = successes.numerator // successes.denominator
    most = -(-successes.numerator // successes.denominator)
    return Interval(lower_bound(fewest, trials, error_above), upper_bound(most, trials, error_below))
