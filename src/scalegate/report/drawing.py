"""What every picture shares: size, colors, safe text, and the one place where Vega-Lite is asked to draw.

A picture is the same bytes whenever it is drawn from the same data with the same release of the library: all sizes are
fixed, no text is measured, and Vega-Lite's version is named. It loads nothing and links to nothing. Text from outside
is data or a title, never part of an expression, and has lost its controls before the library sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from scalegate.core.canonical import digest_bytes
from scalegate.core.quantities import show_bound, show_count, show_rate
from scalegate.ingest.sanitize import plain, xml

Verdict: TypeAlias = Literal["above", "below", "undecided"]
Part: TypeAlias = dict[str, object]
"""A part of a Vega-Lite specification."""
Row: TypeAlias = dict[str, object]
"""A row of the data of a layer."""

# Of the whole picture, and of the plot in it, in pixels.
TOTAL: Final = 700
WIDTH: Final = 524
HEIGHT: Final = 290
_LEFT, _TOP, _BOTTOM = 56, 96, 74

INK: Final = "#222222"
GRAY: Final = "#6b6b6b"
COLORS: Final[dict[Verdict, str]] = {"above": "#b34700", "below": "#00609a", "undecided": GRAY}
"""Told apart by color-blind readers, and readable as text on white; in gray, shape and word tell."""
SHAPES: Final[dict[Verdict, str]] = {"above": "triangle-up", "below": "triangle-down", "undecided": "circle"}

_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
_VEGA_LITE: Final = "6.4"
_TITLE_CHARACTERS: Final = 80
_TAG: Final = re.compile(r"<[^>]*>")
_CLIP: Final = re.compile(r'(?<=id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))')
_LONG_NUMBER: Final = re.compile(r"\d+\.\d{3,}")


class MissingExtraError(ImportError):
    """The library that draws cannot be imported."""


def draw(title: str, finding: str, described: str, layers: Sequence[Part]) -> str:
    """Return the picture as SVG text.

    Args:
        title: whatever the caller was given; it is made harmless and cut here.
        finding: one line below the title that says the verdict in words.
        described: the whole of what the picture shows, in sentences, for those who do not see it.
        layers: of the specification; their marks stand in a plot of WIDTH by HEIGHT.

    Raises:
        MissingExtraError: the optional extra `report` is not installed.
    """
    try:
        import vl_convert  # noqa: PLC0415 - optional, and 84 MB
    except ImportError as error:
        raise MissingExtraError(
            "pictures are drawn by vl-convert-python, which the extra `report` brings: pip install 'scalegate[report]'"
        ) from error
    spec = _specification(plain(title, _TITLE_CHARACTERS), finding, layers)
    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
    return _finished(svg, plain(title, _TITLE_CHARACTERS), described)


def _specification(title: str, finding: str, layers: Sequence[Part]) -> Part:
    axis: Part = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "labelFontSize": 11}
    axis |= {"titleFontSize": 12, "gridColor": "#ebebeb", "domainColor": GRAY, "tickColor": GRAY}
    # Ticks stand exactly where the marks that they measure do.
    axis |= {"tickRound": False, "translate": 0}
    heading = text_at(title, 12 - _LEFT, -74, fontSize=16, fontWeight="bold", limit=TOTAL - 24)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "height": HEIGHT,
        "autosize": "none",
        "padding": {"left": _LEFT, "top": _TOP, "right": TOTAL - WIDTH - _LEFT, "bottom": _BOTTOM},
        "background": "white",
        "config": {"font": _FONT, "aria": False, "axis": axis, "view": {"stroke": None}},
        "layer": [*layers, heading, text_at(finding, 12 - _LEFT, -51, fontSize=13, limit=TOTAL - 24)],
    }


def _finished(svg: str, title: str, described: str) -> str:
    """Make the text independent of what was drawn before, and name the picture for readers who do not see it.

    Only tags are changed, and no text from outside is in a tag. The library counts clips through the life of a process;
    here they are named after the picture, so that two pictures can stand on one page.
    """
    clips: dict[str, str] = {}
    svg = _in_tags(_CLIP, lambda found: clips.setdefault(found[0], f"clip-{len(clips)}"), svg)
    name = digest_bytes(svg.encode()).removeprefix("sha256:")[:12]
    svg = _in_tags(re.compile("clip-(?=[0-9])"), lambda _: f"clip-{name}-", svg)
    svg = _in_tags(_LONG_NUMBER, lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), svg)
    opening, rest = svg.split(">", 1)
    words = f"<title>{xml(title)}</title><desc>{xml(described)}</desc>"
    return f'{opening} role="img">{words}{rest}\n'


def _in_tags(pattern: re.Pattern[str], new: Callable[[re.Match[str]], str], svg: str) -> str:
    return _TAG.sub(lambda tag: pattern.sub(new, tag[0]), svg)


def layer(mark: Part, rows: Iterable[Row], **channels: Part) -> Part:
    """Return a layer of one kind of mark over its own rows."""
    return {"mark": mark, "data": {"values": list(rows)}, "encoding": channels}


def text_at(words: str | Sequence[str], x: float, y: float, **style: object) -> Part:
    """Return a layer with words at a place in pixels, counted from the plot's upper left corner.

    Every word of a picture comes through here and loses its controls: an unpaired surrogate, say, would make the
    library end the process.
    """
    shown = plain(words) if isinstance(words, str) else [plain(line) for line in words]
    mark: Part = {"type": "text", "color": INK, "align": "left", "baseline": "middle", "fontSize": 12} | style
    return {
        "mark": mark,
        "data": {"values": [{}]},
        "encoding": {"text": {"value": shown}, "x": {"value": x}, "y": {"value": y}},
    }


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return ascending places moved as little as a simple sweep can so that each is `gap` from the next."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, low, moved[-1] + gap if moved else low))
    limit = high
    for index in reversed(range(len(moved))):
        moved[index] = min(moved[index], limit)
        limit = moved[index] - gap
    return moved


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number of things with its noun, such as `1,204 samples`."""
    return f"{number:,} {show_count(number, one, many).split(' ', 1)[1]}"


def even_ticks(end: int) -> list[int]:
    """Return at most nine whole numbers from 0 to `end`, evenly spaced by 1, 2 or 5 of a power of ten."""
    step = next(
        step for step in (digit * 10**power for power in range(len(str(end))) for digit in (1, 2, 5)) if end <= 8 * step
    )
    return list(range(0, end + 1, step))


def check_verdict(verdict: str) -> Verdict:
    """Return a verdict that is one.

    Raises:
        ValueError: for any other word.
    """
    if verdict not in COLORS:
        raise ValueError(f"a verdict is above, below or undecided, not {plain(str(verdict), 40)!r}")
    return verdict


def rate(value: Fraction) -> str:
    """Return a rate as a percentage; `~` before one that has more than two decimals."""
    exact = value * 10_000
    if exact.denominator == 1:
        return show_rate(value)
    return "~" + show_bound(value, up=False) if exact > 1 else f"~{float(value * 100):.2g}%"
