"""EXT-005: outsiders may say what they found."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing, own_severity
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find results that can be kept back without limit."""
    if not subject.reference and not subject.kernel.evaluations:
        return
    declared = subject.practice("publication of results")
    if declared is None:
        yield from missing(
            subject, "publication of results", "nothing says when results are published, or who may delay them"
        )
    elif declared.modality != "must" or not declared.number:
        yield Finding(
            subject.practice_span("publication of results"),
            f"publication can be put off without limit: {quote(declared.says)}",
            severity=own_severity(subject),
        )


RULE = Rule(
    id="EXT-005",
    name="publication-without-cap",
    severity="warning",
    summary="The publication of results can be delayed or vetoed without limit.",
    why=(
        "A finding that appears after the launch has warned nobody. A code of practice caps the delay; no "
        "developer's text does."
    ),
    fix="Declare `publication of results` with a number of days, as something that must happen.",
    check=check,
    whom="developer",
)
