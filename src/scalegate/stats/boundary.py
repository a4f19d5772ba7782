"""Boundaries: how many successes show, after each number of samples, that a rate lies above a threshold.

A boundary is committed before a run, sample by sample, so that whoever checks it needs no search: `crossing` bounds
the chance that it is ever reached at the threshold itself. "Not above" is the same question about failures, with
1 - threshold.

The shape comes from a mixture of bets against the threshold, with gaps spaced evenly in their logarithm: every true
gap between the smallest that `most` samples can tell and the largest there is costs nearly the same multiple of the
information limit log(1/error) / kl. (Robbins 1970; Kaufmann and Koolen 2021, "Mixture martingales revisited".)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from typing import Final, TypeAlias

from scalegate.core.canonical import digest
from scalegate.stats.binomial import BoundError

MOST_SAMPLES: Final = 200_000
"""A longer boundary is refused, so that checking one takes bounded time."""

NODES: Final = 32
"""Bets in the mixture; twice as many save about one sample in a hundred."""


@dataclass(frozen=True)
class Boundary:
    """A boundary on the count of successes.

    Attributes:
        threshold: the rate in question, between 0 and 1, both excluded.
        steps: one character a sample: `1` where one more success is needed than before, `0` where not. One success is
            needed before the first sample, so that `1` everywhere is a boundary that nothing reaches.
        bank: number of items of the finite bank that samples are drawn from without replacement; 0 for a population.
    """

    threshold: Fraction
    steps: str
    bank: int = 0

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if not 0 < len(self.steps) <= MOST_SAMPLES or self.steps.strip("01"):
            raise BoundError(f"a boundary has one digit, 0 or 1, for each of at most {MOST_SAMPLES} samples")
        if self.bank and len(self.steps) > self.bank:
            raise BoundError(f"{len(self.steps)} samples cannot be drawn from a bank of {self.bank}")

    @property
    def most(self) -> int:
        """The planned number of samples."""
        return len(self.steps)

    @cached_property
    def needed(self) -> tuple[int, ...]:
        """Successes that show the claim after 0, 1, ... samples; more than there are samples where none do."""
        return tuple(accumulate(map(int, self.steps), initial=1))

    @property
    def packed(self) -> str:
        """The steps as hexadecimal digits, four steps each, the first step highest; zeros fill the last digit."""
        padded = self.steps.ljust(-(-self.most // 4) * 4, "0")
        return f"{int(padded, 2):0{len(padded) // 4}x}"

    @property
    def digest(self) -> str:
        """Digest of everything a boundary is."""
        return digest([str(self.threshold), self.steps, self.bank])

    def reached(self, successes: Sequence[int]) -> int:
        """Return after how many samples the boundary is first reached, given 0 or 1 for each; 0 for never.

        Samples beyond the planned number are not looked at.
        """
        found = 0
        for place, (success, needed) in enumerate(zip(successes, self.needed[1:], strict=False), 1):
            found += success
            if found >= needed:
                return place
        return 0


def unpack(threshold: Fraction, packed: str, most: int, bank: int = 0) -> Boundary:
    """Return the boundary that `packed` digits stand for.

    Raises:
        BoundError: for digits that are not those of `most` steps, or a boundary that cannot be.
    """
    if not 0 < most <= MOST_SAMPLES or len(packed) != -(-most // 4) or set(packed) - set("0123456789abcdef"):
        raise BoundError(f"the steps of {most} samples are {-(-most // 4)} hexadecimal digits")
    steps = f"{int(packed, 16):0{len(packed) * 4}b}"
    if "1" in steps[most:]:
        raise BoundError("the last digit of a boundary holds steps beyond the planned samples")
    return Boundary(threshold, steps[:most], bank)


def check_threshold(threshold: Fraction) -> None:
    """Refuse a threshold outside (0, 1), with BoundError."""
    if not 0 < threshold < 1:
        raise BoundError(f"a threshold of a boundary lies between 0 and 1, both excluded, not at {threshold}")


def gaps(threshold: Fraction, most: int, error: Fraction) -> tuple[float, ...]:
    """Return the gaps of the mixture, evenly spaced in their logarithm.

    The smallest is about what `most` samples can tell at this error; the largest leads to a rate of 1.
    """
    rate = float(threshold)
    told = math.sqrt(2 * rate * (1 - rate) * math.log(1 / float(error)) / most)
    largest = 1 - rate
    smallest = min(told, largest / 2)
    ratio = largest / smallest
    return tuple(smallest * ratio ** (place / (NODES - 1)) for place in range(NODES))


def boundary(threshold: Fraction, level: float, most: int, error: Fraction, bank: int = 0) -> Boundary:
    """Return the boundary of the mixture: where its likelihood ratio against the threshold reaches `level`.

    `level` 1 / error is valid for ever (Ville 1939); a smaller one has to be checked by `crossing`.

    Args:
        threshold: between 0 and 1.
        level: what the mixture must reach, at least 1.
        most: planned number of samples.
        error: what the mixture is tuned to; it decides nothing.
        bank: size of the bank for sampling without replacement; 0 for a population.

    Raises:
        BoundError: for a threshold, number or bank that no boundary has.
    """
    check_threshold(threshold)
    if not 0 < most <= (bank or MOST_SAMPLES) or level < 1:
        raise BoundError(f"no boundary of level {level} for {most} samples")
    spaced = gaps(threshold, most, error)
    ratios = _bank_ratios(threshold, spaced, bank) if bank else _ratios(threshold, spaced)
    return Boundary(threshold, "".join(_walk(ratios, level, most)), bank)


# Likelihood ratios of one more success, and of one more failure, for each bet, after some successes and failures.
Ratios: TypeAlias = Callable[[int, int], tuple[list[float], list[float]]]


def _ratios(threshold: Fraction, spaced: Sequence[float]) -> Ratios:
    """Return the ratios of a population: they depend on nothing that came before."""
    rate = float(threshold)
    found = [1 + gap / rate for gap in spaced], [max(0.0, 1 - gap / (1 - rate)) for gap in spaced]
    return lambda _successes, _failures: found


def _bank_ratios(threshold: Fraction, spaced: Sequence[float], bank: int) -> Ratios:
    """Return the ratios of a bank against its largest total that is not above the threshold.

    (Waudby-Smith and Ramdas 2020, "Confidence sequences for sampling without replacement", section 2.)
    """
    total = at_most(threshold, bank)
    others = [min(bank, total + max(1, round(gap * bank))) for gap in spaced]

    def ratios(successes: int, failures: int) -> tuple[list[float], list[float]]:
        left, lacking = total - successes, bank - total - failures
        success = [(other - successes) / left for other in others] if left > 0 else []
        failure = [max(0, bank - other - failures) / lacking for other in others] if lacking > 0 else []
        return success, failure

    return ratios


def at_most(threshold: Fraction, bank: int) -> int:
    """Return the largest total of successes in a bank whose share is not above the threshold."""
    return threshold.numerator * bank // threshold.denominator


def _walk(ratios: Ratios, level: float, most: int) -> Iterator[str]:
    """Yield the steps: the mixture grows with a success and shrinks with a failure, so that each is 0 or 1.

    The wealth of each bet is kept at the boundary itself, where it neither overflows nor vanishes. An empty list of
    ratios stands for an outcome that the threshold excludes (a success that proves the claim) or that proves nothing.
    """
    wealth, successes, reachable = [1 / NODES] * NODES, 0, False
    for samples in range(1, most + 1):
        failures = samples - 1 - successes
        success, failure = ratios(successes, failures)
        if not success:
            # One more success than the bank holds at the threshold: from here on that, and nothing less, shows it.
            yield "1" if reachable else "0"
            yield from "0" * (most - samples)
            return
        stays = [have * ratio for have, ratio in zip(wealth, failure, strict=False)] if reachable else []
        if sum(stays) >= level:
            wealth = stays
            yield "0"
            continue
        wealth = [have * ratio for have, ratio in zip(wealth, success, strict=True)]
        successes += 1
        if not reachable and sum(wealth) >= level:
            reachable = True
            yield "0"
        else:
            yield "1"
