"""RSP-003: a pause ends on something that can be measured, or says that it does not end."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Commitment, Condition, Constant
from scalegate.core.terms import Clock, Compute, Elapsed, Hole, Measure, Overdue, Shown, Specified
from scalegate.lint.conditions import conjuncts, independent, terms, worded
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import JUDGED, spelled
from scalegate.policy.diagnose import quote
from scalegate.policy.phrases import leaves


def _measurable(subject: Subject, condition: Condition) -> bool:
    """Tell whether some part of a condition is measured, is safeguarded, or is an open hole."""
    kernel = subject.kernel
    for _, term in terms(kernel, condition):
        # A hole of one's own is declared and holds; in an encoding it marks what the text itself has no measure for.
        if isinstance(term, Measure | Overdue | Compute) or (isinstance(term, Hole) and not subject.reference):
            return True
        if isinstance(term, Shown):
            safeguard = kernel.safeguards[term.safeguard]
            if not JUDGED.search(f"{spelled(safeguard.concept)} {spelled(safeguard.id)}") or safeguard.means:
                return True
    return False


def _by_time_alone(subject: Subject, condition: Condition) -> bool:
    found = [term for _, term in terms(subject.kernel, condition)]
    return bool(found) and all(isinstance(term, Clock | Elapsed) for term in found)


def _by_outsiders(subject: Subject, condition: Condition) -> bool:
    """Tell whether every word counts only from a role that is independent: that is a license, and still no measure."""
    roles = [term.role for _, term in worded(subject.kernel, condition)]
    return not subject.reference and bool(roles) and all(independent(subject.kernel, role) for role in roles)


def _finding(subject: Subject, item: Commitment) -> Finding | None:
    until = item.until
    if isinstance(until, Constant):
        if item.declared_stop or until.proven:
            return None
        return Finding(
            item.span,
            f"{quote(item.id)} does not say what would end its hold",
            help="write `once crossed, resume only if shown:` with a condition, or `once crossed: never`",
        )
    if _measurable(subject, until) or _by_time_alone(subject, until):
        return None
    if any(isinstance(term, Specified) for _, term in terms(subject.kernel, until)):
        words = "as soon as a requirement is written down, met or not"
    elif any(isinstance(leaf, Constant) for leaf in leaves(until)):
        return None
    else:
        judged = [leaf.text for leaf, term in terms(subject.kernel, until) if not isinstance(term, Clock | Elapsed)]
        words = f"on a judgment: {quote(judged[0])}"
    parts = len(list(conjuncts(until)))
    return Finding(
        until.span,
        f"{quote(item.id)} ends {words}",
        cause="" if parts == 1 else "no part of it is measured",
        severity="warning" if _by_outsiders(subject, until) else None,
    )


def check(subject: Subject) -> Iterator[Finding]:
    """Find holds whose end nobody stated, or nobody could measure."""
    for item in subject.kernel.commitments:
        found = _finding(subject, item)
        if found is not None:
            yield found


RULE = Rule(
    id="RSP-003",
    name="unmeasurable-resumption",
    severity="error",
    summary=(
        "A hold has no condition that ends it and is no declared stop, or ends on a judgment that nothing measures."
    ),
    why=(
        "A pause without a measured end ends when the pressure is large enough. Adequate, mitigated, specified "
        "and ready are the words under which published pauses end."
    ),
    fix=("Resume on a safety target or a safeguard that is shown; or write `once crossed: never`; or declare a hole."),
    check=check,
)
