"""Exact walks by other means than those of the package: fractions, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.stats.boundary import Boundary


def stops(
    rate: Fraction, above: Boundary | None, below: Boundary | None, most: int, bank: int = 0
) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield the exact chance to stop after each sample, at the boundary of successes and at that of failures."""
    going = {0: Fraction(1)}
    total = round(rate * bank)
    for samples in range(1, most + 1):
        later: dict[int, Fraction] = {}
        high = low = Fraction(0)
        for count, mass in going.items():
            chance = Fraction(total - count, bank - samples + 1) if bank else rate
            for now, share in ((count + 1, chance), (count, 1 - chance)):
                if not mass * share:
                    continue
                if above is not None and now >= above.needed[samples]:
                    high += mass * share
                elif below is not None and samples - now >= below.needed[samples]:
                    low += mass * share
                else:
                    later[now] = later.get(now, Fraction(0)) + mass * share
        going = later
        yield high, low


def ever_reached(boundary: Boundary, rate: Fraction) -> Fraction:
    """Return the exact chance that a boundary is ever reached at a rate, or share of its bank."""
    return sum((high for high, _ in stops(rate, boundary, None, boundary.most, boundary.bank)), Fraction(0))
