"""How many samples our tests of "the rate is above t" take, over log(1/alpha) / kl: exact, in every cell."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from scalegate.stats.betting import BITS, UNIT, Wealth, reaches
from scalegate.stats.boundary import Boundary
from scalegate.stats.calibrate import calibrated, open_ended
from scalegate.stats.power import power

THRESHOLDS = (Fraction(1, 10), Fraction(1, 5), Fraction(1, 2))
GAPS = (Fraction(1, 50), Fraction(1, 20), Fraction(1, 10), Fraction(1, 5), Fraction(3, 10))
ALPHAS = (Fraction(1, 20), Fraction(1, 1000))

# Horizons in multiples of the limit: of one plan for all gaps, of one fitted to each gap, and how far a test without
# any is followed.
PLANNED = 8
FITTED = 14
FITTED_LEAST = 40
WALKED = 14

# More than this share of runs without a decision, and a mean number of samples is one of truncated runs.
NEGLIGIBLE = 1e-4


class TruncatedError(AssertionError):
    """So many runs end undecided that their mean number of samples says little about a decision."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: is a rate, really `threshold` + `gap`, above the threshold?"""

    threshold: Fraction
    gap: Fraction
    alpha: Fraction

    @property
    def rate(self) -> Fraction:
        """The true rate."""
        return self.threshold + self.gap

    @property
    def limit(self) -> float:
        """Samples that any test of this error needs in the mean, if it always decides in the end."""
        p, t = float(self.rate), float(self.threshold)
        return math.log(1 / self.alpha) / (p * math.log(p / t) + (1 - p) * math.log((1 - p) / (1 - t)))

    @property
    def farthest(self) -> float:
        """The limit at the smallest gap of the table, whatever the gap of this cell."""
        return Cell(self.threshold, GAPS[0], self.alpha).limit


@dataclass(frozen=True, slots=True)
class Ratios:
    """Mean samples over the limit, in all cells of one alpha.

    Attributes:
        by_gap: mean over thresholds, for each gap.
        left: largest share of runs in any cell that ended without a decision.
        deviation: standard error of the mean; 0 where it is exact.
    """

    mean: float
    worst: float
    by_gap: tuple[float, ...]
    left: float
    deviation: float = 0.0

    @property
    def gaps(self) -> str:
        """The means by gap, in words."""
        return "by gap " + " ".join(f"{gap:.2f}" for gap in self.by_gap)


def cells(alpha: Fraction) -> list[Cell]:
    """Return all cells of one alpha."""
    return [Cell(threshold, gap, alpha) for threshold in THRESHOLDS for gap in GAPS]


def summary(found: Mapping[Cell, tuple[float, float]], deviation: float = 0.0) -> Ratios:
    """Sum up, for each cell, mean samples and the share of runs that were left without a decision."""
    ratios = {cell: samples / cell.limit for cell, (samples, _) in found.items()}
    by_gap = [statistics.mean(ratio for cell, ratio in ratios.items() if cell.gap == gap) for gap in GAPS]
    left = max(share for _, share in found.values())
    return Ratios(statistics.mean(ratios.values()), max(ratios.values()), tuple(by_gap), left, deviation)


def exact(alpha: Fraction, boundary: Callable[[Cell], Boundary]) -> Ratios:
    """Return what runs with these boundaries come to.

    Raises:
        TruncatedError: when more than a negligible share of runs ends undecided.
    """
    found = {}
    for cell in cells(alpha):
        run = power(cell.rate, boundary(cell), None)
        if run.undecided > NEGLIGIBLE:
            raise TruncatedError(f"{run.undecided:.1%} of the runs are undecided in {cell}")
        found[cell] = run.expected, run.undecided
    return summary(found)


def planned(cell: Cell) -> Boundary:
    """Return the boundary of one plan for all gaps."""
    return calibrated(cell.threshold, cell.alpha, int(PLANNED * cell.farthest))


def fitted(cell: Cell) -> Boundary:
    """Return the boundary of a plan that knows the gap."""
    return calibrated(cell.threshold, cell.alpha, max(math.ceil(FITTED * cell.limit), FITTED_LEAST))


def unplanned(cell: Cell) -> Boundary:
    """Return the first steps of the boundary that is valid for ever."""
    return open_ended(cell.threshold, cell.alpha, int(WALKED * cell.farthest))


def bets(threshold: Fraction, alpha: Fraction, most: int) -> Boundary:
    """Return where the betting test of 0 and 1 shows its claim, found with its own recursion.

    Its wealth depends on the counts alone (but for how it is rounded), and grows with each success: so there is a
    boundary, and the chance to reach it can be summed.
    """
    return Boundary(threshold, "".join(_bet(threshold, alpha, most)))


def _bet(threshold: Fraction, alpha: Fraction, most: int) -> Iterator[str]:
    """Yield the steps, with the wealth at the boundary itself; all successes until that reaches it."""
    success = (threshold.denominator << BITS) // threshold.numerator
    wealth, reachable = Wealth(), False
    for _ in range(most):
        if reachable:
            failed = copy.copy(wealth)
            failed.grow(0)
            if reaches(failed.total, UNIT, alpha):
                wealth = failed
                yield "0"
                continue
        wealth.grow(success)
        first = not reachable and reaches(wealth.total, UNIT, alpha)
        reachable = reachable or first
        yield "0" if first else "1"


def betting(alpha: Fraction) -> Ratios:
    """Return what runs of the betting test come to."""
    known = {cell.threshold: bets(cell.threshold, alpha, int(WALKED * cell.farthest)) for cell in cells(alpha)}
    return exact(alpha, lambda cell: known[cell.threshold])
