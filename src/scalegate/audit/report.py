"""What an audit says: each check with what came of it, and what could not be checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# From the best to the worst: passed; could not be looked at; does not hold; not to be trusted at all.
Verdict = Literal["passed", "impossible", "failed", "untrusted"]
_ORDER: tuple[Verdict, ...] = ("passed", "impossible", "failed", "untrusted")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        room: what kind of check: `log`, `entries`, `witnesses`, `results`, `decisions`, ...
        verdict: what came of it.
        message: one sentence.
        entry: index of the entry it is about; None for none in particular.
    """

    room: str
    verdict: Verdict
    message: str
    entry: int | None = None


@dataclass(slots=True)
class Report:
    """All checks of an audit.

    Attributes:
        checks: in the order in which they were made.
        beyond: what no audit of such a bundle can show, whatever is in it.
    """

    checks: list[Check] = field(default_factory=list)
    beyond: tuple[str, ...] = ()

    def add(self, room: str, verdict: Verdict, message: str, entry: int | None = None) -> None:
        """Add a check."""
        self.checks.append(Check(room, verdict, message, entry))

    @property
    def verdict(self) -> Verdict:
        """The worst of all; an audit without a check is impossible."""
        return max((item.verdict for item in self.checks), key=_ORDER.index, default="impossible")

    def of(self, *verdicts: Verdict) -> list[Check]:
        """Return the checks that came out so."""
        return [item for item in self.checks if item.verdict in verdicts]
