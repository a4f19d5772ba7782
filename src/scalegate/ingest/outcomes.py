"""What the samples of a log came to, in the order that was registered for them.

Whatever was run behind the first sample that was not does not count: else the order in which samples end, or which of
them a crash leaves out, could choose among the scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from scalegate.core.reading import AtLeast, Reading, TallyRule
from scalegate.stats.clusters import cluster_scores
from scalegate.stats.sequential import FAILURE, MISSING, SUCCESS

ABSENT = "absent"


@dataclass(slots=True)
class _Tries:
    """The tries of one item: their scores, None for one without a score, and how many were not run."""

    scores: list[Fraction | None] = field(default_factory=list)
    absent: int = 0


def outcomes(reading: Reading, scorer: str, rule: TallyRule, order: Iterable[str]) -> str:
    """Return one of `1`, `0` and `-` for each item, up to the first that was not run to its end.

    Args:
        reading: the log.
        scorer: name of a column; one that the log does not have has no outcomes.
        rule: how the tries of an item make it a success.
        order: ids of the planned items in their registered order.
    """
    found = []
    tries = _tries(reading, scorer)
    for item in order:
        outcome = _outcome(tries.get(item), rule)
        if not outcome:
            break
        found.append(outcome)
    return "".join(found)


def item_outcomes(reading: Reading, scorer: str, rule: TallyRule) -> dict[str, str]:
    """Return one of `1`, `0` and `-` for every item of a log by its id, in no particular order.

    Args:
        reading: the log.
        scorer: name of a column; one that the log does not have has no outcomes.
        rule: how the tries of an item make it a success.
    """
    return {item: _outcome(tries, rule) or MISSING for item, tries in _tries(reading, scorer).items()}


def means(reading: Reading, scorer: str, rule: TallyRule | None, units: Sequence[Sequence[str]], tries: int) -> str:
    """Return the mean of each unit of items, as events hold it, up to the first item that was not run to its end.

    Args:
        reading: the log; its scores lie between 0 and 1.
        scorer: name of a column; one that the log does not have has no outcomes.
        rule: how the tries of an item make it a success; None where the scores of its tries count by themselves.
        units: ids of the items of each planned unit, in their registered order.
        tries: planned tries of each item.
    """
    seen = _tries(reading, scorer)
    scored: list[tuple[int, Fraction | None]] = []
    sizes = {place: len(unit) * (tries if rule is None else 1) for place, unit in enumerate(units)}
    for place, item in ((place, item) for place, unit in enumerate(units) for item in unit):
        ran = seen.get(item)
        if rule is None:
            if ran is None or ran.absent or len(ran.scores) < tries:
                break
            scored += [(place, score) for score in ran.scores[:tries]]
            continue
        outcome = _outcome(ran, rule)
        if not outcome:
            break
        scored.append((place, {SUCCESS: Fraction(1), FAILURE: Fraction(0)}.get(outcome)))
    ends = cluster_scores(scored, sizes)
    pairs = zip(ends.above, ends.below, strict=True)
    return " ".join(str(low) if low == high else f"{low}..{high}" for low, high in pairs)


def _tries(reading: Reading, scorer: str) -> dict[str, _Tries]:
    column = reading.column(scorer)
    found: dict[str, _Tries] = {}
    if column is not None:
        for item, value, missing in zip(column.items, column.values, column.missing, strict=True):
            tries = found.setdefault(str(item), _Tries())
            if missing == ABSENT:
                tries.absent += 1
            else:
                tries.scores.append(value)
    return found


def _outcome(ran: _Tries | None, rule: TallyRule) -> str:
    return "" if ran is None else outcome_of(ran.scores, rule, absent=ran.absent)


def outcome_of(scores: Sequence[Fraction | None], rule: TallyRule, *, absent: int = 0) -> str:
    """Return what an item came to, whatever its missing tries would have been; empty when it was not run to its end.

    Args:
        scores: of the tries that were run, None for one without a score.
        rule: how they make the item a success.
        absent: tries that were not run.
    """
    tries, needed = (rule.tries, rule.successes) if isinstance(rule, AtLeast) else (1, 1)
    hits, misses = scores.count(Fraction(1)), sum(score is not None and score != 1 for score in scores)
    if hits >= needed:
        return SUCCESS
    if misses > tries - needed:
        return FAILURE
    return "" if absent else MISSING
