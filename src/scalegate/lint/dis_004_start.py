"""DIS-004: a clock has something that starts it."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import own_severity, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import SPAN_OF_TIME, START
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find deadlines that nobody can say when they begin."""
    declared = subject.practice("incident report")
    if declared is None or any(item.starts for item in subject.kernel.duties.obligations.values()):
        return
    words = text_of(declared)
    if SPAN_OF_TIME.search(words) and not START.search(words):
        yield Finding(
            subject.practice_span("incident report"),
            f"a deadline without a beginning: {quote(declared.number or declared.says)}",
            help="write an obligation: `within:` the time, `from:` an event by a role",
            severity=own_severity(subject),
        )


RULE = Rule(
    id="DIS-004",
    name="clock-without-start",
    severity="error",
    summary="A deadline is stated, and nothing says which event starts its clock.",
    why=(
        "Whether seventy-two hours begin with the incident, with its discovery or with the meeting that calls it "
        "one is the difference between days and months."
    ),
    fix=(
        "Write an obligation with `from: NAME by ROLE`. Anybody's statement starts it, so that nobody can put it off."
    ),
    check=check,
)
