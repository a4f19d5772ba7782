"""`scalegate policy export`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.bridging import Language, bridge, write
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output


@click.command(
    epilog=examples(
        "scalegate policy export acme.yaml --to cedar --out bridge",
        "scalegate policy export acme.yaml --to rego > acme.rego",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to", "language", type=click.Choice(["cedar", "rego"]), required=True, help="The language of the engine."
)
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the policy, its schema in Cedar, and the description of its input there.",
)
@format_option
def export(file: Path, *, language: Language, folder: Path | None, output: Output) -> int:
    """Say a policy in Cedar or Rego: permitted is what the gate would permit under it.

    The input that it needs is made from the log; its description says which facts, in which units.
    A policy that the language cannot state exactly is refused.
    """
    made = bridge(file, language)
    if folder is not None:
        paths = [str(path) for path in write(made, folder)]
        output.facts({"policy": made.policy, "files": paths}, f"{made.policy}: wrote {', '.join(paths)}")
    elif output.form == "json":
        output.json({"policy": made.policy, "files": dict(made.files)})
    else:
        output.lines(made.text.splitlines())
        output.hint("`--out DIR` also writes what its input has to be")
    return exits.YES
