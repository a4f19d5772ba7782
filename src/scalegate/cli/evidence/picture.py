"""`scalegate evidence picture`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click

from scalegate.app.pictures import evaluation_picture, run_picture, write_picture
from scalegate.cli import exits
from scalegate.cli.options import SHARE, examples, format_option, open_book, store_option
from scalegate.cli.output import Output


@click.command(
    epilog=examples(
        "scalegate evidence picture run-7.svg --run r7",
        "scalegate evidence picture autonomy.svg --evaluation autonomy --threshold 20%",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--run", "name", default="", help="Draw the path of this run against its boundaries.")
@click.option("--evaluation", default="", help="Draw the intervals of this evaluation by compute.")
@click.option("--threshold", type=SHARE, default=None, help="Against which threshold, where there are several.")
@store_option
@format_option
@click.pass_context
def picture(
    ctx: click.Context,
    *,
    file: Path,
    name: str,
    evaluation: str,
    threshold: Fraction | None,
    store: Path | None,
    output: Output,
) -> int:
    """Draw evidence as SVG: the path of a run against its boundaries, or intervals against a threshold.

    The second shows where the evaluation is due next and where training stops without it. Needs the
    extra `report`.
    """
    if bool(name) is bool(evaluation):
        raise click.UsageError("name one of --run and --evaluation")
    page = open_book(ctx, store).page()
    svg = run_picture(page, name, threshold) if name else evaluation_picture(page, evaluation, threshold)
    write_picture(svg, file)
    output.facts({"file": str(file), "bytes": len(svg.encode())}, f"drew {file}")
    return exits.YES
