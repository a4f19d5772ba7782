"""`scalegate evidence register`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.audits import reported_of
from scalegate.app.runs import Registration, read_claim, read_item_ids
from scalegate.app.runs import register as register_run
from scalegate.cli import exits
from scalegate.cli.options import (
    MOMENT,
    examples,
    format_option,
    moment,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.core.quantities import show_instant

_EXAMPLE = "scalegate evidence register r1 --evaluation autonomy --subject orion --report-by '14 days'"
_WHO = "--by 'Lea Roth' --role external-auditor"


@click.command(epilog=examples(f"{_EXAMPLE} --items 200 {_WHO}", f"{_EXAMPLE} --item-ids bank.txt {_WHO}"))
@click.argument("run")
@click.option("--evaluation", required=True, help="Its name, POLICY/NAME, or digest.")
@click.option("--subject", required=True, metavar="NAME", help="The model or system evaluated.")
@click.option("--items", type=click.IntRange(min=1), default=None, help="Planned number of items.")
@click.option(
    "--item-ids",
    type=click.Path(path_type=Path),
    help="Ids of the planned items, one a line; a tab and a cluster may follow.",
)
@click.option("--sequential", is_flag=True, help="Look after every item; end when every threshold is answered.")
@click.option(
    "--at-most",
    type=click.IntRange(min=2),
    default=None,
    help="With --sequential: this many items, or clusters, at most.",
)
@click.option("--audits", default="", help="Run a random part of this run's bank again, and compare.")
@click.option("--task", default="", help="The task that the log must name.")
@click.option("--scorer", default="", help="Which score of the log counts.")
@click.option("--model", default="", help="The model that the log must name.")
@click.option("--report-by", required=True, type=MOMENT, help="After this, no result is missing.")
@click.option("--elicitation", default="", help="How the capability is drawn out.")
@click.option("--scaffold", default="", help="The scaffold around the model.")
@click.option(
    "--prml",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A PRML manifest that fixes the bar: kept, and refused where it contradicts.",
)
@click.option("--method", "methods", multiple=True, help="A method card it follows, repeatable.")
@speaker_options
@store_option
@format_option
@click.pass_context
def register(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    run: str,
    evaluation: str,
    subject: str,
    items: int | None,
    item_ids: Path | None,
    sequential: bool,
    at_most: int | None,
    audits: str,
    task: str,
    scorer: str,
    model: str,
    report_by: int,
    elicitation: str,
    scaffold: str,
    prml: Path | None,
    methods: tuple[str, ...],
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Register a run before it happens: from now on it counts, whatever comes out.

    What is named here binds: a log of another task, model or items is refused, and the score counted is
    the registered one. The order of the items is recorded as chosen by the developer.
    """
    if at_most is not None and not sequential:
        raise click.UsageError("--at-most is for --sequential")
    book = open_book(ctx, store)
    end = moment(report_by, book.now(book.read()))
    ids, clusters = read_item_ids(item_ids) if item_ids is not None else ((), ())
    reported = reported_of(book, audits) if audits else {}
    ids, early = ids or tuple(sorted(reported)), sequential or bool(audits)
    plan = Registration(
        run, evaluation, subject, at_most or items or 0, end, ids, elicitation, scaffold, methods, task, scorer, model,
        sequential=early, clusters=clusters, audits=audits, reported=reported,
        manifest=read_claim(prml) if prml is not None else b"",
    )  # fmt: skip
    entry, warnings = register_run(book, plan, speaker(by, role))
    for warning in warnings:
        output.warn(warning)
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "run": run, "report_by": show_instant(end)},
        f"entry {entry.index}: run {run} is registered; its result is due by {show_instant(end)}",
    )
    return exits.YES
