"""The chance that a boundary is ever reached at its threshold: one pass over the samples, in integers, rounded up.

Every rounding is added to the answer, which is therefore never below the exact probability, on any platform. For a
finite bank the same paths are counted: among paths with equal counts, sampling without replacement and with it differ
by a factor of the counts alone, since every order of the same outcomes is equally likely in either.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

from scalegate.stats.boundary import Boundary, at_most
from scalegate.stats.walk import UNIT, Walk

_WEIGHT_BITS: Final = 80
WEIGHT: Final = 1 << _WEIGHT_BITS
"""What a path that is as likely without replacement as with it weighs."""


@lru_cache(maxsize=256)
def crossing(boundary: Boundary) -> Fraction:
    """Bound the chance that the boundary is ever reached when the rate, or the bank's share, is at its threshold.

    It bounds the chance for every smaller rate, too: more successes come only sooner at a larger one.
    """
    walk = Walk(boundary.threshold, boundary.most)
    scale = Scale(walk, boundary.threshold, boundary.bank)
    reached, heaviest = 0, WEIGHT
    for samples, (needed, step) in enumerate(zip(boundary.needed[1:], boundary.steps, strict=True), 1):
        walk.step()
        weight = scale.move(min(needed, samples))
        heaviest = max(heaviest, weight)
        if step == "0":
            reached += walk.leave_at(needed) * weight
    return min(Fraction(reached + walk.slack * heaviest, UNIT * WEIGHT), Fraction(1))


class Scale:
    """How much likelier a path with some counts is without replacement, in units of 2**-80, rounded up.

    The ratio of the falling factorials of the bank to the powers of the rate that the walk really takes. It is kept at
    one point, which moves by one sample, and at most one success, at a time. Always 1 for a population.
    """

    __slots__ = ("_bank", "_failure", "_samples", "_success", "_successes", "_total", "_weight")

    def __init__(self, walk: Walk, threshold: Fraction, bank: int) -> None:
        """Start before the first sample."""
        self._success, self._failure = walk.success, walk.failure
        self._bank, self._total = bank, at_most(threshold, bank)
        self._samples = self._successes = 0
        self._weight = WEIGHT

    def weigh(self, successes: int) -> int:
        """Return the weight one sample on, with so many successes: as many as now, or one more."""
        if not self._bank:
            return WEIGHT
        if successes > self._successes:
            have, rate = self._total - self._successes, self._success
        else:
            have, rate = self._bank - self._total - (self._samples - self._successes), self._failure
        if have <= 0:
            return 0  # nothing is left of what would be drawn: no such path, nor any that goes on from it
        return -(-self._weight * have * (self._success + self._failure) // ((self._bank - self._samples) * rate))

    def move(self, successes: int) -> int:
        """Go one sample on, to so many successes, and return the weight there."""
        self._weight = self.weigh(successes)
        self._samples, self._successes = self._samples + 1, successes
        return self._weight
