"""`scalegate stop`: stop orders hold at once, and only the role that issued one lifts it."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.orders import lift_stop, order_stop
from scalegate.cli import exits
from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import (
    examples,
    format_option,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output

_ISSUE = "scalegate stop issue halt-7 --action train --by 'M. Ito' --role regulator"
_LIFT = "scalegate stop lift halt-7 --by 'M. Ito' --role regulator"

stop = LazyGroup(
    "stop",
    lazy={
        "issue": ("scalegate.cli.stop:issue", "issue a stop order"),
        "lift": ("scalegate.cli.stop:lift", "lift a stop order"),
    },
    text="Stop orders: by roles that an adopted policy names for it.",
    epilog=examples(_ISSUE, _LIFT),
)


@click.command(epilog=examples(_ISSUE, "scalegate stop issue halt-8 --by 'M. Ito' --role regulator"))
@click.argument("order")
@click.option("--action", "actions", multiple=True, help="What is stopped; by default everything.")
@click.option("--subject", default="", metavar="NAME", help="Whose; by default of all subjects.")
@speaker_options
@store_option
@format_option
@click.pass_context
def issue(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    order: str,
    actions: tuple[str, ...],
    subject: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Issue a stop order; it holds from the next question on."""
    entry = order_stop(open_book(ctx, store), order, actions, subject, speaker(by, role))
    what = ", ".join(actions) or "everything"
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "order": order},
        f"entry {entry.index}: stop order {order} on {what} of {subject or 'every subject'}",
    )
    return exits.YES


@click.command(epilog=examples(_LIFT, f"{_LIFT} --format json"))
@click.argument("order")
@speaker_options
@store_option
@format_option
@click.pass_context
def lift(ctx: click.Context, order: str, by: str, role: str, store: Path | None, output: Output) -> int:
    """Lift a stop order, in the role that issued it."""
    entry = lift_stop(open_book(ctx, store), order, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "order": order},
        f"entry {entry.index}: stop order {order} is lifted",
    )
    return exits.YES
