"""EVA-004: between the line and the danger there is room."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import measured
from scalegate.lint.practice import missing
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find capability triggers without a hard end behind their due point, and texts without a margin."""
    kernel = subject.kernel
    if subject.reference:
        if subject.practice("safety buffer") is not None:
            return
        yield from missing(subject, "safety buffer", "no margin is stated between a threshold and the danger behind it")
        return
    seen: set[str] = set()
    for commitment in kernel.commitments:
        for _, evaluation in measured(kernel, commitment.when):
            rule = evaluation.validity
            if evaluation.kind != "capability" or evaluation.id in seen or not rule.training:
                continue
            seen.add(evaluation.id)
            if rule.stop_compute == rule.due_compute and rule.stop_time == rule.due_time:
                yield Finding(
                    subject.key("evaluations", evaluation.id),
                    f"{quote(evaluation.id)} has no buffer behind its due point",
                    help="write `due:` and, further out, `no result, stop:`",
                    severity="warning",
                )


RULE = Rule(
    id="EVA-004",
    name="no-buffer",
    severity="error",
    summary="No safety buffer is stated: nothing says how far below the danger the line lies.",
    why=(
        "Evaluations come late, elicitation falls short and runs do not wait. Without a margin every one of these"
        " goes straight past the danger. A published margin was dropped in the version after it."
    ),
    fix="State the margin, and the hard end at which training stops without a result: `no result, stop: at 6x`.",
    check=check,
)
