"""Clusters as the unit of betting: items that share a source, and repeated tries of one question.

Items of one cluster resemble each other. A bettor who takes them for separate evidence sees much more than there is:
ten tries of one hard question are closer to one sample than to ten. The unit of betting is therefore the mean of a
whole cluster, and repeated tries (epochs) of one question are one cluster. (Miller 2024, "Adding Error Bars to Evals",
arXiv 2411.00640, clusters standard errors on the same unit.)

Estimand: the mean over clusters of the mean score within a cluster, each cluster one vote whatever its size. It is the
mean over items only where all clusters are equally large.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from scalegate.stats.betting import share_of
from scalegate.stats.binomial import BoundError

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ClusterScores:
    """Mean scores in [0, 1] of complete clusters, in the order in which they became complete.

    `above` is for tests that the mean is above a threshold (missing items count as 0), `below` for tests that it is
    below (missing items count as 1): above[i] <= below[i], with equality where no item is missing. `pending` counts
    the items at hand whose cluster is not complete.
    """

    above: tuple[Fraction, ...]
    below: tuple[Fraction, ...]
    pending: int


def cluster_scores(items: Iterable[tuple[Key, Fraction | None]], sizes: Mapping[Key, int]) -> ClusterScores:
    """Turn items into the cluster scores that may be bet on so far.

    `items` are pairs of a cluster and a score in [0, 1], or None where the item ran but has no score. They stand in the
    order registered before the run and end before the first item that has not run: if an item could move ahead because
    it ran faster, its score would say when it is looked at. `sizes` gives the registered number of items of every
    cluster. A cluster is bet on once its last registered item is in, never earlier: the first tries are no substitute
    for all. Which cluster is next thus depends on the registration alone.

    Missing items never prove anything: whatever decides which scores go missing, the mean of `above` is at most, and
    that of `below` at least, the mean without gaps.
    Raises BoundError for a score outside [0, 1], a cluster without a size, a size below 1, or more items than the size.
    """
    for key, size in sizes.items():
        if size < 1:
            raise BoundError(f"a cluster has at least one item: {key!r} has {size}")
    seen: dict[Key, int] = {}
    totals: dict[Key, Fraction] = {}
    missing: dict[Key, int] = {}
    above: list[Fraction] = []
    below: list[Fraction] = []
    pending = 0
    for key, score in items:
        pending += 1
        if key not in sizes:
            raise BoundError(f"an item of cluster {key!r}, which has no registered size")
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > sizes[key]:
            raise BoundError(f"more items of cluster {key!r} than the {sizes[key]} registered")
        if score is None:
            missing[key] = missing.get(key, 0) + 1
        else:
            share_of(score)
            totals[key] = totals.get(key, Fraction(0)) + score
        if seen[key] == sizes[key]:
            total = totals.get(key, Fraction(0))
            above.append(total / sizes[key])
            below.append((total + missing.get(key, 0)) / sizes[key])
            pending -= sizes[key]
    return ClusterScores(tuple(above), tuple(below), pending)
