"""A bound on a rate that stays valid however often, and whenever, one looks.

For a stream of 0/1 samples with true rate p the uniform mixture likelihood ratio after n samples with k successes,
1 / ((n + 1) P(X = k | n, p)), is a martingale that starts at 1. By Ville's inequality it ever reaches 1 / error with
probability at most `error`, so that excluding every t with (n + 1) P(X = k | n, t) <= error excludes the true rate
at most that often: over all sample sizes together, also sizes chosen in view of the scores.
(Ville 1939; Robbins 1970, "Statistical methods related to the law of the iterated logarithm", section 3.)
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from scalegate.stats.binomial import GRID, check_counts, check_error, point_at_most


def anytime_lower_bound(successes: int, trials: int, error: Fraction) -> Fraction:
    """Return the largest grid point that "the rate is above" is shown for, valid over all looks together.

    `error` lies strictly between 0 and 1/2. No success or no trial shows nothing: 0.
    Raises BoundError for impossible counts or errors.
    """
    check_counts(successes, trials)
    check_error(error)
    return Fraction(_largest(successes, trials, error), GRID)


def anytime_upper_bound(successes: int, trials: int, error: Fraction) -> Fraction:
    """Return the smallest grid point that "the rate is below" is shown for: the mirror of the lower bound."""
    check_counts(successes, trials)
    return 1 - anytime_lower_bound(trials - successes, trials, error)


@lru_cache(maxsize=4096)
def _largest(successes: int, trials: int, error: Fraction) -> int:
    """Search the grid below successes / trials, where the probability of the count grows with the rate."""
    if successes == 0:
        return 0
    shown, refused = 0, -(-successes * GRID // trials)
    while refused - shown > 1:
        middle = (shown + refused) // 2
        if point_at_most(successes, trials, middle, error / (trials + 1)):
            shown = middle
        else:
            refused = middle
    return shown
