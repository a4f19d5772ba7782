"""`scalegate policy withdraw`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.policies import withdraw as withdraw_policy
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
        "scalegate policy withdraw acme-rsp --by 'Ada Osei' --role developer",
        "scalegate policy withdraw acme-rsp --by 'Ada Osei' --role developer --format json",
    )
)
@click.argument("name")
@speaker_options
@store_option
@format_option
@click.pass_context
def withdraw(ctx: click.Context, name: str, by: str, role: str, store: Path | None, output: Output) -> int:
    """Offer the withdrawal of a policy; it counts with the approvals that an amendment needs."""
    entry = withdraw_policy(open_book(ctx, store), name, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "policy": name},
        f"entry {entry.index}: the withdrawal of {name} is offered",
    )
    return exits.YES
