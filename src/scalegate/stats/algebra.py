"""Evidence about conditions from evidence about their parts: an algebra of e-values.

An e-value for a claim is a fraction that is at least 0 and whose mean is at most 1 while the claim is false; 1 / error
or more shows the claim at that error (Vovk and Wang, arXiv 1912.06116). Conditions carry over:

- A and B: the minimum, since whichever of the two is false bounds it.
- A or B: the mean, under any dependence; the product where the streams are independent of each other.
- not A: the e-value of the opposite side (`Betting` with `below`), never one divided by the e-value of A.
- at least k of n: if it is false, some n - k + 1 of the claims are false together, and their mean is an e-value; which
  ones is unknown, hence the minimum over all sets of that size.

The same holds along time for e-processes of one common filtration: take all values at one moment (`evalue`), apply the
operator, and keep the peak of the outcome. A mean or product of peaks is not an e-value. Only the minimum may be taken
of peaks, since each claim then stands at the full error by itself.

Two directions differ. "All clear" is a conjunction: if it is wrong, one certain part of it is wrong, so that every part
at its full error suffices, without any correction (intersection-union test, Berger 1982). "Something crossed" goes
wrong if any of many does: `e_holm` limits that where a false stop matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.stats.binomial import BoundError, check_error


def e_and(values: Sequence[Fraction]) -> Fraction:
    """Return the e-value of "all of these claims hold"; raises BoundError for no value or a negative one."""
    _check_values(values)
    return min(values)


def e_or(
    values: Sequence[Fraction], *, weights: Sequence[Fraction] | None = None, independent: bool = False
) -> Fraction:
    """Return the e-value of "at least one of these claims holds".

    Weights are positive, fixed before any score was seen, and only their ratios count. With `independent` the caller
    states that the streams behind the values are independent of each other, which nothing here can check: the product.
    Raises BoundError for no value, a negative one, weights that are not one for each or not positive, or weights beside
    `independent`.
    """
    _check_values(values)
    if independent:
        if weights is not None:
            raise BoundError("a product of e-values has no weights")
        return math.prod(values, start=Fraction(1))
    shares = _checked_weights(values, weights)
    return sum((share * value for share, value in zip(shares, values, strict=True)), Fraction(0)) / sum(shares)


def k_of_n(needed: int, values: Sequence[Fraction], *, weights: Sequence[Fraction] | None = None) -> Fraction:
    """Return the e-value of "at least `needed` of these claims hold".

    Without weights it is the mean of the n - needed + 1 smallest values: the mean of all for one of n, the minimum for
    all of n. With weights it is the smallest weighted mean over sets of that size.
    Raises BoundError for a number outside 1..n, and as `e_or` does.
    """
    _check_values(values)
    if not 1 <= needed <= len(values):
        raise BoundError(f"{needed} of {len(values)} claims is not a condition")
    size = len(values) - needed + 1
    pairs = list(zip(_checked_weights(values, weights), values, strict=True))
    # Dinkelbach 1967: the set with the least sum of share * (value - mean) lowers the mean until it is the least. Every
    # round but the last finds a smaller one, and there are finitely many sets.
    mean = _mean(pairs[:size])
    while True:
        pairs.sort(key=lambda pair: pair[0] * (pair[1] - mean))
        lower = _mean(pairs[:size])
        if lower >= mean:
            return mean
        mean = lower


def all_clear(values: Sequence[Fraction], error: Fraction) -> bool:
    """Decide "every one of these claims is shown", each at the full error, without correction for their number.

    For claims such as "below its threshold", values or peaks. If the conjunction is false then some claim of it is,
    and "all clear" cannot be said unless that claim was shown: the chance of it is at most `error`, however many there
    are and however they depend on each other.
    Raises BoundError for no value, a negative one, or an error outside (0, 1/2).
    """
    check_error(error)
    return e_and(values) * error >= 1


def e_holm(
    values: Sequence[Fraction], error: Fraction, *, weights: Sequence[Fraction] | None = None
) -> tuple[bool, ...]:
    """Decide which of these claims are shown so that the chance of any wrong one among them is at most `error`.

    Closed testing with (weighted) means under any dependence: a claim is shown if every set that contains it has a mean
    of at least 1 / error. With e-processes of one filtration, asked with their values of one moment each time, the
    error holds over all looks together, so that whatever was shown at any look may be kept. (Vovk and Wang, arXiv
    1912.06116, on testing multiple hypotheses; Hartog and Lei, arXiv 2501.09015.) Returns one answer for each value, in
    their order.
    Raises BoundError for an error outside (0, 1/2), and as `e_or` does.
    """
    check_error(error)
    return tuple(value * error >= 1 for value in closed_evalues(values, weights=weights))


def closed_evalues(values: Sequence[Fraction], *, weights: Sequence[Fraction] | None = None) -> tuple[Fraction, ...]:
    """Lower each value to the smallest (weighted) mean of a set that contains it, so that all may be read together.

    Raises BoundError as `e_or` does.
    """
    _check_values(values)
    pairs = list(zip(_checked_weights(values, weights), values, strict=True))
    ascending = sorted(range(len(pairs)), key=lambda place: pairs[place][1])
    closed = []
    for place, (weight, value) in enumerate(pairs):
        mass, total = weight, weight * value
        for other in ascending:
            share, smaller = pairs[other]
            # Whatever is below the mean lowers it; the next ones in the row are larger and the mean is smaller.
            if smaller * mass >= total:
                break
            if other != place:
                total += share * smaller
                mass += share
        closed.append(total / mass)
    return tuple(closed)


@dataclass(frozen=True, slots=True)
class Spending:
    """Shares of one error for checkpoints 1, 2, 3, ..., each of which is a null of its own; they sum to at most 1.

    `shares` are for a number of checkpoints fixed beforehand. None is for a run whose number of checkpoints is open:
    share 1 / (j (j + 1)), which sums to 1 - 1 / (J + 1) after J checkpoints. The chance that any checkpoint is wrongly
    shown is at most the whole error. The e-version is `e_or` with the shares as weights.
    Raises BoundError for no share, one that is not positive, or a sum above 1.
    """

    shares: tuple[Fraction, ...] | None = None

    def __post_init__(self) -> None:
        if self.shares is None:
            return
        if not self.shares or min(self.shares) <= 0:
            raise BoundError("a schedule gives every checkpoint, of which there is at least one, a positive share")
        if sum(self.shares) > 1:
            raise BoundError(f"the shares of an error sum to {sum(self.shares)}, more than the whole")

    @classmethod
    def weighted(cls, weights: Sequence[Fraction]) -> Spending:
        """Spend the whole error on this many checkpoints, in proportion to positive weights."""
        if not weights or min(weights) <= 0:
            return cls(())
        whole = sum(weights, Fraction(0))
        return cls(tuple(weight / whole for weight in weights))

    @classmethod
    def even(cls, checkpoints: int) -> Spending:
        """Spend the whole error evenly on this many checkpoints, at least 1."""
        return cls((Fraction(1, checkpoints),) * checkpoints if checkpoints > 0 else ())

    def share(self, checkpoint: int) -> Fraction:
        """Return the share of one checkpoint; raises BoundError below 1, or beyond the last that was planned."""
        if checkpoint < 1:
            raise BoundError(f"checkpoints count from 1, not from {checkpoint}")
        if self.shares is None:
            return Fraction(1, checkpoint * (checkpoint + 1))
        if checkpoint > len(self.shares):
            raise BoundError(f"checkpoint {checkpoint} has no error left: {len(self.shares)} were planned")
        return self.shares[checkpoint - 1]

    def error_at(self, checkpoint: int, error: Fraction) -> Fraction:
        """Return the part of the whole `error`, in (0, 1/2), that this checkpoint may spend."""
        check_error(error)
        return error * self.share(checkpoint)


def _check_values(values: Sequence[Fraction]) -> None:
    """Refuse, with BoundError, to combine nothing, or what is no e-value."""
    if not values:
        raise BoundError("a condition needs at least one e-value")
    if min(values) < 0:
        raise BoundError(f"an e-value is not negative: {min(values)}")


def _checked_weights(values: Sequence[Fraction], weights: Sequence[Fraction] | None) -> Sequence[Fraction]:
    if weights is None:
        return (Fraction(1),) * len(values)
    if len(weights) != len(values):
        raise BoundError(f"{len(weights)} weights for {len(values)} e-values")
    if min(weights) <= 0:
        raise BoundError(f"a weight is positive: {min(weights)} is not")
    return weights


def _mean(pairs: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """Average values by their weights, from pairs of a weight and a value."""
    mass = sum((weight for weight, _ in pairs), Fraction(0))
    return sum((weight * value for weight, value in pairs), Fraction(0)) / mass
