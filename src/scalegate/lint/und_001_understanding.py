"""UND-001: models that might take over are held until they are understood, or a hole says so."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import HARDER, MITIGATION
from scalegate.core.kernel import Constant
from scalegate.core.terms import Clock
from scalegate.lint.conditions import measured, shown, terms
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject

# What a model that might take over would be held from; a commitment about anything else waits for nothing.
_MATTERS = frozenset(name for name in HARDER if name.startswith(("train", "deploy", "release"))) - {MITIGATION}


def _by_decree(subject: Subject) -> bool:
    """Tell whether nothing is measured at all: stops and pauses by the calendar claim nothing that could deceive."""
    kernel = subject.kernel
    return all(
        isinstance(shown(item), Constant) or all(isinstance(term, Clock) for _, term in terms(kernel, item.when))
        for item in kernel.commitments
    )


def check(subject: Subject) -> Iterator[Finding]:
    """Find policies in which no commitment waits for understanding."""
    kernel = subject.kernel
    held = [side for item in kernel.commitments if item.actions & _MATTERS for side in (item.when, item.until)]
    used = {found.id for _, found in measured(kernel, *held)}
    used |= {getattr(term, "name", "") or getattr(term, "hole", "") for _, term in terms(kernel, *held)}
    if any(item.kind == "understanding" and item.id in used for item in kernel.evaluations.values()):
        return
    if _by_decree(subject):
        return
    cause = "a model that deceives passes every test of behavior, and hides what it can do"
    named = [item.id for item in kernel.evaluations.values() if item.kind == "understanding"]
    if named:
        yield Finding(
            subject.key("evaluations", named[0]),
            "understanding is named, and no commitment waits for it",
            cause,
            severity=None if subject.reference else "warning",
        )
    else:
        span = (
            subject.practice_span("understanding") if subject.practice("understanding") else subject.key("evaluations")
        )
        yield Finding(
            span,
            "no commitment waits for understanding, and no hole says so",
            cause,
            severity=None if subject.reference else "warning",
        )


RULE = Rule(
    id="UND-001",
    name="no-understanding-gate",
    severity="error",
    summary="No commitment waits for an understanding-based evaluation, and no declared hole stands in its place.",
    why=(
        "Behavioral tests end where a model can tell that it is tested. For models that could take over, somebody"
        " has to know why they behave well; nobody can say yet how, which is what a hole is for."
    ),
    fix="Write an evaluation with `kind: understanding` and `hole:`, and a commitment that resumes only on it.",
    check=check,
)
