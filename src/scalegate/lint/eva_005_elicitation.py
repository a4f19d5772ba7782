"""EVA-005: capabilities are drawn out by fine-tuning, and that is a duty."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.conditions import measured
from scalegate.lint.practice import binding, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_STRONG = re.compile(
    r"\bfine[- ]?tun\w*|\bhelpful[- ]only\b|\bwithout (?:safety training|safeguards|mitigations|refusals)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:no|not|never|without|except|but|rather than|instead of) (?:any |basic |further )?"
    r"(?:fine[- ]?tun\w*|helpful[- ]only)\b"
    r"|\bfine[- ]?tun\w* (?:is|was|are) (?:not|no part|left out)\b",
    re.IGNORECASE,
)


def strong(words: str) -> bool:
    """Tell whether a wording asks for fine-tuning or a helpful-only model, and does not say that there is none."""
    return _STRONG.search(_NOT.sub("", words)) is not None


def check(subject: Subject) -> Iterator[Finding]:
    """Find capability evaluations that only ask."""
    kernel = subject.kernel
    if subject.reference:
        declared = subject.practice("elicitation")
        if declared is None or declared.modality != "must":
            yield from binding(subject, "elicitation", "nothing says that capabilities are drawn out by fine-tuning")
        elif not strong(text_of(declared)):
            yield Finding(
                subject.practice_span("elicitation"),
                f"fine-tuning is no part of how capabilities are drawn out: {quote(declared.says)}",
            )
        return
    seen: set[str] = set()
    for commitment in kernel.commitments:
        for _, evaluation in measured(kernel, commitment.when):
            if evaluation.kind != "capability" or evaluation.id in seen:
                continue
            seen.add(evaluation.id)
            if not any(strong(method.replace("-", " ")) for method in evaluation.elicited_by):
                yield Finding(
                    subject.value("evaluations", evaluation.id, "elicited by"),
                    f"{quote(evaluation.id)} is measured without fine-tuning",
                    help="add `fine-tuning` to `elicited by:`",
                    severity="warning",
                )


RULE = Rule(
    id="EVA-005",
    name="weak-elicitation",
    severity="error",
    summary="Capabilities are not drawn out by fine-tuning, or of a helpful-only model, as a duty.",
    why=(
        "A model that refuses, or that was asked badly, looks harmless. Whoever steals its weights fine-tunes it "
        "for the price of a dinner and finds what the test did not."
    ),
    fix="Demand fine-tuning with `elicited by: [prompting, scaffolds, fine-tuning]`.",
    check=check,
)
