"""`scalegate evidence attest`."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from scalegate.app.statements import Draft
from scalegate.app.statements import attest as attest_draft
from scalegate.cli import exits
from scalegate.cli.options import (
    FLOP,
    MOMENT,
    TALLY,
    examples,
    format_option,
    moment,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.core.events import StatementKind
from scalegate.core.quantities import show_instant

_WHO = "--by 'Lea Roth' --role external-auditor"


@click.command(
    epilog=examples(
        f"scalegate evidence attest safeguard weight-security-3 --subject orion --expires '12 months' {_WHO}",
        "scalegate evidence attest countersignature --action train --subject orion --to 4e25 "
        f"--expires '30 days' {_WHO}",
    )
)
@click.argument("kind", type=click.Choice(get_args(StatementKind)))
@click.argument("topic", default="")
@click.option("--subject", default="", metavar="NAME", help="By default every subject of the issuer.")
@click.option("--policy", default="", metavar="ID", help="The policy; by default the only one.")
@click.option("--evaluation", default="", help="What a belief, measurement or crossing is about.")
@click.option("--safeguard", default="", help="What a measurement is about.")
@click.option("--denied", is_flag=True, help="State that it does not hold.")
@click.option("--expires", type=MOMENT, help="Until when, or for how long; needed unless denied.")
@click.option("--count", type=TALLY, help="Of a measurement: successes of trials, such as 19/20.")
@click.option("--action", default="", help="What a countersignature covers.")
@click.option("--to", type=FLOP, default=0, help="Up to which effective compute it covers.")
@click.option("--evidence", multiple=True, help="Digest of a supporting document, repeatable.")
@speaker_options
@store_option
@format_option
@click.pass_context
def attest(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    kind: str,
    topic: str,
    subject: str,
    policy: str,
    evaluation: str,
    safeguard: str,
    expires: int | None,
    count: tuple[int, int] | None,
    action: str,
    to: int,
    evidence: tuple[str, ...],
    by: str,
    role: str,
    store: Path | None,
    output: Output,
    denied: bool,
) -> int:
    """State something in a role: TOPIC is the safeguard, predicate, claim, measurement or matter.

    You sign it. Whether it counts is for the policy's roles to say.
    """
    book = open_book(ctx, store)
    end = 0 if expires is None else moment(expires, book.now(book.read()))
    draft = Draft(
        kind=cast("StatementKind", kind),
        topic=topic,
        policy=policy,
        evaluation=evaluation,
        safeguard=safeguard,
        subject=subject,
        holds=not denied,
        expires=end,
        count=count,
        action=action,
        compute=to,
        evidence=evidence,
    )
    entry = attest_draft(book, draft, speaker(by, role))
    until = f" until {show_instant(end)}" if end else ""
    word = "denies" if denied else "states"
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "kind": kind, "holds": not denied},
        f"entry {entry.index}: {by} ({role}) {word} {kind} {topic or evaluation or action}{until}",
    )
    return exits.YES
