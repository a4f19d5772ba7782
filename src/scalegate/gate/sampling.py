"""What a run may answer before it has used all its samples, and how its outcomes are read beside that.

Every comparison of a policy with an evaluation is a question with two answers. The one that helps a permit must not be
wrong more often than the policy clears wrongly, the other not more often than it stops wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from scalegate.core.events import Question, ResultReported, RunRegistered, Sampling
from scalegate.core.kernel import Compare, Condition, Constant, Evaluation, Kernel, Not
from scalegate.core.terms import Measure
from scalegate.stats.audits import Audit
from scalegate.stats.binomial import GRID, BoundError
from scalegate.stats.boundary import unpack
from scalegate.stats.calibrate import calibrated
from scalegate.stats.means import Means
from scalegate.stats.means import Question as Bets
from scalegate.stats.pooling import FIRST, Counts, of_means, of_path
from scalegate.stats.sequential import FAILURE, SUCCESS, Path

# The least by which a rate that is strictly above or below a constant is shown to differ from it.
_STRICTLY = Fraction(1, GRID)
MOST_SHARE = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: shown to be above `above`, or below `below`, each at its error."""

    above: Fraction
    above_error: Fraction
    below: Fraction
    below_error: Fraction

    @property
    def constant(self) -> Fraction:
        """The constant of the comparison; the other bound lies beside it."""
        return min(self.above, self.below, key=lambda bound: bound.denominator)


def asked(kernels: Sequence[Kernel], evaluation: str, share: Fraction) -> list[Asked]:
    """Return the questions that some policies ask of an evaluation, by threshold; the smallest errors where several do.

    Args:
        kernels: the policies.
        evaluation: digest of the evaluation.
        share: of the error of a wrong stop that the run may spend, see `gate.budget`.
    """
    found: dict[tuple[Fraction, Fraction, bool], Asked] = {}
    for kernel in kernels:
        for condition, permissive in _leaves(kernel):
            term = kernel.terms[condition.term]
            if not isinstance(term, Measure) or kernel.evaluations[term.evaluation].digest != evaluation:
                continue
            spec, constant = kernel.evaluations[term.evaluation], Fraction(condition.num, condition.den)
            rising = condition.above is permissive
            cleared, stopped = spec.wrongly_cleared * FIRST, spec.wrongly_stopped * share * FIRST
            question = Asked(
                constant if condition.edge else constant + _STRICTLY,
                cleared if rising else stopped,
                constant - _STRICTLY if condition.edge else constant,
                stopped if rising else cleared,
            )
            if not (0 < question.above < 1 and 0 < question.below < 1):
                continue  # no score decides it
            key = (question.above, question.below, rising)
            known = found.get(key, question)
            errors = min(known.above_error, question.above_error), min(known.below_error, question.below_error)
            found[key] = Asked(question.above, errors[0], question.below, errors[1])
    return [found[key] for key in sorted(found)]


def _leaves(kernel: Kernel) -> Iterator[tuple[Compare, bool]]:
    """Yield every comparison of a policy, and whether it stands in a permissive position."""
    todo: list[tuple[Condition, bool]] = [(kernel.scope, False)]
    for commitment in kernel.commitments:
        todo += [(commitment.when, False), (commitment.until, True)]
    for exception in kernel.exceptions:
        todo += [(part, True) for part in (exception.when, exception.until, *exception.needs)]
    while todo:
        condition, permissive = todo.pop()
        if isinstance(condition, Compare):
            yield condition, permissive
        elif isinstance(condition, Not):
            todo.append((condition.part, not permissive))
        elif not isinstance(condition, Constant):
            todo += [(part, permissive) for part in condition.parts]


def commit(item: Asked, most: int, bank: int) -> Question:
    """Return a question with its boundaries, to be registered before a run.

    Args:
        item: the claims and their errors.
        most: planned number of samples.
        bank: size of the bank where the claim is about it; 0 for a population.

    Raises:
        BoundError: for a number or bank that no boundary has.
    """
    above = calibrated(item.above, item.above_error, most, bank)
    below = calibrated(1 - item.below, item.below_error, most, bank)
    return Question(item.above, item.above_error, above.packed, item.below, item.below_error, below.packed)


def bet(item: Asked) -> Question:
    """Return a question that bets will answer: there is nothing to commit but the errors."""
    return Question(item.above, item.above_error, "", item.below, item.below_error, "")


def looked_at(evaluation: Evaluation, plan: RunRegistered, result: ResultReported) -> Counts | None:
    """Return what a run with a sampling plan came to; None where its parts do not fit together or its evaluation."""
    sampling = plan.sampling
    meant = evaluation.estimand, evaluation.clustered_by
    if sampling is None or (sampling.estimand, sampling.clustered_by) != meant:
        return None
    if not sampling.seed:
        return None  # the order was never drawn
    if evaluation.bank and sampling.bank != evaluation.bank:
        return None  # how large the bank is, is the policy's word
    if evaluation.of_means:
        # Bets here are about where scores come from; of a bank without replacement they would show too much.
        means = means_of(plan, result) if sampling.estimand == "population" else None
        return None if means is None else of_means(means)
    path = audit_of(plan, result) if sampling.audits else path_of(plan, result)
    return None if path is None else of_path(path)


def audit_of(plan: RunRegistered, result: ResultReported) -> Audit | None:
    """Return the outcomes of an audit beside what was reported; None where they do not fit together.

    Only of a bank: its items are drawn without replacement, and what was reported of each is there to compare with.
    """
    sampling = plan.sampling
    if (
        sampling is None
        or sampling.estimand != "bank"
        or len(sampling.reported) != sampling.bank
        or not result.outcomes
    ):
        return None
    try:
        audit = Audit(result.outcomes, sampling.reported, sampling.units, _bets(sampling))
    except BoundError:
        return None
    counted = audit.outcomes.count(SUCCESS), audit.outcomes.count(FAILURE)
    return audit if counted == (result.successes, result.failures) else None


def _bets(sampling: Sampling) -> tuple[Bets, ...]:
    return tuple((item.above, item.above_error, item.below, item.below_error) for item in sampling.questions)


def means_of(plan: RunRegistered, result: ResultReported) -> Means | None:
    """Return the samples of a run that are means beside its questions; None where they are none."""
    if plan.sampling is None or not result.outcomes:
        return None
    try:
        return _means(plan.sampling, result.outcomes)
    except (BoundError, ValueError, ZeroDivisionError):
        return None


@lru_cache(maxsize=256)
def _means(sampling: Sampling, outcomes: str) -> Means:
    samples = []
    for word in outcomes.split(" "):
        low, _, high = word.partition("..")
        samples.append((_share(low), _share(high or low)))
    return Means(tuple(samples), sampling.units, _bets(sampling))


def _share(text: str) -> Fraction:
    """Return a share as it is written in an event: `n/d` or a whole number, no longer than one can be.

    Raises:
        ValueError: for any other text.
    """
    if len(text) > MOST_SHARE or set(text) - set("0123456789/"):
        raise ValueError(f"no share: {text!r:.40}")
    return Fraction(text)


def path_of(plan: RunRegistered, result: ResultReported) -> Path | None:
    """Return the outcomes of a run beside its questions.

    None where they do not fit together: nothing is shown by outcomes that are not those of the counts, or by
    boundaries that are none.
    """
    if plan.sampling is None or not result.outcomes:
        return None
    try:
        path = _path(plan.sampling, result.outcomes)
    except BoundError:
        return None
    counted = path.outcomes.count(SUCCESS), path.outcomes.count(FAILURE)
    return path if counted == (result.successes, result.failures) else None


@lru_cache(maxsize=1024)
def _path(sampling: Sampling, outcomes: str) -> Path:
    """Return a path; it is kept, since one decision asks for it many times.

    Raises:
        BoundError: if its parts contradict each other.
    """
    bank, planned = sampling.bank if sampling.estimand == "bank" else 0, sampling.units
    return Path(
        outcomes,
        planned,
        tuple(unpack(item.above, item.above_steps, planned, bank) for item in sampling.questions),
        tuple(unpack(1 - item.below, item.below_steps, planned, bank) for item in sampling.questions),
    )
