"""RSP-009: the same danger has no weaker consequence than before."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.since import weakenings
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find commitments that held more, bound more, or asked for more in the older version."""
    if subject.older is not None:
        for path, message, cause in weakenings(subject.older, subject.kernel):
            yield Finding(subject.key(*path), message, cause=cause)


RULE = Rule(
    id="RSP-009",
    name="weaker-than-before",
    severity="warning",
    summary="A commitment is gone, holds less, binds less, or asks for less than in the older version.",
    why=(
        "In a study of eight pairs of published versions, three in four of the material changes that were no additions "
        "weakened something, and two in three could not be found in the provider's own account."
    ),
    fix=(
        "Keep the older consequence, or say in the changelog what replaced it. `policy diff` proves what a change"
        " permits; this rule only compares the texts."
    ),
    check=check,
    compares=True,
)
