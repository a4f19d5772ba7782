"""From scores to counts: missing tries change nothing, and nothing else is counted."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.reading import AtLeast, Column, Finding, ItemScore, Reading, SingleTry
from scalegate.ingest.admissibility import observed_rate, tally, version_objection

TRY = st.sampled_from([Fraction(0), Fraction(1), None])


def reading_of(items: list[list[Fraction | None]], epochs: int, **extra) -> Reading:
    rows = [(number, epoch, value) for number, tries in enumerate(items) for epoch, value in enumerate(tries, start=1)]
    column = Column(
        "match",
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
        tuple("" if row[2] is not None else "error" for row in rows),
    )
    planned = tuple(range(len(items)))
    values = {"planned": planned, "planned_count": len(planned), "epochs": epochs, "columns": (column,), **extra}
    return Reading("sha256:0", 1, "inspect", "0.3.250", **values)


def code(counts) -> str | None:
    return counts.refusal and counts.refusal.code


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))), st.data())
def test_at_least_k_of_n_is_what_every_completion_of_the_missing_tries_agrees_on(shape, data: st.DataObject):
    tries, needed = shape
    items = data.draw(st.lists(st.lists(TRY, max_size=tries), min_size=2, max_size=4))
    counts = tally(reading_of(items, tries), "match", AtLeast(needed, tries))
    verdicts = []
    for item in items:
        padded = item + [None] * (tries - len(item))
        choices = [[value] if value is not None else [0, 1] for value in padded]
        outcomes = {sum(full) >= needed for full in itertools.product(*choices)}
        verdicts.append(outcomes)
    assert counts.successes == verdicts.count({True})
    assert counts.failures == verdicts.count({False})
    assert counts.missing == len(items) - counts.successes - counts.failures
    assert counts.binary


@given(st.lists(st.lists(TRY, min_size=1, max_size=1), min_size=2))
def test_a_single_try_counts_itself(items):
    counts = tally(reading_of(items, 1), "match", SingleTry())
    values = [item[0] for item in items]
    assert (counts.successes, counts.failures) == (values.count(1), values.count(0))
    assert counts.missing == values.count(None)
    assert counts == tally(reading_of(items, 1), "match", AtLeast(1, 1))


def test_registered_items_that_the_log_lacks_are_missing():
    reading = reading_of([[Fraction(1)], [Fraction(0)]], 1)
    counts = tally(reading, "match", SingleTry(), 5)
    assert (counts.planned, counts.successes, counts.failures, counts.missing) == (5, 1, 1, 3)
    counts = tally(reading, "match", SingleTry(), {0, 1, 2})
    assert (counts.planned, counts.missing) == (3, 1)
    assert tally(reading, "match", SingleTry(), {"0", "1"}).planned == 2


def test_items_that_nobody_registered_are_untrusted():
    reading = reading_of([[Fraction(1)], [Fraction(0)], [Fraction(0)]], 1)
    for registered in (2, {0, 1}, [0, 1, 7]):
        counts = tally(reading, "match", SingleTry(), registered)
        assert code(counts) == "E415"
        assert counts.successes == counts.failures == 0
        assert counts.missing == counts.planned >= 3


def test_several_tries_under_a_mean_are_clusters():
    counts = tally(reading_of([[Fraction(1)] * 4] * 3, 4), "match", SingleTry())
    assert code(counts) == "E503"
    assert not counts.binary


def test_more_tries_than_the_rule_names_are_not_picked_from():
    assert code(tally(reading_of([[Fraction(1)] * 4] * 3, 4), "match", AtLeast(1, 2))) == "E506"


def test_fewer_tries_than_the_rule_names_are_missing():
    counts = tally(reading_of([[Fraction(0)], [Fraction(1)]], 1), "match", AtLeast(1, 10))
    assert (counts.successes, counts.failures, counts.missing) == (1, 0, 1)


def test_partial_scores_are_not_binary():
    counts = tally(reading_of([[Fraction(1, 2)], [Fraction(1)]], 1), "match", SingleTry())
    assert code(counts) == "E502"
    assert (counts.binary, counts.partial, counts.missing) == (False, 1, 2)


def test_one_item_is_no_sample():
    assert code(tally(reading_of([[Fraction(1)] * 4], 4), "match", AtLeast(1, 4))) == "E504"
    assert code(tally(reading_of([[Fraction(1)]], 1), "match", SingleTry(), 10)) is None


def test_a_refused_reading_counts_nothing():
    finding = Finding("E301", "refused", "status is `cancelled`")
    counts = tally(reading_of([[Fraction(1)], [Fraction(1)]], 1, findings=(finding,)), "match", SingleTry())
    assert counts.refusal == finding
    assert (counts.successes, counts.failures, counts.missing) == (0, 0, 2)


def test_a_scorer_that_is_not_there_and_a_log_without_samples():
    reading = reading_of([[Fraction(1)], [Fraction(1)]], 1)
    assert code(tally(reading, "other", SingleTry())) == "E310"
    aggregate = Reading("sha256:0", 1, "lm-eval", evidence_class="aggregate")
    assert code(tally(aggregate, "acc", SingleTry(), 100)) == "E505"
    assert tally(aggregate, "acc", SingleTry(), 100).missing == 100


def test_an_unknown_plan_is_inconclusive_unless_items_were_registered():
    reading = reading_of([[Fraction(1)], [Fraction(0)]], 1, planned=(), planned_count=None)
    assert code(tally(reading, "match", SingleTry())) == "E507"
    assert code(tally(reading, "match", SingleTry(), 2)) is None


def test_the_worst_objection_is_shown_first():
    findings = (
        Finding("E501", "inconclusive", ""),
        Finding("E301", "refused", ""),
        Finding("E402", "untrusted", ""),
        Finding("E401", "untrusted", ""),
        Finding("E602", "provenance", ""),
    )
    assert reading_of([], 1, findings=findings).refusal == findings[2]
    assert reading_of([], 1, findings=findings[4:]).refusal is None


@pytest.mark.parametrize(
    ("version", "low", "high", "inside"),
    [
        ("0.3.250", "0.3.200", "0.3.300", True),
        ("0.3.250", "0.3.250", "0.3.250", True),
        ("0.3.9", "0.3.10", "0.3.300", False),
        ("0.4", "0.3.10", "0.3.300", False),
        ("0.3", "0.3.0", "0.3.0", True),
        ("0.3.154.dev44+g32a84c8fe", "0.3.154", "0.3.155", True),
        ("", "0.3.0", "0.4", False),
        ("latest", "0.3.0", "0.4", False),
    ],
)
def test_versions_in_a_range(version: str, low: str, high: str, inside: bool):  # noqa: FBT001
    reading = Reading("", 0, "inspect", version)
    assert (version_objection(reading, low, high) is None) == inside


def test_values_refuse_contradictions():
    with pytest.raises(ValueError, match="missing exactly when"):
        ItemScore(1, 1, None)
    with pytest.raises(ValueError, match="missing exactly when"):
        ItemScore(1, 1, Fraction(1), "error")
    with pytest.raises(ValueError, match="different lengths"):
        Column("m", (1,), (1,), (), ())
    for needed, tries in ((0, 1), (2, 1)):
        with pytest.raises(ValueError, match="as many as there are tries"):
            AtLeast(needed, tries)


def test_a_column_gives_its_scores_one_by_one():
    column = reading_of([[Fraction(1)], [None]], 1).columns[0]
    assert list(column) == [ItemScore(0, 1, Fraction(1)), ItemScore(1, 1, None, "error")]
    assert column[1].missing == "error"
    assert len(column) == 2


def test_the_rate_for_display_leaves_the_missing_out():
    assert observed_rate(
        tally(reading_of([[Fraction(1)], [None], [Fraction(0)]], 1), "match", SingleTry())
    ) == Fraction(1, 2)
    assert observed_rate(tally(reading_of([[None], [None]], 1), "match", SingleTry())) is None
