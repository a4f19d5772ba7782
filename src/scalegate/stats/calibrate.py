"""Boundaries that spend all of their error, and no more, over the planned samples of a run.

A mixture that has to reach 1 / error is valid for ever, and wastes what a run that ends cannot spend. Here the error
is spent along the logarithm of the number of samples, which costs every true gap nearly the same multiple of the
information limit: after each sample, one more success is needed unless the chance to stop there at the threshold
still fits (Lan and DeMets 1983, "Discrete sequential boundaries for clinical trials"). One pass, in which that chance
is exact.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from scalegate.stats.binomial import BoundError, check_error
from scalegate.stats.boundary import MOST_SAMPLES, Boundary, boundary, check_threshold
from scalegate.stats.crossing import WEIGHT, Scale
from scalegate.stats.walk import UNIT, Walk


@lru_cache(maxsize=64)
def calibrated(threshold: Fraction, error: Fraction, most: int, bank: int = 0) -> Boundary:
    """Return a boundary for `most` planned samples that is reached with at most this chance at its threshold.

    Args:
        threshold: between 0 and 1, both excluded.
        error: between 0 and 1/2, both excluded.
        most: planned number of samples.
        bank: size of the bank for sampling without replacement; 0 for a population.

    Raises:
        BoundError: for a threshold, error, number or bank that no boundary has.
    """
    check_threshold(threshold)
    check_error(error)
    if not 0 < most <= min(bank or MOST_SAMPLES, MOST_SAMPLES):
        raise BoundError(f"no boundary has {most} samples" + (f" from a bank of {bank}" if bank else ""))
    walk = Walk(threshold, most)
    scale = Scale(walk, threshold, bank)
    first = math.log(1 / error) / math.log(1 / threshold)
    # The last quarter of a bank leaves so little open that nothing has to be kept for it.
    whole = math.log1p(_information(min(most, bank * 3 // 4) if bank > 1 else most, bank) / first)
    # What `crossing` will add for rounding is kept back.
    budget = max(0, int(error * UNIT) - most * (most + 2) * (math.isqrt(bank) + 1)) * WEIGHT
    spent, needed, steps = 0, 1, []
    for samples in range(1, most + 1):
        walk.step()
        allowed = int(budget * min(1.0, math.log1p(_information(samples, bank) / first) / whole))
        chance = walk.at(needed) * scale.weigh(needed) if needed <= samples else 0
        if needed <= samples and spent + chance <= allowed:
            spent += chance
            walk.leave_at(needed)
            steps.append("0")
        else:
            needed += 1
            steps.append("1")
        scale.move(min(needed, samples))
    return Boundary(threshold, "".join(steps), bank)


def _information(samples: int, bank: int) -> float:
    """Return how many independent samples tell as much: without replacement the last ones tell ever more."""
    return samples * bank / (bank - samples + 1) if bank else samples


def open_ended(threshold: Fraction, error: Fraction, most: int) -> Boundary:
    """Return the boundary of the mixture at 1 / error: valid however far it is continued; here its first `most` steps.

    Raises:
        BoundError: as `calibrated`.
    """
    check_error(error)
    return boundary(threshold, float(1 / error), most, error)
