"""Anytime-valid tests of a mean by betting: "the mean of scores in [0, 1] is above t", at every look together.

A bettor starts with wealth 1, splits it over fixed stakes and, before each score x, bets the share c of every part at
odds that are fair when the mean is t: a part is multiplied by 1 - c + c x / t, which is 1 + lambda (x - t) for
lambda = c / t <= 1 / t. While the mean of each next score, given those before, is at most t, the sum of the parts is a
nonnegative supermartingale that starts at 1: an e-process, which ever reaches 1 / error with probability at most
`error` (Ville 1939; Waudby-Smith and Ramdas, arXiv 2010.09686, section 4). Scores need be neither binary nor
independent nor alike, and looks may be chosen in view of the scores; the order of the samples may not. The mean is
that of the source of the scores. For the mean of a finite bank, drawn without replacement, see `comparison`.

Stakes do not depend on t. Wealth thus falls as t rises, and one e-process answers for all thresholds at once: the
bounds below and the tests agree on every grid point. A stake of c suits a mean near t + c (1 - t).

Exactness: stakes and growth are whole multiples of 2**-64, wealth is an integer, and every product is rounded down.
An e-value is therefore at most that of exact arithmetic, and the same on every platform. Rounding down keeps the order
in t, so that bisection over the grid is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import starmap
from typing import Final

from scalegate.stats.binomial import GRID, BoundError, check_error

BITS: Final = 64
"""Ratios, stakes and growth are whole multiples of 2**-BITS."""

_ONE: Final = 1 << BITS

# Shares of wealth at stake: all of it, nine tenths, then a geometric row from 0.8 down to 0.009 and three halvings.
# Neighbors a factor 0.8 apart leave less than 2% of the growth rate to any bet in between.
STAKES: Final = (
    _ONE,
    _ONE * 9 // 10,
    *(_ONE * 4**step // 5**step for step in range(1, 22)),
    *(_ONE * 4**21 // 5**21 >> halving for halving in (1, 2, 3)),
)
"""Shares of wealth at stake, in units of 2**-BITS, largest first."""

# Small gaps take many samples anyhow, so that small stakes can do with a smaller part: below 0.05 it falls like the
# root of the stake. The whole stake gets more, for the case that every score is 1 (or, mirrored, that none is above 0).
WEIGHTS: Final = (32, 8, *(16,) * 13, 15, 13, 12, 11, 10, 9, 8, 7, 5, 3, 2)
"""Parts of the initial wealth, one for each stake."""

_RESTS: Final = tuple(_ONE - stake for stake in STAKES)

# A part that has fallen below 2**-192 of its unit counts as nothing, one that has grown beyond 2**256 grows no more:
# both only take away from wealth, and keep integers short on streams of any length.
_DEPTH: Final = 192

UNIT: Final = sum(WEIGHTS) << _DEPTH
"""The integer that stands for a wealth of 1."""

CEILING: Final = UNIT << 256
"""The integer beyond which a part of wealth is not counted."""


class Wealth:
    """Wealth of one bettor with the stakes above, never above that of exact arithmetic; it starts at 1.

    `total` is in units of 1/UNIT.
    """

    __slots__ = ("_parts", "total")

    def __init__(self) -> None:
        self._parts = [weight << _DEPTH for weight in WEIGHTS]
        self.total = UNIT

    def grow(self, ratio: int) -> None:
        """Settle one round: `ratio` is score / (its mean under the null) in units of 2**-BITS, rounded down."""
        parts = [
            part * (rest + (stake * ratio >> BITS)) >> BITS
            for part, stake, rest in zip(self._parts, STAKES, _RESTS, strict=True)
        ]
        total = sum(parts)
        if total > CEILING:
            # A total within the ceiling has no part above it: cutting here is cutting always, and keeps the order in t.
            parts = [min(part, CEILING) for part in parts]
            total = sum(parts)
        self._parts = parts
        self.total = total


class Betting:
    """Test of "the mean of scores in [0, 1] is above `threshold`", or `below` it, valid over all looks together.

    The null is that each next score, given those before, has a mean of at most (below: at least) the threshold, a
    fraction strictly between 0 and 1. Below is the mirror: scores 1 - x against 1 - threshold.
    Raises BoundError for a threshold outside (0, 1).
    """

    __slots__ = ("_bottom", "_mirror", "_peak", "_top", "_wealth", "samples")

    def __init__(self, threshold: Fraction, *, below: bool = False) -> None:
        check_threshold(threshold)
        null = 1 - threshold if below else threshold
        self._top = null.denominator << BITS
        self._bottom = null.numerator
        self._mirror = below
        self._wealth = Wealth()
        self._peak = UNIT
        self.samples = 0

    def update(self, score: Fraction) -> None:
        """Take the next score, in the order that was fixed beforehand.

        Raises BoundError for a score outside [0, 1]; nothing has changed then.
        """
        part, whole = share_of(score)
        if self._mirror:
            part = whole - part
        self._wealth.grow(part * self._top // (whole * self._bottom))
        self._peak = max(self._peak, self._wealth.total)
        self.samples += 1

    @property
    def evalue(self) -> Fraction:
        """Wealth now: what may be averaged with the e-values of other tests at the same moment."""
        return Fraction(self._wealth.total, UNIT)

    @property
    def peak(self) -> Fraction:
        """Largest wealth so far, at least 1. Peaks are for `shown`; their average is not an e-value."""
        return Fraction(self._peak, UNIT)

    def shown(self, error: Fraction) -> bool:
        """Whether any look so far has shown the claim at this error; no later score takes it back.

        Raises BoundError for an error outside (0, 1/2).
        """
        check_error(error)
        return reaches(self._peak, UNIT, error)


def betting_lower_bound(scores: Sequence[Fraction], error: Fraction) -> Fraction:
    """Return the largest grid point that "the mean is above" was shown for after any of these scores.

    The chance that the bound ever exceeds the mean, over all lengths of the stream together, is at most `error`, which
    lies strictly between 0 and 1/2. It is the largest t for which `Betting(t)` has shown its claim: a confidence
    sequence by inversion, with its running maximum (arXiv 2010.09686, section 4.1). Nothing shown gives 0.
    Goes over the scores twenty times. Raises BoundError for a score outside [0, 1] or an error outside (0, 1/2).
    """
    return _lower_bound([share_of(score) for score in scores], error)


def betting_upper_bound(scores: Sequence[Fraction], error: Fraction) -> Fraction:
    """Return the smallest grid point that "the mean is below" was shown for: the mirror of the lower bound."""
    shares = starmap(lambda part, whole: (whole - part, whole), map(share_of, scores))
    return 1 - _lower_bound(list(shares), error)


def check_threshold(threshold: Fraction) -> None:
    """Refuse a threshold outside (0, 1), with BoundError."""
    # No score lies below 0 or above 1, so that there is nothing to bet on at either end.
    if not 0 < threshold < 1:
        raise BoundError(f"a threshold to bet on lies between 0 and 1, both excluded, not at {threshold}")


def share_of(score: Fraction) -> tuple[int, int]:
    """Split a score in [0, 1] into numerator and denominator; refuse others with BoundError."""
    part, whole = score.numerator, score.denominator
    if not 0 <= part <= whole:
        raise BoundError(f"a score lies between 0 and 1, not at {score}")
    return part, whole


def reaches(wealth: int, unit: int, error: Fraction) -> bool:
    """Whether wealth / unit >= 1 / error."""
    return wealth * error.numerator >= unit * error.denominator


def _lower_bound(shares: list[tuple[int, int]], error: Fraction) -> Fraction:
    """Bisect the grid; wealth after every prefix falls as the threshold rises, so that the edge is unique."""
    check_error(error)
    shown, refused = 0, GRID
    while refused - shown > 1:
        middle = (shown + refused) // 2
        if _is_shown(shares, middle, error):
            shown = middle
        else:
            refused = middle
    return Fraction(shown, GRID)


def _is_shown(shares: list[tuple[int, int]], part: int, error: Fraction) -> bool:
    """Whether the test at part / GRID reaches 1 / error after any prefix."""
    wealth = Wealth()
    enough = -(-UNIT * error.denominator // error.numerator)
    for top, bottom in shares:
        wealth.grow((top * GRID << BITS) // (bottom * part))
        if wealth.total >= enough:
            return True
    return False
