"""GOV-009: powers over the developer are not the developer's."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import independent
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find stop orders and countersignatures of roles that are not independent of the developer."""
    kernel = subject.kernel
    for path, roles, what in (
        (("stop orders", "by"), kernel.stop_orders_by, "gives stop orders, and lifts them"),
        (("permits", "countersigned by"), kernel.countersigned_by, "countersigns permits"),
    ):
        for role in roles:
            if not independent(kernel, role):
                yield Finding(subject.value(*path), f"{quote(role)} {what}, and is not independent of the developer")


RULE = Rule(
    id="GOV-009",
    name="dependent-power",
    severity="error",
    summary="A role that stops or countersigns is not independent of the developer.",
    why="A signature that the developer can give to itself is one line more in the log, and no check.",
    fix="Give the role `independent of: [developer]`, or name another one.",
    check=check,
    whom="own",
)
