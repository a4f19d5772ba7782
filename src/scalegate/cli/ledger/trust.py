"""`scalegate ledger trust`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.showing import changes, facts_of, trust_in_force
from scalegate.app.trusting import adopt_trust, read_trust
from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.lazy import LazyGroup
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe

_ROOM = "scalegate.cli.ledger.trust"

trust = LazyGroup(
    "trust",
    lazy={
        "show": (f"{_ROOM}:show", "show the trust file in force"),
        "adopt": (f"{_ROOM}:adopt", "put another trust file in its place"),
    },
    text="The trust file: whose signatures count in this log, and which witnesses.",
    epilog=examples("scalegate ledger trust show", "scalegate ledger trust adopt acme-2.trust"),
)


@click.command(epilog=examples("scalegate ledger trust show", "scalegate ledger trust show --text > acme.trust"))
@click.option("--text", is_flag=True, help="Print the file itself, byte for byte.")
@click.option("--tlog-policy", is_flag=True, help="Print its lines of C2SP tlog-policy, for other tools.")
@store_option
@format_option
@click.pass_context
def show(ctx: click.Context, *, text: bool, tlog_policy: bool, store: Path | None, output: Output) -> int:
    """Show the trust file in force, with the keys that were rotated or revoked since."""
    book = open_book(ctx, store)
    if text or tlog_policy:
        found = trust_in_force(book)
        # A reader of trust files takes no control characters; what is printed is what was adopted.
        click.echo(found.tlog_policy() if tlog_policy else found.text, nl=False)
        return exits.YES
    facts = facts_of(book)
    if output.form != "human":
        output.facts(facts, "")
        return exits.YES
    for name, value in facts.items():
        items = value if isinstance(value, list) else [value]
        output.lines(safe(f"{name}: {item}") for item in items or ["none"])
    return exits.YES


@click.command(
    epilog=examples("scalegate ledger trust adopt acme-2.trust", "scalegate ledger trust adopt new.trust --format json")
)
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@format_option
@click.pass_context
def adopt(ctx: click.Context, *, file: Path, store: Path | None, output: Output) -> int:
    """Put another trust file in the place of the one in force, which it has to name: `replaces sha256:...`.

    Signed by the gate. Nobody who verifies has to accept it: everybody brings a trust file of their own.
    """
    new, keys = read_trust(file), open_keyring()
    with keys.following(new):
        book = open_book(ctx, store)
        found = changes(trust_in_force(book), new)
        entry = adopt_trust(book, new)
    if output.form == "json":
        output.json({"entry": entry.index, "digest": entry.digest, "trust": new.digest, "changes": found})
    else:
        output.lines(safe(line) for line in [f"entry {entry.index}: {new.digest} is in force", *found])
    output.hint("hand the file over to everybody who verifies this log, as you did the first one")
    return exits.YES
