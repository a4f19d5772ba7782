"""THR-012: a condition is one that could fail."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import always, never, shown
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find commitments that never hold, resumptions that are free, and scopes that bind nobody."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        if always(kernel, shown(commitment)):
            yield Finding(
                shown(commitment).span,
                f"{quote(commitment.id)} never holds: this is always so",
                cause="nothing that could be measured would cross it",
            )
        elif always(kernel, commitment.until):
            yield Finding(
                commitment.until.span,
                f"{quote(commitment.id)} ends as soon as it begins: this is always so",
                cause="whatever crosses the line goes on at once",
            )
    for item in kernel.exceptions:
        if always(kernel, item.when):
            yield Finding(item.when.span, f"the exception {quote(item.id)} is open at all times: this is always so")
    if never(kernel, kernel.scope):
        yield Finding(kernel.scope.span, "the policy binds nothing: its scope is never met")


RULE = Rule(
    id="THR-012",
    name="trivial-condition",
    severity="error",
    summary="A condition always holds, so that the commitment never does; or the scope is never met.",
    why="Such a line is in the text, in the summary and on the slide, and holds nothing.",
    fix="Write a value that a dangerous model would cross, or remove the commitment.",
    check=check,
)
