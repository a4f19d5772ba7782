"""RSP-006: a line is not redrawn once it is crossed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import OUTSIDE
from scalegate.policy.diagnose import quote

FORBIDDEN = re.compile(
    r"\b(?:never|not allowed|forbidden|prohibited|may not|cannot|must not|no (?:change|rewrit)\w*)\b", re.IGNORECASE
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find clauses by which a crossed threshold can be called too strict."""
    declared = subject.practice("threshold rewrite")
    if declared is None or FORBIDDEN.search(text_of(declared)):
        return
    if not OUTSIDE.search(text_of(declared)):
        yield Finding(
            subject.practice_span("threshold rewrite"),
            f"a crossed line can be redrawn by its owner: {quote(declared.says)}",
            cause="nobody independent has to agree",
        )


RULE = Rule(
    id="RSP-006",
    name="rewritable-red-line",
    severity="error",
    summary="After a threshold is crossed its owner may declare it too strict and write another one.",
    why=(
        "The moment at which a test is called overly conservative is the moment it worked. A red line that two "
        "people can reclassify is a preference."
    ),
    fix="Refuse weakening while something is held, as the gate does; or demand independent approval, in advance.",
    check=check,
)
