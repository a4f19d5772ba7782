"""EVA-011: a model taught by another one is a model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_LET_OFF = re.compile(
    r"\b(?:exempt\w*|presum\w*|inherit\w*|non-?material|not material|no (?:new|further|separate) \w+|need not)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find presumptions for models that are distilled or fine-tuned."""
    hit = says(subject.practice("distilled models"), _LET_OFF)
    if hit:
        span = subject.practice_span("distilled models")
        yield Finding(span, f"models made from others are let off: {quote(hit)}")
    if not subject.kernel.teachers_count:
        yield Finding(
            subject.value("teachers"),
            "the compute of teachers does not count: a distilled model starts from nothing",
        )


RULE = Rule(
    id="EVA-011",
    name="distilled-exempt",
    severity="warning",
    summary=("Distilled or fine-tuned models are presumed harmless, or the compute of their teachers does not count."),
    why=(
        "Distillation carries a dangerous capability into a small model at a fraction of the compute, and "
        "fine-tuning can bring out what its base hid."
    ),
    fix="Count the teachers' compute, and evaluate what was distilled or fine-tuned.",
    check=check,
)
