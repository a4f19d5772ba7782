"""Looks at one pooled stream: every registered run counts, and looking again has a price.

Runs with one evaluation, subject, elicitation and scaffold form one pool. Each report is one look. Nine tenths of a
side's error go to the first look, whose size was registered before anything was seen: an exact binomial bound. One
tenth goes to all later looks together, by a bound that is valid however often one looks and however the sizes of
later runs were chosen in view of the scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.stats.anytime import anytime_lower_bound
from scalegate.stats.binomial import check_error, check_not_negative, lower_bound


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


FIRST = Fraction(9, 10)
LATER = Fraction(1, 10)


def pooled(looks: Sequence[Counts], error_above: Fraction, error_below: Fraction) -> Pooled:
    """Bound the rate of a stream after these looks, in the order in which they were reported.

    `error_above` bounds the chance that any look ever wrongly says "above", `error_below` the chance that any wrongly
    says "not above"; only the size of the first look must be fixed without regard to the scores.
    Missing samples stay missing in the pool. No look at all shows nothing: [0, 1].
    Raises BoundError for an error outside (0, 1/2) or a pool too large to bound.
    """
    check_error(error_above)
    check_error(error_below)
    lower = lower_at_most = Fraction(0)
    successes = failures = missing = 0
    for look, counts in enumerate(looks):
        successes += counts.successes
        failures += counts.failures
        missing += counts.missing
        trials = successes + failures + missing
        bound, part = (anytime_lower_bound, LATER) if look else (lower_bound, FIRST)
        lower = _raised(lower, successes, trials, bound, error_above * part)
        lower_at_most = _raised(lower_at_most, successes + missing, trials, bound, error_above * part)
    upper = max(pooled_upper(looks, error_below), lower)
    return Pooled(lower, upper, lower_at_most, successes, failures, missing, len(looks))


def pooled_upper(looks: Sequence[Counts], error_below: Fraction) -> Fraction:
    """Return only the upper bound of a stream, for whoever asks for it of many pools; 1 without a look."""
    if not looks:
        return Fraction(1)
    failures = sum(look.failures for look in looks)
    trials = failures + sum(look.successes + look.missing for look in looks)
    bound, part = (anytime_lower_bound, LATER) if len(looks) > 1 else (lower_bound, FIRST)
    return 1 - bound(failures, trials, error_below * part)


def _raised(
    reached: Fraction, successes: int, trials: int, bound: Callable[[int, int, Fraction], Fraction], error: Fraction
) -> Fraction:
    """Raise a running maximum by one look; a bound never exceeds the share of successes."""
    if successes <= reached * trials:
        return reached
    return max(reached, bound(successes, trials, error))
