"""`scalegate evidence add`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.results import Added, add_result, kind_of
from scalegate.cli import exits
from scalegate.cli.options import (
    examples,
    format_option,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.cli.text import safe
from scalegate.core.events import ResultReported
from scalegate.core.quantities import show_bound, show_count
from scalegate.core.reading import Finding

_WHO = "--by 'Lea Roth' --role external-auditor"


@click.command(
    epilog=examples(
        f"scalegate evidence add r1 autonomy.eval {_WHO}",
        f"scalegate evidence add r2 samples.jsonl --results results.json --scorer acc {_WHO}",
    )
)
@click.argument("run")
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--scorer", default="", help="Which score counts, where the log has several.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="For lm-eval: the results file that belongs to the samples.",
)
@speaker_options
@store_option
@format_option
@click.pass_context
def add(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    run: str,
    log: Path,
    scorer: str,
    results: Path | None,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Add the log of a registered run: its one result, or a refusal that stays visible.

    A receipt of proofbundle, signed by a speaker of the trust file, stands for a log without samples: it counts only
    where the policy accepts aggregates.

    0 recorded; 1 refused; 2 no log; 3 recorded and inconclusive; 4 the log contradicts itself or its
    registration.
    """
    book = open_book(ctx, store)
    added = add_result(book, run, log, speaker(by, role), scorer=scorer, results=results)
    for warning in added.warnings:
        output.warn(warning)
    if output.form == "json":
        output.json(record_of(added))
    elif output.form == "plain":
        output.lines(safe(f"{name}: {value}") for name, value in record_of(added).items())
    else:
        output.lines([safe(sentence_of(added)), *map(finding_line, added.findings)])
    return code_of(added.refusal)


def code_of(finding: Finding | None) -> int:
    """Return the exit code for the worst objection to a log."""
    return exits.YES if finding is None else exits.OF_REFUSAL[kind_of(finding)]


def finding_line(finding: Finding) -> str:
    """Return one finding as a line."""
    where = f" ({finding.where})" if finding.where else ""
    return safe(f"  {finding.severity} {finding.code}: {finding.message}{where}")


def finding_record(finding: Finding) -> dict[str, str]:
    """Return one finding as plain data."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "where": finding.where,
    }


def means_in(result: ResultReported) -> int:
    """Return how many means the outcomes of a result are; 0 where they are successes and failures, which it counts."""
    counted = result.successes + result.failures
    return 0 if counted or not result.outcomes.strip("-") else len(result.outcomes.split(" "))


def sentence_of(added: Added) -> str:
    """Return what was recorded, in words."""
    event = added.entry.event
    if not isinstance(event, ResultReported):
        why = added.refusal.message if added.refusal else ""
        return f"entry {added.entry.index}: the log is refused, and the refusal recorded: {why}"
    n = event.successes + event.failures + event.missing
    if means := means_in(event):
        words = f"entry {added.entry.index}: {show_count(means, 'mean')}"
    elif event.adaptive and event.outcomes:
        words = f"entry {added.entry.index}: {show_count(event.successes, 'success', 'successes')}"
        words += f" in the first {len(event.outcomes)} of {show_count(n, 'sample')}"
    else:
        words = f"entry {added.entry.index}: {show_count(event.successes, 'success', 'successes')}"
        words += f" of {show_count(n, 'item')}"
        words += f", {event.missing} missing" if event.missing else ""
    if added.bounds is not None:
        low = show_bound(added.bounds.lower, up=False)
        words += f"; this run alone lies between {low} and {show_bound(added.bounds.upper, up=True)}"
    if added.refusal is not None:
        words += f"; inconclusive: {added.refusal.message}; every item counts as missing"
    return words


def record_of(added: Added) -> dict[str, object]:
    """Return what was recorded as plain data."""
    event = added.entry.event
    found: dict[str, object] = {
        "entry": added.entry.index,
        "digest": added.entry.digest,
        "recorded": "result" if isinstance(event, ResultReported) else "refusal",
    }
    if isinstance(event, ResultReported):
        found |= {
            "log": event.log,
            "successes": event.successes,
            "failures": event.failures,
            "missing": event.missing,
            "provenance": list(event.provenance),
        }
    if added.bounds is not None:
        found["low"] = str(added.bounds.lower)
        found["high"] = str(added.bounds.upper)
    found["refusal"] = finding_record(added.refusal) if added.refusal else None
    found["findings"] = [finding_record(item) for item in added.findings]
    return found
