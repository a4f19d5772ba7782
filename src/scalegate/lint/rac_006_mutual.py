"""RAC-006: a promise does not wait for others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.practice import says
from scalegate.lint.rsp_002_training import on_rivals
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_MUTUAL = re.compile(
    r"\b(?:depends? on what|only if (?:others|rivals|the field)|as long as (?:others|rivals)|collective(?:ly)?)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find commitments that hold only in view of what others do."""
    kernel = subject.kernel
    for item in kernel.commitments:
        if on_rivals(kernel, item):
            yield Finding(item.when.span, f"{quote(item.id)} holds only in view of what others do")
    hit = says(subject.practice("competitor clause"), _MUTUAL)
    if hit:
        yield Finding(subject.practice_span("competitor clause"), f"it binds in view of what others do: {quote(hit)}")


RULE = Rule(
    id="RAC-006",
    name="binds-if-others-do",
    severity="warning",
    summary="A commitment holds only where other developers do something, too.",
    why="If all wait for the others, none of them holds anything, and every text is kept.",
    fix="Promise what you do alone; leave what all should do together to a regime that binds every developer.",
    check=check,
)
