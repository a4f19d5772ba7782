"""SAF-004: security does not depend on what others do."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import CONVENIENT, RIVAL
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find security that is a recommendation, convenient, or as good as that of others."""
    declared = subject.practice("security level")
    if declared is None:
        return
    span = subject.practice_span("security level")
    hit = says(declared, RIVAL) or says(declared, CONVENIENT)
    if declared.modality != "must":
        yield Finding(span, f"security is no duty: {quote(declared.modality)}", cause=f"it says {quote(declared.says)}")
    elif hit:
        yield Finding(span, f"security depends on something else than the danger: {quote(hit)}")


RULE = Rule(
    id="SAF-004",
    name="security-demoted",
    severity="warning",
    summary="Security is recommended, or depends on what peers do or on what is practicable.",
    why=("Weights that are stolen are everybody's. That others guard theirs no better is a reason to guard one's own."),
    fix="Promise the level that the danger asks for, whatever others do.",
    check=check,
)
