"""EVA-001: how often is a number."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Validity
from scalegate.lint.conditions import measured
from scalegate.lint.practice import missing
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find triggers whose evidence is never due again, and texts without a cadence."""
    kernel = subject.kernel
    if subject.reference:
        declared = subject.practice("cadence")
        rules = [item.validity for item in kernel.evaluations.values()]
        timed = any(rule.due_compute is not None or rule.due_time is not None for rule in rules)
        if declared is not None and not declared.number and not timed:
            span = subject.practice_span("cadence")
            yield Finding(span, f"how often is said without a number: {quote(declared.says)}")
        elif declared is None and not timed:
            yield from missing(subject, "cadence", "how often models are evaluated is not said")
        return
    seen: set[str] = set()
    for commitment in kernel.commitments:
        for _, evaluation in measured(kernel, commitment.when):
            if evaluation.validity == Validity() and evaluation.id not in seen:
                seen.add(evaluation.id)
                yield Finding(
                    subject.key("evaluations", evaluation.id),
                    f"{quote(evaluation.id)} is a trigger, and is never due again",
                    help="write `due:` and `no result, stop:`, or `valid for:`",
                    severity="warning",
                )


RULE = Rule(
    id="EVA-001",
    name="no-cadence",
    severity="error",
    summary="No number says how often a model is evaluated again.",
    why="Regularly means whenever it suits. Between two evaluations a model can grow past any line unseen.",
    fix=(
        "Give a multiple of compute and a span of time: `due: at 4x effective compute or 3 months, whichever is first`."
    ),
    check=check,
)
