"""`scalegate policy amend`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.policies import amend as amend_policy
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
        "scalegate policy amend acme-2.yaml --by 'Ada Osei' --role developer",
        "scalegate policy amend acme-2.yaml --by 'Ada Osei' --role developer --format json",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@speaker_options
@store_option
@format_option
@click.pass_context
def amend(ctx: click.Context, file: Path, by: str, role: str, store: Path | None, output: Output) -> int:
    """Offer an amendment of an adopted policy.

    It takes effect after its notice, with its approvals, and never while it would free what is held.
    """
    entry, matter = amend_policy(open_book(ctx, store), file, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "matter": matter},
        f"entry {entry.index}: an amendment is offered; approvals are about {matter}",
    )
    output.hint(f"`scalegate evidence attest approval {matter} --by ... --role ...` approves it")
    return exits.YES
