"""Inspect's epoch reducers and plain metrics, recomputed from samples.

Only used to compare with what a log reports; decisions never use these floats. Emulates inspect_ai 0.3.285
(`scorer/_reducer/reducer.py`, `scorer/_metrics`) and, where versions differ, accepts either result.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from scalegate.ingest.score_values import (
    as_inspect_float,
    exact,
    has_fixed_meaning,
    is_unscored,
)

TOLERANCE = 1e-9
"""Relative (absolute below 1) difference up to which two floats count as one number.

Inspect sums doubles in completion order; over a million items that moves the last few of 53 bits, below 1e-10.
The smallest honest difference, one item in two million, is five hundred times the tolerance.
"""

Accepted = tuple[float, ...]
"""Results that an honest harness may have computed; usually one."""

_WITH_K = re.compile(r"(at_least|pass_at|pass_k)_(\d{1,9})")


def same(first: float, second: float) -> bool:
    """Tell whether two floats are one number, NaN being equal to itself."""
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    if math.isinf(first) or math.isinf(second):
        return first == second
    return abs(first - second) <= TOLERANCE * max(1.0, abs(first), abs(second))


def reduce_tries(reducer: str, values: Sequence[Any]) -> Accepted | None:
    """Return what a reducer may make of the raw values of one item's tries, or None if that cannot be known.

    It cannot for reducers of the evaluation's own, nor where a custom conversion or threshold would matter: names
    in the log carry neither.
    """
    kept = [value for value in values if not is_unscored(value)]
    if not kept:
        return (math.nan,)
    if not all(map(has_fixed_meaning, kept)):
        return None
    floats = [as_inspect_float(value) for value in kept]
    if reducer == "mean":
        return (floats[0],) if len(floats) == 1 else (math.fsum(floats) / len(floats),)
    if reducer == "median":
        return (statistics.median(floats),)
    if reducer == "max":
        return (max(floats),)
    if reducer in ("mode", "majority"):
        return _most_common(reducer, kept, len(values))
    match = _WITH_K.fullmatch(reducer)
    if match is None or any(number not in (0.0, 1.0) for number in floats):
        return None
    return _with_k(match[1], int(match[2]), len(floats), floats.count(1.0))


def _most_common(reducer: str, kept: list[Any], total: int) -> Accepted:
    counts = Counter(kept).most_common()
    highest = counts[0][1]
    if reducer == "majority":
        return (as_inspect_float(counts[0][0]),) if highest * 2 > total else (math.nan,)
    # The first of equals wins, in an order of tries that the log does not keep.
    return tuple(as_inspect_float(value) for value, count in counts if count == highest)


def _with_k(reducer: str, k: int, total: int, correct: int) -> Accepted:
    if reducer == "at_least":
        return (1.0 if correct >= k else 0.0,)
    if total < k:
        # Until 0.3.221 the estimator gave 1.0 here.
        return (math.nan, 1.0) if reducer == "pass_at" else (math.nan,)
    if reducer == "pass_k":
        return (math.comb(correct, k) / math.comb(total, k),)
    return (1.0 - math.comb(total - correct, k) / math.comb(total, k),)


def mean_of(values: Sequence[float]) -> Accepted:
    """Return what `accuracy` and `mean` may report for reduced values; over nothing, versions differ."""
    kept = [value for value in values if not math.isnan(value)]
    if not kept:
        return (math.nan, 0.0)
    return (math.fsum(kept) / len(kept),)


def stderr_of(values: Sequence[float]) -> float:
    """Return Inspect's plain `stderr` of reduced values: the sample deviation over the root of n, 0 below two."""
    kept = [value for value in values if not math.isnan(value)]
    count = len(kept)
    if count < 2 or not all(map(math.isfinite, kept)):
        return 0.0
    center = math.fsum(kept) / count
    spread = math.fsum((value - center) ** 2 for value in kept)
    return math.sqrt(spread / (count - 1) / count)


def reported(value: object) -> float | None:
    """Return a reported number as a float, None for what is no number."""
    if isinstance(value, bool) or exact(value)[1] == "unconvertible":
        return value if isinstance(value, float) else None
    return math.nan if value is None else as_inspect_float(value)
