"""GOV-006: who proposes does not decide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.conditions import independent
from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_BOTH = re.compile(
    r"\b(?:also propos\w*|propos\w* and decid\w*|without the (?:advi\w+|safety) \w+|on (?:his|her|its|their) own)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find deciders who decide about their own proposal."""
    hit = says(subject.practice("decider"), _BOTH)
    if hit:
        yield Finding(subject.practice_span("decider"), f"who decides also proposes: {quote(hit)}")
    kernel = subject.kernel
    approving = kernel.amendments.approved_by
    if approving and not any(independent(kernel, role) for role in approving):
        yield Finding(
            subject.value("amendments", "approved by"),
            f"changes are approved by {quote(approving[0])}, not independent of the developer",
        )


RULE = Rule(
    id="GOV-006",
    name="decider-proposes",
    severity="warning",
    summary="Whoever decides also proposes, or a change is approved by nobody independent.",
    why="Two officers who propose, decide and interpret the words are one check, not three.",
    fix="Let another body decide: `amendments: {approved by: [board]}`, with `independent of: [developer]`.",
    check=check,
    whom="developer",
)
