"""`scalegate policy new`."""

from __future__ import annotations

import click

from scalegate.cli import exits
from scalegate.cli.options import examples
from scalegate.policy.templates import TEMPLATES, template


@click.command(
    epilog=examples(
        "scalegate policy new > acme.yaml",
        "scalegate policy new --template moratorium > moratorium.yaml",
    )
)
@click.option(
    "--template",
    "name",
    type=click.Choice(list(TEMPLATES)),
    default="minimal",
    show_default=True,
    help="What to start from.",
)
def new(name: str) -> int:
    """Print a policy to start from."""
    click.echo(template(name), nl=False)
    return exits.YES
