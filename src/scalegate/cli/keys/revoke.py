"""`scalegate keys revoke`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, speaker, speaker_options, store_option
from scalegate.cli.output import Output

_WHO = "--by 'Lea Roth' --role trustee"


@click.command(
    epilog=examples(
        f"scalegate keys revoke 'Ada Osei' --why 'laptop stolen' {_WHO}",
        "scalegate keys revoke 'Ada Osei' --why 'she left' --by 'Ada Osei' --role developer",
    )
)
@click.argument("name")
@click.option("--why", required=True, help="What happened, in one line.")
@speaker_options
@store_option
@format_option
@click.pass_context
def revoke(ctx: click.Context, *, name: str, why: str, by: str, role: str, store: Path | None, output: Output) -> int:
    """Record that the key of NAME signs nothing from here on.

    NAME says so, or somebody whom the trust file makes a trustee. What the key signed before stays in the log. A new
    key of NAME takes a new trust file.
    """
    # Deferred: help does without it.
    from scalegate.app.trusting import revoke as record  # noqa: PLC0415

    entry = record(open_book(ctx, store), name, why, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "name": name},
        f"entry {entry.index}: the key of {name} is revoked",
    )
    return exits.YES
