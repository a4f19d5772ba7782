"""`scalegate policy adopt`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.policies import adopt as adopt_policy
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


@click.command(
    epilog=examples(
        "scalegate policy adopt acme.yaml --by 'Ada Osei' --role developer",
        "scalegate policy adopt regime.yaml --by 'M. Ito' --role regulator",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@speaker_options
@store_option
@format_option
@click.pass_context
def adopt(ctx: click.Context, file: Path, by: str, role: str, store: Path | None, output: Output) -> int:
    """Adopt a policy: it binds from its effective date, besides those adopted before."""
    entry = adopt_policy(open_book(ctx, store), file, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "file": str(file)},
        f"entry {entry.index}: adopted {file}",
    )
    return exits.YES
