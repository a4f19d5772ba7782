"""How many samples decide a threshold, before any is spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalegate.app.bindings import find_evaluation
from scalegate.app.book import Page
from scalegate.app.refusal import RefusalError
from scalegate.app.sampling import questions
from scalegate.core.events import RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.gate.sampling import Asked
from scalegate.stats.boundary import Boundary
from scalegate.stats.calibrate import calibrated, open_ended
from scalegate.stats.power import Power, power

# A recommendation answers the question this often at the gap asked for.
OFTEN = 0.9
_GROW = 1.2
# Planning looks at a few rates and lengths; beyond this one of them would take long.
MOST_PLANNED = 50_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is planned for; empty words are those of a run that names none.

    Attributes:
        evaluation: its name, policy/name, or digest.
        most: planned number of samples; 0 for as many as are recommended.
        bank: number of items there are; 0 for no end of them.
        gap: distance from the threshold, on both sides, that should be told in nine runs of ten.
        rates: true rates to look at; none for a few around each threshold.
        cluster: items that belong together, on average; 1 for none.
        correlation: of items that belong together, between 0 and 1.
        subject, elicitation, scaffold: of the run.
    """

    evaluation: str
    most: int = 0
    bank: int = 0
    gap: Fraction = Fraction(1, 20)
    rates: tuple[Fraction, ...] = ()
    cluster: int = 1
    correlation: Fraction = Fraction(0)
    subject: str = ""
    elicitation: str = ""
    scaffold: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run comes to at one threshold.

    Attributes:
        asked: the two claims and their errors.
        most: planned number of samples.
        recommended: samples that tell the gap in nine runs of ten; 0 where not even the longest plan does.
        powers: what the run comes to at each true rate.
    """

    asked: Asked
    most: int
    recommended: int
    powers: tuple[Power, ...]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """The plan of a run.

    Attributes:
        evaluation: what is measured.
        inflation: how many items stand for one independent sample, where items belong together.
        planned: one for each threshold.
    """

    evaluation: Evaluation
    inflation: Fraction
    planned: tuple[Planned, ...]

    @property
    def most(self) -> int:
        """Samples that the recommendation for every threshold takes; 0 where one has none."""
        found = [item.recommended for item in self.planned]
        return max(found) if all(found) else 0


def plan_samples(page: Page, wanted: Wanted) -> PlanAnswer:
    """Return how many samples answer the thresholds that policies in force ask of an evaluation.

    Raises:
        RefusalError: if there is no such evaluation or no threshold, or the numbers are impossible.
    """
    evaluation = find_evaluation(page, wanted.evaluation)
    _check(wanted, evaluation)
    bare = RunRegistered(
        "", evaluation.digest or "", wanted.subject, wanted.elicitation, wanted.scaffold, 1, "", 0, (), "", "",
        evaluation.by or "developer",
    )  # fmt: skip
    found = questions(page, bare, evaluation)
    if not found:
        raise RefusalError(
            "usage", "thresholds-none", f"no policy in force compares `{evaluation.id}` with a number in between"
        )
    bank = evaluation.bank
    planned = tuple(_plan(item, wanted, bank, bets=evaluation.of_means) for item in found)
    return PlanAnswer(evaluation, 1 + (wanted.cluster - 1) * wanted.correlation, planned)


def _check(wanted: Wanted, evaluation: Evaluation) -> None:
    if evaluation.bank and wanted.bank not in (0, evaluation.bank):
        raise RefusalError("usage", "bank-other", f"`{evaluation.id}` is about a bank of {evaluation.bank} items")
    items = evaluation.bank or wanted.bank
    if items and wanted.most > items:
        raise RefusalError("usage", "samples-many", f"{wanted.most} samples cannot be drawn from {items} items")
    if not 0 <= wanted.most <= MOST_PLANNED:
        raise RefusalError("usage", "samples-many", f"at most {MOST_PLANNED} samples can be planned here")


def _plan(item: Asked, wanted: Wanted, bank: int, *, bets: bool) -> Planned:
    limit = min(bank or wanted.bank or MOST_PLANNED, MOST_PLANNED)
    recommended = _recommend(item, wanted.gap, limit, bank, bets=bets)
    most = wanted.most or recommended or limit
    above, below = boundaries(item, most, bank, bets=bets)
    rates = wanted.rates or _around(item, wanted.gap)
    return Planned(item, most, recommended, tuple(power(rate, above, below) for rate in rates))


def boundaries(item: Asked, most: int, bank: int, *, bets: bool) -> tuple[Boundary, Boundary]:
    """Return the boundaries of a question: of successes, and of failures.

    Where bets decide, those of a mixture of bets on scores that are all 0 or 1: others vary less, and take fewer.
    """
    if bets:
        return open_ended(item.above, item.above_error, most), open_ended(1 - item.below, item.below_error, most)
    return (
        calibrated(item.above, item.above_error, most, bank),
        calibrated(1 - item.below, item.below_error, most, bank),
    )


def _recommend(item: Asked, gap: Fraction, limit: int, bank: int, *, bets: bool) -> int:
    """Return the planned number of samples that tells the gap on both sides often enough; 0 for none up to a limit."""
    high, low = item.above + gap, item.below - gap
    wanted = [(rate, side) for rate, side in ((high, True), (low, False)) if 0 < rate < 1]
    most = max((_least(item, rate, up=up) for rate, up in wanted), default=2)
    while wanted:
        most = min(most, limit)
        above, below = boundaries(item, most, bank, bets=bets)
        found = [(power(rate, above, below), up) for rate, up in wanted]
        if all((each.above if up else each.below) >= OFTEN for each, up in found):
            return most
        if most == limit:
            return 0
        most = math.ceil(most * _GROW)
    return 0


def _least(item: Asked, rate: Fraction, *, up: bool) -> int:
    """Return the information limit: no test that errs so rarely needs fewer samples on average."""
    threshold, error = (item.above, item.above_error) if up else (item.below, item.below_error)
    p, t = float(rate), float(threshold)
    divergence = p * math.log(p / t) + (1 - p) * math.log((1 - p) / (1 - t))
    return max(2, math.ceil(math.log(1 / error) / divergence))


def _around(item: Asked, gap: Fraction) -> Sequence[Fraction]:
    """Return a few true rates on both sides of a threshold."""
    found = {item.constant + step * gap for step in (-4, -2, -1, 0, 1, 2, 4)}
    return sorted(rate for rate in found if 0 <= rate <= 1)
