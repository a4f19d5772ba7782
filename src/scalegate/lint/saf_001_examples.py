"""SAF-001: a required safeguard is required, and no example."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import EXAMPLES, spelled
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find safeguards that are illustrated, and those without any means."""
    kernel = subject.kernel
    for item in kernel.safeguards.values():
        hit = EXAMPLES.search(f"{item.stops} {spelled(item.concept)}")
        if hit is not None:
            yield Finding(
                subject.value("safeguards", item.id, "stops"),
                f"{quote(item.id)} is only illustrated: {quote(hit.group(0))}",
            )
        elif item.means is None and not item.concept:
            yield Finding(
                subject.key("safeguards", item.id),
                f"{quote(item.id)} has no means: nobody knows what is required",
                severity="warning",
            )
    for spec in kernel.holes.values():
        hit = EXAMPLES.search(spec.words)
        if hit is not None and subject.reference:
            span = subject.value("evaluations", spec.name, "hole")
            yield Finding(span, f"{quote(spec.name)} is only illustrated: {quote(hit.group(0))}")
    for key in ("security level", "red-team criterion", "interim measures", "monitoring"):
        declared = subject.practice(key)
        hit = EXAMPLES.search(declared.says) if declared is not None else None
        if hit is not None:
            yield Finding(subject.practice_span(key), f"{quote(key)} is only illustrated: {quote(hit.group(0))}")


RULE = Rule(
    id="SAF-001",
    name="safeguard-by-example",
    severity="error",
    summary="A required safeguard is given as examples, or without any means.",
    why="A list that begins with such as is met by anything, and nothing on it is ever missing.",
    fix="Pin the controls that are required: `means: NAME@sha256:...`.",
    check=check,
)
