"""RAC-001: a clause about rivals is seen by everybody."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import AnyOf, AtLeast, Exception_
from scalegate.core.terms import Attested
from scalegate.lint.conditions import alternatives, terms
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import RIVAL, spelled
from scalegate.policy.diagnose import quote


def about_rivals(subject: Subject, item: Exception_) -> bool:
    """Tell whether an exception opens because of what other developers do."""
    claims = [item.id, *(term.predicate for _, term in terms(subject.kernel, item.when) if isinstance(term, Attested))]
    return any(RIVAL.search(spelled(claim)) for claim in claims)


def check(subject: Subject) -> Iterator[Finding]:
    """Show every clause about competitors."""
    declared = subject.practice("competitor clause")
    if declared is not None:
        yield Finding(subject.practice_span("competitor clause"), f"a clause about competitors: {quote(declared.says)}")
    kernel = subject.kernel
    for commitment in kernel.commitments:
        for part in (*alternatives(commitment.when), *alternatives(commitment.until)):
            said = [term for _, term in terms(kernel, part) if isinstance(term, Attested)]
            if not isinstance(part, AnyOf | AtLeast) and any(RIVAL.search(spelled(term.predicate)) for term in said):
                yield Finding(part.span, f"{quote(commitment.id)} has a way out because of what others do")
    for item in kernel.exceptions:
        if about_rivals(subject, item):
            yield Finding(item.span, f"{quote(item.id)} loosens {quote(item.instead_of)} because of what others do")


RULE = Rule(
    id="RAC-001",
    name="competitor-clause",
    severity="warning",
    summary=(
        "The policy can be loosened because of what competitors do. This rule shows the clause, whatever it says."
    ),
    why="The clause is a footnote in most texts that have it, and it decides what the text is worth in a race.",
    fix=(
        "Keep it, with evidence, floor, approver and publication, or remove it. Readers have to be told either "
        "way; `# lint: ignore RAC-001: REASON` says that they were."
    ),
    check=check,
)
