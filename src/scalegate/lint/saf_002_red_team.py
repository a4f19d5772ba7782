"""SAF-002: a red team can fail a safeguard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from scalegate.lint.practice import binding, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_OPEN = re.compile(
    r"\b(?:left open|unspecified|not (?:set|specified|stated|defined)|open on purpose|undefined)\b", re.IGNORECASE
)

_HALF = Fraction(1, 2)


def check(subject: Subject) -> Iterator[Finding]:
    """Find safeguards without a result that would show that they fail."""
    if subject.reference:
        declared = subject.practice("red-team criterion")
        if declared is None or declared.modality != "must":
            yield from binding(
                subject, "red-team criterion", "nothing says which result of a red team would be a failure"
            )
        elif _OPEN.search(text_of(declared)):
            span = subject.practice_span("red-team criterion")
            yield Finding(span, f"which result would be a failure is left open: {quote(declared.says)}")
        return
    for item in subject.kernel.safeguards.values():
        if not item.fails_if:
            yield Finding(
                subject.key("safeguards", item.id),
                f"nothing would show that {quote(item.id)} fails",
                help="write `fails if: red-team-theft > 0 of 3`",
            )
        for count in item.fails_if:
            share = count.rate if count.rate is not None else Fraction(count.least, count.trials)
            if share >= _HALF:
                yield Finding(
                    count.span,
                    f"{quote(item.id)} passes although most attempts of {quote(count.name)} may succeed",
                    severity="warning",
                )


RULE = Rule(
    id="SAF-002",
    name="no-pass-criterion",
    severity="error",
    summary="Nothing says which result of a red team would show that a safeguard fails.",
    why="Red-teaming without a criterion always ends in a report, and never in a no.",
    fix="Write `fails if:` with a count: `red-team-theft > 0 of 3`.",
    check=check,
)
