"""RAC-008: an exception is no second rule."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.quantities import show_duration
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_HALF = Fraction(1, 2)


def check(subject: Subject) -> Iterator[Finding]:
    """Find exceptions that may be open most of the time."""
    for item in subject.kernel.exceptions:
        if item.window and Fraction(item.total, item.window) > _HALF:
            yield Finding(
                subject.value("exceptions", item.id, "sunset"),
                f"{quote(item.id)} may be in use for {show_duration(item.total)} in any {show_duration(item.window)}",
                cause="most of the time, the exception is the rule",
            )


RULE = Rule(
    id="RAC-008",
    name="standing-exception",
    severity="warning",
    summary="An exception may be in use for more than half of the time.",
    why=("An emergency that lasts most of the year is a policy, and a weaker one than the policy that was published."),
    fix="Shorten what all uses together may take: `sunset: {each: 30 days, in any 12 months: 60 days}`.",
    check=check,
    whom="own",
)
