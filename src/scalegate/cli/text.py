"""Text for a terminal: nothing that others wrote may steer it."""

from __future__ import annotations

import re
import textwrap

WIDTH = 96
# How runners of continuous integration take commands from what a step prints: `::` first on a line, `##[` anywhere.
_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)
_OLD_COMMAND = "##["
_SIMPLE = re.compile(r"[\x20-\x7e]*", re.ASCII)


def safe(text: str, limit: int | None = None) -> str:
    """Return one line in which controls, overrides of direction and the like are visible escapes."""
    if _SIMPLE.fullmatch(text) and (limit is None or len(text) <= limit):
        return text
    # Deferred: most answers are plain ASCII, and `gate` has to start quickly.
    from scalegate.ingest.sanitize import plain  # noqa: PLC0415

    return plain(text, limit)


def unheard(text: str) -> str:
    """Return finished lines in which nothing is a command for a runner: the mark is shown with a backslash."""
    return _COMMAND.sub(r"\1\\::", text).replace(_OLD_COMMAND, r"#\#[")


def unheard_json(text: str) -> str:
    """Return JSON of the same meaning in which nothing is a command for a runner."""
    return text.replace(_OLD_COMMAND, r"\u0023#[")


def wrap(text: str, first: str, rest: str) -> str:
    """Return safe text wrapped to the width, `first` before its first line and `rest` before others."""
    return textwrap.fill(
        safe(text),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns(rows: list[tuple[str, ...]], gap: str = "  ") -> list[str]:
    """Return rows of safe cells as lines with aligned columns."""
    cells = [tuple(safe(cell, 200) for cell in row) for row in rows]
    if not cells:
        return []
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    return [gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
