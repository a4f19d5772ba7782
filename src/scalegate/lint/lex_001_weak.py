"""LEX-001: what sounds like a promise is one."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import WEAK
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find declarations and obligations that promise less than they sound."""
    for key, declared in subject.kernel.duties.declares.items():
        if subject.practice(key) is None:
            continue
        hit = WEAK.search(declared.says)
        if declared.modality in {"aim", "may"}:
            yield Finding(subject.practice_span(key), f"{quote(key)} is no promise: {quote(declared.modality)}")
        elif hit is not None and not subject.reference:
            yield Finding(
                subject.practice_span(key), f"{quote(key)} promises less than it sounds: {quote(hit.group(0))}"
            )
    for item in subject.kernel.duties.obligations.values():
        hit = WEAK.search(item.does)
        if hit is not None:
            yield Finding(
                subject.value("obligations", item.id, "does"),
                f"{quote(item.id)} promises less than it sounds: {quote(hit.group(0))}",
            )


RULE = Rule(
    id="LEX-001",
    name="weak-word",
    severity="warning",
    summary="A normative sentence says may, aims, could or intends.",
    why="The words are chosen with care, by lawyers, and read without it, by everybody else.",
    fix="Write what happens, or leave the sentence out.",
    check=check,
)
