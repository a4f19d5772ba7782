"""The distribution of a count of successes, sample by sample, as one large integer with a slot for each count.

A step of all counts together is then one multiplication by a small number, a shift and an addition. Probabilities are
whole multiples of 2**-59 and always rounded down; `slack` is the most that all roundings together have taken away.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

# A rate has _RATE bits, a probability _SHARE; a slot holds their product, and is a whole number of machine digits.
_RATE: Final = 30
_SHARE: Final = 59
_SLOT: Final = 90
_LOWEST: Final = (1 << _SLOT) - 1
# Slots at the lower end that hold nothing any more are given up this often.
_EVERY: Final = 32

UNIT: Final = 1 << _SHARE
"""What a probability of 1 is counted as."""


class Walk:
    """Independent samples at one rate, some of whose paths have left.

    Attributes:
        success, failure: the rate and its complement, in units of 2**-30.
        slack: bound on the probability lost to rounding so far, in units of 1 / UNIT.
    """

    __slots__ = ("_alive", "_low", "_mask", "_samples", "failure", "slack", "success")

    def __init__(self, rate: Fraction, most: int, *, up: bool = True) -> None:
        """Start with no sample.

        Args:
            rate: between 0 and 1; taken as a multiple of 2**-30.
            most: number of steps that will be made at most.
            up: round the rate up, else down.
        """
        scaled = rate.numerator << _RATE
        self.success = -(-scaled // rate.denominator) if up else scaled // rate.denominator
        self.failure = (1 << _RATE) - self.success
        self.slack = 0
        self._alive = UNIT
        self._low = self._samples = 0
        mask, width = (1 << (_SLOT - _RATE)) - 1, 1
        while width <= most:
            mask |= mask << (_SLOT * width)
            width *= 2
        self._mask = mask

    def step(self) -> None:
        """Take one more sample."""
        alive = self._alive
        alive = ((alive * self.failure + ((alive * self.success) << _SLOT)) >> _RATE) & self._mask
        self.slack += alive.bit_length() // _SLOT + 2
        self._samples += 1
        if not self._samples % _EVERY:
            while alive and not alive & _LOWEST:
                alive >>= _SLOT
                self._low += 1
        self._alive = alive

    def at(self, count: int) -> int:
        """Return the probability of the paths with `count` successes; no path may have more."""
        return self._alive >> (_SLOT * (count - self._low)) if count >= self._low else 0

    def leave_at(self, count: int) -> int:
        """Let the paths with `count` successes and more leave, and return their probability."""
        return self._leave_above(count - self._low) if count >= self._low else self._leave_above(0)

    def leave_below(self, count: int) -> int:
        """Let the paths with fewer than `count` successes leave, and return their probability."""
        gone = 0
        while self._alive and self._low < count:
            gone += self._alive & _LOWEST
            self._alive >>= _SLOT
            self._low += 1
        return gone

    def _leave_above(self, slot: int) -> int:
        cut = _SLOT * slot
        top = self._alive >> cut
        if not top:
            return 0
        self._alive ^= top << cut
        gone = 0
        while top:
            gone += top & _LOWEST
            top >>= _SLOT
        return gone
