"""THR-002: a threshold that is not published is committed to by its hash."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find thresholds that exist and are shown to nobody."""
    declared = subject.practice("withheld thresholds")
    if declared is not None and "sha256:" not in f"{declared.says} {declared.number}":
        yield Finding(
            subject.practice_span("withheld thresholds"),
            f"values are withheld, and nothing pins them: {quote(declared.says)}",
            cause="a value that nobody saw can be another one tomorrow",
        )


RULE = Rule(
    id="THR-002",
    name="withheld-threshold",
    severity="warning",
    summary="A value exists and is withheld, and no hash commits its owner to it.",
    why=(
        "There can be reasons not to publish a value. There is none for being able to change it unseen after the "
        "result."
    ),
    fix=(
        "Publish the hash of the sealed value beside the text (`number: NAME@sha256:...`), and open it to the auditor."
    ),
    check=check,
)
