"""GOV-001: who approves a change has a name."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing, says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import UNNAMED
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find policies that somebody may change."""
    if subject.reference:
        declared = subject.practice("approver")
        hit = says(declared, UNNAMED)
        if declared is None:
            yield from missing(subject, "approver", "who has to approve a change is not said")
        elif hit:
            yield Finding(subject.practice_span("approver"), f"who approves has no name: {quote(hit)}")
    elif not subject.kernel.amendments.approved_by:
        yield Finding(
            subject.key("amendments"),
            "no role has to approve a change of this policy",
            help="write `amendments: {approved by: ROLE, notice: 30 days}`",
            severity="warning",
        )


RULE = Rule(
    id="GOV-001",
    name="unnamed-approver",
    severity="error",
    summary="Who has to approve a change is no named role or body.",
    why=(
        "The appropriate function is whoever agreed. Names were taken out of a published framework between two "
        "versions."
    ),
    fix="Write `amendments: {approved by: [board, auditor]}`.",
    check=check,
    whom="developer",
)
