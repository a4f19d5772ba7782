"""DEP-006: a hold ends what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find contexts whose services outlast a hold."""
    for context in subject.kernel.contexts.values():
        if not context.withdraws:
            yield Finding(
                subject.value("contexts", context.name, "withdraw"),
                f"a hold does not end a running service in the context {quote(context.name)}",
            )


RULE = Rule(
    id="DEP-006",
    name="service-outlasts-hold",
    severity="warning",
    summary="In some context a hold does not end a service that is running.",
    why=(
        "A danger that is found after release is found in a service that is running. A hold that only forbids the next "
        "one protects nobody from this one."
    ),
    fix="Write `withdraw: yes`, or say how long users have to move away.",
    check=check,
    whom="own",
)
