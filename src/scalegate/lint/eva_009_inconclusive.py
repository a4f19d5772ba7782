"""EVA-009: a result that settles nothing has a consequence."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import binding
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts in which silence lets go on."""
    loose = [item for item in subject.kernel.commitments if item.unsettled != "hold"]
    for item in loose:
        words = "the developer decides" if item.unsettled == "discretion" else "one goes on"
        yield Finding(
            subject.value("commitments", item.id, "unknown"), f"where {quote(item.id)} is not settled, {words}"
        )
    if not loose:
        yield from binding(
            subject, "inconclusive results", "nothing says what follows from a result that settles nothing"
        )


RULE = Rule(
    id="EVA-009",
    name="inconclusive-without-default",
    severity="error",
    summary="A result that settles nothing has no consequence, or is left to whoever wants to go on.",
    why=(
        "Most results near a line settle nothing. If a holistic judgment takes over there, the line applies only "
        "where it does not matter."
    ),
    fix="Treat what cannot be ruled out as crossed.",
    check=check,
    whom="reference",
)
