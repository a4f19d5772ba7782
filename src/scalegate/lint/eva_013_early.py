"""EVA-013: one looks while the model is made, and before."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import NEW_SCALE, TRAIN
from scalegate.lint.conditions import measured, shown
from scalegate.lint.practice import not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_KEYS = ("pre-development evaluation", "mid-training evaluation")


def _declared(subject: Subject) -> Iterator[Finding]:
    span = subject.practice_span(_KEYS[1])
    if any((found := subject.practice(key)) is not None and found.modality == "must" for key in _KEYS):
        held = any(item.actions & {TRAIN, NEW_SCALE} for item in subject.kernel.commitments)
        if not held and not subject.unread("commitments", TRAIN, NEW_SCALE):
            yield Finding(span, "models are evaluated early, and nothing holds training on the result")
        return
    if subject.unread(*(f"declares.{key}" for key in _KEYS)):
        yield not_read(span, "evaluation before and during training")
    else:
        yield Finding(span, "nothing has to be evaluated before a model is trained, or while it is")


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts that look at finished models only, and training held on evidence that never counts for training."""
    kernel = subject.kernel
    if subject.reference:
        yield from _declared(subject)
        return
    for commitment in kernel.commitments:
        if not commitment.actions & {TRAIN, NEW_SCALE}:
            continue
        for leaf, evaluation in measured(kernel, shown(commitment)):
            if evaluation.kind == "capability" and not evaluation.validity.training:
                yield Finding(
                    leaf.span,
                    f"{quote(commitment.id)} holds training on {quote(evaluation.id)}, which never counts for training",
                    cause="its evidence holds for the measured digest alone, so that no step of training is covered",
                    help="write `due:` with a multiple of compute",
                )


RULE = Rule(
    id="EVA-013",
    name="no-early-evaluation",
    severity="error",
    summary="No evaluation is required before training or during it.",
    why=(
        "A model is dangerous from the day it can be stolen or used in house, which is months before it is "
        "deployed. A gate at the door of the shop comes after all of that."
    ),
    fix="Evaluate at multiples of compute during training, and hold the next stretch on the result.",
    check=check,
)
