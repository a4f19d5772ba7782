"""`scalegate policy attach`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.attaching import attach_difference
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, speaker, speaker_options, store_option
from scalegate.cli.output import Output
from scalegate.cli.policy.diff import change_plain, diff_lines


@click.command(
    epilog=examples(
        "scalegate policy attach --by 'Ada Osei' --role developer",
        "scalegate policy attach acme-rsp --by 'Lea Roth' --role auditor --format json",
    )
)
@click.argument("policy", default="")
@speaker_options
@store_option
@format_option
@click.pass_context
def attach(ctx: click.Context, *, policy: str, by: str, role: str, store: Path | None, output: Output) -> int:
    """Attach to the latest amendment of POLICY the difference that it makes, so that approvers see what they approve.

    Whoever verifies the log replays each situation in it, and needs no solver for that. 0: it is attached, whatever it
    says.
    """
    found = attach_difference(open_book(ctx, store), policy, speaker(by, role))
    kernels = (found.old, found.new)
    if output.form == "json":
        output.json(
            {
                "entry": found.entry.index,
                "digest": found.entry.digest,
                "weakens": found.diff.weakens,
                "changes": [change_plain(change, kernels) for change in found.diff.changes],
            }
        )
    else:
        output.lines([f"entry {found.entry.index}: the difference is attached"])
        output.lines(diff_lines(found.diff, kernels))
    return exits.YES
