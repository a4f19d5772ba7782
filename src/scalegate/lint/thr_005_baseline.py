"""THR-005: what is compared with the past says with which past."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.diagnostic import Span
from scalegate.lint.conditions import measured, used_evaluations
from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import RELATIVE, YEAR, spelled
from scalegate.policy.diagnose import quote


def _wordings(subject: Subject) -> Iterator[tuple[Span, str]]:
    for key in ("thresholds", "baseline"):
        declared = subject.practice(key)
        if declared is not None:
            yield subject.practice_span(key), text_of(declared)
    kernel = subject.kernel
    triggers = {found.id for item in kernel.commitments for _, found in measured(kernel, item.when)}
    for name in sorted(triggers & used_evaluations(kernel)):
        evaluation = kernel.evaluations[name]
        key = "concept" if evaluation.concept else "score"
        yield subject.value("evaluations", name, key), spelled(evaluation.concept) or evaluation.score.text


def check(subject: Subject) -> Iterator[Finding]:
    """Find differences from something that is not dated."""
    dated = subject.practice("baseline")
    if dated is not None and YEAR.search(text_of(dated)):
        return
    for span, words in _wordings(subject):
        hit = RELATIVE.search(words)
        if hit is not None and not YEAR.search(words):
            yield Finding(
                span,
                f"{quote(hit.group(0))} compares with a baseline that has no date",
                cause="a baseline that moves along is never left behind",
            )


RULE = Rule(
    id="THR-005",
    name="undated-baseline",
    severity="warning",
    summary="A threshold is relative (faster, uplift, twice the pace), and its baseline has no date.",
    why=(
        "If every year is compared with the year before, or with what rivals offer, a danger can grow without "
        "limit and never cross the line."
    ),
    fix="Date the baseline: the tools of 2024, the mean pace of 2020 to 2024.",
    check=check,
)
