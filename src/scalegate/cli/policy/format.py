"""`scalegate policy format`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.layout import format_policy, replace_file
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output


@click.command(
    "format",
    epilog=examples("scalegate policy format acme.yaml", "scalegate policy format --check acme.yaml"),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing: 0 if nothing would change, else 1.")
@format_option
def format_file(file: Path, *, check: bool, output: Output) -> int:
    """Lay a policy out the one way, in place; its meaning and comments stay."""
    before, after = format_policy(file)
    changed = before != after
    if changed and not check:
        replace_file(file, after)
    done = "would change" if check else "changed"
    output.facts(
        {"file": str(file), "changed": changed, "written": changed and not check},
        f"{file}: {done if changed else 'is laid out already'}",
    )
    return exits.NO if check and changed else exits.YES
