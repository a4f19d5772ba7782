"""What an independent reader finds in the pictures: a parser of XML, and the ticks of the axes as the only scale."""

import re
import subprocess
import sys
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import log10
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalegate.report.charts import IntervalData, PathData, interval_picture, path_picture
from scalegate.report.drawing import COLORS, INK
from tests.report.runs import FIFTH, HOSTILE, evaluation, outcomes, path, point

pytestmark = pytest.mark.extra

pytest.importorskip("vl_convert", reason="needs the extra `report`")

SOURCE = Path(__file__).resolve().parents[2] / "src"
ELEMENTS = {"svg", "title", "desc", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath"}
NUMBER = r"-?[0-9.]+(?:e-?[0-9]+)?"


@dataclass
class Seen:
    """A picture, parsed."""

    svg: str

    def __post_init__(self) -> None:
        self.root = ET.fromstring(self.svg)  # noqa: S314 - our own output, and a strict parser is the test
        self.parents = {child: parent for parent in self.root.iter() for child in parent}

    def all(self, tag: str) -> list[ET.Element]:
        return [node for node in self.root.iter() if name(node) == tag]

    @property
    def words(self) -> list[str]:
        return ["".join(node.itertext()) for node in self.all("text")]

    def said(self, tag: str) -> str:
        (node,) = self.all(tag)
        return node.text or ""

    def paths(self, mark: str, **attributes: str) -> list[ET.Element]:
        return [
            node
            for node in self.all("path")
            if f"mark-{mark}" in self.parents[node].get("class", "")
            and all(node.get(key.replace("_", "-")) == value for key, value in attributes.items())
        ]

    def axis(self, *, upright: bool) -> tuple[float, float, float, float]:
        """Pixels and values of the first and last labeled tick."""
        for group in self.all("g"):
            if "role-axis" not in group.get("class", "").split():
                continue
            ticks = [
                node
                for part in group.iter()
                if "axis-tick" in part.get("class", "")
                for node in part
                if part is not node
            ]
            labels = [node for part in group.iter() if "axis-label" in part.get("class", "") for node in part]
            if labels and (labels[0].get("text-anchor") == "end") is upright:
                places = [moved(node)[upright] for node in ticks]
                values = [value(node.text or "") for node in labels]
                return places[0], values[0], places[-1], values[-1]
        raise AssertionError("no such axis")

    def data(self, x: float, y: float) -> tuple[float, float]:
        """What a point in pixels stands for."""
        found = []
        for place, upright in ((x, False), (y, True)):
            start, first, end, last = self.axis(upright=upright)
            found.append(first + (place - start) * (last - first) / (end - start))
        return found[0], found[1]

    def vertices(self, node: ET.Element) -> list[tuple[float, float]]:
        return [self.data(float(x), float(y)) for x, y in re.findall(rf"[ML]({NUMBER}),({NUMBER})", node.get("d", ""))]


def name(node: ET.Element) -> str:
    return node.tag.removeprefix("{http://www.w3.org/2000/svg}")


def moved(node: ET.Element) -> tuple[float, float]:
    found = re.match(rf"translate\(({NUMBER}),({NUMBER})\)", node.get("transform", ""))
    assert found
    return float(found[1]), float(found[2])


def value(label: str) -> float:
    plain = label.replace(",", "").replace("\N{MINUS SIGN}", "-")
    return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)


LATE = path(outcomes(1, 0.38, 400), "above")
MISSING = path(outcomes(2, 0.38, 400, missing=0.06), "above")
LOW = path(outcomes(3, 0.10, 400), "below")
OPEN = path(outcomes(4, 0.2, 400, missing=0.08), "undecided")
RUNS = [LATE, MISSING, LOW, OPEN]


@pytest.mark.parametrize("run", RUNS, ids=["above", "missing", "below", "undecided"])
def test_every_vertex_of_a_boundary_is_one_that_the_data_gives(run: PathData) -> None:
    seen = Seen(path_picture(run))
    for side, needed, rate in (
        ("above", run.above, lambda n: run.above[n] / n),
        ("below", run.below, lambda n: 1 - run.below[n] / n),
    ):
        (line,) = seen.paths("line", stroke=COLORS[side])
        vertices = seen.vertices(line)
        numbers = [round(x) for x, _ in vertices]
        assert len(numbers) > 50
        assert numbers == sorted(set(numbers))
        for (x, y), number in zip(vertices, numbers, strict=True):
            assert abs(x - number) < 0.02
            assert needed[number] <= number
            assert abs(y - rate(number)) < 0.001


@pytest.mark.parametrize("run", RUNS, ids=["above", "missing", "below", "undecided"])
def test_the_path_is_the_two_extremes_of_what_is_missing(run: PathData) -> None:
    seen = Seen(path_picture(run))
    edges = [lambda n: run.successes[n] / n, lambda n: 1 - run.failures[n] / n]
    lines = [node for node in seen.paths("line", stroke=INK) if node.get("opacity") in {None, "1"}]
    assert len(lines) == (2 if "-" in run.outcomes else 1)
    last = run.decided[1] or len(run.outcomes)
    for line, edge in zip(lines, edges, strict=False):
        vertices = seen.vertices(line)
        assert round(vertices[0][0]) == 1
        assert round(vertices[-1][0]) == last
        assert all(abs(y - edge(round(x))) < 0.001 for x, y in vertices)


@pytest.mark.parametrize(("run", "edge"), [(LATE, 0), (MISSING, 0), (LOW, 1)], ids=["above", "missing", "below"])
def test_the_decision_is_marked_where_its_boundary_is_reached(run: PathData, edge: int) -> None:
    verdict, after = run.decided
    seen = Seen(path_picture(run))
    (mark,) = seen.paths("symbol", fill=COLORS[verdict])
    x, y = seen.data(*moved(mark))
    rates = run.successes[after] / after, 1 - run.failures[after] / after
    assert round(x) == after
    assert abs(y - rates[edge]) < 0.001
    assert any(words.startswith(f"{verdict} after {after} samples: ") for words in seen.words)


def test_what_comes_after_the_decision_is_faint_and_said_to_be_without_weight() -> None:
    seen = Seen(path_picture(MISSING))
    faint = [node for node in seen.paths("line", stroke=INK) if node.get("opacity") == "0.4"]
    assert [round(seen.vertices(node)[0][0]) for node in faint] == [MISSING.decided[1]] * 2
    assert any("after the decision, and without weight; " in words for words in seen.words)
    at = round(seen.vertices(faint[0])[-1][0])
    assert any(f"{400 - at} later samples not drawn" in words for words in seen.words)


def test_each_missing_sample_is_marked_and_counted() -> None:
    seen = Seen(path_picture(OPEN))
    marks = [
        node
        for node in seen.all("line")
        if "mark-rule role-mark" in seen.parents[node].get("class", "") and node.get("stroke") == INK
    ]
    at = sorted(round(seen.data(*moved(node))[0]) for node in marks)
    assert at == [place for place, outcome in enumerate(OPEN.outcomes, 1) if outcome == "-"]
    assert f"{len(at)} missing" in seen.words
    assert not any("missing" in words for words in Seen(path_picture(LATE)).words)


@pytest.mark.parametrize("side", ["above", "below"])
def test_a_boundary_that_nobody_asks_for_is_not_drawn(side: str) -> None:
    run = PathData("", FIFTH, LATE.outcomes[:50], LATE.above, LATE.below, "undecided", 400)
    other = {"above": "below", "below": "above"}[side]
    alone = PathData(**{**vars_of(run), other: ()})
    seen = Seen(path_picture(alone))
    assert len(seen.paths("line", stroke=COLORS[side])) == 1
    assert not [node for node in seen.paths("line", stroke=COLORS[other]) if node.get("d")]


def vars_of(run: PathData) -> dict[str, object]:
    return {field: getattr(run, field) for field in PathData.__dataclass_fields__}


def test_the_verdict_is_said_in_words_where_no_picture_is_seen() -> None:
    for run in RUNS:
        verdict, _ = run.decided
        seen = Seen(path_picture(run))
        assert seen.root.get("role") == "img"
        assert seen.said("title") == "autonomy of orion"
        assert seen.said("desc").startswith(f"Verdict {verdict}: ")
        assert any(words.startswith(f"Verdict {verdict}: ") for words in seen.words)
    described = Seen(interval_picture(evaluation())).said("desc")
    assert "orion-3 at 2e25 FLOP: above 26% and not above 44%, above." in described
    assert "orion-4 at 3e25 FLOP: no result." in described
    assert "The next result is due at 8e25 FLOP. Without it the run stops at 1.2e26 FLOP." in described


def shares(seen: Seen, nodes: list[ET.Element]) -> list[float]:
    """Rates that some nodes stand at; the horizontal axis is logarithmic, and not asked here."""
    start, first, end, last = seen.axis(upright=True)
    return [first + (moved(node)[1] - start) * (last - first) / (end - start) for node in nodes]


def test_a_sign_stands_at_the_end_of_the_interval_that_decides() -> None:
    seen = Seen(interval_picture(evaluation()))
    for verdict, at in (("above", [0.26]), ("below", [0.09]), ("undecided", [0.2, 0.2])):
        signs = seen.paths("symbol", stroke=COLORS[verdict])
        assert [round(share, 3) for share in shares(seen, signs)] == at
    shapes = {node.get("d") for node in seen.paths("symbol")}
    assert len(shapes) == 3


def test_bars_caps_and_marks_are_where_the_data_says() -> None:
    seen = Seen(interval_picture(evaluation()))
    bars = [node for node in seen.all("line") if node.get("stroke") in COLORS.values() and node.get("stroke-width")]
    rules = [node for node in bars if "mark-rule role-mark" in seen.parents[node].get("class", "")]
    assert len(rules) == 4
    assert sum(node.get("stroke-dasharray") == "2,3" for node in rules) == 1
    left, first, right, last = log_axis(seen)
    upright = [
        node
        for node in seen.all("line")
        if node.get("stroke") == INK and "mark-rule role-mark" in seen.parents[node].get("class", "")
    ]
    found = [10 ** (first + (moved(node)[0] - left) * (last - first) / (right - left)) for node in upright]
    assert [f"{compute:.2g}" for compute in found] == ["8e+25", "1.2e+26"]
    assert {"due 8e25", "stop 1.2e26", "safety buffer"} <= set(seen.words)


def log_axis(seen: Seen) -> tuple[float, float, float, float]:
    left, first, right, last = seen.axis(upright=False)
    return left, log10(first), right, log10(last)


def test_points_of_equal_compute_stand_side_by_side() -> None:
    points = tuple(point(f"m{number}", 10**24, "0.01", "0.1", "below") for number in range(5))
    seen = Seen(interval_picture(IntervalData("", FIFTH, points)))
    places = sorted(moved(node)[0] for node in seen.paths("symbol", stroke=COLORS["below"]))
    assert all(8 < later - earlier < 10 for earlier, later in pairwise(places))
    assert all(f"m{number} at 1e24 FLOP" in seen.said("desc") for number in range(5))


def many(number: int) -> IntervalData:
    """Bars so dense that no name is free of all of them, the odd one just below the mark where a result is due."""
    points = [point(f"checkpoint {at}", 10**20 + at * 10**18, "0.01", "0.19", "below") for at in range(number - 1)]
    middle = 10**20 + number // 2 * 10**18
    points.append(point("odd", middle, "0.1", "0.21", "undecided"))
    return IntervalData("many", FIFTH, tuple(points), middle, 6 * 10**22)


def test_of_many_intervals_one_of_each_verdict_is_named() -> None:
    svg = interval_picture(many(500))
    words = Seen(svg).words
    assert "odd" in words
    assert any(word.startswith("checkpoint ") for word in words)
    assert len(words) < 60
    assert len(svg) < 300_000
    assert "The 30 of 500 intervals at the most effective compute:" in Seen(svg).said("desc")


@pytest.mark.parametrize("missing", [0.0, 0.1], ids=["complete", "missing"])
def test_twenty_thousand_samples_make_a_picture_of_moderate_size(missing: float) -> None:
    run = path(outcomes(9, 0.2, 20_000, missing), "undecided", 20_000)
    svg = path_picture(run)
    assert len(svg) < 300_000
    seen = Seen(svg)
    for line, edge in zip(seen.paths("line", stroke=INK), ("low", "high"), strict=False):
        vertices = seen.vertices(line)
        assert 200 < len(vertices) <= 1_200
        drawn = [round(x) for x, _ in vertices]
        rates = [
            (run.successes[n] if edge == "low" else n - run.failures[n]) / n for n in range(1, len(run.outcomes) + 1)
        ]
        # No peak is lost: between two drawn samples none lies beyond both, but by less than can be seen.
        for number in range(1_000, 20_000, 7):
            at = bisect_right(drawn, number)
            near = [rates[drawn[index] - 1] for index in range(max(0, at - 6), min(len(drawn), at + 6))]
            assert min(near) - 1e-9 <= rates[number - 1] <= max(near) + 1e-9


@pytest.mark.parametrize(
    ("found", "most", "verdict"),
    [
        ("", 400, "undecided"),
        ("1", 400, "undecided"),
        ("-", 1, "undecided"),
        ("0", 1, "undecided"),
        ("1" * 9, 400, "above"),
    ],
)
def test_short_runs_are_drawn(found: str, most: int, verdict: str) -> None:
    seen = Seen(path_picture(path(found, verdict, most)))
    marks = seen.paths("symbol")
    assert seen.said("desc").startswith(f"Verdict {verdict}: ")
    if found:
        assert any(words.startswith(f"{verdict} after ") for words in seen.words)
        assert marks
    assert len({words for words in seen.words if words.isdigit()}) == sum(words.isdigit() for words in seen.words)


def hostile_pictures(text: str) -> tuple[str, str]:
    return path_picture(path(LATE.outcomes[:30], "undecided", title=text)), interval_picture(evaluation(text, text))


def check_harmless(svg: str) -> None:
    seen = Seen(svg)
    for node in seen.root.iter():
        assert name(node) in ELEMENTS
        for key, held in node.attrib.items():
            assert not key.lower().startswith("on")
            assert "href" not in key.lower()
            assert "url(" not in re.sub(r"url\(#clip-[0-9a-f]{12}-\d\)", "", held)
    assert {unicodedata.category(character) for character in svg} & {"Cf", "Cs", "Co", "Cn", "Zl", "Zp"} == set()
    assert {character for character in svg if unicodedata.category(character) == "Cc"} == {"\n"}


def test_hostile_text_is_shown_as_text_and_does_nothing() -> None:
    for svg in hostile_pictures(HOSTILE):
        check_harmless(svg)
        seen = Seen(svg)
        assert "<script" not in svg
        assert seen.said("title").startswith("</svg><script>alert(1)</script><a href='javascript:x'>\\u202eevil")
        assert any(words.startswith("</svg><script>alert(1)</s") for words in seen.words)


def test_long_text_is_cut_and_says_so() -> None:
    for svg in hostile_pictures("x" * 100_000):
        assert len(svg) < 100_000
        seen = Seen(svg)
        assert seen.said("title").endswith("... (100000 characters)")
        assert all(len(words) < 200 for words in seen.words)


@given(st.text(max_size=300))
@settings(max_examples=25, deadline=None)
def test_no_text_makes_a_picture_that_is_not_well_formed(text: str) -> None:
    for svg in hostile_pictures(text):
        check_harmless(svg)


AGAIN = """
import sys
from tests.report.runs import evaluation, outcomes, path
from scalegate.report.charts import interval_picture, path_picture
sys.stdout.buffer.write(interval_picture(evaluation()).encode())
sys.stdout.buffer.write(path_picture(path(outcomes(2, 0.38, 400, missing=0.06), "above")).encode())
"""


def test_the_same_data_makes_the_same_bytes_whatever_was_drawn_before() -> None:
    first = path_picture(MISSING), interval_picture(evaluation())
    path_picture(LOW)
    assert (path_picture(MISSING), interval_picture(evaluation())) == first
    answer = subprocess.run(
        [sys.executable, "-c", AGAIN],
        cwd=SOURCE.parent,
        env={"PYTHONPATH": f"{SOURCE}:{SOURCE.parent}", "PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert answer.stdout.decode() == first[1] + first[0]


def test_two_pictures_can_stand_on_one_page() -> None:
    names = [set(re.findall(r' id="([^"]+)"', path_picture(run))) for run in RUNS]
    assert all(names)
    assert sum(map(len, names)) == len(set.union(*names))


def test_a_point_on_the_edge_of_rates_is_drawn() -> None:
    points = (point("none", 1, "0", "0", "below"), point("all", 10**30, "1", "1", "above"))
    seen = Seen(interval_picture(IntervalData("", Fraction(1, 2), points)))
    signs = seen.paths("symbol", stroke=COLORS["below"]) + seen.paths("symbol", stroke=COLORS["above"])
    assert [round(share, 3) for share in shares(seen, signs)] == [0, 1]
