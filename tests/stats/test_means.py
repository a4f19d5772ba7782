"""Samples that are means: what they show, when a run of them ends, and what is missing of them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.stats.betting import Betting, betting_lower_bound
from scalegate.stats.binomial import BoundError
from scalegate.stats.means import NOTHING, Means
from scalegate.stats.pooling import Counts, of_means, pooled, pooled_upper

UP, DOWN = Fraction(1, 20), Fraction(1, 1000)
ASKED = (Fraction(1, 5), UP, Fraction(1, 5), DOWN)
PLANNED = 60
scores = st.fractions(0, 1, max_denominator=12)
samples = st.lists(st.tuples(scores, scores).map(sorted).map(tuple), max_size=PLANNED)
sure = st.lists(scores.map(lambda score: (score, score)), max_size=PLANNED)


def run(said, *, planned: int = PLANNED) -> Means:
    return Means(tuple(said), planned, (ASKED,))


def bounds(*runs: Means) -> tuple[Fraction, Fraction]:
    found = pooled([of_means(item) for item in runs], UP, DOWN)
    return found.lower, found.upper


@given(samples)
def test_a_run_ends_where_either_claim_is_shown(said):
    above, below, end = Betting(ASKED[0]), Betting(ASKED[2], below=True), 0
    for place, (low, high) in enumerate(said, 1):
        above.update(low)
        below.update(high)
        if above.shown(UP) or below.shown(DOWN):
            end = place
            break
    assert run(said).settled == end


@given(samples, st.integers(0, PLANNED))
def test_losing_the_end_shows_no_more(said, kept):
    (low, high), (less, more) = bounds(run(said)), bounds(run(said[:kept]))
    assert less <= low
    assert high <= more


@given(samples, samples, st.integers(0, PLANNED))
def test_losing_the_end_of_the_first_of_two_shows_no_more(first, second, kept):
    whole, cut = bounds(run(first), run(second)), bounds(run(first[:kept]), run(second))
    assert cut[0] <= whole[0] or run(first[:kept]).settled != run(first).settled
    assert cut[1] >= whole[1] or run(first[:kept]).settled != run(first).settled


@given(samples)
def test_a_run_and_its_mirror_say_the_same(said):
    one, other = run(said), run(said).mirrored()
    assert other.mirrored() == one
    assert 1 - pooled_upper([of_means(other)], UP) == pooled([of_means(one)], UP, DOWN).lower


@given(sure)
def test_the_bound_is_that_of_betting_on_what_counts(said):
    made = run(said)
    counted = [low for low, _ in made.counted]
    assert bounds(made)[0] == (betting_lower_bound(counted, UP) if counted else 0)


@given(samples)
def test_what_has_no_score_widens_both_ends(said):
    known = run([(low, low) for low, _ in said])
    wider = run([(low, Fraction(1)) for low, _ in said])
    found, open_ended = (pooled([of_means(item)], UP, DOWN) for item in (known, wider))
    if known.settled == wider.settled:
        assert open_ended.lower == found.lower
        assert open_ended.upper >= found.upper
        assert open_ended.lower_at_most >= open_ended.lower


def test_a_look_that_is_no_mean_is_a_look_at_nothing():
    clean = run([(Fraction(0), Fraction(0))] * PLANNED)
    assert bounds(clean)[1] <= Fraction(1, 5)
    lost = Counts(0, 0, PLANNED)
    before = pooled([lost, of_means(clean)], UP, DOWN)
    assert before.upper > Fraction(1, 5)
    assert Means((), 3, ()).counted == (NOTHING,) * 3


def test_the_mean_is_told_as_low_and_as_high_as_it_may_be():
    made = run([(Fraction(0), Fraction(1, 2)), (Fraction(1), Fraction(1))], planned=2)
    assert pooled([of_means(made)], UP, DOWN).mean == (Fraction(1, 2), Fraction(3, 4))


@pytest.mark.parametrize(
    "said",
    [[(Fraction(-1), Fraction(0))], [(Fraction(0), Fraction(2))], [(Fraction(1), Fraction(0))], [NOTHING] * 61],
    ids=["below-0", "above-1", "crossed", "more-than-planned"],
)
def test_samples_that_cannot_be_are_refused(said):
    with pytest.raises(BoundError):
        run(said)
