"""Betting on a mean: laws of wealth, its certified rounding, the bounds, validity over all looks, and what it costs."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.betting import (
    BITS,
    CEILING,
    STAKES,
    UNIT,
    WEIGHTS,
    Betting,
    Wealth,
    betting_lower_bound,
    betting_upper_bound,
)
from scalegate.stats.binomial import GRID, BoundError
from tests.stats.paths import Wealths, at_most, crossing

STEP = Fraction(1, GRID)
ERROR = Fraction(1, 20)

thresholds = st.fractions(min_value=Fraction(1, 1000), max_value=Fraction(999, 1000), max_denominator=1000)
scores = st.one_of(st.sampled_from([Fraction(0), Fraction(1)]), st.fractions(min_value=0, max_value=1))
streams = st.lists(scores, max_size=30)
errors = st.sampled_from([Fraction(1, 3), ERROR, Fraction(1, 1000)])


def played(threshold: Fraction, stream: list[Fraction], *, below: bool = False) -> Betting:
    betting = Betting(threshold, below=below)
    for score in stream:
        betting.update(score)
    return betting


def exact(threshold: Fraction, stream: list[Fraction]) -> Fraction:
    """Wealth without any rounding."""
    total = Fraction(0)
    for weight, units in zip(WEIGHTS, STAKES, strict=True):
        stake = Fraction(units, 2**BITS)
        total += weight * math.prod((1 - stake + stake * score / threshold for score in stream), start=Fraction(1))
    return total / sum(WEIGHTS)


# --- wealth ----------------------------------------------------------------------------------


def test_initial_wealth_is_one_and_stakes_are_shares() -> None:
    assert len(WEIGHTS) == len(STAKES) == 26
    assert sorted(STAKES, reverse=True) == list(STAKES)
    assert STAKES[-1] > 0
    assert STAKES[0] == 2**BITS
    assert Betting(Fraction(1, 5)).evalue == Betting(Fraction(1, 5)).peak == 1


@given(thresholds, streams)
def test_an_evalue_never_exceeds_exact_arithmetic_and_hardly_falls_short(
    threshold: Fraction, stream: list[Fraction]
) -> None:
    wealth = exact(threshold, stream)
    evalue = played(threshold, stream).evalue
    assert evalue <= wealth
    assert evalue >= wealth * (1 - Fraction(1, 2**50)) - Fraction(1, 2**50)


@given(thresholds, thresholds, streams)
def test_wealth_falls_as_the_threshold_rises(one: Fraction, other: Fraction, stream: list[Fraction]) -> None:
    lower, upper = played(min(one, other), stream), played(max(one, other), stream)
    assert lower.evalue >= upper.evalue
    assert lower.peak >= upper.peak


@given(thresholds, streams, st.data())
def test_wealth_rises_with_every_score(threshold: Fraction, stream: list[Fraction], data: st.DataObject) -> None:
    lowered = [data.draw(st.fractions(min_value=0, max_value=score)) for score in stream]
    assert played(threshold, lowered).evalue <= played(threshold, stream).evalue


@given(thresholds, streams)
def test_below_is_the_mirror_of_above(threshold: Fraction, stream: list[Fraction]) -> None:
    below = played(threshold, stream, below=True)
    above = played(1 - threshold, [1 - score for score in stream])
    assert (below.evalue, below.peak, below.samples) == (above.evalue, above.peak, above.samples)


@given(thresholds, streams, st.randoms(use_true_random=False))
def test_order_decides_the_peak_but_not_wealth(threshold: Fraction, stream: list[Fraction], random: Any) -> None:
    shuffled = random.sample(stream, len(stream))
    before, after = played(threshold, stream).evalue, played(threshold, shuffled).evalue
    # Parts are rounded to 2**-192, and each may be multiplied by up to 1000 later on.
    assert abs(before - after) <= max(before, 1) / 2**100


@given(thresholds, streams, errors)
def test_the_peak_is_the_largest_wealth_and_is_never_taken_back(
    threshold: Fraction, stream: list[Fraction], error: Fraction
) -> None:
    betting = Betting(threshold)
    largest, shown = Fraction(1), False
    for count, score in enumerate(stream, start=1):
        betting.update(score)
        largest = max(largest, betting.evalue)
        shown = shown or betting.evalue >= 1 / error
        assert betting.samples == count
        assert betting.peak == largest
        assert betting.shown(error) is shown


def test_wealth_beyond_the_ceiling_is_not_counted_and_shows_no_less() -> None:
    wealth = Wealth()
    for _ in range(400):
        wealth.grow(5 << BITS)
    assert CEILING <= wealth.total <= len(STAKES) * CEILING
    most = wealth.total
    wealth.grow(0)
    assert 0 < wealth.total < most
    betting = played(Fraction(1, 5), [Fraction(1)] * 400 + [Fraction(0)] * 10)
    assert betting.evalue < betting.peak
    assert betting.shown(Fraction(1, 2**255))


def test_a_part_without_wealth_stays_without() -> None:
    wealth = Wealth()
    wealth.grow(0)
    assert 0 < wealth.total < UNIT * (1 - Fraction(WEIGHTS[0], sum(WEIGHTS)))
    assert wealth._parts[0] == 0
    wealth.grow(5 << BITS)
    assert wealth._parts[0] == 0 < min(wealth._parts[1:])


@pytest.mark.parametrize("threshold", [Fraction(0), Fraction(1), Fraction(-1, 5), Fraction(6, 5)])
def test_a_threshold_that_nobody_can_bet_on_is_refused(threshold: Fraction) -> None:
    for below in (False, True):
        with pytest.raises(BoundError, match="a threshold to bet on lies between 0 and 1"):
            Betting(threshold, below=below)


@pytest.mark.parametrize("score", [Fraction(-1, 10**9), Fraction(10**9 + 1, 10**9)])
def test_a_score_outside_the_unit_interval_is_refused_and_changes_nothing(score: Fraction) -> None:
    betting = played(Fraction(1, 5), [Fraction(1)])
    before = (betting.samples, betting.evalue, betting.peak)
    with pytest.raises(BoundError, match="a score lies between 0 and 1"):
        betting.update(score)
    assert (betting.samples, betting.evalue, betting.peak) == before
    for bound in (betting_lower_bound, betting_upper_bound):
        with pytest.raises(BoundError, match="a score lies between 0 and 1"):
            bound([score], ERROR)


@pytest.mark.parametrize("error", [Fraction(0), Fraction(1, 2)])
def test_an_error_that_shows_nothing_is_refused(error: Fraction) -> None:
    for ask in (
        Betting(ERROR).shown,
        lambda bad: betting_lower_bound([], bad),
        lambda bad: betting_upper_bound([], bad),
    ):
        with pytest.raises(BoundError, match="an error lies between"):
            ask(error)


# --- bounds ----------------------------------------------------------------------------------


@given(st.lists(scores, max_size=12), errors)
def test_the_bound_is_the_last_grid_point_for_which_the_test_has_shown_its_claim(
    stream: list[Fraction], error: Fraction
) -> None:
    lower, upper = betting_lower_bound(stream, error), betting_upper_bound(stream, error)
    if lower > 0:
        assert played(lower, stream).shown(error)
    if lower + STEP < 1:
        assert not played(lower + STEP, stream).shown(error)
    if upper < 1:
        assert played(upper, stream, below=True).shown(error)
    if upper - STEP > 0:
        assert not played(upper - STEP, stream, below=True).shown(error)


@given(st.lists(scores, max_size=12), errors)
def test_the_upper_bound_mirrors_the_lower(stream: list[Fraction], error: Fraction) -> None:
    assert betting_upper_bound(stream, error) == 1 - betting_lower_bound([1 - score for score in stream], error)


@given(st.lists(scores, min_size=1, max_size=12), errors, st.data())
def test_bounds_only_tighten_with_more_scores_and_loosen_with_less_error(
    stream: list[Fraction], error: Fraction, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(stream) - 1))
    lower = betting_lower_bound(stream, error)
    assert betting_lower_bound(stream[:cut], error) <= lower
    assert betting_lower_bound(stream, error / 7) <= lower


def test_a_bound_lies_on_its_side_of_the_mean_and_one_score_shows_little() -> None:
    stream = [Fraction(place % 10 < 3) for place in range(300)]
    lower, upper = betting_lower_bound(stream, ERROR), betting_upper_bound(stream, ERROR)
    assert Fraction(22, 100) < lower < Fraction(3, 10) < upper < Fraction(39, 100)
    assert betting_lower_bound([], ERROR) == 0
    assert betting_upper_bound([], ERROR) == 1
    assert 0 < betting_lower_bound([Fraction(1)], ERROR) < ERROR


def test_scores_that_scarcely_vary_give_narrower_bounds_than_coin_tosses() -> None:
    steady = [Fraction(25 + place % 11, 100) for place in range(110)]
    tosses = [Fraction(place % 10 < 3) for place in range(110)]
    assert sum(steady) == sum(tosses) == 33
    width = betting_upper_bound(steady, ERROR) - betting_lower_bound(steady, ERROR)
    assert 2 * width < betting_upper_bound(tosses, ERROR) - betting_lower_bound(tosses, ERROR)


# --- validity --------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)])
@pytest.mark.parametrize("below", [False, True])
def test_every_path_of_a_short_stream_at_the_null(threshold: Fraction, *, below: bool) -> None:
    error = Fraction(2, 5)
    wrong = expected = Fraction(0)
    for path in product((Fraction(0), Fraction(1)), repeat=9):
        betting = played(threshold, list(path), below=below)
        mass = math.prod((threshold if score else 1 - threshold for score in path), start=Fraction(1))
        expected += mass * betting.evalue
        wrong += mass * betting.shown(error)
    assert 1 - Fraction(1, 2**50) < expected <= 1
    assert 0 < wrong <= error


def test_scores_chosen_in_view_of_wealth_err_no_more_than_that() -> None:
    """Whoever draws the scores may choose each distribution anew, as long as its mean is the threshold."""
    threshold, error = Fraction(1, 4), Fraction(1, 4)
    values = (Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(1))
    options = (
        {0: Fraction(3, 4), 3: Fraction(1, 4)},
        {0: Fraction(1, 2), 2: Fraction(1, 2)},
        {0: Fraction(5, 8), 2: Fraction(1, 4), 3: Fraction(1, 8)},
        {1: Fraction(1)},
    )
    for option in options:
        assert sum(mass * values[place] for place, mass in option.items()) == threshold

    @cache
    def wealth(counts: tuple[int, ...]) -> Fraction:
        stream = [score for score, count in zip(values, counts, strict=True) for _ in range(count)]
        return played(threshold, stream).evalue

    @cache
    def worst(counts: tuple[int, ...], left: int) -> Fraction:
        if wealth(counts) >= 1 / error:
            return Fraction(1)
        if left == 0:
            return Fraction(0)
        best = Fraction(0)
        for option in options:
            total = Fraction(0)
            for place, mass in option.items():
                after = tuple(count + (place == index) for index, count in enumerate(counts))
                total += mass * worst(after, left - 1)
            best = max(best, total)
        return best

    wrong = worst((0, 0, 0, 0), 9)
    assert 0 < wrong <= error


# --- what it costs ---------------------------------------------------------------------------


def boundary(threshold: float, error: float, most: int) -> list[int]:
    """Fewest successes among n tosses that show the claim, for n up to `most`; n + 1 where none does."""
    stakes = [units / 2**BITS for units in STAKES]
    fewest, row = 0, []
    for trials in range(most + 1):
        while fewest <= trials:
            parts = (
                weight * (1 - stake) ** (trials - fewest) * (1 - stake + stake / threshold) ** fewest
                for weight, stake in zip(WEIGHTS, stakes, strict=True)
            )
            if sum(parts) >= sum(WEIGHTS) / error:
                break
            fewest += 1
        row.append(fewest)
    return row


def expected_samples(threshold: float, rate: float, error: float, most: int) -> float:
    """Expected number of tosses until the claim is shown, looking after every one; by the exact distribution."""
    row = boundary(threshold, error, most)
    going, total = {0: 1.0}, 0.0
    for trials in range(1, most + 1):
        total += sum(going.values())
        later: dict[int, float] = {}
        for count, mass in going.items():
            for now, part in ((count, 1 - rate), (count + 1, rate)):
                if now < row[trials] and mass * part > 1e-12:
                    later[now] = later.get(now, 0.0) + mass * part
        going = later
    assert sum(going.values()) < 1e-3
    return total


@pytest.mark.parametrize(
    ("gap", "error", "bar"), [(0.1, 0.05, 1.50), (0.2, 0.05, 1.50), (0.3, 0.05, 1.50), (0.2, 0.001, 1.30)]
)
def test_samples_stay_near_the_information_limit(gap: float, error: float, bar: float) -> None:
    """log(1 / error) / KL is what no such test can beat; bets on a known rate take 1.06 to 1.15 of it."""
    threshold, rate = 0.2, 0.2 + gap
    divergence = rate * math.log(rate / threshold) + (1 - rate) * math.log((1 - rate) / (1 - threshold))
    limit = math.log(1 / error) / divergence
    assert 1 < expected_samples(threshold, rate, error, math.ceil(8 * limit)) / limit < bar


# --- many paths ------------------------------------------------------------------------------


@pytest.fixture
def np() -> ModuleType:
    return pytest.importorskip("numpy", reason="needs the extra `inspect`")


def tosses(rate: float, length: int, *, below: bool = False) -> Callable[[Any, int], Iterator[Any]]:
    """0/1 scores at a threshold of 1/5."""

    def draw(generator: Any, paths: int) -> Iterator[Any]:
        for _ in range(length):
            hits = generator.random(paths) < rate
            yield ~hits / 0.8 if below else hits / 0.2

    return draw


def betas(mean: float, spread: float, length: int) -> Callable[[Any, int], Iterator[Any]]:
    """Scores with this mean and standard deviation at a threshold of 1/5."""
    size = mean * (1 - mean) / spread**2 - 1

    def draw(generator: Any, paths: int) -> Iterator[Any]:
        for _ in range(length):
            yield generator.beta(mean * size, (1 - mean) * size, paths) / 0.2

    return draw


@pytest.mark.extra
def test_paths_in_floating_point_follow_the_exact_ones(np: ModuleType) -> None:
    generator = np.random.default_rng(1)
    tenths = generator.integers(0, 11, (50, 200))
    wealths = Wealths(np, 50)
    exactly = [Betting(Fraction(1, 5)) for _ in range(50)]
    for column in tenths.T:
        wealths.grow(column / 10 / 0.2)
        for betting, score in zip(exactly, column, strict=True):
            betting.update(Fraction(int(score), 10))
    assert np.allclose(wealths.total(), [float(betting.evalue) for betting in exactly], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.parametrize(
    ("draw", "error"),
    [
        pytest.param(tosses(0.2, 800), 0.05, id="tosses"),
        pytest.param(tosses(0.2, 400), 0.001, id="tosses, strict"),
        pytest.param(tosses(0.2, 400, below=True), 0.05, id="tosses, below"),
        pytest.param(betas(0.2, 0.1, 200), 0.05, id="scores that scarcely vary"),
        pytest.param(betas(0.2, 0.32, 200), 0.05, id="scores that vary much"),
    ],
)
def test_looking_after_every_score_errs_no_more_than_the_budget(
    np: ModuleType, draw: Callable[[Any, int], Iterator[Any]], error: float
) -> None:
    wrong = crossing(np, draw, error, seed=20)
    assert error / 20 < wrong <= at_most(error)


@pytest.mark.slow
@pytest.mark.extra
def test_a_mean_above_the_threshold_is_found(np: ModuleType) -> None:
    """The other side of the same simulation: off the null, the budget does not hold it back."""
    assert crossing(np, tosses(0.22, 400), 0.05, seed=21, paths=20_000) > 1.5 * at_most(0.05)
    assert crossing(np, tosses(0.35, 400), 0.05, seed=22, paths=20_000) > 0.99
