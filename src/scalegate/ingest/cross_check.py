"""The redundant copies of an Inspect log must agree: samples, summaries, reductions, header metrics, counts, plan.

Every copy can be edited with a text editor and Inspect's own readers notice none of it. Agreement proves no
honesty (all copies can be forged together), disagreement proves that something happened to the log.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from scalegate.core.quantities import show_count
from scalegate.core.reading import Finding
from scalegate.ingest.inspect_header import Header, Metric, ScoreBlock
from scalegate.ingest.inspect_metrics import (
    Accepted,
    mean_of,
    reduce_tries,
    reported,
    same,
    stderr_of,
)
from scalegate.ingest.objections import objection
from scalegate.ingest.sample_table import ABSENT, SampleTable
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.score_values import as_inspect_float, is_unscored

_MEANS = ("accuracy", "mean")
_DEFAULT_REDUCER = "mean"
Reduced = dict[str, Accepted | None]
"""By item (as text): what its reduced score may be, None if it cannot be recomputed."""


def check_plan(header: Header, samples: SampleTable) -> list[Finding]:
    """Compare the samples with the plan and with the counts that the header reports."""
    found: list[Finding] = []
    if header.planned is not None:
        planned = {str(item) for item in header.planned}
        strangers = [str(item) for item in samples.ids if str(item) not in planned]
        if strangers:
            found.append(objection("E406", _few(strangers)))
        expected = len(planned) * header.epochs
        if header.total is not None and header.total != expected:
            counted = f"{header.total} reported, {expected} planned"
            found.append(objection("E405", counted, "results.total_samples"))
    late = [epoch for epoch in samples.epochs if epoch > header.epochs]
    if late:
        found.append(objection("E409", f"try {max(late)} of {header.epochs}"))
    if header.total is not None and len(samples) > header.total:
        found.append(objection("E405", f"{show_count(len(samples), 'sample')}, {header.total} reported"))
    if header.completed is not None:
        certain = sum(samples.scored(row) for row in range(len(samples)) if row not in samples.errors)
        if not certain <= header.completed <= len(samples):
            counted = f"{header.completed} reported, {certain} to {len(samples)} in the log"
            found.append(objection("E405", counted, "results.completed_samples"))
    return found


def check_summaries(samples: SampleTable, summaries: SampleTable) -> list[Finding]:
    """Compare the samples with their summaries: same tries, same values, same errors."""
    found: list[Finding] = []
    if _is_copy(samples, summaries):
        return found
    if samples.index.keys() != summaries.index.keys():
        gone = summaries.index.keys() - samples.index.keys()
        more = samples.index.keys() - summaries.index.keys()
        found.append(
            objection("E402", f"{len(gone)} have only a summary, {len(more)} have none"),
        )
    unequal: list[str] = []
    troubled: list[str] = []
    scorers = samples.values.keys() | summaries.values.keys()
    columns = [(samples.values.get(name), summaries.values.get(name)) for name in sorted(scorers)]
    for key, row in samples.index.items():
        other = summaries.index.get(key)
        if other is None:
            continue
        if not all(
            _equal(ABSENT if mine is None else mine[row], ABSENT if theirs is None else theirs[other])
            for mine, theirs in columns
        ):
            unequal.append(key[0])
        if (row in samples.errors) != (other in summaries.errors) or (
            # Early versions leave the limit out of the summary, none puts one in.
            other in summaries.limits and row not in samples.limits
        ):
            troubled.append(key[0])
    if unequal:
        found.append(objection("E401", f"{len(unequal)} of {len(samples)} tries, {_few(unequal)}"))
    if troubled:
        found.append(objection("E411", f"{show_count(len(troubled), 'try', 'tries')}, {_few(troubled)}"))
    return found


def _is_copy(samples: SampleTable, summaries: SampleTable) -> bool:
    """Tell quickly that two tables agree, row by row in the same order; False only says to look closer."""
    return (
        samples.index == summaries.index
        and samples.values == summaries.values
        and samples.errors == summaries.errors
        and samples.limits == summaries.limits
    )


def check_results(header: Header, samples: SampleTable, reductions: Any) -> list[Finding]:  # noqa: ANN401
    """Compare the samples with the reduced scores and the metrics, recomputed by Inspect's own rules.

    Args:
        header: with the reported metrics.
        samples: all samples of the log.
        reductions: the parsed `reductions.json`, None if there is none.
    """
    found: list[Finding] = []
    unknown: list[str] = []
    recomputed = _Recomputed(samples)
    for scorer, reducer, rows in _stored(reductions):
        if scorer in samples.values:
            found += _check_reduction(recomputed, scorer, reducer or _DEFAULT_REDUCER, rows)
        elif rows:
            found.append(objection("E404", f"no sample has a score of {quoted(scorer)}"))
    for block in header.blocks:
        name = f"{block.scorer}/{block.name}" if block.name != block.scorer else block.name
        if block.scorer not in samples.values:
            if any(not _empty(metric) for metric in block.metrics):
                found.append(objection("E403", f"no sample has a score of {quoted(name)}"))
            continue
        columns = _columns_of(header, block, recomputed)
        if columns is None:
            unknown.append(name)
            continue
        found += _check_block(header, block, columns, name, unknown)
    if unknown:
        found.append(objection("E703", _few(sorted(set(unknown)))))
    return found


# -- reductions -----------------------------------------------------------------------------------


class _Recomputed:
    """Reduced scores of a table, each computed once."""

    def __init__(self, samples: SampleTable) -> None:
        self.samples = samples
        self._seen: dict[tuple[str, str | int | None, str], Reduced] = {}

    def reduced(self, scorer: str, key: str | int | None, reducer: str) -> Reduced:
        """Return what each item's tries may reduce to."""
        known = self._seen.get((scorer, key, reducer))
        if known is None:
            grouped: dict[str, list[Any]] = defaultdict(list)
            for item, value in zip(self.samples.ids, self.samples.values[scorer], strict=True):
                part = value if key is None else _part(value, key)
                if part is not ABSENT:
                    grouped[str(item)].append(part)
            known = {item: reduce_tries(reducer, tries) for item, tries in grouped.items()}
            self._seen[scorer, key, reducer] = known
        return known


def _stored(reductions: Any) -> Iterator[tuple[str, str | None, list[tuple[str, Any]]]]:  # noqa: ANN401
    """Return scorer, reducer, and items with their reduced values; what has another shape is left out."""
    for block in reductions if isinstance(reductions, list) else []:
        if isinstance(block, dict) and isinstance(block.get("scorer"), str):
            rows = block.get("samples")
            reducer = block.get("reducer")
            yield (
                block["scorer"],
                reducer if isinstance(reducer, str) else None,
                [
                    (str(row.get("sample_id")), row.get("value"))
                    for row in (rows if isinstance(rows, list) else [])
                    if isinstance(row, dict)
                ],
            )


def _check_reduction(recomputed: _Recomputed, scorer: str, reducer: str, rows: list[tuple[str, Any]]) -> list[Finding]:
    wrong: list[str] = []
    unknown = False
    stored = dict(rows)
    for key in _keys(recomputed.samples.values[scorer]):
        reduced = recomputed.reduced(scorer, key, reducer)
        if len(rows) != len(reduced) or reduced.keys() != stored.keys():
            return [objection("E404", f"{show_count(len(rows), 'item')} reduced, {len(reduced)} scored", scorer)]
        for item, accepted in reduced.items():
            value = _part(stored[item], key)
            if accepted is None:
                unknown = True
            elif value is ABSENT or not any(same(as_inspect_float(value), one) for one in accepted):
                wrong.append(item)
    found = []
    if wrong:
        found.append(objection("E404", f"{show_count(len(wrong), 'item')}, {_few(wrong)}", scorer))
    if unknown:
        found.append(objection("E704", f"by {quoted(reducer)}", scorer))
    return found


def _keys(values: list[Any]) -> list[str | int | None]:
    """Return the keys (or positions) of structured scores, `[None]` for scalar ones."""
    keys: dict[str | int, None] = {}
    for value in values:
        if isinstance(value, dict):
            keys.update(dict.fromkeys(value))
        elif isinstance(value, list):
            keys.update(dict.fromkeys(range(len(value))))
    return list(keys) if keys else [None]


def _part(value: Any, key: str | int | None) -> Any:  # noqa: ANN401 - a score value
    if key is None or is_unscored(value) or value is ABSENT:
        return value
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key, ABSENT)
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else ABSENT
    return ABSENT


# -- metrics --------------------------------------------------------------------------------------


def _columns_of(header: Header, block: ScoreBlock, recomputed: _Recomputed) -> list[list[float]] | None:
    """Return the reduced columns that the block may have been computed from, None if that cannot be known."""
    samples = recomputed.samples
    values = samples.values[block.scorer]
    key: str | None = None
    if _keys(values) != [None]:
        if block.name not in _keys(values):
            return None
        key = block.name
    elif block.name != block.scorer:
        return None
    columns: list[list[float]] = []
    if header.reducers != ():
        reduced = recomputed.reduced(block.scorer, key, block.reducer or _DEFAULT_REDUCER)
        if any(accepted is None or len(accepted) != 1 for accepted in reduced.values()):
            return None
        columns.append([accepted[0] for accepted in reduced.values() if accepted])
    if block.reducer is None:
        # Metrics may be declared to run on unreduced scores, which the log does not say.
        parts = [_part(value, key) for value in values]
        raw = [as_inspect_float(part) for part in parts if part is not ABSENT]
        columns.append(raw)
    if samples.errors:
        # Whether a try that was scored and then failed counts differs between versions.
        columns.append(
            [
                as_inspect_float(_part(value, key))
                for row, value in enumerate(values)
                if row not in samples.errors and _part(value, key) is not ABSENT
            ]
        )
    return columns


def _check_block(
    header: Header, block: ScoreBlock, columns: list[list[float]], name: str, unknown: list[str]
) -> list[Finding]:
    found: list[Finding] = []
    for metric in block.metrics:
        value = reported(metric.value)
        known = header.builtin.get(block.scorer)
        if not metric.plain or value is None or (known is not None and metric.name not in known):
            unknown.append(f"{name} {metric.key}")
        elif metric.name in _MEANS:
            accepted = [one for column in columns for one in mean_of(column)]
            if not any(same(value, one) for one in accepted):
                detail = f"{metric.name} {value:.6g} reported, {accepted[0]:.6g} recomputed"
                found.append(objection("E403", detail, name))
        elif metric.name == "stderr":
            accepted = [stderr_of(column) for column in columns]
            if not math.isnan(value) and not any(same(value, one) for one in accepted):
                detail = f"{value:.6g} reported, {accepted[0]:.6g} recomputed"
                found.append(objection("E708", detail, name))
        else:
            unknown.append(f"{name} {metric.key}")
    if block.scored is not None:
        counts = {sum(not math.isnan(value) for value in column) for column in columns}
        if block.scored not in counts:
            detail = f"{block.scored} scored items reported, {min(counts)} recomputed"
            found.append(objection("E405", detail, name))
    return found


def _empty(metric: Metric) -> bool:
    value = reported(metric.value)
    return value is None or math.isnan(value) or value == 0.0


def _equal(first: Any, second: Any) -> bool:  # noqa: ANN401 - score values
    if first is second:
        return True
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_equal(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_equal, first, second))
    if is_unscored(first) or is_unscored(second):
        return is_unscored(first) and is_unscored(second)
    return bool(first == second)


def _few(names: list[str]) -> str:
    shown = ", ".join(quoted(name, 60) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
