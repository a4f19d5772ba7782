"""What else answers "is the rate above t?", computed exactly: a fixed number of samples, and Hoeffding's mixture."""

from __future__ import annotations

import math
from fractions import Fraction

from cells import Cell, Ratios, TruncatedError, cells, summary

from scalegate.stats.boundary import Boundary
from scalegate.stats.power import power

POWER = 0.8
RHO = 50
# Planned samples of the mixture, in multiples of the limit, and at least.
HORIZON = 20
HORIZON_LEAST = 2_000
UNDECIDED = 1e-6


def _pmf(count: int, trials: int, rate: float) -> float:
    """Return the chance of a count."""
    choices = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
    return math.exp(choices + count * math.log(rate) + (trials - count) * math.log1p(-rate))


def fixed(cell: Cell) -> int:
    """Return the fewest samples, fixed beforehand, after which Clopper-Pearson shows the claim with power 0.8.

    The bound lies above the threshold when P(X >= count | threshold) <= alpha: both tails are carried from one number
    of samples to the next. The fewest is found by somebody who knows the true rate.
    """
    null, true, alpha = float(cell.threshold), float(cell.rate), float(cell.alpha)
    # Tails at `needed` successes, which is one more than there are samples as long as nothing would do.
    needed, error, shown = 1, 0.0, 0.0
    trials = 0
    while shown < POWER:
        error += null * _pmf(needed - 1, trials, null)
        shown += true * _pmf(needed - 1, trials, true)
        trials += 1
        if error > alpha:
            error -= _pmf(needed, trials, null)
            shown -= _pmf(needed, trials, true)
            needed += 1
    return trials


def fixed_ratios(alpha: Fraction) -> Ratios:
    """Return fixed numbers of samples over the limit; one run in five shows nothing."""
    return summary({cell: (float(fixed(cell)), 1 - POWER) for cell in cells(alpha)})


def hoeffding(threshold: Fraction, alpha: Fraction, most: int) -> Boundary:
    """Return where the one-sided normal mixture for scores in [0, 1] reaches 1 / alpha, rho 50 in units of variance.

    (Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences".)
    """
    level, rate, needed, steps = math.log(1 / alpha), float(threshold), 1, []
    for samples in range(1, most + 1):
        if needed <= samples and _mixture(needed - samples * rate, samples / 4) >= level:
            steps.append("0")
        else:
            needed += 1
            steps.append("1")
    return Boundary(threshold, "".join(steps))


def _mixture(excess: float, variance: float) -> float:
    """Return the logarithm of the mixture over positive bets, half of a normal distribution."""
    spread = variance + RHO
    half = max(0.5 * math.erfc(-excess / math.sqrt(2 * spread)), 1e-300)
    return math.log(2 * half) + 0.5 * math.log(RHO / spread) + excess**2 / (2 * spread)


def hoeffding_ratios(alpha: Fraction) -> Ratios:
    """Return what runs of the mixture come to.

    Raises:
        TruncatedError: when more than one run in a million ends undecided.
    """
    found = {}
    for cell in cells(alpha):
        most = max(math.ceil(HORIZON * cell.limit), HORIZON_LEAST)
        run = power(cell.rate, hoeffding(cell.threshold, alpha, most), None)
        if run.undecided > UNDECIDED:
            raise TruncatedError(f"{run.undecided:.1%} of the runs are undecided in {cell}")
        found[cell] = run.expected, run.undecided
    return summary(found)
