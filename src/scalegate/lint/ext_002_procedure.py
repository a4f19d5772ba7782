"""EXT-002: reviewing the procedure is not reviewing the result."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.ext_001_external import CONDITIONAL
from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts whose outsiders look at paperwork alone."""
    audit, outside = subject.practice("procedural audit"), subject.practice("external evaluation")
    if audit is None:
        return
    if outside is None or outside.modality != "must" or CONDITIONAL.search(text_of(outside)):
        yield Finding(
            subject.practice_span("procedural audit"),
            f"outsiders have to review the procedure, and nothing else: {quote(audit.says)}",
        )


RULE = Rule(
    id="EXT-002",
    name="procedure-only",
    severity="warning",
    summary="Outsiders review whether the procedure was followed, and nobody outside has to look at the results.",
    why="A bad evaluation that was carried out as written passes every procedural review.",
    fix="Let outsiders evaluate as well, or derive the results again from the raw samples (`scalegate verify`).",
    check=check,
    whom="reference",
)
