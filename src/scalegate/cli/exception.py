"""`scalegate exception`: exceptions are first-class, visible everywhere, never free."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.orders import invoke_exception
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

exception = LazyGroup(
    "exception",
    lazy={"invoke": ("scalegate.cli.exception:invoke", "invoke an exception of a policy")},
    text="Exceptions of a policy: each substitutes a stated floor, for a limited time.",
    epilog=examples(
        "scalegate exception invoke rival --by 'Ada Osei' --role developer",
        "scalegate exception invoke rival --policy acme-rsp --by 'Ada Osei' --role developer",
    ),
)


@click.command(
    epilog=examples(
        "scalegate exception invoke rival --by 'Ada Osei' --role developer",
        "scalegate exception invoke rival --policy acme-rsp --by 'Ada Osei' --role developer",
    )
)
@click.argument("name")
@click.option("--policy", default="", metavar="ID", help="The policy; by default the only one.")
@speaker_options
@store_option
@format_option
@click.pass_context
def invoke(
    ctx: click.Context,
    *,
    name: str,
    policy: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Invoke an exception, from now on.

    It counts only while what it asks for is shown, and for no longer than its sunset.
    """
    entry = invoke_exception(open_book(ctx, store), policy, name, speaker(by, role))
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "exception": name},
        f"entry {entry.index}: exception {name} is invoked; the gate says whether it counts",
    )
    return exits.YES
