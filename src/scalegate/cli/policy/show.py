"""`scalegate policy show`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.library import policy_text
from scalegate.app.policies import parse
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe
from scalegate.policy.prose import prose
from scalegate.policy.show import expanded as expand
from scalegate.policy.show import kernel_plain


@click.command(epilog=examples("scalegate policy show acme.yaml", "scalegate policy show acme.yaml --expanded"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--expanded", is_flag=True, help="The kernel the gate reads, instead of English.")
@format_option
def show(file: Path, *, expanded: bool, output: Output) -> int:
    """Read a policy back: what it does not cover first."""
    kernel = parse(policy_text(str(file)), str(file))
    if output.form == "json":
        output.json(kernel_plain(kernel))
    else:
        text = expand(kernel) if expanded else prose(kernel)
        output.lines(safe(line) for line in text.splitlines())
    return exits.YES
