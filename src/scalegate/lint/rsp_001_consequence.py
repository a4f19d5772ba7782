"""RSP-001: a result has a consequence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.conditions import used_evaluations
from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_ONLY_WATCHED = re.compile(
    r"\b(?:report\w*|watch\w*|research\w*|monitor\w*|track\w*|assess\w*)[^,;.]*[,;]? (?:and )?"
    r"(?:not (?:held|gated)|with no line)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find evaluations that nothing depends on."""
    kernel = subject.kernel
    used = used_evaluations(kernel)
    for name in kernel.evaluations:
        if name not in used and name not in kernel.holes and name not in kernel.capabilities.values():
            yield Finding(
                subject.key("evaluations", name),
                f"{quote(name)} is measured, and nothing follows from it",
                cause="no commitment and no exception depends on its result",
            )
    for key in ("domains without threshold", "internal deployment"):
        hit = says(subject.practice(key), _ONLY_WATCHED)
        if hit:
            yield Finding(subject.practice_span(key), f"it is looked at, and nothing follows: {quote(hit)}")


RULE = Rule(
    id="RSP-001",
    name="trigger-without-consequence",
    severity="error",
    summary="Something is evaluated, and no commitment depends on the result.",
    why=(
        "Reporting is not stopping. A section on evaluations that ends with a report leaves everybody with the "
        "belief that somebody would have stopped."
    ),
    fix="Write what is held: `hold: [train, deploy]`, `unless shown: NAME <= 20%`; or remove the evaluation.",
    check=check,
)
