"""EVA-006: how hard one tries has a measure."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import missing
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts that say neither how much elicitation is spent nor whose skill it matches."""
    if subject.practice("elicitation budget") is None:
        yield from missing(
            subject,
            "elicitation budget",
            "neither a budget of elicitation is stated, nor whose skill it has to match",
            "declares.elicitation",
        )


RULE = Rule(
    id="EVA-006",
    name="no-elicitation-budget",
    severity="error",
    summary="No budget of elicitation is stated, and no adversary whose skill it has to match.",
    why=(
        "State of the art means as much as one likes. What an afternoon of prompting cannot find, a month of a "
        "motivated group does."
    ),
    fix="State a share of the training cost or compute, or the group that elicitation has to match.",
    check=check,
    whom="reference",
)
