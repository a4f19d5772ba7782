"""EVA-015: a claim is one that this kind of evaluation can bear."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.kernel import Evaluation
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_INTENT = re.compile(
    r"\b(?:align\w*|intent\w*|motiv\w*|goals?|values|schem\w*|honest\w*|trustworth\w*|loyal\w*)\b", re.IGNORECASE
)
_CAPABILITY = re.compile(r"\b(?:sandbag\w*|incapab\w*|unable|cannot|capabilit\w*|under-?elicit\w*)\b", re.IGNORECASE)
_INSIDE = re.compile(
    r"\b(?:decepti\w*|deceiv\w*|treacher\w*|hidden (?:goals?|motives?)|schem\w*)\b"
    r".*\b(?:exclud|impossib|rule|absen)\w*",
    re.IGNORECASE,
)
_TUNING = re.compile(r"\bgradient[- ]hack\w*|\bresist\w* (?:fine[- ]?)?tun\w*", re.IGNORECASE)


def unsupported(evaluation: Evaluation, claim: str) -> str:
    """Return why an evaluation cannot bear a claim; empty where it can."""
    tuned = any("tun" in method for method in evaluation.elicited_by)
    if evaluation.kind == "capability":
        if _INTENT.search(claim) or _INSIDE.search(claim):
            return "a capability evaluation says what a model could do, never what it would do"
        if _TUNING.search(claim) and evaluation.elicited_by and not tuned:
            return "nothing is fine-tuned here, so that there is no gradient to hack"
    if evaluation.kind == "safety":
        if _INSIDE.search(claim):
            return "whoever deceives behaves well under test: only what is understood from inside excludes that"
        if _CAPABILITY.search(claim):
            return "a safety evaluation says what a system does, never what it could do"
    return ""


def check(subject: Subject) -> Iterator[Finding]:
    """Find claims that the evaluation they stand under says nothing about."""
    for evaluation in subject.kernel.evaluations.values():
        for belief in evaluation.beliefs:
            reason = unsupported(evaluation, belief.claim)
            if reason:
                yield Finding(
                    belief.span,
                    f"the {evaluation.kind} evaluation {quote(evaluation.id)} cannot support {quote(belief.claim)}",
                    cause=reason,
                )


RULE = Rule(
    id="EVA-015",
    name="unsupported-belief",
    severity="warning",
    summary="A condition of believability claims what the kind of evaluation says nothing about.",
    why=(
        "The three kinds answer different questions: could it, would it, do we know why. An attestation that "
        "borrows the answer of another kind makes a result look stronger than it is."
    ),
    fix=(
        "Move the claim to an evaluation of the right kind, or state what this one needs: no gradient hacking "
        "where one fine-tunes, no evaluation gaming where one watches behavior."
    ),
    check=check,
    whom="own",
)
