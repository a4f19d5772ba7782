"""lm-eval: `results_*.json` with the keys of 0.3 (`acc`) and 0.4 (`acc,none`), and `samples_*.jsonl`.

Results alone are aggregates: reportable, never enough for a sequential decision. The harness does not name the task
in a samples file; it is matched to its results by the recorded hash of the task.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from scalegate.core.reading import Aggregate, Finding, Reading
from scalegate.ingest.columns import columns, slots
from scalegate.ingest.fingerprint import fingerprint
from scalegate.ingest.inspect_metrics import same
from scalegate.ingest.limits import Limits
from scalegate.ingest.objections import ObjectionError, objection
from scalegate.ingest.sample_table import SampleTable
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.score_values import exact
from scalegate.ingest.strict_json import parse, read_fields

_FULL_COMMIT = 40
_BINARY = frozenset({"acc", "acc_norm", "exact_match"})
_NOT_METRICS = frozenset({"alias", "name", "sample_len", "samples"})
_HASHES = ("doc_hash", "prompt_hash", "target_hash")
_ROW = frozenset({"doc_id", "filter", "metrics", "target", *_HASHES})
# A binary metric with standard error s over n items has p(1-p)/s^2 = n-1 exactly; doubles blur the 15th digit.
_WHOLE = Fraction(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Results:
    """A results file: its reading, and what the samples of its tasks must agree with.

    Attributes:
        reading: of class `aggregate`.
        hashes: recorded hash by task.
        counts: effective number of samples by task.
        originals: number of items of its data set by task.
    """

    reading: Reading
    hashes: dict[str, str]
    counts: dict[str, int]
    originals: dict[str, int]


@dataclass(frozen=True, slots=True)
class Samples:
    """A samples file: its reading, and the hash of the task as recorded row by row (empty if a row has none)."""

    reading: Reading
    task_hash: str


def derived_n(value: Fraction, stderr: Fraction) -> int | None:
    """Return how many items are behind a mean of zeros and ones, from its standard error; None if no number fits.

    The harness divides the sample deviation (n - 1) by the root of n, so that p(1-p)/s^2 = n - 1.
    """
    if stderr <= 0 or not 0 < value < 1:
        return None
    estimate = value * (1 - value) / (stderr * stderr)
    n = round(estimate) + 1
    if n < 2 or abs(estimate - (n - 1)) > _WHOLE * n or abs(value * n - round(value * n)) > _WHOLE:
        return None
    return n


def read_results(data: bytes, limits: Limits) -> Results:
    """Read a results file.

    Raises:
        ObjectionError: E201 to E207.
    """
    root = parse(data, "results", limits.document_bytes)
    tasks = _object(root.get("results") if isinstance(root, dict) else None, "results")
    config = _object(root.get("config") or {}, "config")
    counts = _counts(root.get("n-samples"), "effective")
    hashes = {
        task: text
        for task, text in _object(root.get("task_hashes") or {}, "task_hashes").items()
        if isinstance(text, str) and text
    }
    found: list[Aggregate] = []
    findings: list[Finding] = []
    for task, metrics in tasks.items():
        for key, value in _object(metrics, task).items():
            aggregate = _aggregate(task, key, value, metrics, counts.get(task))
            if aggregate is not None:
                found.append(aggregate)
                findings += _impossible(aggregate)
    if not found:
        findings.append(objection("E302"))
    if any(aggregate.n_derived for aggregate in found):
        findings.append(objection("E706"))
    findings += _provenance(root, config, complete=bool(tasks) and tasks.keys() <= hashes.keys())
    version = root.get("lm_eval_version")
    modern = isinstance(version, str) or any("," in item.metric for item in found)
    versions = root.get("versions")
    reading = Reading(
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        size=len(data),
        harness="lm-eval",
        harness_version=version if isinstance(version, str) else "",
        layout="results-0.4" if modern else "results-0.3",
        task=",".join(sorted(tasks)),
        task_version=_versions(versions, tasks),
        model=_model(root, config),
        created=_seconds(root.get("date")),
        aggregates=tuple(found),
        evidence_class="aggregate",
        provenance=_provenance_of(findings),
        findings=tuple(findings),
    )
    return Results(reading, hashes, counts, _counts(root.get("n-samples"), "original"))


def read_samples(data: bytes, limits: Limits) -> Samples:
    """Read a samples file; its columns are named `metric,filter`.

    Raises:
        ObjectionError: E201 to E207, E408, E413.
    """
    table = SampleTable()
    scores: dict[int, dict[str, Any]] = {}
    prints: dict[int, list[bytes]] = {}
    recorded = hashlib.sha256()
    complete = True
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        row = _row(line, where)
        item = row["doc_id"]
        cells = scores.setdefault(item, {})
        for metric, value in row["scores"].items():
            if metric in cells:
                raise ObjectionError("E408", f"item {item}, {quoted(metric)}", where)
            cells[metric] = {"value": value}
        prints.setdefault(item, []).append(fingerprint(parse(line, where)))
        complete = complete and all(isinstance(row.get(name), str) for name in _HASHES)
        if complete:
            recorded.update("".join(row[name] for name in _HASHES).encode())
    for item, cells in scores.items():
        # One item has a row for each filter, in any order.
        mark = hashlib.sha256(b"".join(sorted(prints[item]))).digest()
        table.add({"id": item, "scores": cells}, f"item {item}", mark)
    planned = tuple(sorted(scores))
    places = slots(table, planned, 1, limits.planned_tries)
    made, ordered, notes = columns(table, places, limits.columns)
    # Of its origin a samples file says nothing, and its rows may be a choice: that is for the results to show.
    findings = [*notes, *map(objection, ("E602", "E604", "E605", "E606"))]
    findings.append(objection("E607", "planned items unknown"))
    if not made:
        findings.insert(0, objection("E302"))
    reading = Reading(
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        size=len(data),
        harness="lm-eval",
        layout="samples",
        planned=planned,
        planned_count=len(planned),
        columns=made,
        sample_digests=ordered,
        provenance=_provenance_of(findings),
        findings=tuple(findings),
    )
    return Samples(reading, recorded.hexdigest() if complete and scores else "")


def join(results: Results, samples: Samples) -> Reading:
    """Return the samples' reading with identity and provenance from the results, and every disagreement.

    The digest stays that of the samples.
    """
    head, body = results.reading, samples.reading
    task = next((name for name, text in results.hashes.items() if text == samples.task_hash), None)
    findings = [finding for finding in body.findings if finding.severity != "provenance"]
    if task is None and results.hashes:
        findings.append(objection("E414", "no task of the results has the hash of these samples"))
    if task is None and len({aggregate.task for aggregate in head.aggregates}) == 1:
        task = head.aggregates[0].task
    for aggregate in head.aggregates:
        if aggregate.task == task:
            findings += _disagreement(aggregate, body)
    effective = results.counts.get(task or "")
    if effective is None:
        findings.append(objection("E607", "planned items unknown"))
    elif effective < results.originals.get(task or "", effective):
        findings.append(objection("E607", f"{effective} of {results.originals[task or '']} items"))
    if effective is not None and effective != body.planned_count:
        detail = f"{effective} samples reported, {body.planned_count} in the log"
        findings.append(objection("E405", detail, task or ""))
    found = {finding.code for finding in findings}
    findings += [item for item in head.findings if item.severity == "provenance" and item.code not in found]
    findings += [finding for finding in head.findings if finding.severity == "untrusted"]
    return replace(
        body,
        harness_version=head.harness_version,
        task=task or "",
        task_version=head.task_version,
        model=head.model,
        created=head.created,
        aggregates=tuple(item for item in head.aggregates if item.task == task),
        provenance=_provenance_of(findings),
        findings=tuple(findings),
    )


# -- results --------------------------------------------------------------------------------------


def _aggregate(task: str, key: str, value: object, metrics: dict[str, Any], effective: int | None) -> Aggregate | None:
    metric, comma, name = key.partition(",")
    if metric.endswith("_stderr") or key in _NOT_METRICS or isinstance(value, bool | str):
        return None
    if not isinstance(value, int | float | Decimal):
        return None
    number = exact(value)[0]
    raw = metrics.get(f"{metric}_stderr{comma}{name}")
    stderr = exact(raw)[0] if isinstance(raw, int | float | Decimal) else None
    n = effective
    derived = False
    if n is None and number is not None and stderr is not None:
        n = derived_n(number, stderr)
        derived = n is not None
    return Aggregate(task, key, number, stderr, n, derived)


def _impossible(aggregate: Aggregate) -> list[Finding]:
    """Object to a standard error that no zeros and ones can have."""
    value, stderr, n = aggregate.value, aggregate.stderr, aggregate.n
    if value is None or stderr is None or aggregate.metric.partition(",")[0] not in _BINARY:
        return []
    where = f"{aggregate.task} {aggregate.metric}"
    if not 0 <= value <= 1:
        return [objection("E416", f"a rate of {float(value):.6g}", where)]
    if n is None or n < 2 or aggregate.n_derived:
        return []
    largest = value * (1 - value) / (n - 1)
    if stderr * stderr > largest * (1 + _WHOLE) + _WHOLE * _WHOLE:
        return [objection("E416", f"{float(stderr):.6g} with {n} items", where)]
    return []


def _provenance(root: dict[str, Any], config: dict[str, Any], *, complete: bool) -> list[Finding]:
    found = []
    commit = root.get("git_hash")
    if not isinstance(commit, str) or not commit:
        found.append(objection("E602"))
    elif len(commit) < _FULL_COMMIT:
        found.append(objection("E603", quoted(commit)))
    found.append(objection("E604"))
    if not complete:
        found.append(objection("E605"))
    if not isinstance(root.get("lm_eval_version"), str):
        found.append(objection("E606"))
    if config.get("limit") is not None:
        found.append(objection("E607"))
    return found


def _model(root: dict[str, Any], config: dict[str, Any]) -> str:
    """Return the pretrained model and its revision where the arguments name them, else what was called the model."""
    arguments = config.get("model_args")
    if isinstance(arguments, str):
        pairs = (part.partition("=") for part in arguments.split(","))
        arguments = {name.strip(): value for name, _, value in pairs}
    if isinstance(arguments, dict) and isinstance(arguments.get("pretrained"), str):
        revision = arguments.get("revision")
        suffix = f"@{revision}" if isinstance(revision, str) and revision else ""
        return f"{arguments['pretrained']}{suffix}"
    for name in (root.get("model_name"), config.get("model")):
        if isinstance(name, str) and name:
            return name
    return ""


def _versions(versions: object, tasks: dict[str, Any]) -> str:
    if not isinstance(versions, dict):
        return ""
    return ",".join(sorted({str(versions[task]) for task in tasks if task in versions}))


def _counts(value: object, which: str) -> dict[str, int]:
    found = {}
    for task, counts in value.items() if isinstance(value, dict) else ():
        number = counts.get(which) if isinstance(counts, dict) else None
        if isinstance(number, int) and not isinstance(number, bool) and number >= 0:
            found[task] = number
    return found


def _seconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return int(value) if 0 <= value < 1 << 40 else None


def _provenance_of(findings: list[Finding]) -> tuple[str, ...]:
    return tuple(finding.message for finding in findings if finding.severity == "provenance")


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ObjectionError("E206", f"{quoted(name)} must be an object")
    return value


# -- samples --------------------------------------------------------------------------------------


def _row(line: bytes, where: str) -> dict[str, Any]:
    row = read_fields(line, _ROW, where)
    item = row.get("doc_id")
    if isinstance(item, bool) or not isinstance(item, int):
        raise ObjectionError("E206", "`doc_id` must be an integer", where)
    metrics = row.get("metrics")
    if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
        raise ObjectionError("E206", "`metrics` must name the metrics", where)
    target = row.get("target")
    if isinstance(target, str) and isinstance(row.get("target_hash"), str):
        real = hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()
        if real != row["target_hash"]:
            raise ObjectionError("E413", "`target_hash`", where)
    chosen = row.get("filter")
    suffix = f",{chosen}" if isinstance(chosen, str) else ""
    values = read_fields(line, frozenset(metrics), where)
    row["scores"] = {f"{name}{suffix}": values.get(name) for name in metrics}
    return row


def _disagreement(aggregate: Aggregate, body: Reading) -> list[Finding]:
    """Compare a reported mean with the samples; other aggregations cannot be told apart and are noted."""
    column = body.column(aggregate.metric)
    where = f"{aggregate.task} {aggregate.metric}"
    if column is None or aggregate.value is None:
        return [objection("E703", where=where)]
    values = [value for value in column.values if value is not None]
    if not values or any(column.missing):
        return [objection("E703", "some samples have no score", where)]
    mean = sum(values, Fraction()) / len(values)
    if same(float(mean), float(aggregate.value)):
        return []
    if aggregate.metric.partition(",")[0] not in _BINARY:
        return [objection("E703", "not a plain mean", where)]
    detail = f"{float(aggregate.value):.6g} reported, {float(mean):.6g} recomputed"
    return [objection("E412", detail, where)]
