"""DEP-002: what one uses in house is used."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.dep_001_contexts import DEPLOYMENTS
from scalegate.lint.practice import not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote, spoken

_INTERNAL = "deploy.internal"


def check(subject: Subject) -> Iterator[Finding]:
    """Find deployment gates that begin at the door."""
    kernel = subject.kernel
    outward = [item.id for item in kernel.commitments if item.actions & DEPLOYMENTS and _INTERNAL not in item.actions]
    inward = [item for item in kernel.commitments if _INTERNAL in item.actions and item.modality == "must"]
    if inward or (not outward and not subject.reference):
        return
    span = (
        subject.practice_span("internal deployment")
        if subject.practice("internal deployment")
        else subject.key("commitments")
    )
    if subject.unread("declares.internal deployment", _INTERNAL):
        yield not_read(span, "internal deployment")
        return
    named = f": {spoken(map(quote, outward[:3]), 'and')}" if outward else ""
    yield Finding(
        span, "no commitment holds internal use" + (f", though others hold what goes out{named}" if named else "")
    )


RULE = Rule(
    id="DEP-002",
    name="internal-use-ungated",
    severity="error",
    summary="Deployment to others is held, and use inside the company is not.",
    why=(
        "The most capable model is used in house for months before anybody outside hears of it, with the most "
        "access and for the most sensitive work: making the next one."
    ),
    fix="Hold `deploy` or `deploy.internal`: it covers everything above it.",
    check=check,
)
