"""`scalegate subject list`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe
from scalegate.core.quantities import ComputeRange, show_flop, show_instant
from scalegate.core.subject import Subject
from scalegate.gate.lineage import Lineage
from scalegate.gate.record import flop, moment


@click.command("list", epilog=examples("scalegate subject list", "scalegate subject list --format json"))
@store_option
@format_option
@click.pass_context
def list_subjects(ctx: click.Context, store: Path | None, output: Output) -> int:
    """List the declared subjects with their lineage and effective compute over it."""
    page = open_book(ctx, store).page()
    lineage = Lineage(page.records.subjects, page.records.mitigated())
    rows = [(item, lineage.compute(item)) for item in page.records.subjects.values()]
    if output.form == "json":
        output.json({"subjects": [_record(*row) for row in rows]})
        return exits.YES
    table: list[tuple[str, ...]] = [
        (
            item.name,
            item.kind,
            item.issuer,
            _from(item),
            _span(total),
            show_instant(item.made_at),
            item.digest[:19],
            item.listing[:19] or "-",
        )
        for item, total in rows
    ]
    if output.form == "plain":
        output.lines(safe(", ".join(row)) for row in table)
    elif not rows:
        output.lines(["no subject is declared"])
    else:
        head = ("subject", "kind", "issuer", "from", "effective compute", "made", "digest", "listing")
        output.lines(columns([head, *table]))
    return exits.YES


def _from(subject: Subject) -> str:
    if subject.kind == "system":
        return f"weights {subject.weights}" + (f", scaffold {subject.scaffold}" * bool(subject.scaffold))
    edges = ", ".join(f"{edge.kind} {edge.parent}" for edge in subject.parents)
    return edges or ("scratch" if subject.lineage_declared else "undeclared")


def _span(total: ComputeRange) -> str:
    if total.low == total.high:
        return show_flop(total.low)
    return f"{show_flop(total.low)} to {show_flop(total.high)}"


def _record(subject: Subject, total: ComputeRange) -> dict[str, object]:
    own = subject.compute
    return {
        "name": subject.name,
        "kind": subject.kind,
        "issuer": subject.issuer,
        "digest": subject.digest,
        "listing": subject.listing,
        "parents": [{"parent": edge.parent, "kind": edge.kind} for edge in subject.parents],
        "lineage_declared": subject.lineage_declared,
        "compute": None if own is None else {"low": flop(own.low), "high": flop(own.high)},
        "effective_compute": {"low": flop(total.low), "high": flop(total.high)},
        "made_at": moment(subject.made_at),
        "weights": subject.weights,
        "safeguards": list(subject.safeguards),
        "scaffold": subject.scaffold,
    }
