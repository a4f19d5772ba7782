"""Exact rationals as whole numbers that other engines compare as the gate compares the rationals.

A policy compares each term with few constants. A grid counts in a unit in which each of them is a whole number and no
two of them are neighbors. A value between two points of the grid is rounded outward, and where that would make it a
constant that it is not, to the point on its other side. So a value and a constant always compare as their numbers do,
whatever the value: the answers are the same, not merely on the safe side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm

from scalegate.core.quantities import UNBOUNDED
from scalegate.core.terms import Compute, Measure, Term

# Every number of an input lies within this; constants lie strictly within, so that what is clamped meets none of them.
LIMIT = 10**18
# No number of an input is larger, instants included.
LARGEST = 1 << 62

# How many powers of ten below the preferred unit are tried before a unit that is none.
_FINER = 18


@dataclass(frozen=True, slots=True)
class Grid:
    """The unit that a term is counted in, and the policy's constants in it, in order."""

    unit: Fraction
    constants: tuple[int, ...]

    def point(self, value: Fraction) -> int:
        """Return a constant of the policy in the unit."""
        return (value / self.unit).numerator

    def encode(self, num: int, den: int, *, up: bool) -> int:
        """Return a value in the unit, rounded `up` or down, beside a constant that it is not.

        Args:
            num: numerator of the value.
            den: its denominator; 0 for an open end, whose sign `num` has.
            up: where the value goes that lies between two points.
        """
        if den == 0:
            return LIMIT if num > 0 else -LIMIT
        top, bottom = num * self.unit.denominator, den * self.unit.numerator
        below, rest = divmod(top, bottom)
        if rest == 0:
            return _within(below)
        found, other = (below + 1, below) if up else (below, below + 1)
        return _within(other if found in self.constants else found)


def _within(value: int) -> int:
    return max(-LIMIT, min(LIMIT, value))


def grid_of(term: Term, constants: Sequence[Fraction]) -> Grid | None:
    """Return the grid of a term that is compared with some constants; None when they do not fit into 64 bits."""
    values = sorted(set(constants))
    for unit in _units(term, values):
        points = [value / unit for value in values]
        whole = [point.numerator for point in points if point.denominator == 1 and abs(point) < LIMIT]
        if len(whole) == len(values) and all(later - one >= 2 for one, later in pairwise(whole)):
            return Grid(unit, tuple(whole))
    return None


def _units(term: Term, values: Sequence[Fraction]) -> list[Fraction]:
    """Return units to try, the one that reads best first, and one that fits any constants last."""
    first = _preferred(term, values)
    powers = [first / 10**step for step in range(_FINER)]
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return powers
    exact = Fraction(gcd(*(size.numerator for size in sizes)), lcm(*(size.denominator for size in sizes)))
    return [*powers, exact / 2]


def _preferred(term: Term, values: Sequence[Fraction]) -> Fraction:
    """Return the unit that reads best: millionths of a score, few digits of compute, whole seconds and dollars."""
    match term:
        case Measure():
            return Fraction(1, 10**6)
        case Compute():
            smallest = min((value for value in values if value >= 1), default=Fraction(1))
            return Fraction(10 ** max(0, len(str(int(smallest))) - 5))
        case _:  # seconds, dollars, and what is either 0 or 1
            return Fraction(1)


# ---------------------------------------------------------------- compute that is compared with compute

LIMB = 10**18


def limbs(flop: int, *, up: bool) -> tuple[int, int]:
    """Return whole FLOP as (units of 1e18, rest), which compare in order as the number does.

    Exact below 1e36 FLOP. Beyond, everything but what is unbounded is rounded `up` or down.
    """
    if flop >= LIMB * LIMB:
        return (LIMB, 0) if up or flop >= UNBOUNDED else (LIMB - 1, LIMB - 1)
    return divmod(max(flop, 1 - LIMB * LIMB), LIMB)
