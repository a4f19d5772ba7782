"""Paths of outcomes: what they show, when they end, and what missing samples and overrun do to that."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scalegate.stats.binomial import BoundError
from scalegate.stats.boundary import Boundary
from scalegate.stats.calibrate import calibrated
from scalegate.stats.pooling import FIRST, LATER, Counts, of_path, pooled, pooled_upper
from scalegate.stats.sequential import FAILURE, MISSING, SUCCESS, Path, Tracker
from tests.stats.walks import stops

UP, DOWN = Fraction(1, 20), Fraction(1, 1000)
PLANNED = 60
outcomes = st.text("10-", max_size=PLANNED) | st.text("1110", max_size=PLANNED) | st.text("0001", max_size=PLANNED)


def path(said: str, *thresholds: Fraction, planned: int = PLANNED, bank: int = 0) -> Path:
    """Return a run that asks about some thresholds, at the errors that a first look has."""
    asked = thresholds or (Fraction(1, 5),)
    above = tuple(calibrated(item, UP * FIRST, planned, bank) for item in asked)
    below = tuple(calibrated(1 - item, DOWN * FIRST, planned, bank) for item in asked)
    return Path(said, planned, above, below)


def bounds(said: Path) -> tuple[Fraction, Fraction]:
    found = pooled([of_path(said)], UP, DOWN)
    return found.lower, found.upper


def test_a_run_ends_at_the_first_sample_that_answers_it():
    above = path("1" * PLANNED)
    assert 0 < above.settled < 6
    assert bounds(above)[0] >= Fraction(1, 5)
    below = path("0" * PLANNED)
    assert 30 < below.settled < 40
    assert bounds(below)[1] <= Fraction(1, 5)
    assert path("0" * (below.settled - 1)).settled == 0


def test_what_ran_on_behind_the_end_is_not_looked_at():
    """Overrun of samples that were already under way cannot change a verdict, in either direction."""
    end = path("1" * PLANNED).settled
    settled = path("1" * end)
    for behind in ("0" * (PLANNED - end), "1" * (PLANNED - end), "-" * 10, "0"):
        more = path("1" * end + behind)
        assert (more.seen, more.settled, bounds(more)) == (settled.seen, end, bounds(settled))


@given(outcomes, st.integers(0, PLANNED))
def test_losing_the_end_of_a_path_shows_no_more(said, kept):
    """A run that is killed at a favorable sample shows nothing that the whole run does not."""
    for one, other in ((path(said), path(said[:kept])), (path(said).mirrored(), path(said[:kept]).mirrored())):
        (low, high), (less, more) = bounds(one), bounds(other)
        assert less <= low
        assert high <= more


@given(outcomes, st.data())
def test_losing_a_score_shows_no_more(said, data):
    assume(said)
    place = data.draw(st.integers(0, len(said) - 1))
    whole, holed = path(said), path(said[:place] + MISSING + said[place + 1 :])
    shown, lost = pooled([of_path(whole)], UP, DOWN), pooled([of_path(holed)], UP, DOWN)
    assert lost.lower <= shown.lower or holed.settled == 0 or holed.settled > whole.settled
    assert holed.shown_above(UP) <= whole.shown_above(UP) or holed.settled != whole.settled
    assert lost.lower <= lost.lower_at_most


@given(outcomes)
def test_a_path_and_its_mirror_say_the_same(said):
    one, other = path(said, Fraction(1, 5), Fraction(1, 2)), path(said, Fraction(1, 5), Fraction(1, 2)).mirrored()
    assert one.settled == other.settled
    assert other.mirrored() == one
    assert 1 - pooled_upper([of_path(other)], UP) == pooled([of_path(one)], UP, DOWN).lower


@given(outcomes)
def test_thresholds_are_shown_in_their_order(said):
    """Above 50% is never shown of a run of which above 20% is not: the error of a ladder is that of one threshold."""
    both = path(said, Fraction(1, 5), Fraction(1, 2))
    shown = both.shown_above(UP)
    assert shown in (0, Fraction(1, 5), Fraction(1, 2))
    if shown == Fraction(1, 2):
        assert path(both.seen, Fraction(1, 5)).above[0].reached([said == SUCCESS for said in both.seen])


@given(outcomes)
def test_a_tracker_ends_where_its_path_does(said):
    whole = path(said)
    up, down = Tracker(whole.above[0]), Tracker(whole.below[0], FAILURE)
    for outcome in said:
        up.take(outcome)
        down.take(outcome)
    ends = [item.reached for item in (up, down) if item.reached]
    assert min(ends, default=0) == whole.settled
    assert (up.distance == 0) is bool(up.reached)


def test_the_distance_is_how_many_successes_in_a_row_would_do():
    tracker = Tracker(calibrated(Fraction(1, 5), UP, PLANNED))
    for _ in range(tracker.distance):
        assert not tracker.reached
        tracker.take(SUCCESS)
    assert tracker.reached == tracker.samples


def test_boundaries_that_spend_more_than_is_left_show_nothing():
    generous = Boundary(Fraction(1, 5), "0" * PLANNED)
    forged = Path("1" + "0" * (PLANNED - 1), PLANNED, (generous,), (generous,))
    assert forged.shown_above(UP) == 0
    assert bounds(forged)[0] < Fraction(1, 100)
    assert bounds(forged)[1] > Fraction(99, 100)


def test_a_bank_seen_whole_has_no_error_left():
    planned = 40
    said = ("1" + "0" * 3) * 10
    whole = path(said, Fraction(1, 2), planned=planned, bank=planned)
    assert whole.settled
    undecided = path(said, Fraction(1, 4), planned=planned, bank=planned)
    assert len(undecided.seen) == planned
    assert bounds(undecided) == (Fraction(1, 4), Fraction(1, 4))
    assert bounds(path(said[:-1] + MISSING, Fraction(1, 4), planned=planned, bank=planned)) == (
        Fraction(1, 4),
        Fraction(11, 40),
    )


def test_two_looks_at_a_bank_are_as_good_as_the_worse():
    planned = 40
    clean, worse = (path(said * 10, Fraction(9, 10), planned=planned, bank=400) for said in ("0000", "0001"))
    alone = pooled_upper([of_path(worse)], DOWN)
    assert pooled_upper([of_path(clean), of_path(worse)], DOWN) == max(alone, pooled_upper([of_path(clean)], DOWN))


def test_what_a_look_has_shown_stands_as_long_as_all_samples_lie_on_its_side():
    """Ten more samples do not override it; where all of them lie beyond it, it is no better than their share."""
    first = of_path(path("0" * PLANNED))
    once, few = pooled([first], UP, DOWN), pooled([first, Counts(5, 5)], UP, DOWN)
    assert once.upper == few.upper <= Fraction(1, 5)
    many = pooled([first, Counts(30, 70)], UP, DOWN)
    assert many.upper >= Fraction(many.successes, many.successes + many.failures) > Fraction(1, 5)


@pytest.mark.parametrize("threshold", [Fraction(1, 10), Fraction(1, 5), Fraction(1, 2)])
@pytest.mark.parametrize("planned", [20, 90])
def test_all_claims_of_a_first_look_together_err_within_their_error(threshold, planned):
    """At the threshold itself: the boundary, and the bound for everything that nobody committed to."""
    made = path("", threshold, planned=planned)
    wrong = sum(high for high, _ in stops(threshold, made.above[0], None, planned))
    assert wrong <= UP * FIRST
    assert UP * FIRST + UP * LATER == UP


@pytest.mark.parametrize(
    "said",
    ["x", "1" * (PLANNED + 1)],
    ids=["letter", "more-than-planned"],
)
def test_outcomes_that_cannot_be_are_refused(said):
    with pytest.raises(BoundError):
        path(said)


def test_boundaries_of_another_run_are_refused():
    shorter, other = calibrated(Fraction(1, 5), UP, 30), calibrated(Fraction(1, 5), UP, PLANNED)
    with pytest.raises(BoundError):
        Path("1", PLANNED, (shorter,), (shorter,))
    with pytest.raises(BoundError):
        Path("1", PLANNED, (other,), ())
    with pytest.raises(BoundError):
        Path("1", PLANNED, (other,), (calibrated(Fraction(1, 5), UP, PLANNED, 100),))
