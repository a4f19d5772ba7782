"""LEX-002: a duty does not end where it gets inconvenient."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.diagnostic import Span
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import CONVENIENT
from scalegate.policy.diagnose import quote


def _wordings(subject: Subject) -> Iterator[tuple[Span, str]]:
    kernel = subject.kernel
    for key, declared in kernel.duties.declares.items():
        if subject.practice(key) is not None:
            yield subject.practice_span(key), declared.says
    for item in kernel.duties.obligations.values():
        yield subject.value("obligations", item.id, "does"), item.does
    for evaluation in kernel.evaluations.values():
        yield subject.value("evaluations", evaluation.id, "score"), evaluation.score.text
    for safeguard in kernel.safeguards.values():
        yield subject.value("safeguards", safeguard.id, "stops"), safeguard.stops


def check(subject: Subject) -> Iterator[Finding]:
    """Find duties that hold as far as they suit."""
    for span, words in _wordings(subject):
        hit = CONVENIENT.search(words)
        if hit is not None:
            yield Finding(span, f"this holds as far as it suits: {quote(hit.group(0))}")


RULE = Rule(
    id="LEX-002",
    name="as-feasible",
    severity="warning",
    summary="A duty holds where feasible, practicable or appropriate.",
    why="Under pressure nothing is practicable. The words turn a duty into a description of what happened.",
    fix="Say what is done, and put the limits into numbers.",
    check=check,
)
