"""DEP-004: a partner's system is evaluated as the partner builds it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.terms import Measure
from scalegate.lint.conditions import terms
from scalegate.lint.practice import not_read, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject

_BUILT = re.compile(r"\b(?:scaffold\w*|integrat\w*|tools? (?:use|loop)|agents?)\b", re.IGNORECASE)
_PARTNERS = "deploy.partners"


def check(subject: Subject) -> Iterator[Finding]:
    """Find deployments whose scaffolds nobody evaluates."""
    kernel = subject.kernel
    held = [item for item in kernel.commitments if _PARTNERS in item.actions]
    for item in held:
        for _, term in terms(kernel, item.when, item.until):
            if isinstance(term, Measure) and term.every_scaffold:
                return
    declared = subject.practice("partners")
    if declared is not None and _BUILT.search(text_of(declared)):
        return
    if subject.unread("declares.partners"):
        yield not_read(subject.practice_span("partners"), "partners")
    elif held or subject.reference:
        span = subject.practice_span("partners") if declared else subject.key("commitments")
        yield Finding(span, "what partners build around the model is evaluated by nobody")


RULE = Rule(
    id="DEP-004",
    name="scaffolds-unevaluated",
    severity="warning",
    summary="Partners and users may put scaffolds around the model that nobody evaluated.",
    why=(
        "A model that cannot finish a task in one go finishes it with a loop around it. What is deployed is the system."
    ),
    fix="Ask for a value `under every scaffold of the context`, and list the scaffolds of each context.",
    check=check,
)
