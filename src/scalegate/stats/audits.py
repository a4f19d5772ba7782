"""A random part of a bank run again by an auditor, beside what was reported of each of its items.

Bets decide, not boundaries: reported scores serve as predictions, and make few samples enough where they are right
(`stats.comparison`). The claim is about what running the whole bank again would give; nothing is taken from the report
but the order in which to look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

from scalegate.stats.binomial import BoundError
from scalegate.stats.comparison import ComparisonAudit
from scalegate.stats.means import Question, check_question
from scalegate.stats.sequential import FAILURE, FLIPPED, MISSING, SUCCESS, missing_of

_SCORES = {SUCCESS: Fraction(1), FAILURE: Fraction(0), MISSING: None}
# Any prediction is valid; of an item without a reported score, one half.
_PREDICTED = {SUCCESS: Fraction(1), FAILURE: Fraction(0), MISSING: Fraction(1, 2)}


class AuditTracker:
    """One question about a bank, bet on as items are run again.

    Attributes:
        answered: after how many items either claim was first shown; 0 for not yet.
    """

    __slots__ = ("_above", "_below", "_errors", "answered")

    def __init__(self, question: Question, reported: str) -> None:
        """Start before the first item.

        Raises:
            BoundError: for a threshold outside (0, 1), or an empty bank.
        """
        above, above_error, below, below_error = question
        predicted = predictions(reported)
        self._above, self._below = ComparisonAudit(above, predicted), ComparisonAudit(below, predicted, below=True)
        self._errors = above_error, below_error
        self.answered = 0

    def take(self, outcome: str) -> None:
        """See what the next item of the order came to."""
        if self.answered:
            return
        place, score = self._above.samples, _SCORES[outcome]
        self._above.update(place, score)
        self._below.update(place, score)
        if self._above.shown(self._errors[0]) or self._below.shown(self._errors[1]):
            self.answered = place + 1

    @property
    def answer(self) -> str:
        """`above`, `not above`, or empty while it is open."""
        if not self.answered:
            return ""
        return "above" if self._above.shown(self._errors[0]) else "not above"

    @property
    def evalues(self) -> tuple[Fraction, Fraction]:
        """Evidence now that the bank is above, and below."""
        return self._above.evalue, self._below.evalue


def predictions(reported: str) -> tuple[Fraction, ...]:
    """Return what is predicted of each item from what was reported of it.

    Raises:
        BoundError: for anything but `1`, `0` and `-`.
    """
    if set(reported) - _PREDICTED.keys():
        raise BoundError("what was reported of an item is `1`, `0` or `-`")
    return tuple(_PREDICTED[one] for one in reported)


@dataclass(frozen=True)
class Audit:
    """The outcomes of an audit in registered order, beside its questions.

    Attributes:
        outcomes: one of `1`, `0` and `-` for each item of the prefix without a hole.
        reported: the same for every item of the bank, in the same order, as it was reported before.
        planned: the planned number of items.
        questions: what was to be answered.
    """

    outcomes: str
    reported: str
    planned: int
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        if set(self.outcomes) - _SCORES.keys() or not len(self.outcomes) <= self.planned <= len(self.reported):
            raise BoundError("an outcome is `1`, `0` or `-`, and an audit runs no more items than its bank has")
        predictions(self.reported)
        for question in self.questions:
            check_question(question)

    @cached_property
    def settled(self) -> int:
        """After how many items every question has an answer; 0 for not yet, or without any question."""
        ends = [_answered(question, self.reported, self.outcomes) for question in self.questions]
        return max(ends) if ends and all(ends) else 0

    @cached_property
    def seen(self) -> str:
        """The outcomes that are looked at: up to where the audit was settled."""
        return self.outcomes[: self.settled or None]

    @property
    def bank(self) -> int:
        """Number of items of the bank."""
        return len(self.reported)

    @property
    def missing(self) -> int:
        """Items that count against whatever is to be shown: those without a score, and those never reached."""
        return missing_of(self.seen, self.planned, settled=bool(self.settled))

    def mirrored(self) -> Audit:
        """Return the same audit with successes and failures exchanged."""
        asked = tuple((1 - below, second, 1 - above, first) for above, first, below, second in self.questions)
        flipped = self.outcomes.translate(FLIPPED), self.reported.translate(FLIPPED)
        return replace(self, outcomes=flipped[0], reported=flipped[1], questions=asked)

    def shown_above(self, error: Fraction, *, missing: str = MISSING) -> Fraction:
        """Return the largest registered threshold that the bank is shown to be above; 0 for none.

        Wealth falls as the threshold rises, so that a ladder of thresholds has the error of one.

        Args:
            error: of this side.
            missing: what an item without a score, or one that was never run, is taken for.
        """
        outcomes = self.seen.replace(MISSING, missing)
        if not self.settled and missing != MISSING:
            outcomes += missing * (self.planned - len(outcomes))
        shown = Fraction(0)
        for threshold in sorted({above for above, *_ in self.questions}):
            if not _shown(threshold, self.reported, outcomes, error):
                break
            shown = threshold
        return shown


@lru_cache(maxsize=512)
def _answered(question: Question, reported: str, outcomes: str) -> int:
    tracker = AuditTracker(question, reported)
    for outcome in outcomes:
        tracker.take(outcome)
    return tracker.answered


@lru_cache(maxsize=512)
def _shown(threshold: Fraction, reported: str, outcomes: str, error: Fraction) -> bool:
    audit = ComparisonAudit(threshold, predictions(reported))
    for place, outcome in enumerate(outcomes):
        audit.update(place, _SCORES[outcome])
        if audit.shown(error):
            return True
    return False
