"""RSP-004: what counts is a duty."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

# The practices that make up the response itself.
CORE = (
    "cadence",
    "safety buffer",
    "pre-development evaluation",
    "mid-training evaluation",
    "resumption",
    "inconclusive results",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find commitments, obligations and core practices that bind less than must."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        if commitment.modality != "must":
            span = subject.value("commitments", commitment.id, "modality")
            yield Finding(span, f"{quote(commitment.id)} is no duty: {quote(commitment.modality)}")
    for obligation in kernel.duties.obligations.values():
        if obligation.modality != "must":
            span = subject.value("obligations", obligation.id, "modality")
            yield Finding(span, f"{quote(obligation.id)} is no duty: {quote(obligation.modality)}")
    for key in CORE:
        declared = subject.practice(key)
        if declared is not None and declared.modality != "must":
            span = subject.practice_span(key)
            yield Finding(
                span, f"{quote(key)} is no duty: {quote(declared.modality)}", cause=f"it says {quote(declared.says)}"
            )


RULE = Rule(
    id="RSP-004",
    name="downgraded-commitment",
    severity="error",
    summary="A commitment, an obligation or a core practice is an aim, a possibility or a recommendation.",
    why="May hold and aims to evaluate are not promises. Between versions, will becomes may without a headline.",
    fix="Write what must happen, or say openly that nothing is promised.",
    check=check,
    whom="reference",
)
