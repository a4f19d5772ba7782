"""Looks at one pooled stream: every registered run counts, and looking again has a price.

Runs with one evaluation, subject, elicitation and scaffold form one pool. Each report is one look. Nine tenths of a
side's error go to the first look, which was registered before anything was seen: an exact binomial bound where only
its size was, the committed boundaries where it was to be looked at sample by sample. One tenth goes to everything
else: to all later looks together, and to thresholds that nobody committed to, by a bound that is valid however often
one looks and however the sizes of later runs were chosen in view of the scores.

A finite bank has no such bound here: without replacement it would have to be another one. What was not committed to
is shown of a bank only by all of its items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.stats.anytime import anytime_lower_bound
from scalegate.stats.binomial import check_error, check_not_negative, lower_bound
from scalegate.stats.sequential import FAILURE, MISSING, SUCCESS, Path


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples of one report: successes, failures, and missing (unscored, refused, errored).

    `path` is there when the run was looked at sample by sample. Raises BoundError when a count is negative.
    """

    successes: int
    failures: int
    missing: int = 0
    path: Path | None = None

    def __post_init__(self) -> None:
        check_not_negative(successes=self.successes, failures=self.failures, missing=self.missing)

    @property
    def trials(self) -> int:
        """All samples that were to be scored."""
        return self.successes + self.failures + self.missing

    def mirrored(self) -> Counts:
        """Return the same report with successes and failures exchanged."""
        path = None if self.path is None else self.path.mirrored()
        return Counts(self.failures, self.successes, self.missing, path)


def of_path(path: Path) -> Counts:
    """Return the counts of a run that was looked at sample by sample, up to where it was settled."""
    return Counts(path.seen.count(SUCCESS), path.seen.count(FAILURE), path.missing, path)


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
    says "not above"; only the size of the first look, or its boundaries, must be fixed without regard to the scores.
    Missing samples stay missing in the pool. No look at all shows nothing: [0, 1].
    Raises BoundError for an error outside (0, 1/2) or a pool too large to bound.
    """
    check_error(error_above)
    check_error(error_below)
    lower = lower_at_most = Fraction(0)
    pool = Counts(0, 0)
    for look, counts in enumerate(looks):
        pool = _joined(pool, counts) if look else counts
        of_bank = look > 0 and _of_bank(looks[: look + 1])
        lower = max(lower, _lower(pool, error_above, lower, later=look > 0, of_bank=of_bank))
        most = _best(pool)
        lower_at_most = max(
            lower_at_most, _lower(most, error_above, lower_at_most, later=look > 0, of_bank=of_bank, missing=SUCCESS)
        )
    upper = max(pooled_upper(looks, error_below), lower)
    return Pooled(lower, upper, lower_at_most, pool.successes, pool.failures, pool.missing, len(looks))


def pooled_upper(looks: Sequence[Counts], error_below: Fraction) -> Fraction:
    """Return only the upper bound of a stream, for whoever asks for it of many pools; 1 without a look.

    What an earlier look has shown stands as long as all samples together lie on its side: a few more do not override a
    thousand, and many do.
    """
    if not looks:
        return Fraction(1)
    mirrored = [look.mirrored() for look in looks]
    pool, bounds = mirrored[0], [1 - _lower(mirrored[0], error_below, Fraction(0))]
    for count, look in enumerate(mirrored[1:], 2):
        pool = _joined(pool, look)
        if _of_bank(looks[:count]):
            # Each look bounds the bank by itself, and the worst of them is right where any is.
            bounds.append(max(bounds[-1], 1 - _lower(look, error_below, Fraction(0))))
        else:
            bounds.append(1 - _lower(pool, error_below, Fraction(0), later=True))
    share = 1 - Fraction(pool.successes, pool.trials) if pool.trials else Fraction(1)
    return min([bounds[-1], *(bound for bound in bounds if share <= bound)])


def _of_bank(looks: Sequence[Counts]) -> bool:
    return any(look.path is not None and look.path.bank for look in looks)


def _joined(pool: Counts, more: Counts) -> Counts:
    """Return the counts of two reports together; what was committed to was committed to for the first alone."""
    return Counts(pool.successes + more.successes, pool.failures + more.failures, pool.missing + more.missing)


def _best(pool: Counts) -> Counts:
    """Return the counts had every missing sample been a success."""
    return Counts(pool.successes + pool.missing, pool.failures, 0, pool.path)


def _lower(
    pool: Counts,
    error: Fraction,
    reached: Fraction,
    *,
    later: bool = False,
    of_bank: bool = False,
    missing: str = MISSING,
) -> Fraction:
    """Return what the rate is shown to be above, unless that is less than what is `reached` already.

    Args:
        pool: successes, and everything else.
        error: of this side, for all looks together.
        reached: what earlier looks have shown; a bound never exceeds the share of successes.
        later: this is not the first look.
        of_bank: some look of the pool is about a finite bank.
        missing: what a missing sample of the path is taken for; the counts say so already.
    """
    path = pool.path
    if path is not None:
        shown = path.shown_above(error * FIRST, missing=missing)
        if path.bank:
            whole = len(path.seen) == path.bank
            return max(shown, Fraction(pool.successes, path.bank) if whole else shown)
        return max(shown, anytime_lower_bound(pool.successes, pool.trials, error * LATER))
    if of_bank or pool.successes <= reached * pool.trials:
        return reached
    return (
        anytime_lower_bound(pool.successes, pool.trials, error * LATER)
        if later
        else lower_bound(pool.successes, pool.trials, error * FIRST)
    )
