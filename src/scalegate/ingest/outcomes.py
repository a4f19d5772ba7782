"""What the items of a log came to, in the order that was registered for them."""

from __future__ import annotations

from collections.abc import Iterable

from scalegate.core.reading import AtLeast, Reading, TallyRule
from scalegate.stats.sequential import FAILURE, MISSING, SUCCESS

ABSENT = "absent"


def outcomes(reading: Reading, scorer: str, rule: TallyRule, order: Iterable[str]) -> str:
    """Return one of `1`, `0` and `-` for each item, up to the first that was not run to its end.

    Whatever else was run lies behind a hole, and does not count: else the order in which items end, or which of them
    a crash leaves out, could choose among the scores.

    Args:
        reading: the log.
        scorer: name of a column; one that the log does not have has no outcomes.
        rule: how the tries of an item make it a success.
        order: ids of the planned items in their registered order.
    """
    column = reading.column(scorer)
    if column is None:
        return ""
    tries, needed = (rule.tries, rule.successes) if isinstance(rule, AtLeast) else (1, 1)
    hits: dict[str, int] = {}
    misses: dict[str, int] = {}
    gone: dict[str, int] = {}
    for item, value, missing in zip(column.items, column.values, column.missing, strict=True):
        name = str(item)
        kind = gone if missing == ABSENT else hits if value == 1 else misses if value == 0 else None
        hits.setdefault(name, 0)
        if kind is not None:
            kind[name] = kind.get(name, 0) + 1
    found = []
    for item in order:
        if item not in hits:
            break
        if hits[item] >= needed:
            found.append(SUCCESS)
        elif misses.get(item, 0) > tries - needed:
            found.append(FAILURE)
        elif gone.get(item, 0):
            break
        else:
            found.append(MISSING)
    return "".join(found)
