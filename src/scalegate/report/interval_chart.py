"""The intervals of an evaluation against its threshold: x is effective compute on a log scale, y the rate.

A sign stands where the verdict comes from: on the low end of an interval above the threshold, on the high end of one
below, on the threshold of one that is undecided. No sign stands for an estimate: none is drawn.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scalegate.core.quantities import UNBOUNDED, show_bound, show_flop
from scalegate.ingest.sanitize import plain
from scalegate.report.drawing import (
    COLORS,
    GRAY,
    HEIGHT,
    INK,
    SHAPES,
    WIDTH,
    Part,
    Row,
    Verdict,
    check_verdict,
    counted,
    draw,
    layer,
    rate,
    text_at,
)

MOST_POINTS: Final = 500
"""More intervals are refused: nobody could tell them apart in one picture."""

_DESCRIBED: Final = 30
_LABEL_CHARACTERS: Final = 26
_BESIDE: Final = 9.0
# So many intervals are few: each is named, even where the name has to stand on something else.
_FEW: Final = 12


@dataclass(frozen=True)
class IntervalPoint:
    """What an evaluation says of one checkpoint or subject.

    Attributes:
        label: its name; any text.
        compute: its effective compute in whole FLOP, at least 1.
        low: the rate is shown to lie above this; None where no such bound is known.
        high: the rate is shown not to lie above this; None likewise.
        verdict: `above`, `below` or `undecided`.
    """

    label: str
    compute: int
    low: Fraction | None
    high: Fraction | None
    verdict: str

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: for compute, bounds or a verdict that no evaluation has.
        """
        check_verdict(self.verdict)
        if not 0 < self.compute < UNBOUNDED:
            raise ValueError("the effective compute of a point is at least 1 FLOP, and known")
        low, high = self.ends
        if not 0 <= low <= high <= 1:
            raise ValueError(f"bounds of a rate satisfy 0 <= low <= high <= 1, not {low} and {high}")

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        """The interval, where no bound is known as far as a rate goes."""
        return (Fraction(0) if self.low is None else self.low, Fraction(1) if self.high is None else self.high)


@dataclass(frozen=True)
class IntervalData:
    """An evaluation of several checkpoints or subjects.

    Attributes:
        title: of the picture; any text.
        threshold: between 0 and 1.
        points: in any order, at least one.
        due: effective compute in FLOP at which the next result is due; None where no such rule holds.
        stop: effective compute in FLOP at which training stops without one; None likewise.
    """

    title: str
    threshold: Fraction
    points: tuple[IntervalPoint, ...]
    due: int | None = None
    stop: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: parts contradict each other, or one alone is impossible; the sentence says which.
        """
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"a threshold of a rate lies between 0 and 1, not at {self.threshold}")
        if not 0 < len(self.points) <= MOST_POINTS:
            raise ValueError(f"a picture shows between 1 and {MOST_POINTS} intervals, not {len(self.points)}")
        for mark in (self.due, self.stop):
            if mark is not None and not 0 < mark < UNBOUNDED:
                raise ValueError("an evaluation is due, and a run stops, at 1 FLOP or more")
        if self.due is not None and self.stop is not None and self.due > self.stop:
            raise ValueError("an evaluation is due before the run stops for want of it, not after")
        for point in self.points:
            _check_side(point, self.threshold)


def _check_side(point: IntervalPoint, threshold: Fraction) -> None:
    """Refuse a verdict that the interval does not bear out: a bound that lies on the threshold bears out its own."""
    low, high = point.ends
    contradicted = {
        "above": low < threshold or point.low is None,
        "below": high > threshold or point.high is None,
        "undecided": low > threshold or high < threshold,
    }
    if contradicted[point.verdict]:
        where = f"between {low} and {high}"
        raise ValueError(f"{plain(point.label, 60)} lies {where}: that is not {point.verdict} at {threshold}")


def interval_picture(data: IntervalData) -> str:
    """Return the picture as SVG text, 700 by 460 pixels.

    Raises:
        MissingExtraError: the optional extra `report` is not installed.
    """
    view = _View(data)
    places = _places_for_labels(view)
    layers = [*_threshold(view), *_plates(places), *_buffer(view), *_intervals(view), *_signs(view)]
    layers += [*_labels(view, places), *_footnotes(view)]
    return draw(data.title, _finding(data), _described(data), layers)


class _View:
    """Where in the picture things are."""

    def __init__(self, data: IntervalData) -> None:
        self.data = data
        self.points = sorted(data.points, key=lambda point: (point.compute, point.label))
        marks = [mark for mark in (data.due, data.stop) if mark is not None]
        logs = [math.log10(compute) for compute in (*(point.compute for point in self.points), *marks)]
        pad = max(0.08 * (max(logs) - min(logs)), 0.15)
        self.left, self.right = min(logs) - pad, max(logs) + pad
        ends = [float(end) for point in data.points for end in (point.low, point.high) if end is not None]
        highest = 1.0 if any(point.high is None for point in data.points) else max(ends)
        # Room above the highest end for its label, and below 0, so that a bound at 0 does not hide in the frame.
        self.top = min(1.0, max(highest, float(data.threshold))) * 1.16 or 1.0
        self.bottom = -0.03 * self.top
        self.places = self._places()
        self.room = WIDTH / len(self.points)

    def _places(self) -> list[float]:
        """Pixels from the left of each point; points of equal compute stand side by side."""
        same = Counter(point.compute for point in self.points)
        seen: Counter[int] = Counter()
        places = []
        for point in self.points:
            beside = min(_BESIDE, WIDTH / 6 / same[point.compute])
            places.append(self.across(point.compute) + beside * (seen[point.compute] - (same[point.compute] - 1) / 2))
            seen[point.compute] += 1
        return places

    def across(self, compute: int) -> float:
        """Pixels from the left."""
        return WIDTH * (math.log10(compute) - self.left) / (self.right - self.left)

    def down(self, share: Fraction) -> float:
        """Pixels from the top."""
        return HEIGHT * (self.top - float(share)) / (self.top - self.bottom)

    def compute(self, place: float) -> float:
        """FLOP at some pixels from the left."""
        return float(10 ** (self.left + place * (self.right - self.left) / WIDTH))

    def x(self) -> Part:
        """The horizontal axis, with ticks at round numbers of FLOP."""
        axis: Part = {"title": "effective compute in FLOP, log scale", "grid": False, "labelOverlap": False}
        axis |= {"values": [float(mark) for mark in _round_numbers(self.left, self.right)]}
        axis |= {"labelExpr": "replace(format(datum.value, '.0e'), '+', '')"}
        scale: Part = {"type": "log", "domain": [10**self.left, 10**self.right], "nice": False}
        return {"field": "x", "type": "quantitative", "scale": scale, "axis": axis}

    def y(self) -> Part:
        """The vertical axis."""
        axis: Part = {"title": "rate", "format": "%", "tickCount": 6, "minExtent": 32}
        scale: Part = {"domain": [self.bottom, self.top], "nice": False, "zero": False}
        return {"field": "y", "type": "quantitative", "scale": scale, "axis": axis}


def _round_numbers(left: float, right: float) -> list[int]:
    """Whole FLOP between two logarithms: powers of ten, or 1, 2 and 5 times them where there are few."""
    powers = range(math.floor(left), math.ceil(right) + 1)
    every = max(1, math.ceil((right - left) / 8))
    digits: tuple[int, ...] = (1, 2, 5) if right - left < 3 else (1,)
    if right - left < 0.5:
        digits = tuple(range(1, 10))
    found = [digit * 10**power for power in powers if power >= 0 and not power % every for digit in digits]
    return [compute for compute in found if left <= math.log10(compute) <= right]


def _flop(compute: int) -> str:
    """Return FLOP with three digits; `~` before one that has more."""
    digits = len(str(compute)) - 3
    rounded = compute if digits <= 0 else round(compute, -digits)
    return show_flop(compute) if rounded == compute else "~" + show_flop(rounded)


def _buffer(view: _View) -> Iterator[Part]:
    """The marks where the next result is due and where the run stops without it, and what lies between."""
    due, stop = view.data.due, view.data.stop
    full: dict[str, Part] = {"y": {"value": 0}, "y2": {"value": HEIGHT}}
    if due is not None and stop is not None:
        rows: list[Row] = [{"x": float(due), "end": float(stop)}]
        yield layer({"type": "rect", "color": INK, "opacity": 0.1}, rows, x=view.x(), x2={"field": "end"}, **full)
        if view.across(stop) - view.across(due) >= 15:
            middle = (view.across(due) + view.across(stop)) / 2
            yield text_at("safety buffer", middle, HEIGHT - 8, angle=270)
    if due is not None:
        rule: Part = {"type": "rule", "color": INK, "strokeWidth": 1.3, "strokeDash": [4, 3]}
        yield layer(rule, [{"x": float(due)}], x=view.x(), **full)
        place = max(view.across(due) + 3, 60)
        yield text_at(f"due {_flop(due)}", place, -9, align="right", fontWeight="bold")
    if stop is not None:
        rule = {"type": "rule", "color": INK, "strokeWidth": 1.6}
        yield layer(rule, [{"x": float(stop)}], x=view.x(), **full)
        yield text_at(f"stop {_flop(stop)}", view.across(stop) - 3, -9, fontWeight="bold")


def _threshold(view: _View) -> Iterator[Part]:
    share = view.data.threshold
    rows: list[Row] = [{"x": view.compute(x), "y": float(share)} for x in (0, WIDTH)]
    yield layer({"type": "line", "color": INK, "strokeWidth": 1.2, "strokeDash": [5, 4]}, rows, x=view.x(), y=view.y())
    yield text_at(f"threshold {rate(share)}", WIDTH + 8, view.down(share))


def _intervals(view: _View) -> Iterator[Part]:
    """Bars with a cap at each known end; where a bound is not known a bar is dotted and runs on."""
    color: Part = {"field": "color", "type": "nominal", "scale": None, "legend": None}
    known: list[Row] = []
    unknown: list[Row] = []
    caps: list[Row] = []
    for point, place in zip(view.points, view.places, strict=True):
        low, high = point.ends
        row: Row = {"x": view.compute(place), "y": float(low), "y2": float(high)}
        row["color"] = COLORS[check_verdict(point.verdict)]
        (unknown if None in (point.low, point.high) else known).append(row)
        caps += [row | {"y": float(end)} for end in (point.low, point.high) if end is not None]
    width = min(2.0, 0.4 + view.room / 12)
    for rows, dash in ((known, [1, 0]), (unknown, [2, 3])):
        bar: Part = {"type": "rule", "strokeWidth": width, "strokeDash": dash}
        yield layer(bar, rows, x=view.x(), y=view.y(), y2={"field": "y2"}, color=color)
    cap: Part = {"type": "tick", "orient": "horizontal", "size": min(9.0, 2 + view.room / 2), "thickness": width}
    yield layer(cap | {"opacity": 1}, caps, x=view.x(), y=view.y(), color=color)


def _signs(view: _View) -> Iterator[Part]:
    for verdict, shape in SHAPES.items():
        rows: list[Row] = []
        for point, place in zip(view.points, view.places, strict=True):
            if point.verdict == verdict:
                low, high = point.ends
                at = {"above": low, "below": high, "undecided": view.data.threshold}[verdict]
                rows.append({"x": view.compute(place), "y": float(at)})
        color, size = COLORS[verdict], min(85.0, 12 + 3 * view.room)
        mark: Part = {"type": "point", "shape": shape, "size": size, "opacity": 1, "stroke": color}
        mark |= {"strokeWidth": 1.5 if size > 40 else 0.8, "fill": "white" if verdict == "undecided" else color}
        yield layer(mark, rows, x=view.x(), y=view.y())


@dataclass(frozen=True)
class _Box:
    """A rectangle in pixels."""

    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        """Whether two rectangles share a point."""
        beside = self.left > other.right or other.left > self.right
        return not beside and self.top <= other.bottom and other.top <= self.bottom


def _places_for_labels(view: _View) -> dict[int, _Box]:
    """Return where the name of a point stands, at an end of its bar or beside it, for those that find a place.

    First come those whose name meets nothing, of the rarest verdict and at the most compute first. Then, where there
    are few, the others, and where there are many, one of each verdict that has no name yet: where they meet least.
    """
    bars = [
        _Box(place - 3, place + 3, view.down(point.ends[1]) - 4, view.down(point.ends[0]) + 4)
        for point, place in zip(view.points, view.places, strict=True)
    ]
    line = view.down(view.data.threshold)
    marks = (view.across(mark) for mark in (view.data.due, view.data.stop) if mark is not None)
    met = [*bars, _Box(0, WIDTH, line - 2, line + 2), *(_Box(place - 2, place + 2, 0, HEIGHT) for place in marks)]
    verdicts = [point.verdict for point in view.points]
    number = Counter(verdicts)
    order = sorted(range(len(bars)), key=lambda at: (number[verdicts[at]], -at))
    taken: dict[int, _Box] = {}
    for last_chance in (False, True):
        for index in order:
            named = {verdicts[at] for at in taken}
            if index in taken or (last_chance and len(bars) > _FEW and verdicts[index] in named):
                continue
            around = _around(bars[index], max(map(_wide, _label(view.points[index]))))
            free = [box for box in around if not any(box.meets(other) for other in taken.values())]
            best = min(free, key=lambda box: sum(box.meets(other) for other in met), default=None)
            if best and (last_chance or not any(best.meets(other) for other in met)):
                taken[index] = best
    return taken


def _around(bar: _Box, wide: float) -> Iterator[_Box]:
    """Yield the places for a label around a bar that lie in the plot, the best first."""
    middle = (bar.left + bar.right) / 2
    centered = min(max(middle - wide / 2, 2), WIDTH - wide)
    corners = (
        (centered, bar.top - 32),
        (centered, bar.bottom + 2),
        (bar.right + 5, bar.top),
        (bar.left - wide - 5, bar.top),
    )
    for left, top in corners:
        if left >= 2 and left + wide <= WIDTH and 0 <= top <= HEIGHT - 27:
            yield _Box(left, left + wide, top, top + 27)


def _plates(places: dict[int, _Box]) -> Iterator[Part]:
    """Light ground below the words, so that the threshold does not run through them; all else is drawn over it."""
    for box in places.values():
        plate: dict[str, Part] = {"x": {"value": box.left}, "x2": {"value": box.right}}
        plate |= {"y": {"value": box.top}, "y2": {"value": box.bottom}}
        yield layer({"type": "rect", "color": "white", "opacity": 0.85}, [{}], **plate)


def _labels(view: _View, places: dict[int, _Box]) -> Iterator[Part]:
    for index, box in places.items():
        name, words = _label(view.points[index])
        color, middle = COLORS[check_verdict(view.points[index].verdict)], (box.left + box.right) / 2
        yield text_at(name, middle, box.top + 7, align="center", color=color, fontSize=11)
        yield text_at(words, middle, box.top + 20, align="center", color=color, fontSize=11, fontWeight="bold")


def _label(point: IntervalPoint) -> tuple[str, str]:
    name = plain(point.label[:200])
    cut = name if len(name) <= _LABEL_CHARACTERS else name[: _LABEL_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return cut, "no result" if point.low is None and point.high is None else point.verdict


def _wide(words: str) -> float:
    """Return about how many pixels a label takes: nothing depends on it but where labels stand."""
    return 6 + sum(11.0 if unicodedata.east_asian_width(character) in "WF" else 5.9 for character in words)


def _footnotes(view: _View) -> Iterator[Part]:
    notes = ["A bar is what the evidence leaves open, not an estimate; its sign is at the end that decides."]
    if any(None in (point.low, point.high) for point in view.points):
        notes.append("Dotted: one bound, or both, is not known.")
    yield text_at(notes, -44, HEIGHT + 54, color=GRAY, fontSize=11, lineHeight=14)


def _said(point: IntervalPoint) -> str:
    at = f"{plain(point.label, 60)} at {_flop(point.compute)} FLOP"
    if point.low is None and point.high is None:
        return f"{at}: no result"
    bounds = []
    if point.low is not None:
        bounds.append(f"above {show_bound(point.low, up=False)}")
    if point.high is not None:
        bounds.append(f"not above {show_bound(point.high, up=True)}")
    return f"{at}: {' and '.join(bounds)}, {point.verdict}"


def _finding(data: IntervalData) -> str:
    """Say how many verdicts of each kind there are; the one at the most compute alone says nothing of the others."""
    order: tuple[Verdict, ...] = ("above", "undecided", "below")
    number = Counter(point.verdict for point in data.points)
    if len(data.points) == 1:
        return f"Verdict {data.points[0].verdict} at the threshold of {rate(data.threshold)}."
    parts = [f"{number[verdict]} {verdict}" for verdict in order if number[verdict]]
    return f"Verdicts at the threshold of {rate(data.threshold)}: {', '.join(parts)}."


def _described(data: IntervalData) -> str:
    points = sorted(data.points, key=lambda point: (point.compute, point.label))
    words = [_finding(data)]
    words += [f"{_said(point)}." for point in points[-_DESCRIBED:]]
    if len(points) > _DESCRIBED:
        words.insert(1, f"The {_DESCRIBED} of {counted(len(points), 'interval')} at the most effective compute:")
    if data.due is not None:
        words.append(f"The next result is due at {_flop(data.due)} FLOP.")
    if data.stop is not None:
        words.append(f"Without it the run stops at {_flop(data.stop)} FLOP.")
    return " ".join(words)
