"""THR-008: what is measured after mitigation does not stand alone."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import measured, shown
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote, spoken


def check(subject: Subject) -> Iterator[Finding]:
    """Find policies whose every trigger is behavior."""
    kernel = subject.kernel
    kinds: dict[str, str] = {}
    first = None
    for commitment in kernel.commitments:
        for _, evaluation in measured(kernel, commitment.when):
            kinds[evaluation.id] = evaluation.kind
            first = first or commitment
    if first is not None and set(kinds.values()) == {"safety"}:
        yield Finding(
            shown(first).span,
            f"every trigger is a measure of behavior: {spoken(map(quote, sorted(kinds)), 'and')}",
            cause="nothing says what the model could do with its mitigations gone, or once it is stolen",
        )


RULE = Rule(
    id="THR-008",
    name="no-capability-gate",
    severity="warning",
    summary="All triggers measure behavior after mitigation; none measures what the model could do.",
    why=(
        "Refusals are trained away in an afternoon, and stolen weights come without them. A gate on behavior "
        "alone never stops the training of a dangerous model that is polite."
    ),
    fix="Add a capability evaluation of the weights before mitigation, and hold on that.",
    check=check,
)
