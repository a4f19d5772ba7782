"""RAC-003: under every exception there is a floor."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.terms import Clock, Elapsed, Hole, Measure, Shown
from scalegate.lint.conditions import inevitable, terms
from scalegate.lint.practice import binding
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find clauses below which nothing is required."""
    kernel = subject.kernel
    if subject.practice("competitor clause") is not None:
        yield from binding(subject, "competitor floor", "the clause about competitors has no floor")
    for item in kernel.exceptions:
        asked = [term for _, term in terms(kernel, item.until)]
        if not inevitable(item.until, lambda leaf: isinstance(kernel.terms[leaf.term], Measure | Shown | Hole)):
            words = (
                "time alone" if asked and all(isinstance(term, Clock | Elapsed) for term in asked) else "words alone"
            )
            yield Finding(item.until.span, f"the floor of {quote(item.id)} is made of {words}")


RULE = Rule(
    id="RAC-003",
    name="no-floor",
    severity="error",
    summary="An exception, or a clause about competitors, has nothing that is required even then.",
    why="Lowering safeguards without a floor means having none on the day it matters, each because of the other.",
    fix="State what stays required even then: a weaker value, one safeguard. Words and approvals are no floor.",
    check=check,
)
