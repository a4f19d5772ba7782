"""DIS-005: who owes does not sign the receipt."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import independent
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find obligations that are met when whoever has them says so."""
    kernel = subject.kernel
    for item in kernel.duties.obligations.values():
        if not independent(kernel, item.met.role):
            yield Finding(
                subject.value("obligations", item.id, "met when"),
                f"{quote(item.id)} is met when {quote(item.met.role)} says so, who is not independent of the developer",
            )


RULE = Rule(
    id="DIS-005",
    name="self-discharged",
    severity="warning",
    summary="An obligation counts as met by the word of a role that is not independent of the developer.",
    why="A report counts when it has arrived. Only whoever receives it can say that.",
    fix="Write `met when: NAME by ROLE` with the role that receives it.",
    check=check,
    whom="own",
)
