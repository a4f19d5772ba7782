"""EXT-003: independent of whom is said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.conditions import independent
from scalegate.lint.practice import binding, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_EMPTY = re.compile(
    r"\bnot (?:spelled out|defined|specified|explained)\b|\bundefined\b|\bself-declared\b", re.IGNORECASE
)
_NAMED = re.compile(r"audit|external|institute|third-?party|independent|reviewer", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    """Find auditors who are called so."""
    kernel = subject.kernel
    if subject.reference:
        declared = subject.practice("auditor independence")
        if declared is None or declared.modality != "must":
            yield from binding(subject, "auditor independence", "what makes an evaluator independent is not said")
        elif _EMPTY.search(text_of(declared)):
            span = subject.practice_span("auditor independence")
            yield Finding(span, f"independence is claimed and not defined: {quote(declared.says)}")
        return
    for name in kernel.roles:
        if _NAMED.search(name) and not independent(kernel, name):
            yield Finding(
                subject.key("roles", name),
                f"{quote(name)} is not independent of the developer",
                help="write `independent of: [developer]`",
            )


RULE = Rule(
    id="EXT-003",
    name="independence-undefined",
    severity="error",
    summary="An auditor or evaluator is called independent, and nothing says of whom and how.",
    why=(
        "Evaluators who are paid, picked and dismissed by the developer are independent in name. A published text"
        " lets its evaluator be anyone with expertise."
    ),
    fix="Write `independent of: [developer]`: whoever acts in that role acts in none of those.",
    check=check,
)
