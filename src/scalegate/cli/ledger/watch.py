"""`scalegate ledger watch`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.following import follow
from scalegate.app.trusting import read_trust
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.core.quantities import show_count, show_instant


@click.command(
    epilog=examples(
        "scalegate ledger watch https://log.acme.example/ --trust acme.trust --state acme.checkpoint",
        "scalegate ledger watch ../mirror --trust acme.trust --state acme.checkpoint",
    )
)
@click.argument("log", metavar="URL|DIR")
@click.option("--trust", required=True, type=click.Path(path_type=Path), help="Whom you trust.")
@click.option(
    "--state",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the newest verified checkpoint is kept; made the first time.",
)
@format_option
def watch(*, log: str, trust: Path, state: Path, output: Output) -> int:
    """Read a log whole, check that it is what it signed and continues what it was, and keep its checkpoint.

    0 it does; 3 it does, but the witnesses that the trust file asks for have not seen all of it; 4 it does not: then
    both checkpoints are kept, which show that there are two histories. Run it from time to time, on a machine of yours.
    What entries say is for `scalegate verify`.
    """
    found = follow(log, read_trust(trust), state)
    seen = f", cosigned as of {show_instant(found.at)}" if found.at is not None else ""
    if found.unseen:
        seen += f", and {show_count(found.unseen, 'entry', 'entries')} NOT cosigned by the quorum of witnesses"
    if found.before is None:
        words = "seen for the first time"
    elif found.before == found.size:
        words = "unchanged"
    else:
        words = f"continues the {found.before} of before"
    output.facts(
        {
            "log": found.origin,
            "size": found.size,
            "before": found.before,
            "cosigned": show_instant(found.at) if found.at is not None else None,
            "witnesses": list(found.by),
            "unseen": found.unseen,
        },
        f"{found.origin}: {show_count(found.size, 'entry', 'entries')}, {words}{seen}",
    )
    if found.unseen:
        output.hint("others may be shown another log: `scalegate ledger witness` where it is, and watch again")
        return exits.UNKNOWN
    return exits.YES
