"""The bound that stays valid while looking: certified points, symmetry, and its price against one fixed look."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.anytime import anytime_lower_bound, anytime_upper_bound
from scalegate.stats.binomial import GRID, BoundError, lower_bound

ERROR = Fraction(1, 200)
counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def mixture(successes: int, trials: int, rate: Fraction) -> Fraction:
    """(n + 1) P(X = k | rate), exactly."""
    return (trials + 1) * comb(trials, successes) * rate**successes * (1 - rate) ** (trials - successes)


@given(counts)
def test_the_bound_is_certified_and_the_next_grid_point_is_not(sample: tuple[int, int]) -> None:
    successes, trials = sample
    bound = anytime_lower_bound(successes, trials, ERROR)
    if bound > 0:
        assert mixture(successes, trials, bound) <= ERROR
    above = bound + Fraction(1, GRID)
    if above * trials < successes:
        assert mixture(successes, trials, above) >= ERROR  # an exact tie is not certified


@given(counts)
def test_the_upper_bound_mirrors_the_lower(sample: tuple[int, int]) -> None:
    successes, trials = sample
    mirrored = anytime_lower_bound(trials - successes, trials, ERROR)
    assert anytime_upper_bound(successes, trials, ERROR) == 1 - mirrored


@given(counts)
def test_looking_at_will_is_never_tighter_than_one_look_at_the_same_error(sample: tuple[int, int]) -> None:
    successes, trials = sample
    assert anytime_lower_bound(successes, trials, ERROR) <= lower_bound(successes, trials, ERROR)


def test_no_sample_shows_nothing() -> None:
    assert anytime_lower_bound(0, 0, ERROR) == 0
    assert anytime_upper_bound(0, 0, ERROR) == 1


@pytest.mark.parametrize("error", [Fraction(0), Fraction(1, 2)])
def test_an_error_that_shows_nothing_is_refused(error: Fraction) -> None:
    with pytest.raises(BoundError, match="an error lies between"):
        anytime_lower_bound(1, 2, error)
