"""RSP-002: training can be held."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import NEW_SCALE, TRAIN
from scalegate.core.diagnostic import Severity
from scalegate.core.kernel import Commitment, Kernel
from scalegate.core.terms import Approved, Attested
from scalegate.lint.conditions import about_age, terms
from scalegate.lint.practice import not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import RIVAL, spelled


def on_rivals(kernel: Kernel, commitment: Commitment) -> bool:
    """Tell whether a commitment waits for what other developers do before it holds."""
    return any(
        isinstance(term, Attested) and RIVAL.search(spelled(term.predicate))
        for _, term in terms(kernel, commitment.when)
    )


def _by_word_alone(kernel: Kernel, commitment: Commitment) -> bool:
    """Tell whether a trigger is nothing but what somebody says, and silence lets go on."""
    found = [term for _, term in terms(kernel, commitment.when)]
    return (
        commitment.unsettled != "hold" and bool(found) and all(isinstance(term, Attested | Approved) for term in found)
    )


def check(subject: Subject) -> Iterator[Finding]:
    """Find policies that never stop training; a rhythm of tests and a judgment are no such hold."""
    kernel = subject.kernel
    holds = [
        item
        for item in kernel.commitments
        if item.actions & {TRAIN, NEW_SCALE}
        and item.modality == "must"
        and not about_age(kernel, item.when)
        and not _by_word_alone(kernel, item)
    ]
    if any(not on_rivals(kernel, item) for item in holds):
        return
    span = subject.key("commitments")
    # A regime about deployments may leave training to others; a developer has nobody to leave it to.
    severity: Severity | None = "warning" if kernel.kind == "regime" else None
    if holds:
        yield Finding(span, "training is held only in view of what others do", severity=severity)
    elif subject.unread("commitments", TRAIN, NEW_SCALE):
        yield not_read(span, "holds on training")
    else:
        weaker = any(item.actions & {TRAIN, NEW_SCALE} for item in kernel.commitments)
        message = "nothing obliges to hold training" if weaker else "nothing holds training"
        yield Finding(span, message, severity=severity)


RULE = Rule(
    id="RSP-002",
    name="training-never-held",
    severity="error",
    summary="No commitment holds training, or only where other developers do something first.",
    why=(
        "A policy about scaling that only regulates deployment lets the dangerous model be made, stored, stolen "
        "and used in house. Most published frameworks hold the sale and not the scaling."
    ),
    fix="Hold `train` on a capability evaluation, as a duty and whatever others do.",
    check=check,
)
