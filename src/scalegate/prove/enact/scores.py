"""Counts whose exact bounds lie where a situation says that the interval of a score ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.core.kernel import Evaluation
from scalegate.gate.budget import ErrorBudget
from scalegate.prove.enact.speakers import CannotEnactError
from scalegate.stats.pooling import Counts, pooled, pooled_upper

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Mark:
    """A bound that a policy compares an end of an interval with, and on which side the end is to lie.

    Attributes:
        spec: the evaluation as that policy has it.
        rising: whether it is the lower end, which conditions read that a high score meets; the upper end otherwise.
        bound: the constant.
        strict: whether the end lies below only if it is less.
        below: whether it is to lie below.
        relatives: whether crossings of relatives count.
    """

    spec: Evaluation
    rising: bool
    bound: Fraction
    strict: bool
    below: bool
    relatives: bool

    def met(self, end: Fraction) -> bool:
        """Whether an end lies on the side where it is to lie."""
        return (end < self.bound if self.strict else end <= self.bound) is self.below

    def beyond(self, end: Fraction) -> bool:
        """Whether an end lies farther up than it is to, where it is to lie below; the reverse otherwise."""
        return self.below and not self.met(end)


@dataclass(frozen=True, slots=True)
class Fit:
    """Counts of the runs of the subject, and of one of a relative where that has to spoil what the subject shows."""

    own: Counts
    relative: Counts | None = None


def fit(marks: Sequence[Mark], runs: int, what: str) -> Fit:
    """Return counts with which every end lies where it is to.

    Args:
        marks: the bounds that the policies compare the ends with.
        runs: how many runs there are of one stream; policies that name nobody count all of them.
        what: the evaluation, for people.

    Raises:
        CannotEnactError: if no counts up to a million samples do that.
    """
    found = _search(marks, lambda mark, counts: _own(mark, counts, runs))
    if found is not None:
        return Fit(found)
    # What relatives carry only ever makes an end worse: it may break what the subject itself would show.
    spoiled = [mark for mark in marks if mark.relatives and mark.below is mark.rising]
    kept = [mark for mark in marks if mark not in spoiled]
    own = _search(kept, lambda mark, counts: _own(mark, counts, runs))
    if own is not None and spoiled:
        left = [mark for mark in marks if mark.relatives]
        broken = [mark for mark in spoiled if not mark.met(_own(mark, own, runs))]
        needed = [*broken, *(mark for mark in left if mark not in spoiled)]
        relative = _search(needed, _latched)
        if relative is not None:
            return Fit(own, relative)
    raise CannotEnactError(f"no counts of up to a million samples give {what} the interval that the situation has")


def _search(marks: Sequence[Mark], end: Callable[[Mark, Counts], Fraction]) -> Counts | None:
    """Return counts with every end where it is to be; ends only move up as successes are added."""
    for size in SIZES:
        low, high = 0, size
        for mark in marks:
            if mark.below:
                high = min(high, _most(size, mark, end))
            else:
                low = max(low, _most(size, mark, end) + 1)
        if low <= high:
            return Counts((low + high) // 2, size - (low + high) // 2)
    return None


def _most(size: int, mark: Mark, end: Callable[[Mark, Counts], Fraction]) -> int:
    """Return the most successes with which an end lies below its bound; -1 if it never does."""
    low, high = -1, size
    while low < high:
        middle = (low + high + 1) // 2
        value = end(mark, Counts(middle, size - middle))
        if value < mark.bound if mark.strict else value <= mark.bound:
            low = middle
        else:
            high = middle - 1
    return low


def _own(mark: Mark, counts: Counts, runs: int) -> Fraction:
    """Return the favorable end of some equal runs: the worst over the pools that the gate looks at."""
    error, runs = mark.spec.wrongly_cleared, runs if mark.spec.by is None else 1
    return max(_ends(mark, counts, runs, error)) if not mark.rising else min(_ends(mark, counts, runs, error))


def _ends(mark: Mark, counts: Counts, runs: int, error: Fraction) -> Iterator[Fraction]:
    for some in range(1, max(runs, 1) + 1):
        if mark.rising:
            yield 1 - pooled_upper([counts.mirrored()] * some, error)
        else:
            yield pooled_upper([counts] * some, error)


def _latched(mark: Mark, counts: Counts) -> Fraction:
    """Return where the crossing of a relative lies that one run shows."""
    budget = ErrorBudget(mark.spec.elicited_by)
    stratum = (mark.spec.elicited_by[0] if mark.spec.elicited_by else "", "")
    budget.place("relative", stratum, asked=True)
    stopped = mark.spec.wrongly_stopped * budget.share("relative", stratum)
    side = counts.mirrored() if mark.rising else counts
    found = pooled([side], stopped, mark.spec.wrongly_cleared).lower_at_most
    return 1 - found if mark.rising else found
