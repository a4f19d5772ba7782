"""RSP-007: what a deployment needs, training needs a reason to do without."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import TRAIN
from scalegate.core.kernel import Commitment
from scalegate.lint.conditions import measured, safeguards
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote, spoken


def _triggers(subject: Subject, commitment: Commitment) -> frozenset[str]:
    return frozenset(found.id for _, found in measured(subject.kernel, commitment.when))


def check(subject: Subject) -> Iterator[Finding]:
    """Find pairs in which training resumes on fewer safeguards than a deployment of the same danger."""
    kernel = subject.kernel
    training = [item for item in kernel.commitments if TRAIN in item.actions and "deploy.api" not in item.actions]
    deploying = [item for item in kernel.commitments if "deploy.api" in item.actions and TRAIN not in item.actions]
    asked_by: dict[str, frozenset[str]] = {}
    for other in deploying:
        for test in _triggers(subject, other):
            asked_by[test] = asked_by.get(test, frozenset()) | safeguards(kernel, other.until)
    for held in training:
        asked = frozenset().union(*(asked_by.get(test, frozenset()) for test in _triggers(subject, held)))
        left_out = asked - safeguards(kernel, held.until)
        if left_out:
            yield Finding(
                held.until.span,
                f"{quote(held.id)} resumes without {spoken(map(quote, sorted(left_out)), 'and')}, "
                "which deployment of the same danger needs",
            )


RULE = Rule(
    id="RSP-007",
    name="training-without-safeguards",
    severity="warning",
    summary="Training resumes on fewer safeguards than deployment needs for the same danger.",
    why=(
        "A dangerous model in training is used in house every day. Safeguards that are left for later have a way "
        "of being late."
    ),
    fix="Ask for the same safeguards, or say why training does without.",
    check=check,
)
