"""EVA-008: a result says how sure it is."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts that say nothing of samples, tries or errors."""
    declared = subject.practice("sample size")
    if declared is not None and not declared.number:
        span = subject.practice_span("sample size")
        yield Finding(span, f"sample sizes are spoken of, without a number: {quote(declared.says)}")
    elif declared is None:
        yield from missing(subject, "sample size", "nothing is said of sample sizes, tries or errors")


RULE = Rule(
    id="EVA-008",
    name="no-uncertainty-rule",
    severity="error",
    summary="Neither a sample size nor a rule for uncertainty is stated.",
    why=(
        "Ten items without a failure say next to nothing about a rate of one in a thousand. Without a rule the "
        "point estimate is compared with the line, and half of all models at the line pass."
    ),
    fix="State the number of items and tries, or the error that a wrong all-clear may have.",
    check=check,
    whom="reference",
)
