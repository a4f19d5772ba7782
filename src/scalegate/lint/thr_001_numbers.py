"""THR-001: a threshold has something that is measured, an operator, a value and a unit."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Kernel
from scalegate.core.terms import Attested
from scalegate.lint.conditions import about_age, always, in_words, measured, never, shown, terms
from scalegate.lint.practice import not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import RIVAL, spelled
from scalegate.policy.diagnose import quote


def _rests_on_words(kernel: Kernel, index: int) -> str:
    """Return the claim that a trigger rests on where it measures nothing; empty otherwise."""
    commitment = kernel.commitments[index]
    # A bound that every result meets, or none, measures nothing.
    if any(not always(kernel, leaf) and not never(kernel, leaf) for leaf, _ in measured(kernel, commitment.when)):
        return ""
    claims = [term.predicate for _, term in terms(kernel, commitment.when) if isinstance(term, Attested)]
    return next((claim for claim in claims if not RIVAL.search(spelled(claim))), "")


def _encoded(subject: Subject) -> Iterator[Finding]:
    """Yield each concept of an encoding whose threshold the published text states in words alone, once."""
    kernel = subject.kernel
    seen: set[str] = set()
    for commitment in kernel.commitments:
        if about_age(kernel, commitment.when):
            continue
        for leaf, evaluation in measured(kernel, shown(commitment)):
            if in_words(kernel, leaf) and evaluation.id not in seen:
                seen.add(evaluation.id)
                yield Finding(
                    leaf.span, f"the text has no number for {quote(evaluation.id)}: its own words are the threshold"
                )


def check(subject: Subject) -> Iterator[Finding]:
    """Find triggers that somebody judges and nobody measures."""
    yield from _encoded(subject)
    for index, commitment in enumerate(subject.kernel.commitments):
        claim = _rests_on_words(subject.kernel, index)
        if claim and commitment.modality in {"must", "aim"}:
            yield Finding(
                shown(commitment).span,
                f"the threshold of {quote(commitment.id)} is a judgment: {quote(claim)}",
                cause="nobody can tell before the fact which result would cross it",
            )
    declared = subject.practice("thresholds")
    if declared is not None and not declared.number:
        yield Finding(
            subject.practice_span("thresholds"),
            f"thresholds without a number: {quote(declared.says)}",
            cause="two readers of the same result can disagree about what follows from it",
        )
    if subject.reference and not subject.kernel.commitments and declared is None:
        if subject.unread("commitments", "declares.thresholds"):
            yield not_read(subject.key("id"), "thresholds")
        else:
            yield Finding(subject.key("id"), "no threshold is stated")


RULE = Rule(
    id="THR-001",
    name="threshold-without-number",
    severity="error",
    summary="A trigger rests on a judgment, or is stated in words: nothing is compared with a number.",
    why=(
        "A line that is drawn in words is drawn again by whoever has to cross it. What counts is then decided "
        "after the result is known, by those who want to go on."
    ),
    fix=(
        "Name the evaluation, the operator and the value: `unless shown: autonomy <= 20%`. Where nobody can "
        "measure it yet, declare a hole: it holds until somebody can."
    ),
    check=check,
)
