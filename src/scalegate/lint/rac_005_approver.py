"""RAC-005: nobody approves his own exception."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Compare, Exception_, Kernel
from scalegate.core.terms import Approved, Attested
from scalegate.lint.conditions import independent, inevitable, one_person, terms
from scalegate.lint.practice import not_read, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import OUTSIDE
from scalegate.policy.diagnose import quote, spoken


def _approval(kernel: Kernel, leaf: Compare) -> bool:
    term = kernel.terms[leaf.term]
    return leaf.above and isinstance(term, Approved) and independent(kernel, term.role)


def _exception(subject: Subject, item: Exception_) -> Iterator[Finding]:
    kernel = subject.kernel
    approving = [term.role for _, term in terms(kernel, *item.needs) if isinstance(term, Approved)]
    attesting = {term.role for _, term in terms(kernel, item.when) if isinstance(term, Attested)}
    span = subject.value("exceptions", item.id, "needs")
    if not approving:
        yield Finding(span, f"nobody has to approve {quote(item.id)}", help="add `approved by ROLE` to `needs:`")
    elif not any(independent(kernel, role) for role in approving):
        yield Finding(
            span,
            f"{quote(item.id)} is approved by {spoken(map(quote, approving), 'and')}, not independent of the developer",
            severity="error" if all(one_person(kernel, role) for role in approving) else "warning",
        )
    elif not any(inevitable(need, lambda leaf: _approval(kernel, leaf)) for need in item.needs):
        yield Finding(span, f"{quote(item.id)} can be approved without anybody independent")
    elif set(approving) <= attesting:
        yield Finding(
            span,
            f"{spoken(map(quote, approving), 'and')} attests that {quote(item.id)} is needed, and approves it",
            severity="warning",
        )


def check(subject: Subject) -> Iterator[Finding]:
    """Find exceptions without an approver who does not profit."""
    for item in subject.kernel.exceptions:
        yield from _exception(subject, item)
    if not subject.reference or subject.practice("competitor clause") is None:
        return
    declared = subject.practice("approver")
    span = subject.practice_span("approver") if declared else subject.practice_span("competitor clause")
    if subject.unread("declares.approver"):
        yield not_read(span, "approver")
    elif declared is None or not OUTSIDE.search(text_of(declared)):
        yield Finding(span, "nobody independent has to approve the use of the clause about competitors")


RULE = Rule(
    id="RAC-005",
    name="self-approved-exception",
    severity="error",
    summary="No independent role has to approve the use of an exception, or who attests the need also approves it.",
    why=(
        "Whoever wants to go on finds that the situation is exceptional. The approval is the only place where "
        "somebody can disagree."
    ),
    fix="Write `needs: [approved by ROLE]` with a role that has `independent of: [developer]` and a quorum.",
    check=check,
)
