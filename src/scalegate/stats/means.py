"""Runs whose samples are means in [0, 1], such as those of clusters: what they show, and when they end.

Such samples have no boundary that could be committed: bets decide, at the errors of the registered questions, and one
process of bets answers for every threshold (`stats.betting`). A sample of which something is missing counts as low as
it may be where high scores are shown, and as high as it may be where low ones are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

from scalegate.stats.betting import Betting, betting_lower_bound, check_threshold
from scalegate.stats.binomial import BoundError, check_error

Question = tuple[Fraction, Fraction, Fraction, Fraction]
"""Above which threshold, at which error; below which threshold, at which error."""

NOTHING = (Fraction(0), Fraction(1))
"""A sample of which nothing is known."""


def check_question(question: Question) -> None:
    """Refuse a threshold or an error that no bet has, with BoundError."""
    above, above_error, below, below_error = question
    for threshold, error in ((above, above_error), (below, below_error)):
        check_threshold(threshold)
        check_error(error)


class BetTracker:
    """One question, bet on as samples come in.

    Attributes:
        answered: after how many samples either claim was first shown; 0 for not yet.
    """

    __slots__ = ("_above", "_below", "_errors", "answered")

    def __init__(self, question: Question) -> None:
        """Start before the first sample.

        Raises:
            BoundError: for a threshold outside (0, 1).
        """
        above, above_error, below, below_error = question
        self._above, self._below = Betting(above), Betting(below, below=True)
        self._errors = above_error, below_error
        self.answered = 0

    def take(self, low: Fraction, high: Fraction) -> None:
        """See one more sample, between two scores.

        Raises:
            BoundError: for a score outside [0, 1].
        """
        if self.answered:
            return
        self._above.update(low)
        self._below.update(high)
        if self._above.shown(self._errors[0]) or self._below.shown(self._errors[1]):
            self.answered = self._above.samples

    @property
    def answer(self) -> str:
        """`above`, `not above`, or empty while it is open."""
        if not self.answered:
            return ""
        return "above" if self._above.shown(self._errors[0]) else "not above"

    @property
    def evalues(self) -> tuple[Fraction, Fraction]:
        """Evidence now that the mean is above, and below."""
        return self._above.evalue, self._below.evalue


@dataclass(frozen=True)
class Means:
    """The samples of a run in registered order, beside its questions.

    Attributes:
        samples: (low, high) of each sample of the prefix without a hole; at most `planned`.
        planned: the planned number of samples.
        questions: what was to be answered.
    """

    samples: tuple[tuple[Fraction, Fraction], ...]
    planned: int
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        if len(self.samples) > self.planned or any(not 0 <= low <= high <= 1 for low, high in self.samples):
            raise BoundError("a sample lies between 0 and 1, and there are no more than planned")
        for question in self.questions:
            check_question(question)

    @cached_property
    def settled(self) -> int:
        """After how many samples every question has an answer; 0 for not yet, or without any question."""
        trackers = [BetTracker(question) for question in self.questions]
        for low, high in self.samples:
            for tracker in trackers:
                tracker.take(low, high)
        ends = [tracker.answered for tracker in trackers]
        return max(ends) if ends and all(ends) else 0

    @property
    def size(self) -> int:
        """How many samples count."""
        return self.settled or self.planned

    @cached_property
    def counted(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """The samples that count: up to where the run was settled, or else all, with nothing known of the rest."""
        if self.settled:
            return self.samples[: self.settled]
        return self.samples + (NOTHING,) * (self.planned - len(self.samples))

    def mirrored(self) -> Means:
        """Return the same run with every score taken from 1."""
        flipped = tuple((1 - high, 1 - low) for low, high in self.samples)
        asked = tuple((1 - below, second, 1 - above, first) for above, first, below, second in self.questions)
        return replace(self, samples=flipped, questions=asked)


def means_above(runs: Sequence[Means], error: Fraction, *, best: bool = False) -> Fraction:
    """Return what the mean over all samples of some runs, in their order, is shown to be above.

    Valid over all looks together, so that the order may end anywhere.

    Args:
        runs: the runs.
        error: of this side, for all looks together.
        best: take every sample as high as it may be, else as low.
    """
    scores = tuple(high if best else low for run in runs for low, high in run.counted)
    return _above(scores, error) if scores else Fraction(0)


@lru_cache(maxsize=512)
def _above(scores: tuple[Fraction, ...], error: Fraction) -> Fraction:
    return betting_lower_bound(scores, error)
