"""`scalegate init`: make a store."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.book import Book
from scalegate.app.clock import SystemClock
from scalegate.app.places import STORE_FOLDER, create_store
from scalegate.app.policies import adopt, parse, read_policy
from scalegate.app.refusal import RefusalError
from scalegate.app.trusting import read_trust
from scalegate.cli import exits
from scalegate.cli.keyring import open_keyring
from scalegate.cli.options import PLACE, examples, format_option, speaker
from scalegate.cli.output import Output


@click.command(
    epilog=examples(
        "scalegate init --trust acme.trust",
        "scalegate init --trust acme.trust --policy acme.yaml --by 'Ada Osei' --role developer",
    )
)
@click.option(
    "--trust",
    "trust_file",
    required=True,
    type=click.Path(path_type=Path),
    help="Whose signatures count, and which witnesses: the lines that `scalegate keys new` prints.",
)
@click.option("--policy", type=click.Path(path_type=Path), help="A policy to adopt at once.")
@click.option("--by", default="", metavar="NAME", help="Who adopts it.")
@click.option("--role", default="", metavar="ROLE", help="In which role of the policy.")
@click.option(
    "--store",
    type=PLACE,
    help="Where, a folder or `postgresql://...`; by default `.scalegate` here.",
)
@format_option
def init(trust_file: Path, policy: Path | None, by: str, role: str, store: Path | str | None, output: Output) -> int:
    """Make a store whose log begins with a trust file, and adopt a policy if one is given.

    The private keys of the log and of its gate have to be at hand. Where no policy is in force, everything is held.
    """
    if (policy is None) == bool(by or role) or bool(by) != bool(role):
        raise RefusalError("usage", "usage", "--policy, --by and --role belong together")
    if policy is not None:
        parse(read_policy(policy), str(policy))
    place = store if store is not None else Path.cwd() / STORE_FOLDER
    clock = SystemClock()
    trust, keys = read_trust(trust_file), open_keyring()
    keys.keep_trust(trust)
    with create_store(place, trust, keys, clock.now()) as made:
        entry = adopt(Book(made, clock), policy, speaker(by, role)) if policy else None
    # A URL may have a password in it.
    shown = str(place) if isinstance(place, Path) else "the database"
    output.facts(
        {"store": shown, "entry": entry.index if entry else None},
        f"made a store in {shown}" + (f"; adopted {policy}" if policy else ""),
    )
    if entry is None:
        output.hint("everything is held until `scalegate policy adopt FILE`")
    return exits.YES
