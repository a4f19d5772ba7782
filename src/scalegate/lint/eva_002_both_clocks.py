"""EVA-002: compute and the calendar both run."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.quantities import YEAR
from scalegate.lint.conditions import measured
from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import COMPUTE, TIME
from scalegate.policy.diagnose import quote

_TIMELESS = "elicitation gets better with time, at the same compute"
_BOUNDLESS = "a run can grow tenfold before the date comes"

# Beyond a hundredfold of compute, or two years, nobody waits for an evaluation any more.
_FAR_COMPUTE, _FAR_TIME = 100, 2 * YEAR


def check(subject: Subject) -> Iterator[Finding]:
    """Find evaluations that are due by one of the two alone."""
    kernel = subject.kernel
    if subject.reference:
        declared = subject.practice("cadence")
        if declared is not None and declared.number:
            words = text_of(declared)
            compute, time = bool(COMPUTE.search(words)), bool(TIME.search(words))
            if compute != time:
                only = "compute" if compute else "the calendar"
                yield Finding(
                    subject.practice_span("cadence"),
                    f"models are evaluated by {only} alone: {quote(declared.number)}",
                    cause=_TIMELESS if compute else _BOUNDLESS,
                )
        return
    seen: set[str] = set()
    for commitment in kernel.commitments:
        for _, evaluation in measured(kernel, commitment.when):
            due = evaluation.validity
            # A clock that never rings is none.
            compute = due.due_compute is not None and due.due_compute <= _FAR_COMPUTE
            time = due.due_time is not None and due.due_time <= _FAR_TIME
            if (
                evaluation.id in seen
                or evaluation.kind != "capability"
                or (compute == time and (compute or due.due_compute is None is due.due_time))
            ):
                continue
            seen.add(evaluation.id)
            only = "compute" if compute else "the calendar" if time else "clocks that never ring"
            key = "due" if subject.entry("evaluations", evaluation.id, "due") else "valid for"
            yield Finding(
                subject.value("evaluations", evaluation.id, key),
                f"{quote(evaluation.id)} is due by {only} alone",
                cause=_TIMELESS if compute else _BOUNDLESS,
            )


RULE = Rule(
    id="EVA-002",
    name="one-clock-only",
    severity="warning",
    summary="An evaluation is due by compute alone, or by the calendar alone.",
    why=(
        "By compute alone, a finished model is never looked at again although others learn how to draw more out "
        "of it. By the calendar alone, a run outgrows its last evaluation in between."
    ),
    fix="Give both, whichever is first: `at 4x effective compute or 3 months`.",
    check=check,
)
