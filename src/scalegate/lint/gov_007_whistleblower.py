"""GOV-007: concerns have a way around those they are about."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts without a route for concerns."""
    if subject.practice("whistleblowing") is None:
        yield from missing(subject, "whistleblowing", "no way is named to raise a concern past those who decide")


RULE = Rule(
    id="GOV-007",
    name="no-whistleblower-route",
    severity="warning",
    summary="No route is named by which somebody inside can raise a concern past those who decide.",
    why=(
        "The first to know that a policy is broken are employees, and what they hear first is that it is being handled."
    ),
    fix="Declare `whistleblowing`, with a recipient who does not report to the decider.",
    check=check,
    whom="developer",
)
