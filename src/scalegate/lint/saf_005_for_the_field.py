"""SAF-005: what is recommended to the field is not one's own promise."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find everything that is only recommended."""
    kernel = subject.kernel
    for item in kernel.commitments:
        if item.modality == "recommend":
            span = subject.value("commitments", item.id, "modality")
            yield Finding(span, f"{quote(item.id)} is recommended to others, and promised by nobody")
    for key, declared in kernel.duties.declares.items():
        if declared.modality == "recommend" and subject.practice(key) is not None:
            yield Finding(subject.practice_span(key), f"{quote(key)} is recommended to others, and promised by nobody")


RULE = Rule(
    id="SAF-005",
    name="recommended-to-the-field",
    severity="warning",
    summary=(
        "Something stands in the text as a recommendation to the whole field, where readers take it for an obligation."
    ),
    why="A level that the field should reach reads like a level that its author will reach.",
    fix="Say what you will do yourself, and keep advice to others in another document.",
    check=check,
)
