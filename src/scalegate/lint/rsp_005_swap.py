"""RSP-005: what is required is not exchanged by those it binds."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import AnyOf, AtLeast
from scalegate.core.terms import Attested
from scalegate.lint.conditions import alternatives, by_words_alone, independent
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import RIVAL, spelled
from scalegate.policy.diagnose import quote


def about_others(term: Attested) -> bool:
    """Tell whether a statement is about what other developers do."""
    return RIVAL.search(spelled(term.predicate)) is not None


def check(subject: Subject) -> Iterator[Finding]:
    """Find interim measures, and words of dependent roles that replace a measurement."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        for part in (*alternatives(commitment.when), *alternatives(commitment.until)):
            if isinstance(part, AnyOf | AtLeast):
                continue  # each of its parts comes by itself
            said = by_words_alone(kernel, part)
            if subject.reference and any(isinstance(term, Attested) and about_others(term) for term in said):
                continue  # what depends on others is judged as a clause about competitors
            if said and not any(independent(kernel, term.role) for term in said):
                yield Finding(
                    part.span,
                    f"{quote(said[0].role)} can put its word in the place of what {quote(commitment.id)} asks for",
                    cause="it is not independent of the developer, and stands behind `or`",
                )
    declared = subject.practice("interim measures")
    if declared is not None:
        yield Finding(
            subject.practice_span("interim measures"),
            f"measures can be replaced by others that the decider finds as good: {quote(declared.says)}",
        )


RULE = Rule(
    id="RSP-005",
    name="swappable-measures",
    severity="error",
    summary="A required measure can be replaced by one that the bound party judges as good.",
    why="Equal assurance, judged by whoever lacks the required measure, is the place where a requirement ends.",
    fix="Let nothing but the measure count; or let an independent role decide, through an exception with a floor.",
    check=check,
)
