"""`scalegate evidence open`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.redacting import open_sample, write_new
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output


@click.command(
    "open",
    epilog=examples(
        "scalegate evidence open bio-3 --sample 17",
        "scalegate evidence open bio-3 --sample 17 --out audit-2026/openings/bio-3-17.json",
    ),
)
@click.argument("run")
@click.option("--sample", required=True, type=int, metavar="INDEX", help="Which sample, from 0.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; by default `opening-ENTRY-INDEX.json` here.")
@store_option
@format_option
@click.pass_context
def open_one(ctx: click.Context, *, run: str, sample: int, out: Path | None, store: Path | None, output: Output) -> int:
    """Show one sample of a run to an auditor: scores, texts, and that these are what its result committed to.

    Whoever has the file can read the texts. It goes into the folder `openings` of an export.
    """
    found, data = open_sample(open_book(ctx, store), run, sample)
    path = out if out is not None else Path(f"opening-{found.entry.index}-{sample}.json")
    write_new(path, data)
    output.facts(
        {"run": run, "entry": found.entry.index, "sample": sample, "file": str(path)},
        f"sample {sample} of run {run} is in {path}, texts included",
    )
    return exits.YES
