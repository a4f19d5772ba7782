"""Comparison audit: an auditor re-runs a random part of a bank of which every item has a reported score.

Claim: the mean score that re-running the whole bank would give is above a threshold t, or below it. The report may be
right, careless or a lie: the test is valid whatever it says, and needs few items where it is right. Reported scores may
come from the developer's log, an earlier checkpoint or a cheap grader, as long as all were fixed before anybody could
know in which order items are drawn. (Waudby-Smith, Stark and Ramdas 2021, "RiLACS", arXiv 2107.11323; the idea is that
of ballot-comparison audits.)

For a re-run score x, a reported score f and a fixed h in [0, 1], y = x + h (max f - f) is not negative, and its mean
over the bank is that of x plus h (max f - mean f), both known. A bettor on y tests the same claim, with less variance
where x and f agree. Three bettors hold the wealth: half of it ignores the report (h = 0), a quarter trusts it fully
(h = 1), and a quarter trusts it by half, which suits a report that agrees on about four of five items.

Items are drawn without replacement. If the claim is false then the mean of y over the M - n items left is at most
m = (M (t + h (max f - mean f)) - sum of past y) / (M - n), so that betting shares of wealth at odds of y / m, as in
`betting`, keeps a nonnegative supermartingale (Waudby-Smith and Ramdas, arXiv 2010.09686, section 5). Once m falls
below 0 the claim is certain.

Exactness is that of `betting`: integers, rounded down. Scores enter as whole multiples of 1/GRID, re-run scores rounded
against the claim; reported ones may be rounded at will, since any are valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from scalegate.stats.betting import BITS, CEILING, UNIT, Wealth, check_threshold, reaches, share_of
from scalegate.stats.binomial import GRID, BoundError, check_error

# Halves of trust in the report, and the quarters of wealth that go there. A report that says nothing about the scores
# then costs about a tenth more samples than ignoring it.
_QUARTERS: Final = {0: 2, 1: 1, 2: 1}


class ComparisonAudit:
    """Test of "re-running the whole bank gives a mean above `threshold`", or `below` it, valid over all looks together.

    `reported` holds one score in [0, 1] for each item of the bank, all fixed before the order was drawn; the threshold
    lies strictly between 0 and 1. Raises BoundError otherwise, or for an empty bank.
    """

    __slots__ = ("_bettors", "_certain", "_drawn", "_mirror", "_peak", "_reported")

    def __init__(self, threshold: Fraction, reported: Sequence[Fraction], *, below: bool = False) -> None:
        check_threshold(threshold)
        if not reported:
            raise BoundError("a bank without items has no mean")
        null = 1 - threshold if below else threshold
        self._mirror = below
        self._reported = tuple(self._on_grid(score) for score in reported)
        self._bettors = {halves: _Bettor(null, self._reported, halves) for halves in _QUARTERS}
        self._drawn: set[int] = set()
        self._peak = self._total()
        self._certain = False

    def update(self, position: int, score: Fraction | None) -> None:
        """Take the re-run score of the item at `position` of the bank, or None where the re-run has no score.

        Each position has to be drawn at random, evenly from those left, or come from a random order that was fixed
        beforehand. A missing score counts against the claim: as 0, or as 1 with `below`.
        Raises BoundError for a position outside the bank or drawn before, or a score outside [0, 1]; nothing has
        changed then.
        """
        if not 0 <= position < len(self._reported):
            raise BoundError(f"the bank has {len(self._reported)} items, and none at position {position}")
        if position in self._drawn:
            raise BoundError(f"the item at position {position} was drawn before")
        again = 0 if score is None else self._on_grid(score)
        self._drawn.add(position)
        left = len(self._reported) - len(self._drawn) + 1
        for bettor in self._bettors.values():
            bettor.draw(again, self._reported[position], left)
            self._certain = self._certain or bettor.rest < 0
        self._peak = max(self._peak, self._total())

    @property
    def samples(self) -> int:
        """How many items were drawn."""
        return len(self._drawn)

    @property
    def evalue(self) -> Fraction:
        """Wealth now; once the claim is certain, the largest e-value that is told, 2**256."""
        return Fraction(CEILING, UNIT) if self._certain else self._as_evalue(self._total())

    @property
    def peak(self) -> Fraction:
        """Largest wealth so far, at least 1. Peaks are for `shown`; their average is not an e-value."""
        return max(self.evalue, self._as_evalue(self._peak))

    def shown(self, error: Fraction) -> bool:
        """Whether any look so far has shown the claim at this error; no later score takes it back.

        Raises BoundError for an error outside (0, 1/2).
        """
        check_error(error)
        return self._certain or reaches(self._peak, 4 * UNIT, error)

    def _on_grid(self, score: Fraction) -> int:
        """Mirror a score if the claim is "below", and round it down, in units of 1/GRID."""
        part, whole = share_of(score)
        return ((whole - part) if self._mirror else part) * GRID // whole

    def _total(self) -> int:
        """Wealth of all bettors, in units of 1 / (4 UNIT)."""
        return sum(quarters * self._bettors[halves].wealth.total for halves, quarters in _QUARTERS.items())

    @staticmethod
    def _as_evalue(total: int) -> Fraction:
        return Fraction(total, 4 * UNIT)


class _Bettor:
    """One bettor, who trusts the report by `halves` / 2.

    `rest` is what the null allows the sum of y over the items left, in units of 1 / (2 GRID q) for a threshold p / q.
    """

    __slots__ = ("_halves", "_most", "_whole", "rest", "wealth")

    def __init__(self, null: Fraction, reported: tuple[int, ...], halves: int) -> None:
        self._halves = halves
        self._most = max(reported)
        self._whole = null.denominator
        correction = halves * (len(reported) * self._most - sum(reported))
        self.rest = 2 * GRID * len(reported) * null.numerator + correction * self._whole
        self.wealth = Wealth()

    def draw(self, score: int, reported: int, left: int) -> None:
        """Settle one item, drawn from `left` items; both scores are in units of 1/GRID."""
        value = (2 * score + self._halves * (self._most - reported)) * self._whole
        # With nothing allowed any more, a value of 0 is what the null expects, and another makes the claim certain.
        if self.rest > 0:
            self.wealth.grow((value * left << BITS) // self.rest)
        self.rest -= value
