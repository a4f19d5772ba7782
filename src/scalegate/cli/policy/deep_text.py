"""What was proved about one policy, as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.cli.text import safe, wrap
from scalegate.prove.deep import Deep
from scalegate.prove.verdict import Lift, Verdict

_LIFT: dict[Lift, str] = {
    "pause": "a pause: evidence that can be had, or the calendar, lifts it",
    "open": "open: only what fills a hole lifts it, and nobody can say when that is",
    "stop": "a stop: nothing lifts it",
    "undecided": "undecided: no solver could tell what lifts it",
}


def deep_lines(found: Deep) -> Iterator[str]:
    """Yield defects, then what could lift each hold and who it takes."""
    for defect in found.defects:
        where = f"commitment {defect.commitment}: " if defect.commitment else ""
        yield wrap(safe(f"{defect.flaw}: {where}{defect.message}"), "", "  ")
    if not found.defects:
        yield "proved: no commitment is vacuous, superfluous or stuck unsaid, and weights are held wherever an API is"
    for verdict in found.verdicts:
        yield ""
        yield from _verdict(verdict)


def _verdict(verdict: Verdict) -> Iterator[str]:
    name = safe(verdict.commitment)
    if verdict.before == verdict.crossed:
        yield wrap(f"{name} is {_LIFT[verdict.crossed]}", "", "  ")
    else:
        yield wrap(f"{name} is, until something crosses it, {_LIFT[verdict.before]}", "", "  ")
        yield wrap(f"once crossed it is {_LIFT[verdict.crossed]}", "  ", "  ")
    alone = [way for way in verdict.ways if way.alone]
    open_ = [way for way in verdict.ways if way.alone is None]
    if verdict.outside_only:
        yield wrap("outside only: nothing that the developer alone can sign lifts it", "  ", "  ")
    for way in alone:
        yield wrap(f"the developer alone, by {way.path}: {way.words}", "  ", "    ")
    for way in open_:
        yield wrap(f"undecided whether the developer alone, by {way.path}: {way.words}", "  ", "    ")
    for way in verdict.ways:
        if way.alone is False:
            yield wrap(f"{way.path}: {way.words}", "  - ", "    ")


def deep_plain(found: Deep) -> dict[str, object]:
    """Return the same as plain data."""
    return {
        "defects": [
            {"flaw": item.flaw, "commitment": item.commitment, "message": item.message} for item in found.defects
        ],
        "verdicts": [
            {
                "commitment": item.commitment,
                "before": item.before,
                "crossed": item.crossed,
                "outside_only": item.outside_only,
                "ways": [{"path": way.path, "alone": way.alone, "words": way.words} for way in item.ways],
            }
            for item in found.verdicts
        ],
    }
