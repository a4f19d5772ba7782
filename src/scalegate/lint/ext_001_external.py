"""EXT-001: somebody outside evaluates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.conditions import independent, used_evaluations
from scalegate.lint.practice import binding, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

CONDITIONAL = re.compile(
    r"\b(?:needed if|only if|if (?:a|the|it|they|deemed|warranted|necessary)|where (?:appropriate|deemed|needed)"
    r"|when deemed)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find results that the developer produces alone."""
    kernel = subject.kernel
    if subject.reference:
        declared = subject.practice("external evaluation")
        if declared is None or declared.modality != "must":
            yield from binding(subject, "external evaluation", "nobody outside has to evaluate anything")
        elif CONDITIONAL.search(text_of(declared)):
            span = subject.practice_span("external evaluation")
            yield Finding(span, f"outsiders evaluate on conditions: {quote(declared.says)}")
        return
    used = used_evaluations(kernel)
    measured = [item for item in kernel.evaluations.values() if item.id in used and item.hole is None]
    inside = [item for item in measured if not independent(kernel, item.by)]
    for item in inside:
        who = f"by {quote(item.by)}, not independent of the developer" if item.by else "by nobody who is named"
        yield Finding(
            subject.value("evaluations", item.id, "by"),
            f"{quote(item.id)} is carried out {who}",
            severity="error" if len(inside) == len(measured) else "warning",
        )


RULE = Rule(
    id="EXT-001",
    name="no-external-evaluation",
    severity="error",
    summary="No independent role has to carry out an evaluation that decides.",
    why=(
        "Whoever is held by a result should not be the only one who measures it. External testing that happens "
        "where it is deemed warranted happens where it is welcome."
    ),
    fix="Write `by:` with a role that has `independent of: [developer]`.",
    check=check,
)
