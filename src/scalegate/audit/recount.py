"""From a log to counts: which score, by which rule, of which items, and in which order where one was registered."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, TypeAlias

from scalegate.audit.chosen import Chosen, RecountError, column, metric
from scalegate.core.events import RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.core.reading import AtLeast, Finding, Reading, SingleTry, Tally, TallyRule
from scalegate.ingest.admissibility import tally
from scalegate.ingest.objections import objection
from scalegate.ingest.outcomes import means, outcomes
from scalegate.stats.sequential import FAILURE, SUCCESS

Blob: TypeAlias = Callable[[str], bytes]
# A run that chose what to stop at by what it saw.
EARLY = frozenset({"E501"})
# Scores between 0 and 1, or several tries of an item: what a mean is made of.
MEANS = frozenset({"E502", "E503"})


@dataclass(frozen=True, slots=True)
class Counted:
    """What a log came to.

    Attributes:
        chosen: which score was counted.
        tally: the counts, with every objection.
        derived: the number of items was derived from a reported standard error.
        path: outcomes in registered order; empty for a run that is looked at once.
    """

    chosen: Chosen
    tally: Tally
    derived: bool = False
    path: str = ""

    @property
    def refusal(self) -> Finding | None:
        """The worst objection, or None when the counts may be used."""
        return self.tally.refusal

    def with_findings(self, more: tuple[Finding, ...]) -> Counted:
        """Return the same counts with further objections."""
        return replace(self, tally=replace(self.tally, findings=(*self.tally.findings, *more)))


def count(blob: Blob, plan: RunRegistered, evaluation: Evaluation, reading: Reading, scorer: str) -> Counted:
    """Count the items of a log by the registration of its run and the rule of its evaluation.

    Raises:
        RecountError: if the log has no score of the name asked for, or the registered items are not kept.
    """
    if plan.sampling is not None:
        return _in_order(blob, plan, evaluation, reading, scorer)
    if reading.evidence_class == "aggregate" and evaluation.accept_aggregate and reading.refusal is None:
        chosen = metric(reading, plan, scorer)
        counts, derived = _aggregate(reading, chosen.word, plan)
        return Counted(chosen, counts, derived)
    items = planned_items(blob, plan)
    chosen = column(reading, plan, scorer, lambda word: tally(reading, word, rule(evaluation), items))
    return Counted(chosen, tally(reading, chosen.word, rule(evaluation), items))


def _in_order(blob: Blob, plan: RunRegistered, evaluation: Evaluation, reading: Reading, scorer: str) -> Counted:
    """Count the samples of a run with a sampling plan, up to the first that was not run: it may end early."""
    units, by = planned_units(blob, plan), None if evaluation.score.mean else rule(evaluation)
    allowed = EARLY | MEANS if evaluation.score.mean else EARLY
    reading = replace(reading, findings=tuple(_as_planned(item, allowed) for item in reading.findings))
    items = [item for unit in units for item in unit]

    def tallied(word: str) -> Tally:
        found = tally(reading, word, by or SingleTry(), items)
        return replace(found, findings=tuple(_as_planned(item, allowed) for item in found.findings))

    chosen = column(reading, plan, scorer, tallied)
    counts = tallied(chosen.word)
    stray = evaluation.score.mean and not _in_unit(reading, chosen.word)
    if stray:
        counts = replace(counts, findings=(*counts.findings, objection("E502", "some lie outside 0 to 1")))
    if counts.refusal is not None:
        return Counted(chosen, counts)
    if evaluation.of_means:
        path = means(reading, chosen.word, by, units, evaluation.score.tries)
        # Scores between 0 and 1 are what a mean is made of: nothing about them bars their use.
        return Counted(chosen, replace(counts, successes=0, failures=0, missing=counts.planned, binary=True), path=path)
    path = outcomes(reading, chosen.word, by or SingleTry(), items)
    successes, failures = path.count(SUCCESS), path.count(FAILURE)
    missing = counts.planned - successes - failures
    return Counted(chosen, replace(counts, successes=successes, failures=failures, missing=missing), path=path)


def _in_unit(reading: Reading, scorer: str) -> bool:
    found = reading.column(scorer)
    return found is None or all(value is None or 0 <= value <= 1 for value in found.values)


def _as_planned(finding: Finding, allowed: frozenset[str]) -> Finding:
    """Return an objection as a note where it says what the plan of the run, or its evaluation, allows."""
    return replace(finding, severity="note") if finding.code in allowed else finding


def _aggregate(reading: Reading, word: str, plan: RunRegistered) -> tuple[Tally, bool]:
    """Return the counts that a published share stands for, and whether their number was derived.

    A count that the share leaves open, for rounding, is missing: it widens both ends.
    """
    chosen = next(item for item in reading.aggregates if item.metric == word and item.value is not None)
    value, n = chosen.value, chosen.n
    if value is None or n is None or not 0 <= value <= 1:
        return Tally(plan.items, 0, 0, plan.items, binary=False, findings=reading.findings), False
    if n > plan.items:
        raise RecountError(
            "untrusted",
            "items-more",
            f"the report counts {n} items, and {plan.items} were registered",
        )
    exact = value * n
    fewest, most = floor(exact), ceil(exact)
    missing = plan.items - fewest - (n - most)
    counts = Tally(plan.items, fewest, n - most, missing, binary=True, findings=reading.findings)
    return counts, chosen.n_derived


def rule(evaluation: Evaluation) -> TallyRule:
    """Return how the tries of one item make it a success."""
    score = evaluation.score
    return SingleTry() if (score.least, score.tries) == (1, 1) else AtLeast(score.least, score.tries)


def planned_items(blob: Blob, plan: RunRegistered) -> int | Collection[str]:
    """Return the registered item ids of a run, or their number where only that was registered.

    Raises:
        RecountError: if the ids are not kept, or not what was registered.
    """
    if plan.sampling is not None:
        return [item for unit in planned_units(blob, plan) for item in unit]
    if not plan.item_ids:
        return plan.items
    return [str(item) for item in _kept(blob, plan.run, plan.item_ids)]


def planned_units(blob: Blob, plan: RunRegistered) -> tuple[tuple[str, ...], ...]:
    """Return the items of each sample of a run with a sampling plan, in their registered order.

    Raises:
        RecountError: if the order is not kept, is not what was registered, or nobody registered one.
    """
    if plan.sampling is not None and not plan.sampling.seed:
        raise RecountError(
            "refused",
            "order-undrawn",
            f"the order of run `{plan.run}` is not drawn yet",
            "`scalegate ledger witness` asks the witnesses, and draws it from what they sign",
        )
    order = plan.sampling.order if plan.sampling is not None else ""
    units = _kept(blob, plan.run, order)
    if not all(isinstance(unit, list) for unit in units):
        raise RecountError("untrusted", "items-missing", f"the registered order of `{plan.run}` is no list of samples")
    return tuple(tuple(str(item) for item in unit) for unit in units)


def _kept(blob: Blob, run: str, digest: str) -> list[Any]:
    try:
        found = json.loads(blob(digest))
    except (KeyError, ValueError, RecursionError) as error:
        raise RecountError("untrusted", "items-missing", f"the registered item ids of `{run}` are not kept") from error
    if not isinstance(found, list):
        raise RecountError("untrusted", "items-missing", f"the registered item ids of `{run}` are no list")
    return found
