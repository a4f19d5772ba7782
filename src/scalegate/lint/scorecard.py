"""The scorecard: by family, what was found, what is clean and what could not be checked, each with its reason.

There is no mark on it. One number would say that a missing changelog and a missing stop weigh the same, or that
somebody knows how much less.
"""

from __future__ import annotations

from dataclasses import dataclass

from scalegate.lint.rule import FAMILIES
from scalegate.lint.run import Outcome, Report


@dataclass(frozen=True, slots=True)
class Row:
    """One rule on the card: its standing with the reasons for it.

    Attributes:
        rule: its id.
        name: its name.
        standing: `found`, `clean` or `not checkable`.
        reasons: what was found and where, what was looked for in vain, or why nobody could look.
    """

    rule: str
    name: str
    standing: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One family on the card."""

    family: str
    rows: tuple[Row, ...]


def scorecard(report: Report) -> tuple[Card, ...]:
    """Return the card of a policy, family by family."""
    return tuple(
        Card(family, tuple(_row(item) for item in report.outcomes if item.rule.family == family))
        for family in FAMILIES.values()
    )


def _row(outcome: Outcome) -> Row:
    rule = outcome.rule
    if outcome.status == "unchecked":
        return Row(rule.id, rule.name, "not checkable", (outcome.reason,))
    if outcome.status == "clean":
        return Row(rule.id, rule.name, "clean", (f"looked for, and not found: {rule.summary}",))
    reasons = []
    for item in outcome.judged:
        found = item.diagnostic
        where = f"line {found.span.line}: " if found.span else ""
        silenced = f" (suppressed: {item.suppressed})" if item.suppressed else ""
        reasons.append(f"{where}{found.severity}: {found.message}{silenced}")
    return Row(rule.id, rule.name, "found", tuple(reasons))
