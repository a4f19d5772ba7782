"""Facts: what the history shows about one term, as the interpreter reads it.

Adverse use needs only the interval, and never ages. Favorable use (anything that would help a permit) needs the
fact to be free of gaps, in time, within its reach of compute, and not overtaken by a crossing elsewhere in the
issuer's lineages.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from scalegate.core.quantities import FOREVER, UNBOUNDED

ReasonKind = Literal[
    "crossed",
    "missing",
    "pending",
    "stale",
    "inconclusive",
    "untrusted",
    "unresolved",
    "hole",
    "never",
    "not_attested",
    "error",
]


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a fact cannot be used in favor of a permit. `remedy` says what would change it, where measuring would not."""

    kind: ReasonKind
    message: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Crossing:
    """What was, or could have been, measured elsewhere in the lineages of a store, at the effective compute `at`.

    `low` is read by conditions that a low score meets: where a high score is latched, or could be had missing content
    been adverse. `high` is read by conditions that a high score meets: where a low score is, or could be.
    """

    low: Fraction | None
    high: Fraction | None
    at: int
    subject: str


class Fact:
    """The interval of one term in one stratum, with everything that limits its favorable use.

    Bounds are exact; None stands for an open end. Numerators and denominators are kept as plain integers because
    the interpreter compares them by cross-multiplication.

    Attributes:
        label: what was measured how, for readers.
        low_num, low_den, high_num, high_den: the interval read by conditions that the score meets by being low;
            (-1, 0) and (1, 0) are the open ends.
        rise_low_num, rise_low_den, rise_high_num, rise_high_den: the interval read by conditions met by being high.
            The two differ where the errors of a policy do: wrongly cleared is about the favorable end of each.
        until: favorable use ends at this instant.
        reach: favorable use ends beyond this effective compute.
        gaps: reasons against favorable use.
        elsewhere: crossings that may cap the reach.
        adverse_only: the fact never speaks for a permit (a relative's latch). Its favorable end is where its latch
            could stand if content that is missing had been adverse: losing content never permits.
        evidence: digests of the entries and logs behind it.
        detail: sample counts and the like, for readers.
        grows: the value is a time, and grows with it: second by second.
    """

    __slots__ = (
        "adverse_only",
        "detail",
        "elsewhere",
        "evidence",
        "gaps",
        "grows",
        "high_den",
        "high_num",
        "label",
        "low_den",
        "low_num",
        "reach",
        "rise_high_den",
        "rise_high_num",
        "rise_low_den",
        "rise_low_num",
        "until",
    )

    def __init__(  # noqa: PLR0913 - a record with defaults; every field is part of the fact
        self,
        label: str,
        low: Fraction | None = None,
        high: Fraction | None = None,
        *,
        rising: tuple[Fraction | None, Fraction | None] | None = None,
        until: int = FOREVER,
        reach: int = UNBOUNDED,
        gaps: tuple[Gap, ...] = (),
        elsewhere: tuple[Crossing, ...] = (),
        adverse_only: bool = False,
        evidence: tuple[str, ...] = (),
        detail: str = "",
        grows: bool = False,
    ) -> None:
        """Keep the interval as integers."""
        self.label = label
        self.low_num, self.low_den = (-1, 0) if low is None else (low.numerator, low.denominator)
        self.high_num, self.high_den = (1, 0) if high is None else (high.numerator, high.denominator)
        rise_low, rise_high = (low, high) if rising is None else rising
        self.rise_low_num, self.rise_low_den = (
            (-1, 0) if rise_low is None else (rise_low.numerator, rise_low.denominator)
        )
        self.rise_high_num, self.rise_high_den = (
            (1, 0) if rise_high is None else (rise_high.numerator, rise_high.denominator)
        )
        self.until = until
        self.reach = reach
        self.gaps = gaps
        self.elsewhere = elsewhere
        self.adverse_only = adverse_only
        self.evidence = evidence
        self.detail = detail
        self.grows = grows

    @property
    def low(self) -> Fraction | None:
        """Lower end, None when open."""
        return Fraction(self.low_num, self.low_den) if self.low_den else None

    @property
    def high(self) -> Fraction | None:
        """Upper end, None when open."""
        return Fraction(self.high_num, self.high_den) if self.high_den else None

    def __repr__(self) -> str:
        """Show the interval and what bars its favorable use."""
        return f"Fact({self.label!r}, [{self.low}, {self.high}], gaps={[gap.kind for gap in self.gaps]})"
