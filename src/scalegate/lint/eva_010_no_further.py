"""EVA-010: below the trigger one still looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_NOTHING_MORE = re.compile(
    r"\b(?:no|without) (?:further |more |additional |other )?(?:test\w*|evaluation\w*|assessment\w*)"
    r"|\b(?:need|needs|require|requires) no (?:further |more |additional )?(?:test\w*|evaluation\w*|assessment\w*)"
    r"|\bnone is (?:needed|required)\b|\bnot (?:be )?(?:tested|evaluated|assessed)\b|\bskip\w*\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts that end testing below a trigger."""
    for key in ("cadence", "pre-development evaluation", "mid-training evaluation"):
        hit = says(subject.practice(key), _NOTHING_MORE)
        if hit:
            yield Finding(subject.practice_span(key), f"below a trigger nobody looks: {quote(hit)}")


RULE = Rule(
    id="EVA-010",
    name="no-further-testing",
    severity="warning",
    summary="Below a trigger the text ends testing altogether.",
    why=(
        "The trigger is a guess about where danger begins. A text that forbids itself to look below it never "
        "learns that the guess was wrong."
    ),
    fix="Keep a cheap test running below the trigger, and widen it when it surprises.",
    check=check,
)
