"""A run while it goes on: its samples in registered order, and how far each question is from an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.audit.recount import rule
from scalegate.core.events import RunRegistered, Sampling
from scalegate.core.kernel import Evaluation
from scalegate.ingest.outcomes import outcome_of
from scalegate.stats.audits import AuditTracker
from scalegate.stats.betting import Betting
from scalegate.stats.boundary import unpack
from scalegate.stats.clusters import cluster_scores
from scalegate.stats.means import BetTracker
from scalegate.stats.sequential import FAILURE, MISSING, SUCCESS, Tracker

Score = Fraction | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one question is from an answer.

    Attributes:
        constant: the threshold, as a share.
        answer: `above`, `not above`, or empty while it is open.
        above, below: evidence for either answer now, as an e-value.
        to_above, to_below: how many successes (or failures) in a row would answer it; -1 where none can, or where
            bets decide.
    """

    constant: Fraction
    answer: str
    above: Fraction
    below: Fraction
    to_above: int
    to_below: int


class Watching:
    """What a run came to so far. Only the prefix without a hole counts, whatever ended first."""

    def __init__(self, plan: RunRegistered, evaluation: Evaluation, units: Sequence[Sequence[str]]) -> None:
        """Start before the first sample.

        Args:
            plan: the registration of a run with a sampling plan.
            evaluation: what is measured.
            units: the items of each sample, in their registered order.

        Raises:
            ValueError: if the run has no sampling plan.
            BoundError: if its boundaries are none.
        """
        if plan.sampling is None:
            raise ValueError(f"run {plan.run} has no sampling plan")
        self.order: Sequence[str] = [item for unit in units for item in unit]
        self._evaluation, self._rule = evaluation, rule(evaluation)
        self._units = units
        self._seen: dict[str, tuple[Score, ...]] = {}
        self._next = 0
        self.samples = 0
        self._questions = [_Question(place, plan.sampling, evaluation) for place in range(len(plan.sampling.questions))]

    @property
    def planned(self) -> int:
        """The planned number of samples."""
        return len(self._units)

    @property
    def tries(self) -> int:
        """Tries of each item."""
        return self._evaluation.score.tries

    @property
    def decided(self) -> bool:
        """Whether no further item can change what the run shows."""
        return bool(self._questions) and all(question.answer for question in self._questions)

    @property
    def standings(self) -> list[Standing]:
        """How far each question is from an answer."""
        return [question.standing() for question in self._questions]

    def see(self, item: str, score: object) -> None:
        """Take the score of an item that ended: a fraction, None for none, or one of these for each try."""
        tries = score if isinstance(score, tuple) else (score,)
        self._seen[item] = tuple(one if isinstance(one, Fraction) else None for one in tries)
        while self._next < len(self._units) and all(part in self._seen for part in self._units[self._next]):
            self._take(self._units[self._next])
            self._next += 1

    def _take(self, unit: Sequence[str]) -> None:
        """Take the next sample, unless every question has its answer: what ran on is not looked at."""
        if self.decided:
            return
        self.samples += 1
        if self._evaluation.score.mean:
            scores: list[Score] = [score for item in unit for score in self._seen[item]]
        else:
            scores = [_SHARE[outcome_of(self._seen[item], self._rule)] for item in unit]
        ends = cluster_scores(((0, score) for score in scores), {0: len(scores)})
        for question in self._questions:
            question.take(ends.above[0], ends.below[0])


_SHARE = {SUCCESS: Fraction(1), FAILURE: Fraction(0), MISSING: None}


class _Question:
    """One question, by its boundaries or by bets."""

    def __init__(self, place: int, sampling: Sampling, evaluation: Evaluation) -> None:
        asked = sampling.questions[place]
        self._constant = min(asked.above, asked.below, key=lambda bound: bound.denominator)
        self._bets = Betting(asked.above), Betting(asked.below, below=True)
        self._tracker: BetTracker | None = None
        self._audit: AuditTracker | None = None
        self._sides: tuple[Tracker, Tracker] | None = None
        bets = asked.above, asked.above_error, asked.below, asked.below_error
        if sampling.audits:
            self._audit = AuditTracker(bets, sampling.reported)
        elif evaluation.of_means:
            self._tracker = BetTracker(bets)
        else:
            bank = sampling.bank if sampling.estimand == "bank" else 0
            above = unpack(asked.above, asked.above_steps, sampling.units, bank)
            below = unpack(1 - asked.below, asked.below_steps, sampling.units, bank)
            self._sides = Tracker(above), Tracker(below, FAILURE)

    @property
    def answer(self) -> str:
        if self._sides is not None:
            ends = [side.reached for side in self._sides]
            return ("above" if ends[0] else "not above") if any(ends) else ""
        if self._audit is not None:
            return self._audit.answer
        return self._tracker.answer if self._tracker is not None else ""

    def take(self, low: Fraction, high: Fraction) -> None:
        self._bets[0].update(low)
        self._bets[1].update(high)
        if self._tracker is not None:
            self._tracker.take(low, high)
        outcome = MISSING if low != high else SUCCESS if low else FAILURE
        if self._audit is not None:
            self._audit.take(outcome)
        for side in self._sides or ():
            if not self.answer:
                side.take(outcome)

    def standing(self) -> Standing:
        distances = [side.distance for side in self._sides] if self._sides is not None else [-1, -1]
        evidence = self._audit.evalues if self._audit is not None else tuple(bet.evalue for bet in self._bets)
        return Standing(self._constant, self.answer, evidence[0], evidence[1], distances[0], distances[1])
