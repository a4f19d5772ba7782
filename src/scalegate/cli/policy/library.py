"""`scalegate policy library`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.library import encoding_kernel, encoding_text, extent, write_library_table
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe
from scalegate.policy.library import ENCODINGS, Encoding
from scalegate.policy.show import kernel_plain


@click.command(
    "library",
    epilog=examples(
        "scalegate policy library anthropic-rsp-1.0",
        "scalegate policy library --table library.html",
    ),
)
@click.argument("name", metavar="[ID]", required=False)
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table that compares them all, as one page of HTML.",
)
@format_option
def library(name: str | None, *, table: Path | None, output: Output) -> int:
    """Published frameworks and laws, encoded in our own words.

    Without an id they are listed, with how much of each was read. They bind nobody and permit nothing: they are for
    comparing.
    """
    if name is not None and table is not None:
        raise click.UsageError("the table is about all of them: give an id or `--table`, not both")
    if table is not None:
        write_library_table(table)
        output.facts({"file": str(table), "encodings": len(ENCODINGS)}, f"wrote {table}: {len(ENCODINGS)} encodings")
    elif name is not None:
        _print(name, output)
    else:
        _list(output)
    return exits.YES


def _print(name: str, output: Output) -> None:
    if output.form == "json":
        output.json(kernel_plain(encoding_kernel(name)))
    else:
        output.lines(safe(line) for line in encoding_text(name).splitlines())


def _list(output: Output) -> None:
    rows = [_row(item) for item in ENCODINGS.values()]
    if output.form == "json":
        output.json({"encodings": rows})
    elif output.form == "plain":
        output.lines(safe(", ".join(f"{key} {value}" for key, value in _flat(row))) for row in rows)
    else:
        width = max(len(name) for name in ENCODINGS)
        for row in rows:
            output.lines([safe(f"{row['id']:<{width}}  {row['date']}  {row['issuer']}: {row['title']}")])
            output.lines([safe(f"{'':<{width}}  {_extent_words(row)}")])


def _row(item: Encoding) -> dict[str, object]:
    read = extent(encoding_kernel(item.id))
    return {
        "id": item.id,
        "title": item.title,
        "issuer": item.issuer,
        "date": item.date,
        "seen": read.seen,
        "memory": read.memory,
        "unread": read.unread,
        "unread_parts": list(read.parts),
    }


def _flat(row: dict[str, object]) -> list[tuple[str, object]]:
    parts = row["unread_parts"]
    kept = [(key, value) for key, value in row.items() if key != "unread_parts"]
    return [*kept, ("unread parts", " and ".join(parts) or "none")] if isinstance(parts, list) else kept


def _extent_words(row: dict[str, object]) -> str:
    said = [f"{row['seen']} parts seen"]
    said += [f"{row[key]} {words}" for key, words in (("memory", "from memory"), ("unread", "unread")) if row[key]]
    return ", ".join(said)
