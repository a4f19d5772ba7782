"""The algebra of e-values: what its operators are, that none makes more of evidence than there is, and spending."""

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.algebra import Spending, all_clear, closed_evalues, e_and, e_holm, e_or, k_of_n
from scalegate.stats.binomial import BoundError
from tests.stats.paths import PATHS, at_most

ERROR = Fraction(1, 20)

evalues = st.one_of(
    st.fractions(min_value=0, max_value=40, max_denominator=60), st.sampled_from([Fraction(20), Fraction(0)])
)
several = st.lists(evalues, min_size=1, max_size=6)
weights = st.fractions(min_value=Fraction(1, 20), max_value=5, max_denominator=20)


@st.composite
def weighted(draw: st.DrawFn) -> tuple[list[Fraction], list[Fraction]]:
    """Values and a weight for each."""
    values = draw(several)
    return values, draw(st.lists(weights, min_size=len(values), max_size=len(values)))


def mean(values: Sequence[Fraction], shares: Sequence[Fraction] | None = None) -> Fraction:
    shares = shares or [Fraction(1)] * len(values)
    return sum(share * value for share, value in zip(shares, values, strict=True)) / sum(shares)


# --- operators -------------------------------------------------------------------------------


@given(several)
def test_and_is_the_least_or_is_the_mean(values: list[Fraction]) -> None:
    assert e_and(values) == min(values)
    assert e_or(values) == mean(values)
    assert e_and(values) <= e_or(values)


@given(several)
def test_one_of_n_is_or_and_n_of_n_is_and(values: list[Fraction]) -> None:
    assert k_of_n(1, values) == e_or(values)
    assert k_of_n(len(values), values) == e_and(values)


@given(several)
def test_k_of_n_is_the_mean_of_the_smallest_and_falls_with_k(values: list[Fraction]) -> None:
    steps = [k_of_n(needed, values) for needed in range(1, len(values) + 1)]
    assert steps == [mean(sorted(values)[: len(values) - needed + 1]) for needed in range(1, len(values) + 1)]
    assert steps == sorted(steps, reverse=True)


@given(weighted(), st.data())
def test_with_weights_k_of_n_is_the_least_mean_of_any_set(
    pair: tuple[list[Fraction], list[Fraction]], data: st.DataObject
) -> None:
    values, shares = pair
    needed = data.draw(st.integers(1, len(values)))
    sets = combinations(range(len(values)), len(values) - needed + 1)
    least = min(mean([values[place] for place in places], [shares[place] for place in places]) for places in sets)
    assert k_of_n(needed, values, weights=shares) == least
    assert e_or(values, weights=shares) == mean(values, shares)


@given(weighted(), weights)
def test_only_ratios_of_weights_count(pair: tuple[list[Fraction], list[Fraction]], factor: Fraction) -> None:
    values, shares = pair
    scaled = [share * factor for share in shares]
    assert e_or(values, weights=shares) == e_or(values, weights=scaled)
    assert k_of_n(len(values), values, weights=shares) == k_of_n(len(values), values, weights=scaled)
    assert closed_evalues(values, weights=shares) == closed_evalues(values, weights=scaled)


@given(several, st.randoms(use_true_random=False), st.data())
def test_the_order_of_claims_does_not_matter(
    values: list[Fraction], generator: random.Random, data: st.DataObject
) -> None:
    needed = data.draw(st.integers(1, len(values)))
    shuffled = generator.sample(values, len(values))
    assert k_of_n(needed, values) == k_of_n(needed, shuffled)
    assert sorted(closed_evalues(values)) == sorted(closed_evalues(shuffled))


@given(several, st.data())
def test_more_evidence_never_shows_less(values: list[Fraction], data: st.DataObject) -> None:
    needed = data.draw(st.integers(1, len(values)))
    raised = [value + data.draw(evalues) for value in values]
    assert k_of_n(needed, values) <= k_of_n(needed, raised)
    assert all(before <= after for before, after in zip(closed_evalues(values), closed_evalues(raised), strict=True))


@given(several)
def test_a_stated_independence_multiplies(values: list[Fraction]) -> None:
    expected = Fraction(1)
    for value in values:
        expected *= value
    assert e_or(values, independent=True) == expected


# --- together --------------------------------------------------------------------------------


@given(weighted())
def test_closed_values_are_the_least_means_of_sets_that_contain_the_claim(
    pair: tuple[list[Fraction], list[Fraction]],
) -> None:
    values, shares = pair
    places = range(len(values))
    for closed, chosen in ((closed_evalues(values), None), (closed_evalues(values, weights=shares), shares)):
        for place in places:
            least = min(
                mean([values[one] for one in members], [chosen[one] for one in members] if chosen else None)
                for size in range(1, len(values) + 1)
                for members in combinations(places, size)
                if place in members
            )
            assert closed[place] == least


@given(several)
def test_together_nothing_is_shown_that_is_not_shown_alone_and_at_a_share_everything_is(values: list[Fraction]) -> None:
    together = e_holm(values, ERROR)
    for value, shown in zip(values, together, strict=True):
        assert not shown or value * ERROR >= 1
        # Closed testing includes Bonferroni.
        assert shown or value * ERROR / len(values) < 1


def test_closed_testing_shows_what_bonferroni_does_not() -> None:
    """25 is too little for two claims at 1/20, unless the other is shown, too."""
    assert e_holm([Fraction(25), Fraction(25)], ERROR) == (True, True)
    assert e_holm([Fraction(25), Fraction(0)], ERROR) == (False, False)
    assert e_holm([Fraction(40), Fraction(0)], ERROR) == (True, False)
    assert e_holm([Fraction(25), Fraction(0)], ERROR, weights=[Fraction(9), Fraction(1)]) == (True, False)


@given(several)
def test_all_clear_needs_every_claim_at_its_full_error_and_no_more(values: list[Fraction]) -> None:
    assert all_clear(values, ERROR) is all(value >= 20 for value in values)


def test_all_clear_of_a_hundred_claims_is_as_easy_as_of_one() -> None:
    assert all_clear([Fraction(20)] * 100, ERROR)
    assert not any(e_holm([*[Fraction(20)] * 99, Fraction(19)], ERROR))


# --- refusals --------------------------------------------------------------------------------

ONE = Fraction(1)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        pytest.param(lambda: e_and([]), "at least one e-value", id="and-nothing"),
        pytest.param(lambda: e_or([]), "at least one e-value", id="or-nothing"),
        pytest.param(lambda: e_or([], independent=True), "at least one e-value", id="product-nothing"),
        pytest.param(lambda: k_of_n(1, []), "at least one e-value", id="k-of-nothing"),
        pytest.param(lambda: all_clear([], ERROR), "at least one e-value", id="all-clear-of-nothing"),
        pytest.param(lambda: e_holm([], ERROR), "at least one e-value", id="holm-nothing"),
        pytest.param(lambda: e_and([ONE, -ONE]), "not negative", id="negative"),
        pytest.param(lambda: k_of_n(0, [ONE]), "0 of 1 claims", id="none-needed"),
        pytest.param(lambda: k_of_n(2, [ONE]), "2 of 1 claims", id="too-many-needed"),
        pytest.param(lambda: e_or([ONE, ONE], weights=[ONE]), "1 weights for 2", id="too-few-weights"),
        pytest.param(lambda: k_of_n(1, [ONE], weights=[Fraction(0)]), "a weight is positive", id="weight-zero"),
        pytest.param(lambda: e_or([ONE], weights=[ONE], independent=True), "no weights", id="weighted-product"),
        pytest.param(lambda: all_clear([ONE], Fraction(1, 2)), "an error lies between", id="all-clear-error"),
        pytest.param(lambda: e_holm([ONE], Fraction(0)), "an error lies between", id="holm-error"),
    ],
)
def test_what_is_no_condition_is_refused(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(BoundError, match=message):
        ask()


# --- spending --------------------------------------------------------------------------------


@given(st.integers(1, 200))
def test_an_even_schedule_spends_the_whole_error(checkpoints: int) -> None:
    schedule = Spending.even(checkpoints)
    assert sum(schedule.error_at(place, ERROR) for place in range(1, checkpoints + 1)) == ERROR
    with pytest.raises(BoundError, match=f"checkpoint {checkpoints + 1} has no error left"):
        schedule.share(checkpoints + 1)


@given(st.lists(weights, min_size=1, max_size=10))
def test_a_weighted_schedule_spends_it_in_proportion(shares: list[Fraction]) -> None:
    schedule = Spending.weighted(shares)
    spent = [schedule.share(place) for place in range(1, len(shares) + 1)]
    assert sum(spent) == 1
    assert [share / spent[0] for share in spent] == [share / shares[0] for share in shares]


@given(st.integers(1, 300))
def test_an_open_schedule_never_spends_all(checkpoints: int) -> None:
    schedule = Spending()
    spent = sum(schedule.share(place) for place in range(1, checkpoints + 1))
    assert spent == 1 - Fraction(1, checkpoints + 1)
    assert schedule.share(checkpoints) > schedule.share(checkpoints + 1) > 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        pytest.param(lambda: Spending(()), "a positive share", id="none"),
        pytest.param(lambda: Spending((ONE, Fraction(0))), "a positive share", id="zero"),
        pytest.param(lambda: Spending((Fraction(2, 3), Fraction(2, 3))), "sum to 4/3", id="too-much"),
        pytest.param(lambda: Spending.even(0), "a positive share", id="even-0"),
        pytest.param(lambda: Spending.even(-1), "a positive share", id="even-negative"),
        pytest.param(lambda: Spending.weighted([]), "a positive share", id="no-weights"),
        pytest.param(lambda: Spending.weighted([-ONE, -ONE]), "a positive share", id="negative-weights"),
        pytest.param(lambda: Spending().share(0), "count from 1", id="checkpoint-0"),
        pytest.param(lambda: Spending().error_at(1, Fraction(1, 2)), "an error lies between", id="error"),
    ],
)
def test_a_schedule_that_overspends_or_spends_nothing_is_refused(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(BoundError, match=message):
        ask()


# --- validity --------------------------------------------------------------------------------

SIMULATIONS = PATHS
HUGE = Fraction(1000)
# Likelihood ratio of two tosses, 3/5 against 1/2: mean 1 under the null.
RATIO = {hits: Fraction(6, 5) ** hits * Fraction(4, 5) ** (2 - hits) for hits in range(3)}

Draw = Callable[[random.Random], list[Fraction]]
Merge = Callable[[list[Fraction]], Fraction]


def apart(count: int) -> Draw:
    """Evidence of separate streams, all null."""
    return lambda generator: [RATIO[generator.getrandbits(1) + generator.getrandbits(1)] for _ in range(count)]


def alike(count: int) -> Draw:
    """The same stream seen several times, null."""
    return lambda generator: [RATIO[generator.getrandbits(1) + generator.getrandbits(1)]] * count


def opposed(count: int) -> Draw:
    """One stream and its mirror by turns, null."""

    def draw(generator: random.Random) -> list[Fraction]:
        hits = generator.getrandbits(1) + generator.getrandbits(1)
        return [RATIO[hits if place % 2 else 2 - hits] for place in range(count)]

    return draw


def beside(true: int, nulls: Draw) -> Draw:
    """Null evidence beside claims that hold, whose evidence is as large as it likes."""
    return lambda generator: [*nulls(generator), *[HUGE] * true]


def largest_null(count: int) -> Merge:
    """What closed testing promises is the largest of all null values together."""
    return lambda values: max(closed_evalues(values)[:count])


SHARES = [Fraction(1), Fraction(2), Fraction(5)]

VALID: dict[str, tuple[Merge, Draw]] = {
    "and, one claim false": (e_and, beside(3, apart(1))),
    "and, all false": (e_and, opposed(2)),
    "or, apart": (e_or, apart(4)),
    "or, alike": (e_or, alike(4)),
    "or, opposed": (e_or, opposed(4)),
    "or, weighted": (lambda values: e_or(values, weights=SHARES), opposed(3)),
    "or, independent": (lambda values: e_or(values, independent=True), apart(3)),
    "2 of 4, apart": (lambda values: k_of_n(2, values), beside(1, apart(3))),
    "2 of 4, alike": (lambda values: k_of_n(2, values), beside(1, alike(3))),
    "3 of 4": (lambda values: k_of_n(3, values), beside(2, opposed(2))),
    "2 of 3, weighted": (lambda values: k_of_n(2, values, weights=SHARES), beside(1, opposed(2))),
    "closed, apart": (largest_null(3), beside(2, apart(3))),
    "closed, opposed": (largest_null(4), beside(1, opposed(4))),
    "checkpoints": (
        lambda values: e_or(values, weights=[Spending.even(5).share(place + 1) for place in range(5)]),
        apart(5),
    ),
}

# What each rule is not, and why: the same simulation finds it out.
INVALID: dict[str, tuple[Merge, Draw]] = {
    "largest for or": (max, apart(4)),
    "product of what is alike": (lambda values: e_or(values, independent=True), alike(3)),
    "mean for and": (e_or, beside(1, apart(1))),
    "2 of 4 as one of 4": (lambda values: k_of_n(1, values), beside(1, apart(3))),
    "largest null without closing": (lambda values: max(values[:3]), apart(3)),
}


def average(merge: Merge, draw: Draw) -> float:
    generator = random.Random(50)
    # There are few different outcomes: each is merged once.
    merged = cache(lambda values: float(merge(list(values))))
    return sum(merged(tuple(draw(generator))) for _ in range(SIMULATIONS)) / SIMULATIONS


@pytest.mark.slow
@pytest.mark.parametrize("name", VALID)
def test_no_operator_makes_more_of_null_evidence_than_there_is(name: str) -> None:
    assert 0 <= average(*VALID[name]) <= 1.01


@pytest.mark.slow
@pytest.mark.parametrize("name", INVALID)
def test_what_is_no_operator_is_found_out(name: str) -> None:
    assert average(*INVALID[name]) > 1.03


def test_operators_on_every_outcome_of_dependent_evidence_exactly() -> None:
    """Three claims about four tosses, two of each: every null mean without sampling error."""
    pairs = ((0, 1), (1, 2), (3, 0))
    outcomes = [[RATIO[path[one] + path[other]] for one, other in pairs] for path in product((0, 1), repeat=4)]

    def expected(merge: Merge) -> Fraction:
        return sum((merge(values) for values in outcomes), Fraction(0)) / len(outcomes)

    assert expected(e_or) == 1
    assert expected(e_and) < 1
    assert expected(lambda values: k_of_n(2, values)) < 1
    assert expected(lambda values: k_of_n(2, [HUGE, *values[1:]])) == 1
    assert expected(lambda values: max(closed_evalues(values))) <= 1
    assert expected(max) > 1


def sharp(generator: random.Random) -> Fraction:
    """Evidence that shows a false claim at 1/20 as often as an e-value can."""
    return Fraction(20 * (generator.random() < 0.05))


@pytest.mark.slow
def test_something_crossed_errs_no_more_than_the_budget_and_would_without_closing() -> None:
    """Four false claims, with evidence that is the same for all or separate, beside two claims that hold."""
    generator = random.Random(51)
    shown = cache(lambda nulls: any(e_holm([*nulls, HUGE, HUGE], ERROR)[:4]))
    same = apart = naive = 0
    for _ in range(SIMULATIONS):
        same += shown((sharp(generator),) * 4)
        nulls = tuple(sharp(generator) for _ in range(4))
        apart += shown(nulls)
        naive += any(value * ERROR >= 1 for value in nulls)
    assert 0.04 < same / SIMULATIONS <= at_most(0.05)
    assert apart / SIMULATIONS <= at_most(0.05)
    assert naive / SIMULATIONS > 0.15


@pytest.mark.slow
def test_all_clear_errs_no_more_than_the_budget_without_any_correction() -> None:
    """One false claim beside nine that hold: what the conjunction has to get wrong."""
    generator = random.Random(53)
    clear = cache(lambda null: all_clear([null, *[HUGE] * 9], ERROR))
    wrong = sum(clear(sharp(generator)) for _ in range(SIMULATIONS))
    assert 0.04 < wrong / SIMULATIONS <= at_most(0.05)
    assert e_or([Fraction(0), *[HUGE] * 9]) * ERROR >= 1


@pytest.mark.slow
def test_checkpoints_err_no_more_than_the_budget_and_would_without_spending() -> None:
    """Twenty checkpoints, all null, each shown as often as an e-value can be."""
    generator = random.Random(52)
    spent = [float(Spending().error_at(place, ERROR)) for place in range(1, 21)]
    wrong = naive = 0
    for _ in range(SIMULATIONS):
        luck = [generator.random() for _ in spent]
        wrong += any(value < error for value, error in zip(luck, spent, strict=True))
        naive += min(luck) < 0.05
    assert 0.04 < wrong / SIMULATIONS <= at_most(0.05)
    assert naive / SIMULATIONS > 0.6
