"""`scalegate evidence method`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.statements import publish_method
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

_EXAMPLE = "scalegate evidence method tree-search-2 --elicitation scaffolds --by 'Lea Roth' --role external-auditor"


@click.command(epilog=examples(_EXAMPLE, f"{_EXAMPLE} --format json"))
@click.argument("card")
@click.option("--elicitation", default="", help="Which elicitation it advances; by default all.")
@speaker_options
@store_option
@format_option
@click.pass_context
def method(
    ctx: click.Context,
    *,
    card: str,
    elicitation: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Publish a method card: runs of that elicitation that do not follow it fall behind."""
    entry = publish_method(open_book(ctx, store), card, elicitation, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "card": card},
        f"entry {entry.index}: method card {card} is published",
    )
    return exits.YES
