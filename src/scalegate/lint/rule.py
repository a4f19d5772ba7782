"""Rules: what one looks for, why it matters, how it is mended, and the check itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from scalegate.core.diagnostic import Severity, Span
from scalegate.lint.subject import Subject

Whom = Literal["any", "own", "reference", "developer"]

# What a rule belongs to, by the letters its id starts with, in the order in which everything lists them.
FAMILIES: Final = {
    "THR": "thresholds",
    "EVA": "evaluations",
    "RSP": "response",
    "UND": "understanding",
    "SAF": "safeguards",
    "DEP": "deployment",
    "RAC": "race",
    "EXT": "external",
    "GOV": "governance",
    "DIS": "disclosure",
    "LEX": "wording",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a rule.

    Attributes:
        span: the part of the text that is at fault; for what is missing, the part it is missing from.
        message: one sentence, lower-case, no final period, user text in backticks.
        cause: why it is a fault here (may be empty: the rule says why).
        help: what would mend it here (may be empty: the rule says how).
        severity: None for that of the rule.
        unread: nobody read the part of the published text where the answer would stand.
    """

    span: Span
    message: str
    cause: str = ""
    help: str = ""
    severity: Severity | None = None
    unread: bool = False


Check: TypeAlias = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: family and number, such as `THR-001`.
        name: a few words with hyphens.
        severity: of a finding, unless the finding says otherwise.
        summary: one sentence: what it finds.
        why: which failure in the field it stands for.
        fix: how to mend it.
        check: finds; pure.
        whom: what it asks: `any` policy; `own`, which the gate enforces; `reference`, an encoding of a published
            text; or `developer`: a developer's own words, enforced or encoded, and no law.
        compares: whether it needs an older version beside the policy.
        told_by: the practice by which a text itself says what such a comparison would find.
    """

    id: str
    name: str
    severity: Severity
    summary: str
    why: str
    fix: str
    check: Check
    whom: Whom = "any"
    compares: bool = False
    told_by: str = ""

    @property
    def family(self) -> str:
        """What it belongs to, such as `thresholds`."""
        return FAMILIES[self.id[:3]]


def beyond(rule: Rule, subject: Subject) -> str:
    """Return why a rule cannot be asked of this policy; empty where it can."""
    if rule.compares and subject.older is None and subject.practice(rule.told_by) is None:
        return "it compares with an older version, and none was given"
    if rule.whom == "own" and subject.reference:
        return "it asks what the gate enforces, and this is an encoding for reference"
    if rule.whom == "reference" and not subject.reference:
        return "it asks encodings of published texts; here the gate settles it"
    if rule.whom == "developer" and not subject.by_developer:
        return "it asks what a developer promises, and this is a regime or a law"
    return ""
