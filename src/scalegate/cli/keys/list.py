"""`scalegate keys list`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.keys import keys_option
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.text import columns, safe


@click.command("list", epilog=examples("scalegate keys list", "scalegate keys list --keys /media/stick --format json"))
@keys_option
@format_option
def list_keys(folder: Path | None, output: Output) -> int:
    """List the keys of this machine. None is opened, so that no passphrase is asked for."""
    # Deferred: help does without it.
    from scalegate.app.key_facts import describe  # noqa: PLC0415

    keyring = open_keyring(folder)
    rows = [describe(entry) for entry in keyring.entries()]
    if output.form == "json":
        output.json({"folder": str(keyring.folder), "keys": rows})
    elif output.form == "plain":
        output.lines(safe(", ".join(f"{name} {_cell(value)}" for name, value in row.items())) for row in rows)
    else:
        shown = ("name", "roles", "kind", "algorithm", "state", "digest")
        table = [shown, *(tuple(_cell(row[word]) for word in shown) for row in rows)]
        output.lines(columns(table) if rows else [safe(f"there is no key in {keyring.folder}")])
    return exits.YES


def _cell(value: object) -> str:
    return (",".join(map(str, value)) if isinstance(value, list) else str(value)) or "-"
