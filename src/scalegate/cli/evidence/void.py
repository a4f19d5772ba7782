"""`scalegate evidence void`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.runs import void as void_run
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

_EXAMPLE = "scalegate evidence void r1 --why 'node failure' --by 'Lea Roth' --role external-auditor"


@click.command(epilog=examples(_EXAMPLE, f"{_EXAMPLE} --format json"))
@click.argument("run")
@click.option("--why", required=True, help="What happened, in one line.")
@speaker_options
@store_option
@format_option
@click.pass_context
def void(
    ctx: click.Context,
    *,
    run: str,
    why: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Void a crashed run that has no result, in a role independent of the developer."""
    entry = void_run(open_book(ctx, store), run, why, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "run": run},
        f"entry {entry.index}: run {run} is voided",
    )
    return exits.YES
