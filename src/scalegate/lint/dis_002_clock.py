"""DIS-002: a clock is no slower than what law asks elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.quantities import DAY, HOUR, MINUTE, MONTH, WEEK, YEAR, show_duration
from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import SPAN_OF_TIME, spelled
from scalegate.policy.diagnose import quote

# The shortest clock for incidents in general that a law counts in: New York, RAISE Act, from reasonable belief.
SHORTEST = 72 * HOUR
_UNITS = {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK, "month": MONTH, "year": YEAR}

_ABOUT = re.compile(r"\b(?:incidents?|breach\w*|accidents?|mishaps?|thefts?|stolen)\b", re.IGNORECASE)


def _declared(words: str) -> int:
    """Return the longest span of time that a text names, in seconds; 0 for none."""
    found = [int(count) * _UNITS[unit.lower()] for count, unit in SPAN_OF_TIME.findall(words) if len(count) < 6]
    return max(found, default=0)


def check(subject: Subject) -> Iterator[Finding]:
    """Find clocks for incidents that run longer than the shortest one in law."""
    limit = show_duration(SHORTEST)
    for item in subject.kernel.duties.obligations.values():
        about = " ".join((item.id, item.does, *item.about, *(event.predicate for event in item.starts)))
        if item.within is not None and item.within > SHORTEST and _ABOUT.search(spelled(about)):
            span = subject.value("obligations", item.id, "within")
            yield Finding(span, f"{quote(item.id)} may take {show_duration(item.within)}, where a law asks for {limit}")
    declared = subject.practice("incident report")
    slowest = _declared(text_of(declared)) if declared is not None else 0
    if slowest > SHORTEST:
        span = subject.practice_span("incident report")
        yield Finding(span, f"an incident is reported within {show_duration(slowest)}, where a law asks for {limit}")


RULE = Rule(
    id="DIS-002",
    name="slower-than-law",
    severity="warning",
    summary="A clock for incidents runs longer than the shortest one that a law sets.",
    why=("Regimes differ by more than a factor of five. Whoever is bound by several of them is bound by the fastest."),
    fix="Take the shortest clock that binds anywhere, or say which regime this one follows.",
    check=check,
)
