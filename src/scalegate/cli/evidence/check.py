"""`scalegate evidence check`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.results import examine
from scalegate.cli import exits
from scalegate.cli.evidence.add import code_of, finding_line, finding_record
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe
from scalegate.core.reading import Reading


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
@click.option("--allow-edited", is_flag=True, help="Accept scores that were edited after the run.")
@format_option
def check_log(log: Path, results: Path | None, *, allow_edited: bool, output: Output) -> int:
    """Read a log as `evidence add` would, and record nothing.

    0 admissible; 1 refused; 2 no log; 3 inconclusive, as totals without samples
    are; 4 it contradicts itself.
    """
    reading = examine(log, results, edited=allow_edited)
    if output.form == "json":
        output.json(_record(reading))
    else:
        lead = "" if output.form == "plain" else "  "
        output.lines(
            safe(f"{name}: {value}") for name, value in _record(reading).items() if name not in {"findings", "scorers"}
        )
        output.lines(safe(f"scorer: {column.scorer}, {len(column)} scores") for column in reading.columns)
        output.lines(lead + finding_line(item).strip() for item in reading.findings)
    code = code_of(reading.refusal)
    if code == exits.YES and reading.evidence_class == "aggregate":
        return exits.UNKNOWN
    return code


def _record(reading: Reading) -> dict[str, object]:
    stop = reading.refusal
    return {
        "admissible": stop is None,
        "log": reading.digest,
        "harness": f"{reading.harness} {reading.harness_version}".strip(),
        "task": reading.task,
        "model": reading.model,
        "status": reading.status,
        "planned": reading.planned_count,
        "epochs": reading.epochs,
        "class": reading.evidence_class,
        "scorers": [column.scorer for column in reading.columns],
        "findings": [finding_record(item) for item in reading.findings],
    }
