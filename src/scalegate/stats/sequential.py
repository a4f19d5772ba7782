"""Runs that are looked at after every sample: which claims about thresholds their outcomes show, and when they end.

Each question is a pair of claims with an error each: the rate is above a threshold, shown by successes, or not above
one, shown by failures. For no rate can both err, so that each side has its full error (Wald 1947; Kaufmann, Cappe and
Garivier 2016). A missing sample is neither a success nor a failure, and so never shows anything.

A run is settled at the first sample at which every question has an answer. What lies behind it was already under way,
and is not looked at: it cannot change a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Final

from scalegate.stats.binomial import BoundError
from scalegate.stats.boundary import Boundary
from scalegate.stats.crossing import crossing

SUCCESS: Final = "1"
FAILURE: Final = "0"
MISSING: Final = "-"
FLIPPED: Final = str.maketrans("10", "01")


class Tracker:
    """One boundary, walked as samples come in.

    Attributes:
        samples, count: how many samples were seen, and how many of them count toward the claim.
        reached: after how many samples the boundary was first reached; 0 for not yet.
    """

    __slots__ = ("_counting", "_most", "_needed", "count", "reached", "samples")

    def __init__(self, boundary: Boundary, counting: str = SUCCESS) -> None:
        """Start before the first sample; `counting` is the outcome that counts toward the claim."""
        self._needed, self._most, self._counting = boundary.needed, boundary.most, counting
        self.samples = self.count = self.reached = 0

    def take(self, outcome: str) -> None:
        """See one more sample; those beyond the planned number change nothing."""
        if self.reached or self.samples >= self._most:
            return
        self.samples += 1
        if outcome == self._counting:
            self.count += 1
        if self.count >= self._needed[self.samples]:
            self.reached = self.samples

    @property
    def distance(self) -> int:
        """How many more outcomes in a row would reach the boundary; 0 when it is reached, -1 when none can."""
        if self.reached:
            return 0
        for more in range(1, self._most - self.samples + 1):
            if self.count + more >= self._needed[self.samples + more]:
                return more
        return -1


@dataclass(frozen=True)
class Path:
    """The outcomes of a run in registered order, beside the questions that were committed before it.

    Attributes:
        outcomes: one of `1`, `0` and `-` for each sample of the prefix without a hole; at most `planned`.
        planned: the planned number of samples.
        above: for each question, the boundary of successes that shows "above its threshold".
        below: for each question, the boundary of failures that shows "below its threshold", at 1 - threshold.
    """

    outcomes: str
    planned: int
    above: tuple[Boundary, ...]
    below: tuple[Boundary, ...]

    def __post_init__(self) -> None:
        if self.outcomes.strip(SUCCESS + FAILURE + MISSING) or len(self.outcomes) > self.planned:
            raise BoundError("an outcome is `1`, `0` or `-`, and there are no more than planned")
        sides = (*self.above, *self.below)
        if len(self.above) != len(self.below) or any(side.most != self.planned for side in sides):
            raise BoundError("each question has two boundaries, of as many samples as were planned")
        if len({side.bank for side in sides}) > 1:
            raise BoundError("the boundaries of one run are about one bank, or about a population")

    @cached_property
    def settled(self) -> int:
        """After how many samples every question has an answer; 0 for not yet, or without any question."""
        ends = []
        for above, below in zip(self.above, self.below, strict=True):
            found = _first(above.needed, self.outcomes, SUCCESS), _first(below.needed, self.outcomes, FAILURE)
            ends.append(min((end for end in found if end), default=0))
        return max(ends) if ends and all(ends) else 0

    @cached_property
    def seen(self) -> str:
        """The outcomes that are looked at: up to where the run was settled."""
        return self.outcomes[: self.settled or None]

    @cached_property
    def crossed(self) -> bool:
        """Whether the answer to some question was "above": where the run ended, it ended against a low rate."""
        for above, below in zip(self.above, self.below, strict=True):
            up, down = _first(above.needed, self.outcomes, SUCCESS), _first(below.needed, self.outcomes, FAILURE)
            if up and (not down or up <= down):
                return True
        return False

    @property
    def bank(self) -> int:
        """Size of the bank that the samples are drawn from without replacement; 0 for a population."""
        return self.above[0].bank if self.above else 0

    @property
    def missing(self) -> int:
        """Samples that count against whatever is to be shown: those without a score, and those never reached."""
        return missing_of(self.seen, self.planned, settled=bool(self.settled))

    def mirrored(self) -> Path:
        """Return the same run with successes and failures exchanged."""
        return replace(self, outcomes=self.outcomes.translate(FLIPPED), above=self.below, below=self.above)

    def shown_above(self, error: Fraction, *, missing: str = MISSING) -> Fraction:
        """Return the largest committed threshold that the rate is shown to be above; 0 for none.

        Only boundaries that are reached with at most `error` at their own threshold are used, and none counts before
        those of all smaller thresholds: the chance that any of these claims is false is `error` together.

        Args:
            error: the most that may be spent on all claims of this side.
            missing: what a sample without a score, or one that was never reached, is taken for.
        """
        usable = sorted((side for side in self.above if crossing(side) <= error), key=lambda side: side.threshold)
        outcomes = self.seen.replace(MISSING, missing)
        if not self.settled and missing != MISSING:
            outcomes += missing * (self.planned - len(outcomes))
        shown, needed = Fraction(0), (0,) * (self.planned + 1)
        for side in usable:
            needed = tuple(map(max, needed, side.needed))
            if not _first(needed, outcomes, SUCCESS):
                break
            shown = side.threshold
        return shown


def missing_of(seen: str, planned: int, *, settled: bool) -> int:
    """Return how many samples count against whatever is to be shown: without a score, or never reached."""
    unscored = seen.count(MISSING)
    return unscored if settled else unscored + planned - len(seen)


def _first(needed: tuple[int, ...], outcomes: Iterable[str], counting: str) -> int:
    """Return after how many samples a count first is what is needed; 0 for never."""
    count = 0
    for place, outcome in enumerate(outcomes, 1):
        count += outcome == counting
        if count >= needed[place]:
            return place
    return 0
