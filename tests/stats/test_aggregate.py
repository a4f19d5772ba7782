"""Aggregates: how many trials a standard error stands for, and that it never says too much."""

from fractions import Fraction
from math import isqrt

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from scalegate.stats.aggregate import aggregate_interval, derived_trials
from scalegate.stats.binomial import MAX_TRIALS, BoundError, interval

ABOVE = Fraction(1, 20)
BELOW = Fraction(1, 1000)


def root(square: Fraction) -> Fraction:
    """Square root to forty digits, rounded down as a printed number might be."""
    scale = 10**40
    return Fraction(isqrt(square.numerator * scale * scale // square.denominator), scale)


@given(st.integers(2, 5_000), st.data(), st.sampled_from([0, 1]))
def test_a_share_of_successes_gives_its_trials_back_but_never_more(trials: int, data: st.DataObject, lost: int) -> None:
    successes = data.draw(st.integers(1, trials - 1))
    value = Fraction(successes, trials)
    stderr = root(value * (1 - value) / (trials - lost))
    # The root is rounded down, hence the numbers are off by less than the digit it was cut at.
    derived = derived_trials(value, stderr, half_digit=Fraction(1, 10**40))
    assert derived is not None or trials == 2
    assert trials - 2 <= (derived or 0) <= trials


@given(st.integers(10, 3_000), st.data(), st.integers(2, 6))
def test_rounded_numbers_never_overstate_the_trials(trials: int, data: st.DataObject, digits: int) -> None:
    successes = data.draw(st.integers(1, trials - 1))
    exact = Fraction(successes, trials)
    value = round(exact, digits)
    stderr = round(root(exact * (1 - exact) / (trials - 1)), digits)
    half_digit = Fraction(1, 2 * 10**digits)
    derived = derived_trials(value, stderr, half_digit=half_digit)
    assert (derived or 0) <= trials


def test_a_rounded_standard_error_would_overstate_without_its_rounding() -> None:
    value, stderr = Fraction(1, 2), Fraction(2, 100)  # 400 trials have 0.025, printed as 0.02
    assert derived_trials(value, stderr) == 625
    assert (derived_trials(value, stderr, half_digit=Fraction(1, 200)) or 0) < 400


def test_the_claim_of_the_report_caps_the_answer() -> None:
    value, stderr = Fraction(1, 2), Fraction(1, 100)
    assert derived_trials(value, stderr) == 2_500
    assert derived_trials(value, stderr, at_most=1_000) == 1_000
    assert derived_trials(value, stderr, at_most=0) is None
    assert derived_trials(value, Fraction(1, 10**30)) == MAX_TRIALS


@pytest.mark.parametrize(
    ("value", "stderr"),
    [
        (Fraction(0), Fraction(1, 100)),
        (Fraction(1), Fraction(1, 100)),
        (Fraction(3, 10), Fraction(0)),
        (Fraction(1, 2), Fraction(51, 100)),
    ],
)
def test_nothing_is_derived_where_there_is_nothing_to_derive_from(value: Fraction, stderr: Fraction) -> None:
    assert derived_trials(value, stderr) is None


def test_a_value_within_rounding_of_the_end_derives_nothing() -> None:
    half_digit = Fraction(1, 200)
    assert derived_trials(Fraction(1, 200), Fraction(1, 100), half_digit=half_digit) is None
    assert derived_trials(Fraction(199, 200), Fraction(1, 100), half_digit=half_digit) is None


@given(st.integers(2, 400), st.data())
@example(37, None)
def test_an_aggregate_shows_no_more_than_its_samples(trials: int, data: st.DataObject | None) -> None:
    successes = data.draw(st.integers(1, trials - 1)) if data else 11
    value = Fraction(successes, trials)
    stderr = root(value * (1 - value) / (trials - 1)) + Fraction(1, 10**40)
    derived = derived_trials(value, stderr)
    assume(derived is not None)
    assert derived is not None
    blurred = aggregate_interval(value, derived, ABOVE, BELOW)
    sharp = interval(successes, trials - successes, 0, ABOVE, BELOW)
    assert blurred.lower <= sharp.lower
    assert sharp.upper <= blurred.upper


@given(st.integers(1, 300), st.fractions(min_value=0, max_value=1, max_denominator=500))
def test_counts_are_rounded_outward(trials: int, value: Fraction) -> None:
    seen = aggregate_interval(value, trials, ABOVE, BELOW)
    fewest = int(value * trials)
    most = fewest if value * trials == fewest else fewest + 1
    assert seen.lower == interval(fewest, trials - fewest, 0, ABOVE, BELOW).lower
    assert seen.upper == interval(most, trials - most, 0, ABOVE, BELOW).upper
    assert seen.lower <= value <= seen.upper


@pytest.mark.parametrize("value", [Fraction(-1, 10), Fraction(11, 10)])
def test_a_value_that_is_no_share_is_refused(value: Fraction) -> None:
    with pytest.raises(BoundError, match="a share of successes lies between 0 and 1"):
        derived_trials(value, Fraction(1, 100))
    with pytest.raises(BoundError, match="a share of successes lies between 0 and 1"):
        aggregate_interval(value, 10, ABOVE, BELOW)


def test_negative_numbers_are_refused() -> None:
    value, small = Fraction(1, 2), Fraction(1, 100)
    with pytest.raises(BoundError, match="cannot be negative"):
        derived_trials(value, -small)
    with pytest.raises(BoundError, match="cannot be negative"):
        derived_trials(value, small, half_digit=-small)
    with pytest.raises(BoundError, match="cannot be negative"):
        derived_trials(value, small, at_most=-1)
