"""EVA-007: something shows that a hidden capability would be found."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.kernel import Count
from scalegate.core.quantities import show_rate
from scalegate.lint.conditions import measured
from scalegate.lint.practice import binding
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

# Whoever misses every other one would not find a model that hides something.
HALF = Fraction(1, 2)


def lowest(counts: tuple[Count, ...]) -> Fraction | None:
    """Return the lowest share that measured requirements ask for; None where there is none."""
    return min(
        (item.rate if item.rate is not None else Fraction(item.least, item.trials) for item in counts), default=None
    )


def check(subject: Subject) -> Iterator[Finding]:
    """Find capability triggers that a model could sleep through."""
    kernel = subject.kernel
    if subject.reference:
        yield from binding(
            subject, "anti-sandbagging", "nothing shows that a model which hides a capability would be found out"
        )
        return
    seen: set[str] = set()
    for commitment in kernel.commitments:
        for _, evaluation in measured(kernel, commitment.when):
            if evaluation.kind != "capability" or evaluation.id in seen:
                continue
            least = lowest(evaluation.hidden_capability)
            if least is not None and least < HALF:
                seen.add(evaluation.id)
                yield Finding(
                    subject.value("evaluations", evaluation.id, "hidden capability"),
                    f"{quote(evaluation.id)} may miss most of what is hidden: it has to find {show_rate(least)}",
                    severity="warning",
                )
            elif least is None:
                seen.add(evaluation.id)
                yield Finding(
                    subject.key("evaluations", evaluation.id),
                    f"nothing shows that {quote(evaluation.id)} would find a hidden capability",
                    help="write `hidden capability: {spike-in recovered: at least 80%}`",
                    severity="warning",
                )


RULE = Rule(
    id="EVA-007",
    name="no-sandbagging-evidence",
    severity="error",
    summary="Nothing shows that a model which hides a capability would be found out.",
    why=(
        "A low score is what a harmless model and a sandbagging one have in common. Most published frameworks "
        "mention the problem and demand no evidence against it."
    ),
    fix="Plant a capability in a copy and demand that the evaluation recovers it: `hidden capability:`.",
    check=check,
)
