"""The header of an Inspect log: identity, plan, reported results; typed, with nothing taken for granted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any

from scalegate.core.reading import Finding, ItemId
from scalegate.ingest.objections import ObjectionError, objection
from scalegate.ingest.sanitize import quoted

_FULL_COMMIT = 40


@dataclass(frozen=True, slots=True)
class Metric:
    """One reported number: its key and name, its value as parsed, whether it is plain (no parameters, no group)."""

    key: str
    name: str
    value: Any
    plain: bool


@dataclass(frozen=True, slots=True)
class ScoreBlock:
    """Reported metrics of one scorer under one reducer.

    `name` differs from `scorer` for one key of a scorer that returns a dictionary.
    """

    name: str
    scorer: str
    reducer: str | None
    scored: int | None
    unscored: int | None
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says.

    Attributes:
        status: `success`, `error`, `cancelled` or `started`.
        planned: ids of the planned items, None when the log does not name them.
        epochs: planned tries per item.
        reducers: names of the epoch reducers, None for the default, empty when switched off.
        total: planned tries, as reported.
        completed: tries without an error, as reported.
        blocks: reported metrics.
        builtin: names of Inspect's own metrics by scorer, where the log defines them.
        early_stops: number of tries that an early stopping manager left out.
        keeps_samples: False when the run was told not to log samples.
        findings: provenance and refusals that the header alone decides.
    """

    status: str
    task: str
    task_version: str
    model: str
    harness_version: str
    created: int | None
    finished: int | None
    planned: tuple[ItemId, ...] | None
    epochs: int
    reducers: tuple[str, ...] | None
    total: int | None
    completed: int | None
    blocks: tuple[ScoreBlock, ...]
    builtin: dict[str, frozenset[str]]
    early_stops: int
    keeps_samples: bool
    reductions: Any
    findings: tuple[Finding, ...]


def read_header(header: Any, where: str) -> Header:  # noqa: ANN401 - JSON is any of six types
    """Return the typed header.

    Raises:
        ObjectionError: E206 where a field has the wrong type; E308 for a layout that is not known.
    """
    root = _object(header, "header", where)
    if root.get("version") != 2:
        raise ObjectionError("E308", f"version {quoted(str(root.get('version')))}", where)
    spec = _object(root.get("eval"), "eval", where)
    config = _object(spec.get("config", {}), "eval.config", where)
    dataset = _object(spec.get("dataset", {}), "eval.dataset", where)
    packages = _object(spec.get("packages", {}), "eval.packages", where)
    results = _object(_or_empty(root.get("results")), "results", where)
    stats = _object(_or_empty(root.get("stats")), "stats", where)
    early = _object(_or_empty(results.get("early_stopping")), "results.early_stopping", where)
    stops = _list(early.get("early_stops"), "results.early_stopping.early_stops", where)
    version = _text(packages.get("inspect_ai"), "eval.packages.inspect_ai", where)
    reducers = config.get("epochs_reducer")
    return Header(
        status=_text(root.get("status"), "status", where),
        task=_text(spec.get("task"), "eval.task", where),
        task_version=str(spec.get("task_version", "")),
        model=_text(spec.get("model"), "eval.model", where),
        harness_version=version,
        created=instant(spec.get("created")),
        finished=instant(stats.get("completed_at")),
        planned=_planned(dataset.get("sample_ids"), where),
        epochs=_count(config.get("epochs"), "eval.config.epochs", where) or 1,
        reducers=None if reducers is None else _names(reducers, "epochs_reducer", where),
        total=_count(results.get("total_samples"), "results.total_samples", where),
        completed=_count(results.get("completed_samples"), "results.completed_samples", where),
        blocks=_blocks(results, where),
        builtin=_builtin(_list(spec.get("scorers"), "eval.scorers", where)),
        early_stops=len(stops),
        keeps_samples=config.get("log_samples") is not False,
        reductions=results.get("sample_reductions"),
        findings=(*_refusals(root, spec), *_provenance(root, spec, config, version)),
    )


def _refusals(root: dict[str, Any], spec: dict[str, Any]) -> tuple[Finding, ...]:
    found = []
    if root.get("status") != "success":
        found.append(objection("E301", f"status is {quoted(str(root.get('status')))}"))
    if root.get("invalidated"):
        found.append(objection("E303"))
    if spec.get("shards") is not None:
        found.append(objection("E306"))
    return tuple(found)


def _provenance(
    root: dict[str, Any], spec: dict[str, Any], config: dict[str, Any], version: str
) -> tuple[Finding, ...]:
    found = []
    revision = spec.get("revision")
    commit = revision.get("commit") if isinstance(revision, dict) else None
    if not isinstance(commit, str) or not commit:
        found.append(objection("E602"))
    else:
        if isinstance(revision, dict) and revision.get("dirty"):
            found.append(objection("E601", quoted(commit)))
        if len(commit) < _FULL_COMMIT:
            found.append(objection("E603", quoted(commit)))
    # Neither has a field in any version of the format so far.
    found += [objection("E604"), objection("E605")]
    if not version:
        found.append(objection("E606"))
    if any(config.get(key) is not None for key in ("limit", "sample_id")):
        found.append(objection("E607"))
    if root.get("log_updates"):
        found.append(objection("E608"))
    return tuple(found)


def instant(text: object) -> int | None:
    """Return seconds since 1970 of an ISO time with its zone, None for anything else.

    A time without a zone is none: it names as many instants as there are zones.
    """
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return floor(moment.timestamp()) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _planned(ids: object, where: str) -> tuple[ItemId, ...] | None:
    if ids is None:
        return None
    found: dict[str, ItemId] = {}
    for item in _list(ids, "eval.dataset.sample_ids", where):
        if isinstance(item, bool) or not isinstance(item, int | str):
            raise ObjectionError("E206", "`sample_ids` must hold text and integers", where)
        if str(item) in found:
            raise ObjectionError("E408", f"{quoted(str(item))} is planned twice", where)
        found[str(item)] = item
    return tuple(found.values())


def _blocks(results: dict[str, Any], where: str) -> tuple[ScoreBlock, ...]:
    scores = results.get("scores")
    if scores is None and isinstance(results.get("scorer"), dict):
        # The oldest logs report one scorer, and its metrics beside it.
        scores = [{**results["scorer"], "metrics": results.get("metrics", {})}]
    blocks = []
    for score in _list(scores, "results.scores", where):
        block = _object(score, "results.scores", where)
        name = _text(block.get("name"), "results.scores.name", where)
        scorer = block.get("scorer")
        reducer = block.get("reducer")
        blocks.append(
            ScoreBlock(
                name=name,
                scorer=name if scorer is None else _text(scorer, "results.scores.scorer", where),
                reducer=None if reducer is None else _text(reducer, "reducer", where),
                scored=_count(block.get("scored_samples"), "scored_samples", where),
                unscored=_count(block.get("unscored_samples"), "unscored_samples", where),
                metrics=_metrics(block, where),
            )
        )
    return tuple(blocks)


def _metrics(block: dict[str, Any], where: str) -> tuple[Metric, ...]:
    found = []
    for key, raw in _object(block.get("metrics", {}), "metrics", where).items():
        metric = _object(raw, f"metrics.{key}", where)
        plain = not metric.get("params") and not metric.get("options") and not metric.get("group")
        name = _text(metric.get("name", key), "metrics.name", where)
        found.append(Metric(key, name, metric.get("value"), plain))
    return tuple(found)


def _builtin(scorers: list[Any]) -> dict[str, frozenset[str]]:
    """Return the unqualified names of the metrics of inspect_ai itself, by scorer."""

    def names(value: object) -> list[str]:
        if isinstance(value, list):
            return [name for item in value for name in names(item)]
        if isinstance(value, dict):
            if isinstance(value.get("name"), str):
                return [value["name"]]
            return [name for item in value.values() for name in names(item)]
        return []

    found: dict[str, frozenset[str]] = {}
    for scorer in scorers:
        if isinstance(scorer, dict) and isinstance(scorer.get("name"), str):
            qualified = names(scorer.get("metrics"))
            found[scorer["name"]] = frozenset(
                name.removeprefix("inspect_ai/") for name in qualified if name.startswith("inspect_ai/")
            )
    return found


def _or_empty(value: object) -> object:
    return {} if value is None else value


def _object(value: object, name: str, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ObjectionError("E206", f"{quoted(name)} must be an object", where)
    return value


def _list(value: object, name: str, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ObjectionError("E206", f"{quoted(name)} must be an array", where)
    return value


def _text(value: object, name: str, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ObjectionError("E206", f"{quoted(name)} must be text", where)
    return value


def _names(value: object, name: str, where: str) -> tuple[str, ...]:
    return tuple(_text(item, name, where) for item in _list(value, name, where))


def _count(value: object, name: str, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ObjectionError("E206", f"{quoted(name)} must be a count", where)
    return value
