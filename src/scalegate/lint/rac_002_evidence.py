"""RAC-002: what others do is shown, not believed."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Compare, Kernel
from scalegate.core.terms import Approved, Attested, Measure, Shown
from scalegate.lint.conditions import independent, inevitable, terms
from scalegate.lint.practice import binding, not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def _shown(kernel: Kernel, leaf: Compare) -> bool:
    """Tell whether a comparison is measured, or said by somebody independent; silence is neither."""
    term = kernel.terms[leaf.term]
    if isinstance(term, Attested | Approved):
        return leaf.above and independent(kernel, term.role)
    return isinstance(term, Measure | Shown)


def check(subject: Subject) -> Iterator[Finding]:
    """Find clauses that open on somebody's impression."""
    kernel = subject.kernel
    if subject.practice("competitor clause") is not None:
        if subject.unread("declares.competitor evidence"):
            yield not_read(subject.practice_span("competitor evidence"), "competitor evidence")
        else:
            yield from binding(
                subject, "competitor evidence", "the clause about competitors has no standard of evidence"
            )
    for item in kernel.exceptions:
        roles = [term.role for _, term in terms(kernel, item.when) if isinstance(term, Attested)]
        if inevitable(item.when, lambda leaf: _shown(kernel, leaf)):
            continue
        roles = [role for role in roles if not independent(kernel, role)]
        who = (
            f"the word of {quote(roles[0])}, not independent of the developer"
            if roles
            else "nothing that anybody shows"
        )
        yield Finding(item.when.span, f"the exception {quote(item.id)} opens on {who}")


RULE = Rule(
    id="RAC-002",
    name="no-evidence-standard",
    severity="error",
    summary="An exception or a clause about competitors opens without evidence from anybody independent.",
    why="That a rival is ahead is the easiest thing to believe in the world, and the rival believes the same.",
    fix="Let an independent role attest it: `when: attested NAME by ROLE`.",
    check=check,
)
