"""Peers whose state is a whole path, on many simulated paths; and chances summed in floating point. All in numpy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from cells import Cell, Ratios, cells, summary

from scalegate.stats.boundary import Boundary

PATHS = 4_000
# Multiples of the limit after which a path is given up, and counted as decided there.
GIVEN_UP = 40
BLOCK = 128
# The most a bet may lose: a half, as its authors have it.
MOST_LOST = 0.5


@dataclass(frozen=True, slots=True)
class Drawn:
    """A block of samples on every path, and what was known before each of them.

    Attributes:
        outcomes: 0 or 1.
        before: estimates of the rate.
        bets: plug-in bets, not yet cut.
    """

    outcomes: Any
    before: Any
    bets: Any


class Plugin:
    """Predictable estimates of rate and variance, and the bets that follow from them, for many paths.

    (Waudby-Smith and Ramdas, arXiv 2010.09686: equations 15, 24 and 26; one side has the whole error.)
    """

    def __init__(self, paths: int, alpha: float) -> None:
        self.level = math.log(1 / alpha)
        self.samples = 0
        self.total = np.zeros((paths, 1))
        self.squares = np.zeros((paths, 1))

    def take(self, outcomes: Any) -> Drawn:
        """See one more block of samples."""
        numbers = self.samples + np.arange(1, outcomes.shape[1] + 1)
        totals = self.total + np.cumsum(outcomes, axis=1)
        means = (0.5 + totals) / (numbers + 1)
        squares = self.squares + np.cumsum((outcomes - means) ** 2, axis=1)
        past_squares = np.concatenate([self.squares, squares[:, :-1]], axis=1)
        past_means = (0.5 + np.concatenate([self.total, totals[:, :-1]], axis=1)) / numbers
        variances = (0.25 + past_squares) / numbers
        self.samples, self.total, self.squares = int(numbers[-1]), totals[:, -1:], squares[:, -1:]
        return Drawn(outcomes, past_means, np.sqrt(2 * self.level / (variances * numbers * np.log1p(numbers))))

    def keep(self, which: Any) -> None:
        """Go on with some of the paths."""
        self.total, self.squares = self.total[which], self.squares[which]


def bernstein(drawn: Drawn, threshold: float) -> Any:
    """Return how the logarithm of the empirical-Bernstein process grows at the threshold."""
    bets = np.minimum(drawn.bets, MOST_LOST)
    spread = (drawn.outcomes - drawn.before) ** 2
    return bets * (drawn.outcomes - threshold) + spread * (np.log1p(-bets) + bets)


def hedged(drawn: Drawn, threshold: float) -> Any:
    """Return how the logarithm of the capital that bets on "above" grows at the threshold."""
    bets = np.minimum(drawn.bets, MOST_LOST / threshold)
    return np.log1p(bets * (drawn.outcomes - threshold))


PROCESSES = {"bernstein": bernstein, "hedged": hedged}


def stops(name: str, cell: Cell, rate: float, most: int, paths: int, seed: int) -> Any:
    """Return after how many samples a process shows the claim of a cell on each path; 0 where it never does."""
    generator = np.random.default_rng(seed)
    plugin = Plugin(paths, float(cell.alpha))
    found = np.zeros(paths, dtype=np.int64)
    place, process = np.arange(paths), np.zeros((paths, 1))
    while place.size and plugin.samples < most:
        start = plugin.samples
        width = min(BLOCK, most - start)
        drawn = plugin.take((generator.random((place.size, width)) < rate).astype(np.float64))
        grown = process + np.cumsum(PROCESSES[name](drawn, float(cell.threshold)), axis=1)
        reached = grown >= plugin.level
        done = reached.any(axis=1)
        found[place[done]] = start + 1 + reached[done].argmax(axis=1)
        place, process = place[~done], grown[~done, -1:]
        plugin.keep(~done)
    return found


def path_ratios(name: str, alpha: Fraction) -> Ratios:
    """Return what runs of a process come to; `left` is the share of paths that were given up."""
    found, variance = {}, 0.0
    for seed, cell in enumerate(cells(alpha)):
        most = math.ceil(GIVEN_UP * cell.limit)
        ends = stops(name, cell, float(cell.rate), most, PATHS, seed)
        samples = np.where(ends > 0, ends, most)
        found[cell] = float(samples.mean()), float((ends == 0).mean())
        variance += float(samples.var()) / PATHS / cell.limit**2
    return summary(found, math.sqrt(variance) / len(found))


def reached(boundary: Boundary, rate: float) -> float:
    """Return the chance that a boundary is ever reached: the same sum as `crossing`, by another program."""
    going, over = np.zeros(boundary.most + 1), 0.0
    going[0] = 1.0
    for needed in boundary.needed[1:]:
        going = _moved(going, rate)
        over += float(going[needed:].sum())
        going[needed:] = 0.0
    return over


def peeking(rate: float, error: float, most: int) -> float:
    """Return how often a Clopper-Pearson interval of this error, looked at after each sample, ever excludes the truth.

    Half of the error is for each side, as it is in such an interval.
    """
    going = np.zeros(most + 1)
    going[0] = 1.0
    for outside in _excluded(rate, error / 2, most):
        going = _moved(going, rate)
        going[outside] = 0.0
    return 1 - float(going.sum())


def _excluded(rate: float, side: float, most: int) -> Iterator[Any]:
    """Yield, sample by sample, for which counts the interval excludes the rate."""
    chances = np.zeros(most + 1)
    chances[0] = 1.0
    for _ in range(most):
        chances = _moved(chances, rate)
        yield (np.cumsum(chances) <= side) | (np.cumsum(chances[::-1])[::-1] <= side)


def _moved(going: Any, rate: float) -> Any:
    """Return the distribution one sample on."""
    moved = going * (1 - rate)
    moved[1:] += going[:-1] * rate
    return moved
