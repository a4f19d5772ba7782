"""Looking again: the error of all looks together, the latch, and what missing samples do."""

from fractions import Fraction
from functools import cache
from itertools import accumulate, product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.anytime import anytime_lower_bound, anytime_upper_bound
from scalegate.stats.binomial import BoundError, interval, lower_bound, upper_bound
from scalegate.stats.pooling import FIRST, LATER, Counts, Pooled, pooled

ABOVE = Fraction(1, 20)
BELOW = Fraction(1, 1000)

reports = st.builds(Counts, st.integers(0, 40), st.integers(0, 40), st.integers(0, 10))
streams = st.lists(reports, max_size=6)


def chance(successes: int, trials: int, rate: Fraction) -> Fraction:
    """P(X = successes)."""
    return comb(trials, successes) * rate**successes * (1 - rate) ** (trials - successes)


def crossing(sizes: list[int], rate: Fraction, error: Fraction, *, above: bool) -> Fraction:
    """Probability that any look excludes the true rate on one side, summed over all paths."""
    going = {0: Fraction(1)}
    wrong = Fraction(0)
    trials = 0
    for look, size in enumerate(sizes, start=1):
        trials += size
        later: dict[int, Fraction] = {}
        for before, mass in going.items():
            for new in range(size + 1):
                now = before + new
                later[now] = later.get(now, Fraction(0)) + mass * chance(new, size, rate)
        lowest, highest = (lower_bound, upper_bound) if look == 1 else (anytime_lower_bound, anytime_upper_bound)
        spent = error * (FIRST if look == 1 else LATER)
        going = {}
        for now, mass in later.items():
            excluded = lowest(now, trials, spent) >= rate if above else highest(now, trials, spent) <= rate
            if excluded:
                wrong += mass
            else:
                going[now] = mass
    assert wrong + sum(going.values()) == 1
    return wrong


def hostile(size: int, looks: int, rate: Fraction, error: Fraction) -> Fraction:
    """Largest chance of a wrong "above" over all ways to choose each later size (1 or `size`) in view of the scores."""

    @cache
    def worst(successes: int, trials: int, left: int) -> Fraction:
        if left == 0:
            return Fraction(0)
        options = []
        for more in (1, size):
            total = Fraction(0)
            for new in range(more + 1):
                now, count = successes + new, trials + more
                crossed = anytime_lower_bound(now, count, error * LATER) >= rate
                mass = chance(new, more, rate)
                total += mass if crossed else mass * worst(now, count, left - 1)
            options.append(total)
        return max(options)

    total = Fraction(0)
    for new in range(size + 1):
        crossed = lower_bound(new, size, error * FIRST) >= rate
        mass = chance(new, size, rate)
        total += mass if crossed else mass * worst(new, size, looks - 1)
    return total


@pytest.mark.parametrize("error", [ABOVE, Fraction(1, 4)])
def test_sizes_chosen_in_view_of_the_scores_err_no_more_than_the_budget(error: Fraction) -> None:
    wrong = hostile(6, 8, Fraction(2, 5), error)
    assert 0 < wrong <= error


@pytest.mark.parametrize("rate", [Fraction(3, 10), Fraction(1, 2), Fraction(7, 10)])
@pytest.mark.parametrize("error", [ABOVE, Fraction(1, 4)])
@pytest.mark.parametrize("above", [True, False])
def test_fifty_looks_together_err_no_more_than_one_budget(rate: Fraction, error: Fraction, *, above: bool) -> None:
    sizes = [1 + look % 3 for look in range(50)]
    wrong = crossing(sizes, rate, error, above=above)
    assert 0 < wrong <= error


def test_fifty_looks_at_the_full_error_would_err_more_than_that() -> None:
    """The budget is not idle: without it the same looks go wrong several times too often."""
    sizes = [1 + look % 3 for look in range(50)]
    rate = Fraction(3, 10)
    going = {0: Fraction(1)}
    wrong = Fraction(0)
    for size, trials in zip(sizes, accumulate(sizes), strict=True):
        later: dict[int, Fraction] = {}
        for (before, mass), new in product(going.items(), range(size + 1)):
            now = before + new
            later[now] = later.get(now, Fraction(0)) + mass * chance(new, size, rate)
        crossed = {now for now in later if lower_bound(now, trials, ABOVE) >= rate}
        wrong += sum(later[now] for now in crossed)
        going = {now: mass for now, mass in later.items() if now not in crossed}
    assert wrong > 2 * ABOVE


@pytest.mark.parametrize("rate", [Fraction(2, 5), Fraction(1, 2), Fraction(3, 5)])
def test_every_path_of_a_short_stream_through_the_pool_itself(rate: Fraction) -> None:
    sizes = (6, 2, 4)
    error = Fraction(1, 4)
    wrong_above = wrong_below = Fraction(0)
    for path in product(*(range(size + 1) for size in sizes)):
        looks = [Counts(new, size - new) for new, size in zip(path, sizes, strict=True)]
        mass = Fraction(1)
        for new, size in zip(path, sizes, strict=True):
            mass *= chance(new, size, rate)
        if pooled(looks, error, error).lower >= rate:
            wrong_above += mass
        if any(pooled(looks[:end], error, error).upper <= rate for end in (1, 2, 3)):
            wrong_below += mass
    assert 0 < wrong_above <= error
    assert 0 < wrong_below <= error


def test_without_a_look_nothing_is_known() -> None:
    nothing = pooled([], ABOVE, BELOW)
    assert nothing == Pooled(Fraction(0), Fraction(1), Fraction(0), 0, 0, 0, 0)


@given(reports)
def test_one_look_is_the_interval_at_nine_tenths_of_the_error(counts: Counts) -> None:
    seen = pooled([counts], ABOVE, BELOW)
    alone = interval(counts.successes, counts.failures, counts.missing, ABOVE * 9 / 10, BELOW * 9 / 10)
    assert (seen.lower, seen.upper) == (alone.lower, alone.upper)


@given(streams)
def test_the_lower_bound_is_the_largest_of_all_looks(looks: list[Counts]) -> None:
    seen = pooled(looks, ABOVE, BELOW)
    best = Fraction(0)
    for look in range(1, len(looks) + 1):
        successes = sum(counts.successes for counts in looks[:look])
        trials = sum(counts.trials for counts in looks[:look])
        bound, part = (lower_bound, FIRST) if look == 1 else (anytime_lower_bound, LATER)
        best = max(best, bound(successes, trials, ABOVE * part))
    assert seen.lower == best


@given(streams)
def test_the_pool_adds_up(looks: list[Counts]) -> None:
    seen = pooled(looks, ABOVE, BELOW)
    assert seen.successes == sum(counts.successes for counts in looks)
    assert seen.failures == sum(counts.failures for counts in looks)
    assert seen.missing == sum(counts.missing for counts in looks)
    assert seen.looks == len(looks)


@given(streams, reports)
def test_no_later_look_takes_a_crossing_back(looks: list[Counts], later: Counts) -> None:
    before = pooled(looks, ABOVE, BELOW)
    after = pooled([*looks, later], ABOVE, BELOW)
    assert before.lower <= after.lower
    assert before.lower_at_most <= after.lower_at_most


def test_a_crossing_outlives_ten_thousand_clean_samples() -> None:
    crossed = Counts(40, 60)
    first = pooled([crossed], ABOVE, BELOW)
    after = pooled([crossed, Counts(0, 10_000)], ABOVE, BELOW)
    assert first.lower > Fraction(3, 10)
    assert after.lower == first.lower
    assert after.upper >= after.lower


@given(streams)
def test_bounds_are_in_order(looks: list[Counts]) -> None:
    seen = pooled(looks, ABOVE, BELOW)
    assert 0 <= seen.lower <= seen.upper <= 1
    assert seen.lower <= seen.lower_at_most
    if not seen.missing:
        assert seen.lower == seen.lower_at_most


@given(st.lists(reports, min_size=1, max_size=6), st.data())
def test_losing_the_content_of_a_run_never_helps(looks: list[Counts], data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, len(looks) - 1))
    blank = [Counts(0, 0, counts.trials) if place == lost else counts for place, counts in enumerate(looks)]
    full, blurred = pooled(looks, ABOVE, BELOW), pooled(blank, ABOVE, BELOW)
    assert blurred.lower <= full.lower
    assert blurred.lower_at_most >= full.lower_at_most
    # `upper` alone can fall, since a lost run may be the one that had crossed.
    assert max(blurred.upper, blurred.lower_at_most) >= max(full.upper, full.lower_at_most)


def test_losing_the_run_that_crossed_shows_in_where_the_latch_could_stand() -> None:
    clean = Counts(0, 10_000)
    full = pooled([Counts(40, 60), clean], ABOVE, BELOW)
    lost = pooled([Counts(0, 0, 100), clean], ABOVE, BELOW)
    assert lost.lower == 0
    assert lost.upper < full.lower < lost.lower_at_most


def test_missing_samples_of_an_early_run_stay_in_the_pool() -> None:
    whole = pooled([Counts(0, 100), Counts(0, 100)], ABOVE, BELOW)
    holed = pooled([Counts(0, 50, 50), Counts(0, 100)], ABOVE, BELOW)
    assert holed.missing == 50
    assert holed.upper == anytime_upper_bound(50, 200, BELOW * LATER)
    assert holed.upper > whole.upper


def test_an_idle_look_changes_nothing() -> None:
    """What the first look has shown stands as long as all samples together lie on its side."""
    once = pooled([Counts(0, 300)], ABOVE, BELOW)
    assert pooled([Counts(0, 300), Counts(0, 0)], ABOVE, BELOW).upper == once.upper


@given(st.lists(reports, min_size=2, max_size=5))
def test_an_earlier_bound_falls_when_all_samples_lie_beyond_it(looks: list[Counts]) -> None:
    shown = pooled(looks, ABOVE, BELOW)
    first = pooled(looks[:1], ABOVE, BELOW).upper
    trials = shown.successes + shown.failures + shown.missing
    if trials and Fraction(shown.successes + shown.missing, trials) > first:
        assert shown.upper > first


@pytest.mark.parametrize("name", ["successes", "failures", "missing"])
def test_a_negative_count_is_refused(name: str) -> None:
    with pytest.raises(BoundError, match=f"{name} cannot be negative"):
        Counts(**({"successes": 1, "failures": 1, "missing": 1} | {name: -1}))


@pytest.mark.parametrize("errors", [(Fraction(0), BELOW), (ABOVE, Fraction(1, 2))])
@pytest.mark.parametrize("looks", [[], [Counts(1, 1)]])
def test_an_error_that_shows_nothing_is_refused_even_without_a_look(
    looks: list[Counts], errors: tuple[Fraction, Fraction]
) -> None:
    with pytest.raises(BoundError, match="an error lies between"):
        pooled(looks, *errors)
