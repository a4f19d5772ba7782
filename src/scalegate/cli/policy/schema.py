"""`scalegate policy schema`."""

from __future__ import annotations

import json

import click

from scalegate.app.decision_schema import decision_schema
from scalegate.cli import exits
from scalegate.cli.options import examples
from scalegate.policy.schema import json_schema


@click.command(
    epilog=examples(
        "scalegate policy schema > policy.schema.json",
        "scalegate policy schema --decision > decision.schema.json",
    )
)
@click.option("--decision", is_flag=True, help="The schema of the gate's answer instead.")
def schema(*, decision: bool) -> int:
    """Print the JSON Schema of policy files, for editors; or that of the gate's JSON answers."""
    found = decision_schema() if decision else json_schema()
    click.echo(json.dumps(found, ensure_ascii=True, indent=2))
    return exits.YES
