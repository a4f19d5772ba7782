"""DIS-001: a report has a deadline, and the deadline a beginning."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing, own_severity
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts in which nothing has to be reported in time."""
    if any(item.within is not None for item in subject.kernel.duties.obligations.values()):
        return
    declared = subject.practice("incident report")
    if declared is None:
        yield from missing(subject, "incident report", "nothing has to be reported within any time", "obligations")
    elif not declared.number:
        yield Finding(
            subject.practice_span("incident report"),
            f"a report without a deadline: {quote(declared.says)}",
            help="write an obligation with `within:` and `from:`",
            severity=own_severity(subject),
        )


RULE = Rule(
    id="DIS-001",
    name="no-report-deadline",
    severity="error",
    summary="No report has a deadline that is counted from a named event.",
    why=(
        "Promptly is when the lawyers are done. Regimes count hours from the moment somebody believed that it happened."
    ),
    fix="Write an obligation: `within: 72 hours`, `from: incident-believed by developer`.",
    check=check,
)
