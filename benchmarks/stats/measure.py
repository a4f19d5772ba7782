"""Tests of "the rate is above t": samples they take, error they spend, and what they cost in CPU time."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from time import process_time

from audits import AUDITS, CHECKED, Audited, audit
from cells import (
    ALPHAS,
    NEGLIGIBLE,
    PLANNED,
    THRESHOLDS,
    Cell,
    Ratios,
    betting,
    exact,
    fitted,
    planned,
    unplanned,
)
from paths import GIVEN_UP, PATHS, path_ratios, peeking, reached
from peers import fixed_ratios, hoeffding_ratios

from scalegate.stats.boundary import Boundary, unpack
from scalegate.stats.calibrate import calibrated
from scalegate.stats.crossing import crossing
from scalegate.stats.power import power
from scalegate.stats.sequential import Tracker

ERRORS = (Fraction(1, 20), Fraction(1, 100), Fraction(1, 1000))
ERROR_HORIZONS = (100, 2_000)
GRID = tuple(Fraction(place, 20) for place in range(1, 20))
PEEKS = 1_000
# `crossing` counts each rounding against the boundary; by what part of the error it may exceed the sum in floats.
ROUNDING = 1e-5

BANKS = (200, 500, 1_000)
BANK = Cell(Fraction(1, 5), Fraction(1, 20), Fraction(1, 20))

AUDIT_RATES = (Fraction(1, 4), Fraction(3, 10))
AGREEMENTS = (Fraction(97, 100), Fraction(4, 5))

HORIZON = 20_000
ABOVE, BELOW = Fraction(1, 20), Fraction(1, 1000)
AWAY = (Fraction(-1, 20), Fraction(-1, 50), Fraction(0), Fraction(1, 50), Fraction(1, 20))
UPDATES = Fraction(1, 5)
PASSES = 9
TIMES = 3


class DisagreementError(AssertionError):
    """The package and another program find different chances for the same boundary."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Mean samples over the limit at one alpha: ours, and the peers' in the same cells."""

    alpha: Fraction
    planned: Ratios
    fitted: Ratios
    unplanned: Ratios
    betting: Ratios
    fixed: Ratios
    hoeffding: Ratios
    bernstein: Ratios
    hedged: Ratios


@dataclass(frozen=True, slots=True)
class Errors:
    """Chances to be wrong at the threshold, over what was allowed.

    Attributes:
        most, median: share of its error that one of our boundaries spends, at the most and in the middle of all.
        peeking: largest error of a 95% interval that is looked at after each sample, over 5%.
        boundaries: number of ours.
    """

    most: float
    median: float
    peeking: float
    boundaries: int


@dataclass(frozen=True, slots=True)
class Banks:
    """Mean samples from a population, and without replacement from banks of the same rate."""

    population: float
    banks: dict[int, float]

    @property
    def ratio(self) -> float:
        """Samples from a bank for each from the population, where least is saved."""
        return max(self.banks.values()) / self.population


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU time: microseconds a sample, and seconds to plan and to check at the slowest threshold."""

    update: float
    plan: float
    check: float


@dataclass(frozen=True, slots=True)
class Found:
    """All that was measured.

    Attributes:
        audits: by true rate and agreement.
        paths, cut: simulated paths a cell, and after how many times the limit one is given up.
        audited: number of audits of each kind; of these, `checked` by the package as well.
    """

    samples: tuple[Samples, ...]
    errors: Errors
    banks: Banks
    audits: dict[tuple[Fraction, Fraction], Audited]
    costs: Costs
    paths: int = PATHS
    cut: int = GIVEN_UP
    audited: int = AUDITS
    checked: int = CHECKED


def samples(alpha: Fraction) -> Samples:
    """Count samples at one alpha."""
    return Samples(
        alpha,
        planned=exact(alpha, planned),
        fitted=exact(alpha, fitted),
        unplanned=exact(alpha, unplanned),
        betting=betting(alpha),
        fixed=fixed_ratios(alpha),
        hoeffding=hoeffding_ratios(alpha),
        bernstein=path_ratios("bernstein", alpha),
        hedged=path_ratios("hedged", alpha),
    )


def errors() -> Errors:
    """Find how much of its error each boundary spends.

    Raises:
        DisagreementError: when the package's bound is below another program's sum, or well above it.
    """
    spent = []
    for threshold in GRID:
        for alpha in ERRORS:
            for most in ERROR_HORIZONS:
                made = calibrated(threshold, alpha, most)
                bound, summed = float(crossing(made) / alpha), reached(made, float(threshold)) / float(alpha)
                if not -1e-9 <= bound - summed <= ROUNDING:
                    raise DisagreementError(f"{bound} of {alpha} at {threshold}, by another program {summed}")
                spent.append(bound)
    wrong = max(peeking(float(threshold), 0.05, PEEKS) for threshold in GRID)
    return Errors(max(spent), statistics.median(spent), wrong / 0.05, len(spent))


def banks() -> Banks:
    """Count samples from a population, with the shortest horizon that nearly always decides, and from whole banks."""
    open_to_all = power(BANK.rate, calibrated(BANK.threshold, BANK.alpha, int(PLANNED * BANK.limit)), None)
    of_banks = {bank: power(BANK.rate, calibrated(BANK.threshold, BANK.alpha, bank, bank), None) for bank in BANKS}
    if any(run.undecided > NEGLIGIBLE for run in (open_to_all, *of_banks.values())):
        raise DisagreementError("a run that was meant to decide is undecided")
    return Banks(open_to_all.expected, {bank: run.expected for bank, run in of_banks.items()})


def costs() -> Costs:
    """Time the three things that are done with a boundary."""
    return Costs(_update(), max(map(_plan, THRESHOLDS)), max(map(_check, THRESHOLDS)))


def _update() -> float:
    """Return microseconds a sample, on a path that never reaches its boundary."""
    made = calibrated(UPDATES, ABOVE, HORIZON)
    generator = random.Random(1)
    outcomes = ["1" if generator.random() < UPDATES - Fraction(1, 50) else "0" for _ in range(HORIZON)]
    if made.reached([int(outcome) for outcome in outcomes]):
        raise DisagreementError("the path was meant to go on to its end")

    def walk() -> None:
        tracker = Tracker(made)
        for outcome in outcomes:
            tracker.take(outcome)

    return _median(walk, PASSES) / HORIZON * 1e6


def _plan(threshold: Fraction) -> float:
    """Return seconds to find both boundaries of a run, and what it comes to at five rates."""

    def plan() -> None:
        calibrated.cache_clear()
        above, below = calibrated(threshold, ABOVE, HORIZON), calibrated(1 - threshold, BELOW, HORIZON)
        for away in AWAY:
            power(threshold + away, above, below)

    return _median(plan, TIMES)


def _check(threshold: Fraction) -> float:
    """Return seconds to check one boundary as it stands in a ledger."""
    packed = calibrated(threshold, ABOVE, HORIZON).packed

    def check() -> None:
        made: Boundary = unpack(threshold, packed, HORIZON)
        if crossing.__wrapped__(made) > ABOVE:
            raise DisagreementError(f"the boundary at {threshold} is reached too often")

    return _median(check, TIMES)


def _median(work: Callable[[], None], times: int) -> float:
    """Return the median of the CPU seconds that something takes."""
    taken = []
    for _ in range(times):
        start = process_time()
        work()
        taken.append(process_time() - start)
    return statistics.median(taken)


def measure() -> Found:
    """Measure all of it: times first, before anything else fills memory."""
    found = costs()
    return Found(
        samples=tuple(map(samples, ALPHAS)),
        errors=errors(),
        banks=banks(),
        audits={(rate, agreement): audit(rate, agreement) for agreement in AGREEMENTS for rate in AUDIT_RATES},
        costs=found,
    )


if __name__ == "__main__":
    print(measure())
