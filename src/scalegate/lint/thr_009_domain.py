"""THR-009: what is feared has a threshold."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import used_evaluations
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find fears that nothing depends on."""
    kernel = subject.kernel
    used = used_evaluations(kernel)
    for name, test in kernel.capabilities.items():
        if test in kernel.evaluations and test not in used:
            yield Finding(
                subject.key("capabilities", name),
                f"{quote(name)} is feared and tested by {quote(test)}, and no commitment depends on it",
            )
    declared = subject.practice("domains without threshold")
    if declared is not None:
        yield Finding(
            subject.practice_span("domains without threshold"),
            f"in scope and without a threshold: {quote(declared.says)}",
        )


RULE = Rule(
    id="THR-009",
    name="domain-without-threshold",
    severity="error",
    summary="A capability is named as dangerous, and no threshold follows for it.",
    why=(
        "A list of dangers that are only watched reads like protection against them. Whole domains stand on such "
        "lists in published frameworks, with no line that anything could cross."
    ),
    fix="Write a commitment that depends on its test, or declare the capability with `hole:`, which holds.",
    check=check,
)
