"""How many samples a decision takes, before any is spent: for each true rate, by one pass over both boundaries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from scalegate.stats.boundary import Boundary
from scalegate.stats.walk import UNIT, Walk


@dataclass(frozen=True, slots=True)
class Power:
    """What a planned run comes to at one true rate. The numbers are probabilities, or samples.

    Attributes:
        rate: the true rate, or the bank's true share.
        above, below, undecided: chance that "above", "not above" or neither is shown by the last sample.
        expected: mean number of samples; a run that stays undecided takes all of them.
        median, ninth: so many samples suffice in half, and in nine tenths, of all runs; a run that stays undecided
            takes all of them.
    """

    rate: Fraction
    above: float
    below: float
    undecided: float
    expected: float
    median: int
    ninth: int


def power(rate: Fraction, above: Boundary | None, below: Boundary | None) -> Power:
    """Return what a run comes to that stops as soon as either boundary is reached.

    Args:
        rate: the true rate; for a bank, rounded to a whole number of its items.
        above: boundary on the number of successes; None where nobody asks.
        below: boundary on the number of failures.

    Raises:
        ValueError: if neither is given, or they differ in samples or bank.
    """
    sides = [side for side in (above, below) if side is not None]
    if not sides or len({(side.most, side.bank) for side in sides}) > 1:
        raise ValueError("power needs one boundary, or two of one run")
    above_shown, below_shown, left, expected = 0.0, 0.0, 1.0, 0.0
    quantiles = {0.5: sides[0].most, 0.9: sides[0].most}
    for samples, (high, low) in enumerate(_stops(rate, above, below, sides[0].most, sides[0].bank), 1):
        expected += left
        above_shown, below_shown = above_shown + high, below_shown + low
        left = max(0.0, 1 - above_shown - below_shown)
        for share, found in quantiles.items():
            if 1 - left >= share and samples < found:
                quantiles[share] = samples
        if left < 1e-12:
            left = 0.0
            break
    return Power(rate, above_shown, below_shown, left, expected, quantiles[0.5], quantiles[0.9])


def _stops(
    rate: Fraction, above: Boundary | None, below: Boundary | None, most: int, bank: int
) -> Iterator[tuple[float, float]]:
    """Yield the chance to stop after each number of samples: at the boundary of successes, and of failures."""
    total = round(rate * bank)
    used = min(max(Fraction(total, bank) if bank else rate, Fraction(0)), Fraction(1))
    walk = Walk(used, most, up=False)
    weigh = _Weight(bank, total, walk.success) if bank else None
    for samples in range(1, most + 1):
        walk.step()
        high = low = 0.0
        if above is not None and above.steps[samples - 1] == "0":
            needed = above.needed[samples]
            high = walk.leave_at(needed) / UNIT
            if high and weigh:
                high *= weigh(samples, needed)
        if below is not None and below.steps[samples - 1] == "0":
            kept = samples - below.needed[samples] + 1
            low = walk.leave_below(kept) / UNIT
            if low and weigh:
                low *= weigh(samples, kept - 1)
        yield high, low


class _Weight:
    """How much likelier a path with some counts is without replacement than at the rate of the walk."""

    def __init__(self, bank: int, total: int, success: int) -> None:
        self.bank, self.total = bank, total
        self.success = math.log(success / 2**30) if success else 0.0
        self.failure = math.log1p(-success / 2**30) if success < 2**30 else 0.0

    def __call__(self, samples: int, successes: int) -> float:
        """Return the factor; 0 for counts that the bank does not hold."""
        failures = samples - successes
        if successes > self.total or failures > self.bank - self.total:
            return 0.0
        drawn = (
            _falling(self.total, successes) + _falling(self.bank - self.total, failures) - _falling(self.bank, samples)
        )
        return math.exp(drawn - successes * self.success - failures * self.failure)


def _falling(top: int, count: int) -> float:
    """Return the logarithm of top (top - 1) ... (top - count + 1)."""
    return math.lgamma(top + 1) - math.lgamma(top - count + 1)
