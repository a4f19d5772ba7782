"""`scalegate evidence draw`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.redacting import commitment_of, draw, reported
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output


@click.command(
    "draw",
    epilog=examples(
        "scalegate evidence draw bio-3 --count 5 --seed '4 dice: 3 1 6 2'",
        "scalegate evidence draw bio-3 --count 5 --seed '4 dice: 3 1 6 2' --size 500",
    ),
)
@click.argument("run")
@click.option("--count", required=True, type=int, help="How many samples.")
@click.option("--seed", required=True, metavar="WORDS", help="Chosen by the auditor once the result is in the log.")
@click.option("--size", type=click.IntRange(min=1), help="Number of samples, where no store is at hand.")
@store_option
@format_option
@click.pass_context
def draw_samples(
    ctx: click.Context, *, run: str, count: int, seed: str, size: int | None, store: Path | None, output: Output
) -> int:
    """Draw the samples of a run whose texts an auditor wants to see.

    The order is that of SHA-256 of the seed, a line feed and the index, so that both sides draw the same. A seed that
    the developer knew before he reported the result draws what he wanted to be drawn.
    """
    if size is None:
        size = commitment_of(reported(open_book(ctx, store).page().history.entries, run)).size
    found = draw(size, count, seed)
    if output.form == "json":
        output.json({"run": run, "size": size, "samples": list(found)})
    else:
        output.lines(map(str, found))
    return exits.YES
