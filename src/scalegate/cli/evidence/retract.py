"""`scalegate evidence retract`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.runs import retract as retract_runs
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

_WHO = "--by 'Lea Roth' --role external-auditor"


@click.command(
    epilog=examples(
        f"scalegate evidence retract 'tool calls timed out after 1 s' --run r1 --run r2 {_WHO}",
        f"scalegate evidence retract 'answers leaked into prompts' --evaluation autonomy {_WHO}",
    )
)
@click.argument("defect")
@click.option("--run", "runs", multiple=True, help="A run that shares it, repeatable.")
@click.option("--evaluation", default="", help="Every run of this evaluation shares it.")
@speaker_options
@store_option
@format_option
@click.pass_context
def retract(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    defect: str,
    runs: tuple[str, ...],
    evaluation: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Retract every run that shares a defect, passes included.

    The defect must be reproducible without looking at scores; it counts under a role independent of
    the developer.
    """
    entry = retract_runs(open_book(ctx, store), defect, runs, evaluation, speaker(by, role))
    what = ", ".join(runs) or f"every run of {evaluation}"
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "defect": defect},
        f"entry {entry.index}: retracted {what}",
    )
    return exits.YES
