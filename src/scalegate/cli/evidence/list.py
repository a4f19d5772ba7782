"""`scalegate evidence list`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.bindings import adopted
from scalegate.cli import exits
from scalegate.cli.evidence.add import means_in
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe
from scalegate.core.events import ResultReported
from scalegate.core.quantities import show_count, show_instant
from scalegate.gate.record import moment
from scalegate.gate.records import Run
from scalegate.stats.sequential import MISSING

_KEYS = ("run", "state", "evaluation", "subject", "elicitation", "scaffold", "counts", "due")
_SAID = ("task", "model", "scorer")


@click.command("list", epilog=examples("scalegate evidence list", "scalegate evidence list --format json"))
@store_option
@format_option
@click.pass_context
def list_evidence(ctx: click.Context, store: Path | None, output: Output) -> int:
    """List every registered run: none is ever left out."""
    page = open_book(ctx, store).page()
    names = {
        evaluation.digest: evaluation.id
        for kernel in adopted(page).values()
        for evaluation in kernel.evaluations.values()
    }
    rows = [_row(run, names, page.now) for run in page.records.runs.values()]
    if output.form == "json":
        output.json({"runs": rows})
    elif output.form == "plain":
        output.lines(safe(", ".join(f"{name} {_cell(value)}" for name, value in row.items())) for row in rows)
    else:
        claims = ("claims",) * any(row["claims"] for row in rows)
        keys = (*_KEYS, *_SAID, *claims, "refused")
        table = [keys, *(tuple(_cell(row[key]) for key in keys) for row in rows)]
        output.lines(columns(table) if rows else ["no run is registered"])
    return exits.YES


def _cell(value: object) -> str:
    """Return a value for a table or a line; of refused logs, their codes, and of documents, how their digests begin."""
    if isinstance(value, list):
        value = " ".join(dict.fromkeys(item["code"] if isinstance(item, dict) else item[:19] for item in value))
    return str(value) or "-"


def _row(run: Run, names: dict[str | None, str], now: int) -> dict[str, object]:
    plan, result = run.plan, run.result
    counts = ""
    if result is not None:
        counts = _counts(result)
    return {
        "run": plan.run,
        "state": _state(run, now),
        "evaluation": names.get(plan.evaluation, plan.evaluation),
        "subject": plan.subject,
        "elicitation": plan.elicitation,
        "scaffold": plan.scaffold,
        "items": plan.items,
        "counts": counts,
        "due": show_instant(plan.report_by),
        "registered": moment(run.entry.at),
        **{word: getattr(result, word, "") or getattr(plan, word) for word in _SAID},
        "refused_logs": len(run.refused),
        "refused": [{"log": refusal.log, "code": refusal.code} for _, refusal in run.refused],
        "claims": list(plan.claims),
        "copied_from": run.copied_from,
        "by": plan.by,
        "role": plan.role,
    }


def _counts(result: ResultReported) -> str:
    """Return successes of items; of a run that was looked at while it went on, those of the samples it took."""
    planned = result.successes + result.failures + result.missing
    if means := means_in(result):
        return show_count(means, "mean")
    if result.outcomes:
        missing = result.outcomes.count(MISSING)
        counts = f"{result.successes}/{len(result.outcomes)} of {planned}"
        return counts + (f" ({missing} missing)" if missing else "")
    return f"{result.successes}/{planned}" + (f" ({result.missing} missing)" if result.missing else "")


def _state(run: Run, now: int) -> str:
    if run.result is not None:
        if run.copied_from:
            return "copied"
        usable = run.result.binary and (not run.result.adaptive or run.plan.sampling is not None)
        return "reported" if usable else "inconclusive"
    if run.voids:
        return "voided"
    if run.refused:
        return "refused"
    return "pending" if run.plan.report_by > now else "missing"
