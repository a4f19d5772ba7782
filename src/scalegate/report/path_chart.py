"""The path of a sequential test between its boundaries: x is samples in registered order, y the rate of successes.

The rate, and not the count, because a reader looks for the threshold and finds it as a level line, with the boundaries
as a funnel around it. A missing sample counts as a failure against "above" and as a success against "not above", so
that the path is a band between the two extremes, and only the extreme that a boundary looks at can reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

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
    apart,
    check_verdict,
    counted,
    draw,
    even_ticks,
    layer,
    rate,
    text_at,
)

# So many stretches of samples are told apart; up to four samples of each are drawn: the extremes of both edges.
_STRETCHES: Final = 200
_SHORTEST: Final = 24
_DOTS: Final = 60


@dataclass(frozen=True)
class PathData:
    """A run of a sequential test.

    Attributes:
        title: of the picture; any text.
        threshold: between 0 and 1, both excluded.
        outcomes: in registered order, `1` success, `0` failure, `-` missing; it may end before `most`.
        above: successes needed to show "above" after 0, 1, ... `most` samples (more than there are where impossible);
            empty where nobody asks.
        below: FAILURES needed to show "not above", likewise.
        verdict: `above`, `below` or `undecided`: what the first boundary reached says.
        most: planned number of samples.
    """

    title: str
    threshold: Fraction
    outcomes: str
    above: tuple[int, ...]
    below: tuple[int, ...]
    verdict: str
    most: int

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: parts contradict each other, or one alone is impossible; the sentence says which.
        """
        verdict = check_verdict(self.verdict)
        if not 0 < self.threshold < 1:
            raise ValueError(f"a threshold lies between 0 and 1, both excluded, not at {self.threshold}")
        if self.most < 1 or len(self.outcomes) > self.most:
            raise ValueError(f"{len(self.outcomes)} outcomes are not of {self.most} planned samples")
        if self.outcomes.strip("01-"):
            raise ValueError("an outcome is 1, 0, or - where it is missing")
        _check_boundary("above", self.above, self.threshold, self.most)
        _check_boundary("below", self.below, 1 - self.threshold, self.most)
        found, after = self.decided
        if found != verdict:
            where = f"reaches that of {found} after {after} samples" if after else "reaches no boundary"
            raise ValueError(f"the verdict is {verdict}, but the path {where}")

    @cached_property
    def successes(self) -> tuple[int, ...]:
        """Successes after 0, 1, ... samples."""
        return tuple(accumulate((outcome == "1" for outcome in self.outcomes), initial=0))

    @cached_property
    def failures(self) -> tuple[int, ...]:
        """Failures after 0, 1, ... samples; what is neither is missing."""
        return tuple(accumulate((outcome == "0" for outcome in self.outcomes), initial=0))

    @cached_property
    def decided(self) -> tuple[Verdict, int]:
        """What the first boundary reached says, and after how many samples; `undecided` and 0 for none."""
        for samples in range(1, len(self.outcomes) + 1):
            if self.above and self.successes[samples] >= self.above[samples]:
                return "above", samples
            if self.below and self.failures[samples] >= self.below[samples]:
                return "below", samples
        return "undecided", 0


def _check_boundary(side: str, needed: Sequence[int], threshold: Fraction, most: int) -> None:
    if not needed:
        return
    if len(needed) != most + 1:
        raise ValueError(f"the boundary of {side} has {len(needed)} counts; {most} samples need {most + 1}")
    if any(later < earlier for earlier, later in pairwise(needed)):
        raise ValueError(f"the boundary of {side} falls: more samples cannot need fewer of them")
    num, den = threshold.numerator, threshold.denominator
    if any(count * den <= num * samples for samples, count in enumerate(needed)):
        raise ValueError(f"the boundary of {side} is reached at the threshold itself, and so shows nothing")


def path_picture(path: PathData) -> str:
    """Return the picture as SVG text, 700 by 460 pixels.

    Raises:
        MissingExtraError: the optional extra `report` is not installed.
    """
    view = _View(path)
    layers = [*_regions(view), *_threshold(view), *_boundaries(view), *_path(view), *_missing(view), *_decision(view)]
    layers += [*_margin(view), *_footnotes(view)]
    return draw(path.title, _finding(path), _described(view), layers)


class _View:
    """Which part of the run is shown, and where: the window, and the samples whose points are drawn."""

    def __init__(self, path: PathData) -> None:
        self.path = path
        self.taken = len(path.outcomes)
        _, self.decided = path.decided
        self.end = self._end()
        self.drawn = min(self.taken, self.end)
        self.bottom, self.top = self._window()
        self.kept = sorted(set(self._kept()))

    def _end(self) -> int:
        """What follows long after the decision is not drawn, nor what lies far ahead of a run that has just begun."""
        if self.decided:
            end = max(min(self.taken, 2 * self.decided), self.decided * 8 // 7 + 1)
        else:
            end = 2 * self.taken or self.path.most
        return min(self.path.most, max(end, _SHORTEST))

    def _window(self) -> tuple[float, float]:
        """The rates between which the picture lies: early ones, which jump, may be cut off."""
        start = max(1, self.end // 12)
        seen = [float(self.path.threshold)]
        if self.decided:
            start = min(start, self.decided)
        for samples in range(start, self.end + 1):
            seen += [y for y in (self.upper(samples), self.lower(samples)) if y is not None]
            seen += self.rates(samples) if samples <= self.drawn else ()
        pad = max(0.12 * (max(seen) - min(seen)), 0.005)
        # A little below 0 and above 1, so that a path along either does not hide in the frame.
        return max(-pad / 3, min(seen) - pad), min(1 + pad / 3, max(seen) + pad)

    def _kept(self) -> Iterator[int]:
        """Samples whose points stand for all: the extremes of each stretch, its last, and the decision."""
        if self.decided:
            yield self.decided
        for stretch in range(min(_STRETCHES, self.end)):
            first = stretch * self.end // min(_STRETCHES, self.end) + 1
            last = (stretch + 1) * self.end // min(_STRETCHES, self.end)
            yield last
            if first > self.drawn:
                continue
            inside = range(first, min(last, self.drawn) + 1)
            yield inside[-1]
            for edge in (0, 1):
                yield min(inside, key=lambda samples: self.rates(samples)[edge])
                yield max(inside, key=lambda samples: self.rates(samples)[edge])

    def rates(self, samples: int) -> tuple[float, float]:
        """Rates of successes with all missing ones counted as failures, and as successes."""
        return self.path.successes[samples] / samples, 1 - self.path.failures[samples] / samples

    def upper(self, samples: int) -> float | None:
        """Rate that shows "above"; None where none does."""
        needed = self.path.above[samples] if self.path.above else samples + 1
        return needed / samples if needed <= samples else None

    def lower(self, samples: int) -> float | None:
        """Rate that shows "not above"; None where none does."""
        needed = self.path.below[samples] if self.path.below else samples + 1
        return 1 - needed / samples if needed <= samples else None

    def across(self, samples: int) -> float:
        """Pixels from the left."""
        return WIDTH * samples / self.end

    def down(self, share: float) -> float:
        """Pixels from the top."""
        return HEIGHT * (self.top - share) / (self.top - self.bottom)

    def x(self) -> Part:
        """The horizontal axis."""
        axis: Part = {"title": "samples, in registered order", "grid": False, "format": ",d"}
        axis |= {"values": even_ticks(self.end), "labelFlush": False}
        scale: Part = {"domain": [0, self.end], "nice": False}
        return {"field": "n", "type": "quantitative", "scale": scale, "axis": axis}

    def y(self, field: str) -> Part:
        """The vertical axis, for one field."""
        axis: Part = {"title": "rate of successes so far", "format": "%", "tickCount": 6, "minExtent": 32}
        scale: Part = {"domain": [self.bottom, self.top], "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}

    def missing(self, samples: int) -> int:
        """Missing among the first ones."""
        return samples - self.path.successes[samples] - self.path.failures[samples]


def _regions(view: _View) -> Iterator[Part]:
    sides: tuple[tuple[Verdict, float], ...] = (("above", view.top), ("below", view.bottom))
    for side, edge in sides:
        mark: Part = {"type": "area", "color": COLORS[side], "opacity": 0.11, "clip": True}
        yield layer(mark, _boundary(view, side), x=view.x(), y=view.y("needed"), y2={"datum": edge})


def _boundaries(view: _View) -> Iterator[Part]:
    sides: tuple[Verdict, ...] = ("above", "below")
    for side in sides:
        mark: Part = {"type": "line", "color": COLORS[side], "strokeWidth": 1.6, "clip": True}
        mark["point"] = {"size": 14, "color": COLORS[side], "clip": True} if view.end <= _DOTS else False
        yield layer(mark, _boundary(view, side), x=view.x(), y=view.y("needed"))


def _boundary(view: _View, side: Verdict) -> Iterator[Row]:
    needed = view.upper if side == "above" else view.lower
    return ({"n": samples, "needed": y} for samples in view.kept if (y := needed(samples)) is not None)


def _threshold(view: _View) -> Iterator[Part]:
    rows: list[Row] = [{"n": samples, "y": float(view.path.threshold)} for samples in (0, view.end)]
    mark: Part = {"type": "line", "color": GRAY, "strokeWidth": 1.2, "strokeDash": [5, 4]}
    yield layer(mark, rows, x=view.x(), y=view.y("y"))


def _path(view: _View) -> Iterator[Part]:
    banded = view.missing(view.drawn) > 0
    edges = ("low", "high") if banded else ("low",)
    width, dotted = 2 / len(edges), view.end <= _DOTS
    # What came after the decision does not count, and is drawn faintly.
    parts = [(1, view.decided or view.drawn, 1.0)]
    if 0 < view.decided < view.drawn:
        parts.append((view.decided, view.drawn, 0.4))
    for first, last, faint in parts:
        rows = list(_rates(view, first, last))
        if banded:
            band: Part = {"type": "area", "color": INK, "opacity": 0.25 * faint, "clip": True}
            yield layer(band, rows, x=view.x(), y=view.y("low"), y2={"field": "high"})
        for edge in edges:
            mark: Part = {"type": "line", "color": INK, "opacity": faint, "strokeWidth": width, "clip": True}
            mark["point"] = {"size": 16, "color": INK, "fillOpacity": faint, "clip": True} if dotted else False
            yield layer(mark, rows, x=view.x(), y=view.y(edge))


def _rates(view: _View, first: int, last: int) -> Iterator[Row]:
    for samples in view.kept:
        if first <= samples <= last:
            low, high = view.rates(samples)
            yield {"n": samples, "low": low, "high": high}


def _missing(view: _View) -> Iterator[Part]:
    pixels: dict[int, int] = {}
    for samples, outcome in enumerate(view.path.outcomes[: view.drawn], 1):
        if outcome == "-":
            pixels.setdefault(int(view.across(samples)), samples)
    mark: Part = {"type": "rule", "color": INK, "strokeWidth": 1}
    ends: dict[str, Part] = {"y": {"value": HEIGHT - 9}, "y2": {"value": HEIGHT}}
    yield layer(mark, [{"n": samples} for samples in pixels.values()], x=view.x(), **ends)


def _decision(view: _View) -> Iterator[Part]:
    verdict, _ = view.path.decided
    at = view.decided or view.taken
    if not at:
        return
    low, high = view.rates(at)
    heights = {"above": (low,), "below": (high,), "undecided": sorted({low, high})}[verdict]
    color = COLORS[verdict]
    rule: Part = {"type": "rule", "color": color, "strokeWidth": 1, "strokeDash": [2, 3]}
    yield layer(rule, [{"n": at}], x=view.x(), y={"value": 0}, y2={"value": HEIGHT})
    mark: Part = {"type": "point", "shape": SHAPES[verdict], "size": 130, "opacity": 1, "strokeWidth": 1.6}
    mark |= {"stroke": color, "fill": "white" if verdict == "undecided" else color}
    yield layer(mark, [{"n": at, "y": y} for y in heights], x=view.x(), y=view.y("y"))
    side = min(2, int(3 * at / view.end))
    align = ("left", "center", "right")[side]
    place = view.across(at) + (-4, 0, 4)[side]
    words = f"{verdict} after {counted(at, 'sample')}: {_counts(view.path, at)}"
    yield text_at(words, place, -9, align=align, color=color, fontWeight="bold")


def _margin(view: _View) -> Iterator[Part]:
    """The words at the right that say what the lines and fields beside them are."""
    share = rate(view.path.threshold)
    threshold = view.down(float(view.path.threshold))
    words: list[tuple[float, tuple[str, ...], str]] = [(threshold, (f"threshold {share}",), GRAY)]
    upper, lower = view.upper(view.end), view.lower(view.end)
    if upper is not None and upper < view.top:
        words.append((min(view.down(upper) / 2, threshold - 30), ("shown to lie", f"above {share}"), COLORS["above"]))
    if lower is not None and lower > view.bottom:
        middle = (view.down(lower) + HEIGHT) / 2
        words.append((max(middle, threshold + 30), ("shown not to", f"lie above {share}"), COLORS["below"]))
    if missing := view.missing(view.drawn):
        words.append((HEIGHT - 5, (f"{missing:,} missing",), INK))
    words.sort()
    for (_, lines, color), place in zip(words, apart([at for at, *_ in words], 31, 10, HEIGHT - 9), strict=True):
        first = place - 7 * (len(lines) - 1)
        yield text_at(lines, WIDTH + 8, first, color=color, lineHeight=14)


def _footnotes(view: _View) -> Iterator[Part]:
    notes = []
    if view.missing(view.drawn):
        notes.append("Band: missing samples counted as failures (lower edge) and as successes (upper edge).")
    if 0 < view.decided < view.taken:
        rest = f"; {counted(view.taken - view.drawn, 'later sample')} not drawn" if view.taken > view.drawn else ""
        notes.append(f"Faint: after the decision, and without weight{rest}.")
    elif view.end < view.path.most:
        notes.append(f"The plan goes on to {view.path.most:,} samples.")
    yield text_at(notes, -44, HEIGHT + 54, color=GRAY, fontSize=11, lineHeight=14)


def _counts(path: PathData, samples: int) -> str:
    missing = samples - path.successes[samples] - path.failures[samples]
    found = counted(path.successes[samples], "success", "successes")
    return f"{found}, {counted(path.failures[samples], 'failure')}" + (f", {missing:,} missing" if missing else "")


def _finding(path: PathData) -> str:
    share = rate(path.threshold)
    verdict, after = path.decided
    planned = f"of {counted(path.most, 'planned sample')}"
    if verdict == "above":
        return f"Verdict above: the rate is shown to lie above {share}, after {after:,} {planned}."
    if verdict == "below":
        return f"Verdict below: the rate is shown not to lie above {share}, after {after:,} {planned}."
    return f"Verdict undecided: no boundary around {share} is reached after {len(path.outcomes):,} {planned}."


def _described(view: _View) -> str:
    path = view.path
    words = [_finding(path)]
    at = view.decided or view.taken
    words.append(f"Until then: {_counts(path, at)}." if at else "No sample has been taken.")
    sides = [
        f"{needed[path.most]:,} {what} show {side}"
        for side, what, needed in (("above", "successes", path.above), ("not above", "failures", path.below))
        if needed and needed[path.most] <= path.most
    ]
    if sides:
        words.append(f"Among all planned samples, {' and '.join(sides)}.")
    words.append("The rate of successes so far is drawn over samples in registered order, between its boundaries.")
    return " ".join(words)
