"""`scalegate evidence check`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.results import weigh
from scalegate.app.trusting import read_trust
from scalegate.audit.results import examine
from scalegate.cli.evidence.add import code_of, finding_line, finding_record
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe
from scalegate.core.reading import Column, Finding, Reading, Tally
from scalegate.ingest.objections import objection


@click.command(
    "check",
    epilog=examples(
        "scalegate evidence check autonomy.eval",
        "scalegate evidence check samples.jsonl --results results.json --format json",
    ),
)
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="For lm-eval: the results file that belongs to the samples.",
)
@click.option("--trust", type=click.Path(path_type=Path), help="For a receipt: the trust file that names its issuer.")
@click.option("--allow-edited", is_flag=True, help="Accept scores that were edited after the run.")
@format_option
def check_log(log: Path, results: Path | None, trust: Path | None, *, allow_edited: bool, output: Output) -> int:
    """Read and count a log as `evidence add` would, and record nothing.

    0 admissible; 1 refused; 2 no log; 3 inconclusive, as totals without samples
    are; 4 it contradicts itself. Items are those of the log's own plan, with one try each; of
    several scores, one that can be counted is enough for 0.
    """
    issuers = [item.key for item in read_trust(trust).speakers] if trust is not None else []
    reading = examine(log, results, edited=allow_edited, issuers=issuers)
    counts = weigh(reading)
    if output.form == "json":
        output.json(_record(reading, counts))
    else:
        lead = "" if output.form == "plain" else "  "
        output.lines(
            safe(f"{name}: {value}")
            for name, value in _record(reading, counts).items()
            if name not in {"findings", "scorers", "counts"}
        )
        output.lines(safe(_counted(column, counts[column.scorer])) for column in reading.columns)
        output.lines(lead + finding_line(item).strip() for item in _findings(reading, counts))
    return code_of(_stop(reading, counts))


def _stop(reading: Reading, counts: dict[str, Tally]) -> Finding | None:
    """Return the objection that decides: that of the log, or of the score that has the mildest."""
    if reading.refusal is not None:
        return reading.refusal
    stops = [counted.refusal for counted in counts.values()]
    if not stops:
        return objection("E505")
    return None if None in stops else stops[0]


def _findings(reading: Reading, counts: dict[str, Tally]) -> list[Finding]:
    found = [*reading.findings, *(item for counted in counts.values() for item in counted.findings)]
    if not counts and reading.refusal is None:
        found.append(objection("E505"))
    return list(dict.fromkeys(found))


def _counted(column: Column, counted: Tally) -> str:
    words = f"scorer: {column.scorer}, {len(column)} scores"
    if counted.refusal is not None:
        return f"{words}: {counted.refusal.code}"
    return f"{words}: {counted.successes} of {counted.planned} items, {counted.missing} missing"


def _record(reading: Reading, counts: dict[str, Tally]) -> dict[str, object]:
    return {
        "admissible": _stop(reading, counts) is None,
        "log": reading.digest,
        "harness": f"{reading.harness} {reading.harness_version}".strip(),
        "task": reading.task,
        "model": reading.model,
        "status": reading.status,
        "planned": reading.planned_count,
        "epochs": reading.epochs,
        "class": reading.evidence_class,
        "scorers": [column.scorer for column in reading.columns],
        "counts": {
            name: {"successes": item.successes, "failures": item.failures, "missing": item.missing}
            for name, item in counts.items()
            if item.refusal is None
        },
        "findings": [finding_record(item) for item in _findings(reading, counts)],
    }
