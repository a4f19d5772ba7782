"""THR-011: a line that nothing can stay below is a stop, and says so."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Constant
from scalegate.lint.conditions import never, shown
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find conditions that no evidence could ever show."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        for condition, what in ((shown(commitment), "stay below"), (commitment.until, "end")):
            if not isinstance(condition, Constant) and never(kernel, condition):
                yield Finding(
                    condition.span,
                    f"no evidence can ever show this: {quote(commitment.id)} holds for good",
                    cause="a rate of a population is never shown to be exactly 0 or 100%, and nothing lies beyond them"
                    if what == "stay below"
                    else "whoever reads it as a condition for going on reads a stop",
                    help="write `never`, or a value that a test can reach",
                )


RULE = Rule(
    id="THR-011",
    name="undeclared-stop",
    severity="warning",
    summary="A condition can never be shown, so that it is a stop that nobody declared.",
    why=(
        "A stop may be right. Dressed as a threshold it lets its author say that there is a way on, and its "
        "critics say that there is none."
    ),
    fix="Write `unless shown: never` or `once crossed: never`; or a rate that so many items can show.",
    check=check,
)
