"""EVA-012: the items stay the same, or the result starts anew."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Evaluation
from scalegate.lint.conditions import measured
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def _loose(evaluation: Evaluation) -> bool:
    return evaluation.hole is None and not evaluation.concept and evaluation.digest is None


def check(subject: Subject) -> Iterator[Finding]:
    """Find tests whose items can be exchanged under the same name; in encodings one finding stands for all."""
    kernel = subject.kernel
    for evaluation in kernel.evaluations.values():
        if _loose(evaluation):
            span = subject.value("evaluations", evaluation.id, "test")
            yield Finding(span, f"the items of {quote(evaluation.id)} are not pinned")
    for commitment in kernel.commitments:
        for leaf, evaluation in measured(kernel, commitment.when):
            if evaluation.concept:
                yield Finding(
                    subject.value("evaluations", evaluation.id, "concept"),
                    f"{quote(leaf.text)} is decided by whichever items are chosen at the time",
                )
                return


RULE = Rule(
    id="EVA-012",
    name="exchangeable-test",
    severity="warning",
    summary=(
        "Which items are tested is not pinned, so that a saturated or an inconvenient test can be exchanged unseen."
    ),
    why=(
        "Benchmarks saturate and leak. If the list can change without starting anew, the number in the policy "
        "keeps its digits and loses its meaning."
    ),
    fix="Pin the items (`test: NAME@sha256:...`), held by the auditor where they have to stay secret.",
    check=check,
)
