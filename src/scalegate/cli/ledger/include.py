"""`scalegate ledger include` and `scalegate ledger inbox`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.including import Included, put_in, waiting
from scalegate.app.including import include as take_in
from scalegate.app.places import find_store
from scalegate.app.refusal import RefusalError
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe


@click.command(epilog=examples("scalegate ledger include from-lea.leaf", "scalegate ledger include --format json"))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@store_option
@format_option
@click.pass_context
def include(ctx: click.Context, *, files: tuple[Path, ...], store: Path | str | None, output: Output) -> int:
    """Take statements that somebody signed elsewhere into the log; without FILES, those in its inbox.

    The rules are those of every entry: signed with the key in force, in a role that the trust file gives, and the next
    statement of its author. Beside each file a proof is written that it is in the log now: its author's receipt.
    0 all of them are in the log; 1 the log does not admit one.
    """
    book = open_book(ctx, store)
    found = take_in(book, files or tuple(waiting(book)))
    if output.form == "json":
        output.json({"statements": [_record(item) for item in found]})
    else:
        output.lines([safe(_line(item)) for item in found] or ["the inbox is empty"])
    return exits.NO if any(item.index is None for item in found) else exits.YES


@click.command(epilog=examples("scalegate ledger inbox a.leaf", "scalegate ledger inbox a.leaf --store /srv/acme"))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@store_option
@format_option
def inbox(*, files: tuple[Path, ...], store: Path | str | None, output: Output) -> int:
    """Hand in statements that you signed, where you may not write to the log itself.

    A statement that lies there for longer than the trust file allows holds everything. Keep your own copy: whoever runs
    the log can take it out again, and only your copy shows that. A log in a database has no inbox here: send the
    statement to whoever runs its gate.
    """
    if isinstance(store, str):
        raise RefusalError(
            "usage",
            "inbox-database",
            "the inbox of a log in a database is a folder on the machine of whoever runs its gate, and not here",
            "send him the statement: `scalegate ledger include FILE` takes it in, and writes your receipt",
        )
    places = put_in(store if store is not None else find_store(Path.cwd()), files)
    output.facts(
        {"waiting": [str(path) for path in places]},
        f"{len(places)} statements wait to be included: {', '.join(path.name for path in places)}",
    )
    return exits.YES


def _line(item: Included) -> str:
    if item.index is None:
        return f"{item.path}: not admitted: {item.why}"
    state = "was in the log already, as" if item.known else "is"
    return f"{item.path}: {state} entry {item.index}; its receipt is {item.receipt}"


def _record(item: Included) -> dict[str, object]:
    return {
        "file": str(item.path),
        "digest": item.digest,
        "by": item.by,
        "entry": item.index,
        "known": item.known,
        "why": item.why,
        "receipt": str(item.receipt) if item.receipt else None,
    }
