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

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from scalegate.stats.anytime import anytime_lower_bound
from scalegate.stats.audits import Audit
from scalegate.stats.binomial import GRID, check_error, check_not_negative, lower_bound
from scalegate.stats.means import Means, means_above
from scalegate.stats.sequential import FAILURE, MISSING, SUCCESS, Path


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples of one report: successes, failures, and missing (unscored, refused, errored).

    `path` is there when the run was looked at sample by sample, `means` when its samples are means; the counts of those
    are of samples at 1, at 0, and all others. `of_bank` says that it is about a finite bank also where there is no path
    any longer. Raises BoundError when a count is negative.
    """

    successes: int
    failures: int
    missing: int = 0
    path: Path | Audit | None = None
    means: Means | None = None
    of_bank: bool = False

    def __post_init__(self) -> None:
        check_not_negative(successes=self.successes, failures=self.failures, missing=self.missing)

    @property
    def trials(self) -> int:
        """All samples that were to be scored."""
        return self.successes + self.failures + self.missing

    def mirrored(self) -> Counts:
        """Return the same report with successes and failures exchanged."""
        path = None if self.path is None else self.path.mirrored()
        means = None if self.means is None else self.means.mirrored()
        return Counts(self.failures, self.successes, self.missing, path, means, self.of_bank)


def of_path(path: Path | Audit) -> Counts:
    """Return the counts of a run that was looked at sample by sample, up to where it was settled."""
    return Counts(path.seen.count(SUCCESS), path.seen.count(FAILURE), path.missing, path)


def of_means(means: Means) -> Counts:
    """Return the report of a run whose samples are means."""
    seen = means.samples[: means.settled or None]
    whole, none = seen.count((Fraction(1), Fraction(1))), seen.count((Fraction(0), Fraction(0)))
    return Counts(whole, none, means.size - whole - none, means=means)


@dataclass(frozen=True, slots=True)
class Pooled:
    """What a stream shows after its looks; rates are whole multiples of the grid in [0, 1].

    `mean` is that of all samples where they are means, as low and as high as it may be.
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
    mean: tuple[Fraction, Fraction] | None = None


FIRST = Fraction(9, 10)
LATER = Fraction(1, 10)
VETO = Fraction(1, 20)
"""A further look that by itself could show a rate above a line, at this error, lets no earlier look stand there."""
MOST_MEANS = 20_000
"""More means than that are not bet on: of a larger pool nothing favorable is shown, so that time stays bounded."""


def pooled(looks: Sequence[Counts], error_above: Fraction, error_below: Fraction) -> Pooled:
    """Bound the rate of a stream after these looks, the one that has the larger part of the error first.

    `error_above` bounds the chance that any look ever wrongly says "above", `error_below` the chance that any wrongly
    says "not above"; only the size of the first look, or its boundaries, must be fixed without regard to the scores.
    Missing samples stay missing in the pool. No look at all shows nothing: [0, 1].
    Raises BoundError for an error outside (0, 1/2) or a pool too large to bound.
    """
    check_error(error_above)
    check_error(error_below)
    if any(look.means is not None for look in looks):
        return _pooled_means(looks, error_above, error_below)
    lower = lower_at_most = Fraction(0)
    pool = whole = best = Counts(0, 0)
    for look, counts in enumerate(looks):
        pool = _joined(pool, counts) if look else counts
        # Behind an answer at more error than is left, all that was run counts; both bounds hold at all times.
        whole = _joined(whole, _unended(counts)) if look else counts
        of_bank = look > 0 and _of_bank(looks[: look + 1])
        for part in (pool, whole):
            lower = max(lower, _lower(part, error_above, lower, later=look > 0, of_bank=of_bank))
        lower_at_most = max(lower_at_most, _on_the_way(best, counts, error_above * LATER))
        best = _best(_joined(best, _unended(counts)) if look else counts)
        lower_at_most = max(
            lower_at_most, _lower(best, error_above, lower_at_most, later=look > 0, of_bank=of_bank, missing=SUCCESS)
        )
        if of_bank:
            # Nothing is left to spend on a further look at a bank; that it may have crossed stays open, and what was
            # counted whole is known.
            lower = max(lower, _share_of_whole(counts))
            alone = _lower(_best(counts), error_above, Fraction(0), missing=SUCCESS)
            lower_at_most = max(lower_at_most, lower, alone)
    upper = max(pooled_upper(looks, error_below), lower)
    return Pooled(lower, upper, lower_at_most, pool.successes, pool.failures, pool.missing, len(looks))


def pooled_upper(looks: Sequence[Counts], error_below: Fraction) -> Fraction:
    """Return only the upper bound of a stream, for whoever asks for it of many pools; 1 without a look.

    What the first look has shown stands as long as all samples together lie on its side, and no further look could show
    the contrary by itself: a few more do not override a thousand, and many do.
    """
    if not looks:
        return Fraction(1)
    if any(look.means is not None for look in looks):
        runs = _all_means([look.mirrored() for look in looks])
        if _bounded(runs) < len(runs):
            return Fraction(1)
        upper = 1 - means_above(runs, error_below)
        counted = [low for run in runs for low, _ in run.counted]
        return max(upper, 1 - sum(counted, Fraction(0)) / len(counted)) if len(runs) > 1 and counted else upper
    mirrored = [look.mirrored() for look in looks]
    first = 1 - _lower(mirrored[0], error_below, Fraction(0))
    if len(looks) == 1:
        return first
    if _of_bank(looks):
        # Each look bounds the bank by itself, and the worst of them is right where any is.
        return max(first, *(1 - _lower(look, error_below, Fraction(0)) for look in mirrored[1:]))
    pool, against = mirrored[0], Fraction(0)
    for look in looks[1:]:
        further = _unended(look)
        pool = _joined(pool, further.mirrored())
        against = max(against, anytime_lower_bound(further.successes + further.missing, further.trials, VETO))
    share = 1 - Fraction(pool.successes, pool.trials) if pool.trials else Fraction(1)
    return min(1 - _lower(pool, error_below, Fraction(0), later=True), max(first, share, against))


def _pooled_means(looks: Sequence[Counts], error_above: Fraction, error_below: Fraction) -> Pooled:
    every = _all_means(looks)
    runs = every[: _bounded(every)]
    lower, at_most = means_above(runs, error_above), means_above(runs, error_above, best=True)
    low, high = Fraction(0), Fraction(1)
    if len(runs) < len(every):
        at_most = Fraction(1)
    elif counted := [sample for run in runs for sample in run.counted]:
        low, high = (sum(ends, Fraction(0)) / len(counted) for ends in zip(*counted, strict=True))
    upper = max(pooled_upper(looks, error_below), lower)
    pool = looks[0]
    for look in looks[1:]:
        pool = _joined(pool, look)
    return Pooled(lower, upper, at_most, pool.successes, pool.failures, pool.missing, len(looks), (low, high))


def _all_means(looks: Sequence[Counts]) -> list[Means]:
    """Return the runs of looks at means; of a look that is none, nothing is known of as many samples."""
    return [look.means if look.means is not None else Means((), look.trials, ()) for look in looks]


def _bounded(runs: Sequence[Means]) -> int:
    """Return how many of some runs, from the first, hold no more means together than are bet on."""
    return sum(total <= MOST_MEANS for total in accumulate(run.size for run in runs))


def _share_of_whole(look: Counts) -> Fraction:
    """Return the share of successes in a bank of which every item is looked at; 0 where not, or there is none."""
    path = look.path
    return Fraction(look.successes, path.bank) if path is not None and path.bank == len(path.seen) > 0 else Fraction(0)


def _on_the_way(before: Counts, look: Counts, error: Fraction) -> Fraction:
    """Return where the latch could stand after any sample of a look that lost scores, had each been a success.

    Where a run ends depends on its scores: a later end may hide what an earlier one would have shown. In floating
    point, rounded against the permit, since this only ever holds.
    """
    path = look.path
    if not isinstance(path, Path) or path.bank or (path.settled and MISSING not in path.seen):
        return Fraction(0)
    successes, points = before.successes, []
    for trials, outcome in enumerate(path.outcomes, before.trials + 1):
        successes += outcome != FAILURE
        choices = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
        points.append((successes, trials - successes, choices + math.log(trials + 1)))
    enough, shown, refused = math.log(error) + 1e-6, 0, GRID
    while refused - shown > 1:
        middle = (shown + refused) // 2
        up, down = math.log(middle / GRID), math.log1p(-middle / GRID)
        if any(
            point + hits * up + misses * down <= enough and hits * GRID > middle * (hits + misses)
            for hits, misses, point in points
        ):
            shown = middle
        else:
            refused = middle
    return Fraction(shown, GRID)


def _unended(look: Counts) -> Counts:
    """Return a further look that ended on "above" as if it had not: that answer is not at the error that is left.

    All that was run counts, and all that was planned and not run is missing: else the few samples that it took to
    answer against a low rate would be all that speaks against one.
    """
    path = look.path
    if not isinstance(path, Path) or not path.settled or not path.crossed:
        return look
    successes, failures = path.outcomes.count(SUCCESS), path.outcomes.count(FAILURE)
    return Counts(successes, failures, path.planned - successes - failures)


def _of_bank(looks: Sequence[Counts]) -> bool:
    return any(look.of_bank or (look.path is not None and look.path.bank) for look in looks)


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
            return max(shown, _share_of_whole(pool))
        return max(shown, anytime_lower_bound(pool.successes, pool.trials, error * LATER))
    if of_bank or pool.successes <= reached * pool.trials:
        return reached
    return (
        anytime_lower_bound(pool.successes, pool.trials, error * LATER)
        if later
        else lower_bound(pool.successes, pool.trials, error * FIRST)
    )
