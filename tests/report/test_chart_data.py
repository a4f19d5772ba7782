"""What may be drawn at all; nothing here needs the library that draws."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.report.charts import IntervalData, IntervalPoint, interval_picture, path_picture
from scalegate.report.drawing import MissingExtraError, apart, even_ticks, rate
from scalegate.stats.calibrate import calibrated
from tests.report.runs import ERROR, FIFTH, evaluation, outcomes, path, point

SOURCE = Path(__file__).resolve().parents[2] / "src"


@given(st.text("01-", max_size=60))
def test_the_only_verdict_that_can_be_drawn_is_that_of_the_first_boundary_reached(found: str) -> None:
    above = calibrated(FIFTH, ERROR, 60).reached([outcome == "1" for outcome in found])
    below = calibrated(1 - FIFTH, ERROR, 60).reached([outcome == "0" for outcome in found])
    if not above and not below:
        expected = "undecided", 0
    elif above and (not below or above < below):
        expected = "above", above
    else:
        expected = "below", below
    assert path(found, expected[0], 60).decided == expected
    for other in {"above", "below", "undecided"} - {expected[0]}:
        with pytest.raises(ValueError, match=f"the verdict is {other}, but the path reaches"):
            path(found, other, 60)


RUN = path(outcomes(1, 0.2, 40), "undecided", 60)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"verdict": "pass"}, "above, below or undecided", id="a-word-that-is-no-verdict"),
        pytest.param({"verdict": "\x1b[31m"}, "x1b", id="a-verdict-that-colors-the-terminal"),
        pytest.param({"threshold": Fraction(0)}, "between 0 and 1", id="threshold-at-0"),
        pytest.param({"threshold": Fraction(1)}, "between 0 and 1", id="threshold-at-1"),
        pytest.param({"outcomes": "0" * 61}, "61 outcomes are not of 60", id="more-outcomes-than-planned"),
        pytest.param({"outcomes": "0010x01"}, "an outcome is 1, 0, or -", id="an-outcome-that-is-none"),
        pytest.param({"most": 0, "outcomes": ""}, "0 planned", id="no-samples-planned"),
        pytest.param({"above": (1, 2, 3)}, "above has 3 counts; 60 samples need 61", id="short-boundary"),
        pytest.param({"below": tuple(range(61, 0, -1))}, "below falls", id="falling-boundary"),
        pytest.param({"above": (1,) * 61}, "shows nothing", id="boundary-below-the-threshold"),
        pytest.param({"above": RUN.below, "below": RUN.above}, "shows nothing", id="boundaries-exchanged"),
    ],
)
def test_an_impossible_path_is_refused_with_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(RUN, **change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"compute": 0}, "at least 1 FLOP", id="no-compute-on-a-log-scale"),
        pytest.param({"compute": 1 << 400}, "and known", id="unbounded-compute"),
        pytest.param({"low": Fraction(3, 10)}, "0 <= low <= high <= 1", id="low-above-high"),
        pytest.param({"high": Fraction(11, 10)}, "0 <= low <= high <= 1", id="high-beyond-1"),
        pytest.param({"low": Fraction(-1, 10)}, "0 <= low <= high <= 1", id="low-below-0"),
        pytest.param({"verdict": "fail"}, "above, below or undecided", id="a-word-that-is-no-verdict"),
    ],
)
def test_an_impossible_point_is_refused_with_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(point("orion", 10**24, "0.1", "0.2", "below"), **change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"points": ()}, "between 1 and 500 intervals, not 0", id="nothing-to-draw"),
        pytest.param({"points": evaluation().points * 200}, "not 800", id="too-many-to-tell-apart"),
        pytest.param({"threshold": Fraction(6, 5)}, "between 0 and 1", id="threshold-beyond-1"),
        pytest.param({"due": 0}, "1 FLOP or more", id="due-at-nothing"),
        pytest.param({"due": 13 * 10**25}, "before the run stops", id="due-after-the-stop"),
    ],
)
def test_an_impossible_evaluation_is_refused_with_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(evaluation(), **change)


@pytest.mark.parametrize(
    ("low", "high", "verdicts"),
    [
        ("0.1", "0.19", {"below"}),
        ("0.1", "0.2", {"below", "undecided"}),
        ("0.1", "0.3", {"undecided"}),
        ("0.2", "0.3", {"above", "undecided"}),
        ("0.21", "0.3", {"above"}),
        ("0.21", None, {"above"}),
        ("0.1", None, {"undecided"}),
        (None, "0.19", {"below"}),
        (None, None, {"undecided"}),
    ],
)
def test_a_verdict_that_the_interval_does_not_bear_out_is_refused(
    low: str | None, high: str | None, verdicts: set[str]
) -> None:
    drawn = set()
    for verdict in ("above", "below", "undecided"):
        try:
            IntervalData("", FIFTH, (point("orion", 10**24, low, high, verdict),))
        except ValueError as error:
            assert f"that is not {verdict}" in str(error)  # noqa: PT017 - both outcomes are expected
        else:
            drawn.add(verdict)
    assert drawn == verdicts


@pytest.mark.parametrize("threshold", [Fraction(0), Fraction(1)])
def test_no_bound_at_the_edge_of_rates_decides(threshold: Fraction) -> None:
    """A missing bound is no bound: at a threshold of 0 or 1 it would otherwise bear out a verdict."""
    for verdict in ("above", "below"):
        with pytest.raises(ValueError, match=f"not {verdict}"):
            IntervalData("", threshold, (IntervalPoint("orion", 10**24, None, None, verdict),))


def test_the_room_is_imported_without_the_library_and_drawing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = "import sys; sys.modules['vl_convert'] = None; import scalegate.report, scalegate.report.charts"
    subprocess.run([sys.executable, "-c", blocked], cwd=SOURCE, check=True, timeout=60)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    for draw in (lambda: path_picture(RUN), lambda: interval_picture(evaluation())):
        with pytest.raises(MissingExtraError, match=r"scalegate\[report\]"):
            draw()


@given(st.integers(1, 10**9))
def test_ticks_are_few_whole_even_and_reach_far(end: int) -> None:
    ticks = even_ticks(end)
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 9
    assert end - ticks[-1] < ticks[1]
    assert {later - earlier for earlier, later in pairwise(ticks)} == {ticks[1]}


@given(st.lists(st.floats(-50, 350), max_size=4).map(sorted))
def test_words_beside_the_plot_are_moved_apart_and_stay_inside(places: list[float]) -> None:
    moved = apart(places, 31, 10, 281)
    assert all(later - earlier >= 31 - 1e-9 for earlier, later in pairwise(moved))
    assert all(10 - 1e-9 <= place <= 281 for place in moved)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (FIFTH, "20%"),
        (Fraction(1, 8), "12.5%"),
        (Fraction(1, 3), "~33.33%"),
        (Fraction(99_999, 100_000), "~99.99%"),
        (Fraction(1, 300_000), "~0.00033%"),
    ],
)
def test_a_rate_is_shown_as_a_percentage_and_says_where_it_is_cut(value: Fraction, shown: str) -> None:
    assert rate(value) == shown
