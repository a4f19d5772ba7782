"""THR-007: resuming takes more than not having stopped."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.quantities import show_rate
from scalegate.lint.conditions import ceilings, floors, limit, shown
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find resumptions at the value that stopped, or above it."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        stops = ceilings(kernel, shown(commitment)) | floors(kernel, shown(commitment))
        asked = ceilings(kernel, commitment.until) | floors(kernel, commitment.until)
        for name, leaf in asked.items():
            if name not in stops or leaf.above is not stops[name].above:
                continue
            further = limit(leaf) - limit(stops[name])
            if (further > 0) if leaf.above else (further < 0):
                continue
            turned = further != 0
            yield Finding(
                leaf.span,
                f"{quote(commitment.id)} stops {'below' if leaf.above else 'above'} "
                f"{show_rate(limit(stops[name]))} on {quote(name)} "
                f"and resumes at {show_rate(limit(leaf))}",
                cause="the line for going on asks for less than the line for stopping"
                if turned
                else "both lines are one, and noise alone crosses it back",
            )


RULE = Rule(
    id="THR-007",
    name="no-hysteresis",
    severity="error",
    summary="The value that lets training resume equals the value that stopped it, or is laxer.",
    why=(
        "A hold that ends where it began is over at the next lucky measurement. Stopping and resuming are two "
        "decisions, and the second needs more evidence than the first."
    ),
    fix=("Resume on another measurement (a safety target, a safeguard), or at a clearly lower value of the same one."),
    check=check,
)
