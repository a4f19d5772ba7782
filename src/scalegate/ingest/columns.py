"""From the raw values of samples to exact columns, in the order of the plan, absent tries included."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from scalegate.core.reading import Column, Finding, ItemId
from scalegate.ingest.objections import ObjectionError, objection
from scalegate.ingest.sample_table import ABSENT, NO_DIGEST, SampleTable
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.score_values import UNCONVERTIBLE, UNSCORED, Exact, exact, is_unscored

_ABSENT: Exact = (None, "absent")
_UNSCORED: Exact = (None, UNSCORED)
_CACHEABLE = (str, bool, int)


class _Converter:
    """`exact` with a memory: a log has few distinct values, and equal fractions should be one object."""

    def __init__(self) -> None:
        self._seen: dict[Any, Exact] = {}
        self._fractions: dict[Fraction, Fraction] = {}

    def __call__(self, value: Any) -> Exact:  # noqa: ANN401 - a score value
        if isinstance(value, dict | list):
            return None, UNCONVERTIBLE
        key = (type(value), value)
        known = self._seen.get(key)
        if known is None:
            number, missing = exact(value)
            if number is not None:
                number = self._fractions.setdefault(number, number)
            known = self._seen[key] = (number, missing)
        return known


def slots(
    samples: SampleTable, planned: tuple[ItemId, ...] | None, epochs: int, limit: int
) -> list[tuple[ItemId, int, int | None]]:
    """Return every planned try: item, epoch, and row of the table or None where there is no sample.

    The order is that of the plan, or, without one, of the first sample of each item.

    Raises:
        ObjectionError: E207 when more is planned than any evaluation runs.
    """
    items: dict[str, ItemId] = {}
    for item in planned if planned is not None else samples.ids:
        items.setdefault(str(item), item)
    if len(items) * epochs > limit:
        raise ObjectionError("E207", f"{len(items)} items in {epochs} tries are planned")
    found: list[tuple[ItemId, int, int | None]] = []
    for name, item in items.items():
        for epoch in range(1, epochs + 1):
            row = samples.index.get((name, epoch))
            found.append((item if row is None else samples.ids[row], epoch, row))
    return found


def columns(
    samples: SampleTable, places: list[tuple[ItemId, int, int | None]], limit: int
) -> tuple[tuple[Column, ...], bytes, tuple[Finding, ...]]:
    """Return one column per scorer and key, the digests of the samples in the same order, and notes.

    Raises:
        ObjectionError: E207 when there are more columns than `limit`.
    """
    items = tuple(item for item, _, _ in places)
    epochs = tuple(epoch for _, epoch, _ in places)
    rows = [row for _, _, row in places]
    convert = _Converter()
    made: list[Column] = []
    names: set[str] = set()
    notes: list[Finding] = []
    for scorer, values in samples.values.items():
        for name, key in _names(scorer, values):
            if len(made) >= limit:
                raise ObjectionError("E207", f"more than {limit} score columns")
            if name in names:
                raise ObjectionError("E206", f"two columns are named {quoted(name)}")
            names.add(name)
            scores = [_score(samples, scorer, values, key, row, convert) for row in rows]
            made.append(
                Column(
                    name,
                    items,
                    epochs,
                    tuple(value for value, _ in scores),
                    tuple(missing for _, missing in scores),
                )
            )
            notes += _notes(made[-1])
    digests = b"".join(NO_DIGEST if row is None else bytes(samples.digests[32 * row : 32 * row + 32]) for row in rows)
    return tuple(made), digests, tuple(notes)


def _names(scorer: str, values: list[Any]) -> list[tuple[str, str | int | None]]:
    keys: dict[str | int, None] = {}
    for value in values:
        if isinstance(value, dict):
            keys.update(dict.fromkeys(value))
        elif isinstance(value, list):
            keys.update(dict.fromkeys(range(len(value))))
    return [(f"{scorer}/{key}", key) for key in keys] if keys else [(scorer, None)]


def _score(
    samples: SampleTable,
    scorer: str,
    values: list[Any],
    key: str | int | None,
    row: int | None,
    convert: _Converter,
) -> Exact:
    if row is None:
        return _ABSENT
    for rows, reason in (
        (samples.invalidated, "invalidated"),
        (samples.errors, "error"),
        (samples.limits, "limit"),
    ):
        if row in rows:
            return None, reason
    value = values[row]
    if value is ABSENT or is_unscored(value):
        return _UNSCORED
    reason = samples.reasons.get((scorer, row), "")
    if reason:
        return None, reason
    if key is None:
        return convert(value)
    if isinstance(key, str):
        return convert(value.get(key)) if isinstance(value, dict) else (None, UNCONVERTIBLE)
    inside = isinstance(value, list) and key < len(value)
    return convert(value[key]) if inside else (None, UNCONVERTIBLE)


def _notes(column: Column) -> list[Finding]:
    counts: dict[str, int] = {}
    for missing in column.missing:
        if missing:
            counts[missing] = counts.get(missing, 0) + 1
    strange = counts.pop(UNCONVERTIBLE, 0)
    found = []
    if counts:
        detail = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        found.append(objection("E701", f"{detail} of {len(column)}", column.scorer))
    if strange:
        found.append(objection("E702", f"{strange} of {len(column)}", column.scorer))
    return found
