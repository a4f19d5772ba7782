"""EXT-004: what evaluators get to see is said."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts that do not say what outsiders have access to."""
    if not subject.reference and not subject.kernel.evaluations:
        return
    if subject.practice("auditor access") is None:
        yield from missing(
            subject,
            "auditor access",
            "which access evaluators get is not said: weights, helpful-only model, reasoning, logs",
        )


RULE = Rule(
    id="EXT-004",
    name="access-unspecified",
    severity="error",
    summary="Nothing says which access evaluators get: a helpful-only model, the chain of thought, weights, logs.",
    why=(
        "An evaluator behind the public API measures the filter. What a model could do shows only with access "
        "that the developer has to grant."
    ),
    fix="Declare `auditor access` with what is granted, and for how long.",
    check=check,
)
