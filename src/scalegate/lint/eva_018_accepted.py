"""EVA-018: what counts was registered before, and nobody touched it."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import used_evaluations
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find evaluations that accept totals, edited scores or runs from before they were registered."""
    kernel = subject.kernel
    for name in sorted(used_evaluations(kernel)):
        item = kernel.evaluations[name]
        accepted = [
            words
            for words, counts in (
                ("a total without its samples", item.accept_aggregate),
                ("scores that were edited afterwards", item.accept_edited),
                ("runs that began before they were registered", item.accept_earlier),
            )
            if counts
        ]
        for words in accepted:
            yield Finding(subject.value("evaluations", name, "accept"), f"{quote(name)} lets {words} count")


RULE = Rule(
    id="EVA-018",
    name="unregistered-evidence",
    severity="warning",
    summary="An evaluation lets totals, edited scores or runs from before their registration count.",
    why=(
        "The best of many runs looks like any run. Whoever may register afterwards registers the one that passed, and "
        "whoever may edit a score needs no other run."
    ),
    fix="Leave `accept:` out, and register runs before they begin.",
    check=check,
    whom="own",
)
