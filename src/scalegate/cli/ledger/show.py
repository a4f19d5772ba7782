"""`scalegate ledger show`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scalegate.app.proving import find_entry
from scalegate.app.showing import Line, Whole, lines, whole
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe
from scalegate.core.quantities import show_instant
from scalegate.gate.record import moment


@click.command(epilog=examples("scalegate ledger show --kind decision-made --since 100", "scalegate ledger show 12"))
@click.argument("entry", default="", metavar="[N|DIGEST]")
@click.option("--kind", default="", metavar="TAG", help="Only entries of this kind, such as result-reported.")
@click.option("--since", type=click.IntRange(min=0), default=0, help="Only entries from this index on.")
@store_option
@format_option
@click.pass_context
def show(ctx: click.Context, *, entry: str, kind: str, since: int, store: Path | None, output: Output) -> int:
    """List the entries of the log, or show one whole: its statement, and who signed it.

    The signatures of an entry that is shown whole are checked, with the keys that were in force when it was admitted.
    """
    if entry and (kind or since):
        raise click.UsageError("--kind and --since choose from the list, and go with no entry")
    book = open_book(ctx, store)
    if entry:
        _show(whole(book, find_entry(book.read(), entry)), output)
        return exits.YES
    rows = lines(book, kind, since)
    if output.form == "json":
        output.json({"entries": [_record(row) for row in rows]})
    elif output.form == "plain":
        output.lines(safe(f"{row.index} {show_instant(row.at)} {row.kind} {_who(row)}: {row.what}") for row in rows)
    else:
        shown = [(str(row.index), show_instant(row.at), row.kind, _who(row), row.what) for row in rows]
        output.lines(columns([("entry", "time", "kind", "who", "what"), *shown]) if rows else ["no such entry"])
    return exits.YES


def _show(found: Whole, output: Output) -> None:
    if output.form == "json":
        output.json(
            {
                **_record(found.line),
                "leaf_hash": found.leaf_hash,
                "log": found.leaf.log,
                "number": found.leaf.number,
                "said_at": moment(found.leaf.at),
                "signers": list(found.signers),
                "statement": found.statement,
            }
        )
    else:
        output.lines(safe(line) for line in _facts(found))


def _facts(found: Whole) -> Iterator[str]:
    line, leaf = found.line, found.leaf
    yield f"entry: {line.index}"
    yield f"time: {show_instant(line.at)}"
    yield f"kind: {line.kind}"
    yield f"who: {_who(line)}, statement {leaf.number} for {leaf.log}, made {show_instant(leaf.at)}"
    yield f"digest: {line.digest}"
    yield f"leaf hash: {found.leaf_hash}"
    for key in found.signers:
        yield f"signed with: {key}"
    for name, mark in leaf.subjects:
        yield f"about: {name} sha256:{mark}"
    yield f"statement: {found.statement}"


def _who(line: Line) -> str:
    return f"{line.by} ({line.role})" if line.role else line.by


def _record(line: Line) -> dict[str, object]:
    return {
        "index": line.index,
        "at": moment(line.at),
        "digest": line.digest,
        "kind": line.kind,
        "by": line.by,
        "role": line.role,
        "what": line.what,
    }
