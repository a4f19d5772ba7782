"""DEP-005: what is watched and kept has a number."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.dep_001_contexts import DEPLOYMENTS
from scalegate.lint.practice import missing, own_severity
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find deployments whose logs are kept for no stated time."""
    kernel = subject.kernel
    if not subject.reference and not any(item.actions & DEPLOYMENTS for item in kernel.commitments):
        return
    said = [subject.practice(key) for key in ("retention", "monitoring")]
    if any(item is not None and item.number for item in said):
        return
    if any(item is not None for item in said):
        key = "retention" if said[0] is not None else "monitoring"
        yield Finding(
            subject.practice_span(key),
            "what is kept or watched is said without a number",
            severity=own_severity(subject),
        )
    else:
        yield from missing(
            subject, "retention", "nothing says for how long uses of the model are kept", "declares.monitoring"
        )


RULE = Rule(
    id="DEP-005",
    name="no-retention-number",
    severity="warning",
    summary="Neither the retention of logs nor monitoring has a number.",
    why="Misuse is found weeks later, in the logs, if there are any.",
    fix="Declare `retention` with a number, such as 30 days.",
    check=check,
)
