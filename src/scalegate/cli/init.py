"""`scalegate init`: make a store."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.book import Book
from scalegate.app.clock import SystemClock
from scalegate.app.places import STORE_FOLDER, create_store
from scalegate.app.policies import adopt, parse, read_policy
from scalegate.app.refusal import RefusalError
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, speaker
from scalegate.cli.output import Output


@click.command(
    epilog=examples(
        "scalegate init",
        "scalegate init --policy acme.yaml --by 'Ada Osei' --role developer",
    )
)
@click.option("--policy", type=click.Path(path_type=Path), help="A policy to adopt at once.")
@click.option("--by", default="", metavar="NAME", help="Who adopts it.")
@click.option("--role", default="", metavar="ROLE", help="In which role of the policy.")
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where; by default `.scalegate` here.",
)
@format_option
def init(policy: Path | None, by: str, role: str, store: Path | None, output: Output) -> int:
    """Make an empty store, and adopt a policy if one is given.

    Where no policy is in force, everything is held.
    """
    if (policy is None) == bool(by or role) or bool(by) != bool(role):
        raise RefusalError("usage", "usage", "--policy, --by and --role belong together")
    if policy is not None:
        parse(read_policy(policy), str(policy))
    folder = store if store is not None else Path.cwd() / STORE_FOLDER
    with create_store(folder) as made:
        entry = adopt(Book(made, SystemClock()), policy, speaker(by, role)) if policy else None
    output.facts(
        {"store": str(folder), "entry": entry.index if entry else None},
        f"made a store in {folder}" + (f"; adopted {policy}" if policy else ""),
    )
    if entry is None:
        output.hint("everything is held until `scalegate policy adopt FILE`")
    return exits.YES
