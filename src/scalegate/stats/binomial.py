"""Exact one-sided binomial bounds (Clopper and Pearson 1934) as certified rationals on a grid.

A bound is a fact about a threshold at a stated error: "the rate is above t" is shown by k
successes of n when P(X >= k | n, t) <= error. That inequality is decided in integer arithmetic,
every rounding outward, so that an answer is the same on every platform and never claims more than
the exact binomial does. Floating point only proposes where on the grid to look first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

GRID: Final = 1_000_000
"""Bounds are whole multiples of 1/GRID."""

MAX_TRIALS: Final = 1_000_000_000
"""More trials than any evaluation has; a larger count is refused, so that time stays bounded."""

_BITS: Final = 128
_ONE: Final = 1 << _BITS
_BLOCK: Final = 32
# Relative width of the enclosure is below 2**-_TIGHT for every count up to MAX_TRIALS; inside that
# width the sum is taken exactly if the integers stay small, and is otherwise not certified.
_TIGHT: Final = 60
_EXACT_TRIALS: Final = 2_048
# Binomial coefficients come exactly up to this many factors and from Stirling's series beyond it.
_EXACT_CHOICES: Final = 256

_TWO_PI_SCALE: Final = 10**37
# Digits of 2*pi cut off, hence a lower bound of it.
_TWO_PI_LOW: Final = 62831853071795864769252867665590057683


class BoundError(ValueError):
    """Counts, an error or a rate for which no bound is defined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Certified facts about one rate: above `lower`, and not above `upper`, each at its own error.

    Both are fractions between 0 and 1, whole multiples of 1/GRID; lower <= upper.
    """

    lower: Fraction
    upper: Fraction


def tail_at_least(successes: int, trials: int, rate: Fraction) -> Fraction:
    """Bound P(X >= successes) from above for X binomial (trials, rate).

    The result is never below the exact probability. It exceeds it by less than one part in 2**60
    where successes > trials * rate, and is the trivial bound 1 elsewhere.
    Raises BoundError for impossible counts or a rate outside [0, 1].
    """
    check_counts(successes, trials)
    if not 0 <= rate <= 1:
        raise BoundError(f"a rate lies between 0 and 1, not at {rate}")
    part, whole = rate.numerator, rate.denominator
    if trials * part >= successes * whole:
        return Fraction(1)
    if part == 0:
        return Fraction(0)
    mantissa, exponent = _point(successes, trials, part, whole)
    ceiling = (successes + 2) << _BITS
    total = _relative_tail(successes, trials, part, whole, enough=-1, hopeless=ceiling)
    bound = Fraction(mantissa * total) * Fraction(2) ** (exponent - _BITS)
    return min(bound, Fraction(1))


def lower_bound(successes: int, trials: int, error: Fraction) -> Fraction:
    """Find the largest t on the grid for which "the rate is above t" is shown at this error.

    Shown means P(X >= successes | trials, t) <= error. The bound never exceeds successes / trials;
    without a success, or without a trial, it is 0 and shows nothing.
    Raises BoundError for impossible counts or an error outside (0, 1/2).
    """
    check_counts(successes, trials)
    check_error(error)
    return Fraction(_largest_shown(successes, trials, error), GRID)


def upper_bound(successes: int, trials: int, error: Fraction) -> Fraction:
    """Find the smallest t on the grid for which "the rate is not above t" is shown at this error.

    Shown means P(X <= successes | trials, t) <= error. The bound is never below
    successes / trials; without a failure, or without a trial, it is 1 and shows nothing.
    Raises BoundError for impossible counts or an error outside (0, 1/2).
    """
    check_counts(successes, trials)
    check_error(error)
    # Failures are binomial at 1 - t, and the grid is symmetric.
    return Fraction(GRID - _largest_shown(trials - successes, trials, error), GRID)


def interval(successes: int, failures: int, missing: int, error_above: Fraction, error_below: Fraction) -> Interval:
    """Bound a rate from both sides; every missing sample counts against whichever side is bounded.

    `error_above` is the chance of wrongly saying "above" (a needless stop), `error_below` that of
    wrongly saying "not above" (a missed danger). Counts are whole and not negative.
    Raises BoundError as the one-sided bounds do.
    """
    check_not_negative(successes=successes, failures=failures, missing=missing)
    trials = successes + failures + missing
    return Interval(
        lower_bound(successes, trials, error_above),
        upper_bound(successes + missing, trials, error_below),
    )


def check_not_negative(**counts: int) -> None:
    """Refuse a negative count by its name, with BoundError."""
    for name, count in counts.items():
        if count < 0:
            raise BoundError(f"the number of {name} cannot be negative: {count}")


def check_counts(successes: int, trials: int) -> None:
    """Refuse counts that no sample can have, with BoundError."""
    check_not_negative(successes=successes, trials=trials)
    if successes > trials:
        raise BoundError(f"{successes} successes cannot come from {trials} trials")
    if trials > MAX_TRIALS:
        raise BoundError(f"{trials} trials are more than the {MAX_TRIALS} that can be bounded")


def check_error(error: Fraction) -> None:
    """Refuse an error outside (0, 1/2), with BoundError."""
    # Below one half the bound stays on its own side of successes / trials, where terms decrease.
    if not 0 < error < Fraction(1, 2):
        raise BoundError(f"an error lies between 0 and 1/2, both excluded, not at {error}")


@lru_cache(maxsize=4096)
def _largest_shown(successes: int, trials: int, error: Fraction) -> int:
    """Search the grid; the exact tail grows with t, so the answer does not depend on the guess."""
    if successes == 0:
        return 0
    shown = 0
    refused = -(-successes * GRID // trials)
    probe = min(max(_guess(successes, trials, error), 1), refused - 1)
    step = 1
    # Walk outward from the guess with doubling steps until the edge is bracketed, then halve.
    while shown < probe < refused:
        if _is_shown(successes, trials, probe, error):
            shown, probe = probe, probe + step
        else:
            refused, probe = probe, probe - step
        step *= 2
    while refused - shown > 1:
        probe = (shown + refused) // 2
        if _is_shown(successes, trials, probe, error):
            shown = probe
        else:
            refused = probe
    return shown


def _is_shown(successes: int, trials: int, part: int, error: Fraction) -> bool:
    """Certify P(X >= successes | trials, part / GRID) <= error; False when it is not certified."""
    if trials * part >= successes * GRID:
        return False  # the median is at least successes, so the tail is at least one half
    mantissa, exponent = _point(successes, trials, part, GRID)
    # The tail is the first term times a sum that starts at one: compare that sum with the rest.
    budget = (error.numerator << max(0, _BITS - exponent)) // (
        (error.denominator * mantissa) << max(0, exponent - _BITS)
    )
    near = budget + (budget >> _TIGHT) + 1
    total = _relative_tail(successes, trials, part, GRID, enough=budget, hopeless=near)
    if total <= budget:
        return True
    if total > near or trials > _EXACT_TRIALS:
        return False
    return _is_at_most(successes, trials, part, error)


def _relative_tail(successes: int, trials: int, part: int, whole: int, *, enough: int, hopeless: int) -> int:
    """Bound P(X >= k) / P(X = k) from above, in units of 2**-_BITS; needs k > trials * rate.

    Stops early with a valid bound once it is at most `enough`, or with a partial sum once that is
    more than `hopeless`; otherwise the rest left out is below 2**-80 of the sum.
    """
    rest = whole - part
    total = term = _ONE
    # The ratio of neighboring terms, (n - j) part / ((j + 1) rest), is below one and decreases.
    above = (trials - successes) * part
    below = (successes + 1) * rest
    while True:
        remainder = -(-term * above // (below - above))
        if total + remainder <= enough or remainder <= total >> 80:
            return total + remainder
        for _ in range(_BLOCK):
            term = -(-term * above // below)
            total += term
            above -= part
            below += rest
        if total > hopeless:
            return total
        if above <= 0:
            return total


def point_at_most(successes: int, trials: int, part: int, limit: Fraction) -> bool:
    """Certify P(X = successes | trials, part / GRID) <= limit, for 0 < part < GRID; False when not certified."""
    mantissa, exponent = _point(successes, trials, part, GRID)
    claimed = (mantissa * limit.denominator) << max(0, exponent)
    return claimed <= limit.numerator << max(0, -exponent)


def _is_at_most(successes: int, trials: int, part: int, error: Fraction) -> bool:
    """Compare the exact tail with the error; for ties, such as 1 success of 1 at 1/20."""
    rest = GRID - part
    failures = trials - successes
    term: int = math.comb(trials, successes) * rest**failures
    tail = term
    for step in range(failures):
        count = successes + step
        term = term * (trials - count) * part // ((count + 1) * rest)
        tail += term
    claimed: int = tail * part**successes * error.denominator
    allowed: int = error.numerator * GRID**trials
    return claimed <= allowed


def _point(successes: int, trials: int, part: int, whole: int) -> tuple[int, int]:
    """Bound P(X = successes) from above, as a mantissa and a power of two; 0 < part < whole."""
    choices = _choices(successes, trials)
    with_success = _power(part, whole, successes)
    with_failure = _power(whole - part, whole, trials - successes)
    return _product(_product(choices, with_success), with_failure)


@lru_cache(maxsize=256)
def _choices(successes: int, trials: int) -> tuple[int, int]:
    """Bound the binomial coefficient from above, as a mantissa and a power of two.

    Beyond _EXACT_CHOICES by Stirling's series, whose partial sums enclose the logarithm of the
    factorial for positive arguments (DLMF 5.11(ii)).
    """
    failures = trials - successes
    if min(successes, failures) <= _EXACT_CHOICES:
        return _cut(math.comb(trials, successes), 0)
    powers = _product(_power(trials, successes, successes), _power(trials, failures, failures))
    scaled = (trials * _TWO_PI_SCALE) << (4 * _BITS)
    square = scaled // (_TWO_PI_LOW * successes * failures) + 1
    root = _cut(math.isqrt(square) + 1, -2 * _BITS)
    fall = _stirling_low(successes) + _stirling_low(failures) - _stirling_high(trials)
    return _product(_product(powers, root), _exp_minus(fall))


def _stirling_low(count: int) -> int:
    """Bound log(n!) - log(sqrt(2 pi n) (n / e)**n) from below, in units of 2**-_BITS."""
    # 1/12n - 1/360n^3 + 1/1260n^5 - 1/1680n^7
    square = count * count
    top = ((420 * square - 14) * square + 4) * square - 3
    return (top << _BITS) // (5040 * square**3 * count)


def _stirling_high(count: int) -> int:
    """Bound the same from above, by one more term: + 1/1188n^9."""
    return _stirling_low(count) + 1 + (_ONE // (1188 * count**9) + 1)


def _exp_minus(fall: int) -> tuple[int, int]:
    """Bound exp(-fall / 2**_BITS) from above, for a fall between 0 and 1.

    The series alternates with decreasing terms, so that it lies below any sum ending on a plus.
    """
    degree = 12
    total = 0
    for power in range(degree + 1):
        weight = math.factorial(degree) // math.factorial(power)
        total += (-fall) ** power * weight << (_BITS * (degree - power))
    return _cut(-(-total // math.factorial(degree)), -_BITS * degree)


def _power(top: int, bottom: int, exponent: int) -> tuple[int, int]:
    """Bound (top / bottom)**exponent from above by repeated squaring, every product rounded up."""
    base = _cut(-((-top << (2 * _BITS)) // bottom), -2 * _BITS)
    result = (1, 0)
    while exponent:
        if exponent & 1:
            result = _product(result, base)
        exponent >>= 1
        if exponent:
            base = _product(base, base)
    return result


def _product(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    return _cut(left[0] * right[0], left[1] + right[1])


def _cut(mantissa: int, exponent: int) -> tuple[int, int]:
    """Round a positive number up to _BITS significant bits."""
    excess = mantissa.bit_length() - _BITS
    if excess <= 0:
        return mantissa, exponent
    return -(-mantissa >> excess), exponent + excess


def _guess(successes: int, trials: int, error: Fraction) -> int:
    """Propose a grid point near the bound by Newton's method in floating point; never trusted."""
    wanted = math.log(error.numerator) - math.log(error.denominator)
    observed = successes / trials
    rate = _wilson(observed, trials, wanted)
    logs = math.lgamma(trials + 1) - math.lgamma(successes + 1)
    logs -= math.lgamma(trials - successes + 1)
    for _ in range(8):
        rest = 1.0 - rate
        if not 0.0 < rate < 1.0:
            break
        ratio = rate / rest
        sum_ = term = 1.0
        count = successes
        while term > 1e-9 * sum_ and count < trials:
            term *= (trials - count) / (count + 1) * ratio
            sum_ += term
            count += 1
        log_point = logs + successes * math.log(rate) + (trials - successes) * math.log(rest)
        # d log P(X >= k) / d log rate = k P(X = k) / P(X >= k)
        move = (wanted - log_point - math.log(sum_)) * sum_ / successes
        rate = min(rate * math.exp(min(max(move, -4.0), 4.0)), (rate + 3 * observed) / 4)
        if abs(move) * rate * GRID < 0.01:
            break
    return math.floor(rate * GRID)


def _wilson(observed: float, trials: int, log_error: float) -> float:
    """Start from Wilson's score bound, with the normal quantile of Abramowitz, Stegun 26.2.23."""
    root = math.sqrt(-2.0 * log_error)
    top = 2.515517 + root * (0.802853 + root * 0.010328)
    bottom = 1.0 + root * (1.432788 + root * (0.189269 + root * 0.001308))
    quantile = max(root - top / bottom, 0.0)
    weight = quantile * quantile / trials
    spread = math.sqrt(observed * (1.0 - observed) * weight + weight * weight / 4)
    return (observed + weight / 2 - spread) / (1.0 + weight)
