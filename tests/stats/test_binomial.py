"""Exact binomial bounds: what is certified, that nothing better is, and what both are worth."""

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats import binomial
from scalegate.stats.binomial import (
    GRID,
    MAX_TRIALS,
    BoundError,
    Interval,
    interval,
    lower_bound,
    tail_at_least,
    upper_bound,
)

STEP = Fraction(1, GRID)
HALF = Fraction(1, 2)
ERRORS = (Fraction(1, 3), Fraction(1, 20), Fraction(1, 1000), Fraction(1, 24_500_000))

errors = st.one_of(
    st.sampled_from(ERRORS),
    st.fractions(min_value=Fraction(1, 10**9), max_value=Fraction(49, 100)).filter(bool),
)


@st.composite
def counts(draw: st.DrawFn, most: int = 50_000) -> tuple[int, int]:
    """Successes and trials, with at least one trial; small pools and extreme shares are common."""
    trials = draw(st.integers(1, 60) | st.integers(1, most))
    successes = draw(st.integers(0, trials) | st.integers(0, min(trials, 5)))
    return (successes, trials) if draw(st.booleans()) else (trials - successes, trials)


def tail(successes: int, trials: int, rate: Fraction) -> Fraction:
    """P(X >= successes), term by term."""
    part, whole = rate.numerator, rate.denominator
    total = sum(
        math.comb(trials, count) * part**count * (whole - part) ** (trials - count)
        for count in range(successes, trials + 1)
    )
    return Fraction(total, whole**trials)


@given(counts(most=60), errors)
def test_the_bound_is_the_last_point_of_the_grid_that_the_exact_tail_allows(
    pair: tuple[int, int], error: Fraction
) -> None:
    successes, trials = pair
    lower = lower_bound(successes, trials, error)
    upper = upper_bound(successes, trials, error)
    assert lower.denominator <= GRID
    if successes:
        assert tail(successes, trials, lower) <= error
        assert tail(successes, trials, lower + STEP) > error
    if successes < trials:
        failures = trials - successes
        assert tail(failures, trials, 1 - upper) <= error
        assert tail(failures, trials, 1 - upper + STEP) > error


@given(counts(), errors)
def test_the_bounds_enclose_the_observed_rate(pair: tuple[int, int], error: Fraction) -> None:
    successes, trials = pair
    observed = Fraction(successes, trials)
    lower = lower_bound(successes, trials, error)
    upper = upper_bound(successes, trials, error)
    assert 0 <= lower <= observed <= upper <= 1
    if 0 < successes < trials:
        assert lower < observed < upper


@given(counts(), errors)
def test_failures_are_successes_seen_from_the_other_side(pair: tuple[int, int], error: Fraction) -> None:
    successes, trials = pair
    failures = trials - successes
    assert upper_bound(successes, trials, error) == 1 - lower_bound(failures, trials, error)


@given(counts(), errors)
def test_one_more_success_raises_both_bounds(pair: tuple[int, int], error: Fraction) -> None:
    successes, trials = pair
    assert lower_bound(successes, trials, error) <= lower_bound(successes + 1, trials + 1, error)
    assert upper_bound(successes, trials, error) <= upper_bound(successes + 1, trials + 1, error)
    assert lower_bound(successes, trials + 1, error) <= lower_bound(successes, trials, error)
    if successes < trials:
        assert lower_bound(successes, trials, error) <= lower_bound(successes + 1, trials, error)


@given(counts(), errors, errors)
def test_a_larger_error_shows_more(pair: tuple[int, int], one: Fraction, other: Fraction) -> None:
    strict, lax = sorted((one, other))
    assert lower_bound(*pair, strict) <= lower_bound(*pair, lax)
    assert upper_bound(*pair, strict) >= upper_bound(*pair, lax)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 30), st.integers(0, 30), errors, errors)
def test_a_missing_sample_widens_whatever_it_would_have_been(
    successes: int, failures: int, missing: int, lost: int, above: Fraction, below: Fraction
) -> None:
    seen = interval(successes, failures, missing, above, below)
    assert seen.lower <= seen.upper
    for hidden in (min(lost, successes), 0):
        unseen = min(lost, failures) if not hidden else 0
        blurred = interval(successes - hidden, failures - unseen, missing + hidden + unseen, above, below)
        assert blurred.lower <= seen.lower
        assert seen.upper <= blurred.upper


def test_each_side_has_its_own_error() -> None:
    seen = interval(30, 60, 10, Fraction(1, 20), Fraction(1, 1000))
    assert seen.lower == lower_bound(30, 100, Fraction(1, 20))
    assert seen.upper == upper_bound(40, 100, Fraction(1, 1000))


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("trials", [1, 2, 3, 7, 12, 19, 30])
def test_no_rate_is_excluded_more_often_than_the_error(trials: int, error: Fraction) -> None:
    lowers = [lower_bound(count, trials, error) for count in range(trials + 1)]
    uppers = [upper_bound(count, trials, error) for count in range(trials + 1)]
    # The worst rates are the bounds themselves; a coarse grid alone would step over them.
    rates = {Fraction(part, 40) for part in range(1, 40)} | {*lowers, *uppers} - {0, 1}
    for rate in rates:
        chance = [
            math.comb(trials, count) * rate**count * (1 - rate) ** (trials - count) for count in range(trials + 1)
        ]
        assert sum(chance) == 1
        assert sum(part for part, low in zip(chance, lowers, strict=True) if low >= rate) <= error
        assert sum(part for part, high in zip(chance, uppers, strict=True) if high <= rate) <= error


@pytest.mark.parametrize(
    ("successes", "trials", "error", "bound"),
    [
        (1, 1, Fraction(1, 20), Fraction(1, 20)),
        (2, 2, Fraction(1, 100), Fraction(1, 10)),
        (3, 3, Fraction(1, 8), HALF),
        (1, 2, Fraction(19, 100), Fraction(1, 10)),
        (1, 3, Fraction(271, 1000), Fraction(1, 10)),
        (20, 20, Fraction(1, 2**20), HALF),
        (2_000, 2_000, Fraction(1, 2**2_000), HALF),
    ],
)
def test_a_tail_equal_to_the_error_is_certified(successes: int, trials: int, error: Fraction, bound: Fraction) -> None:
    assert lower_bound(successes, trials, error) == bound
    assert lower_bound(successes, trials, error * Fraction(10**40 - 1, 10**40)) == bound - STEP


def test_a_tail_equal_to_the_error_is_not_certified_where_it_cannot_be_summed_exactly() -> None:
    rate = Fraction(3, 10)
    assert lower_bound(2_000, 2_000, rate**2_000) == rate
    assert lower_bound(3_000, 3_000, rate**3_000) == rate - STEP


@pytest.mark.parametrize("trials", [1, 2, 5, 10, 59, 100, 299, 1000])
@pytest.mark.parametrize("error", ERRORS)
def test_without_a_success_the_bound_has_a_closed_form(trials: int, error: Fraction) -> None:
    """P(X = 0) = (1 - t)**n, so that the bound is 1 - error**(1/n), rounded up to the grid."""
    clear = 1 - upper_bound(0, trials, error)
    assert clear**trials <= error < (clear + STEP) ** trials
    all_ = lower_bound(trials, trials, error)
    assert all_ == clear


def test_the_rule_of_three() -> None:
    assert upper_bound(0, 59, Fraction(1, 20)) > Fraction(5, 100) - Fraction(1, 1000)
    assert upper_bound(0, 59, Fraction(1, 20)) <= Fraction(5, 100)
    assert upper_bound(0, 58, Fraction(1, 20)) > Fraction(5, 100)


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [
        # R's binom.test at 95%: (10, 100) 0.04900469 0.17622260; (682, 925) 0.7076683 0.7654066
        (10, 100, 49_004, 176_223),
        (682, 925, 707_668, 765_407),
    ],
)
def test_published_two_sided_intervals(successes: int, trials: int, lower: int, upper: int) -> None:
    side = Fraction(1, 40)
    assert lower_bound(successes, trials, side) == lower * STEP
    assert upper_bound(successes, trials, side) == upper * STEP


@pytest.mark.parametrize(
    ("trials", "successes", "rate"),
    [
        (2_000, 300, Fraction(1, 8)),
        (2_000, 1_060, HALF),
        (2_000, 1_740, Fraction(27, 32)),
        (3_000, 2_743, Fraction(9, 10)),
        (2_000, 258, Fraction(1, 1000)),
        (700, 350, Fraction(1, 3)),
    ],
)
def test_the_tail_is_bounded_from_above_and_tightly(trials: int, successes: int, rate: Fraction) -> None:
    exact = tail(successes, trials, rate)
    bound = tail_at_least(successes, trials, rate)
    assert exact <= bound <= exact * (1 + Fraction(1, 2**60))


@given(counts(most=200), st.fractions(min_value=0, max_value=1, max_denominator=1000))
def test_the_tail_bound_never_claims_less_than_the_tail(pair: tuple[int, int], rate: Fraction) -> None:
    successes, trials = pair
    exact = tail(successes, trials, rate)
    bound = tail_at_least(successes, trials, rate)
    assert exact <= bound <= 1
    if successes > trials * rate:
        assert bound <= exact * (1 + Fraction(1, 2**60))


@pytest.mark.parametrize(
    ("successes", "trials"),
    [(257, 514), (257, 5_000), (1_000, 2_000), (1_743, 2_000), (3_000, 9_999), (20_000, 50_000)],
)
def test_stirling_bounds_the_number_of_choices_from_above_and_tightly(successes: int, trials: int) -> None:
    mantissa, exponent = binomial._choices(successes, trials)
    bound = mantissa * Fraction(2) ** exponent
    exact = math.comb(trials, successes)
    assert exact <= bound <= exact * (1 + Fraction(1, 2**70))


@pytest.mark.parametrize("guess", [-5, 0, 1, 1234, 189_636, 189_637, GRID - 1, GRID, 10**9])
def test_a_wrong_guess_costs_time_and_changes_nothing(guess: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [(800, 4_000), (1, 9), (9, 9), (3_999, 4_000), (1, 4_000)]
    expected = [lower_bound(*case, error) for case, error in product(cases, ERRORS)]
    binomial._largest_shown.cache_clear()
    monkeypatch.setattr(binomial, "_guess", lambda *_: guess)
    found = [lower_bound(*case, error) for case, error in product(cases, ERRORS)]
    binomial._largest_shown.cache_clear()
    assert found == expected


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("share", [Fraction(1, 10**6), Fraction(1, 5), HALF, Fraction(999, 1000)])
def test_large_pools_are_certified_at_the_bound_and_not_past_it(share: Fraction, error: Fraction) -> None:
    trials = 1_000_000
    successes = math.ceil(share * trials)
    lower = lower_bound(successes, trials, error)
    assert tail_at_least(successes, trials, lower) <= error
    assert tail_at_least(successes, trials, lower + STEP) > error


def test_the_largest_pool_has_a_bound() -> None:
    assert lower_bound(MAX_TRIALS, MAX_TRIALS, Fraction(1, 20)) == 1 - STEP
    lower = lower_bound(MAX_TRIALS // 100, MAX_TRIALS, Fraction(1, 20))
    assert Fraction(1, 100) - 10 * STEP < lower < Fraction(1, 100)


def test_an_error_too_small_for_floating_point_is_still_an_error() -> None:
    error = Fraction(1, 10**5_000)
    lower = lower_bound(900, 1_000, error)
    assert lower > 0
    assert tail_at_least(900, 1_000, lower) <= error < tail_at_least(900, 1_000, lower + STEP)


@pytest.mark.parametrize("error", ERRORS)
def test_without_a_trial_nothing_is_known(error: Fraction) -> None:
    assert interval(0, 0, 0, error, error) == Interval(Fraction(0), Fraction(1))
    assert lower_bound(0, 50, error) == 0
    assert upper_bound(50, 50, error) == 1
    assert interval(0, 0, 50, error, error) == Interval(Fraction(0), Fraction(1))


@pytest.mark.parametrize(
    ("successes", "trials", "words"),
    [
        (-1, 5, "successes cannot be negative"),
        (0, -5, "trials cannot be negative"),
        (6, 5, "6 successes cannot come from 5 trials"),
        (0, MAX_TRIALS + 1, "trials are more than"),
    ],
)
def test_impossible_counts_are_refused(successes: int, trials: int, words: str) -> None:
    for bound in (lower_bound, upper_bound, tail_at_least):
        with pytest.raises(BoundError, match=words):
            bound(successes, trials, Fraction(1, 20))


def test_a_negative_count_does_not_hide_behind_the_others() -> None:
    with pytest.raises(BoundError, match="missing cannot be negative"):
        interval(5, 5, -3, Fraction(1, 20), Fraction(1, 20))


@pytest.mark.parametrize("error", [Fraction(0), HALF, Fraction(1), Fraction(-1, 20), Fraction(2)])
def test_an_error_that_shows_nothing_is_refused(error: Fraction) -> None:
    for bound in (lower_bound, upper_bound):
        with pytest.raises(BoundError, match="an error lies between 0 and 1/2"):
            bound(0, 0, error)


@pytest.mark.parametrize("rate", [Fraction(-1, 2), Fraction(3, 2)])
def test_a_rate_outside_the_unit_interval_is_refused(rate: Fraction) -> None:
    with pytest.raises(BoundError, match="a rate lies between 0 and 1"):
        tail_at_least(1, 2, rate)


def test_the_memory_of_past_questions_is_bounded() -> None:
    for cached in (binomial._largest_shown, binomial._choices):
        assert cached.cache_parameters()["maxsize"] is not None
