"""UND-003: a hole is not filled by those whom it stops."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import independent
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote, spoken


def check(subject: Subject) -> Iterator[Finding]:
    """Find holes that only dependent roles have to agree about."""
    kernel = subject.kernel
    for spec in kernel.holes.values():
        roles = spec.filled_only_by
        if roles and not any(independent(kernel, role) for role in roles):
            name = spec.name.removeprefix("capability.")
            section = "evaluations" if name == spec.name else "capabilities"
            yield Finding(
                subject.value(section, name, "filled only by"),
                f"the hole {quote(name)} is filled by {spoken(map(quote, roles), 'and')}, "
                "not independent of the developer",
            )


RULE = Rule(
    id="UND-003",
    name="hole-filled-by-owner",
    severity="error",
    summary="No role that may fill a hole is independent of the developer.",
    why=(
        "The first thing that is put into a hole decides everything after it. If those who are held put it there,"
        " the hole was a delay."
    ),
    fix="Add a role with `independent of: [developer]` under `filled only by:`; all of them have to agree.",
    check=check,
    whom="own",
)
