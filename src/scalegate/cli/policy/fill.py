"""`scalegate policy fill`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.policies import fill as fill_hole
from scalegate.cli import exits
from scalegate.cli.options import (
    MOMENT,
    examples,
    format_option,
    moment,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output

_EXAMPLE = (
    "scalegate policy fill takeover-understanding --condition 'deception < 5%' "
    "--expires '12 months' --by 'Ada Osei' --role board"
)


@click.command(epilog=examples(_EXAMPLE, f"{_EXAMPLE} --policy acme-rsp"))
@click.argument("hole")
@click.option("--condition", required=True, help="What takes the place of the hole.")
@click.option("--expires", required=True, type=MOMENT, help="Until when, or for how long.")
@click.option("--policy", default="", metavar="ID", help="The policy; by default the only one.")
@speaker_options
@store_option
@format_option
@click.pass_context
def fill(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    hole: str,
    condition: str,
    expires: int,
    policy: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Offer a condition that takes the place of a hole; every role that the hole names must approve."""
    book = open_book(ctx, store)
    end = moment(expires, book.now(book.read()))
    entry, matter = fill_hole(book, policy, hole, condition, end, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "matter": matter},
        f"entry {entry.index}: a fill of {hole} is offered; approvals are about {matter}",
    )
    output.hint(f"`scalegate evidence attest approval {matter} --by ... --role ...` approves it")
    return exits.YES
