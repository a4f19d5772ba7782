"""`scalegate regime describe`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.regimes import Description, describe_developer
from scalegate.cli import exits
from scalegate.cli.options import (
    MOMENT,
    WHOLE_USD,
    examples,
    format_option,
    moment,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.core.quantities import show_instant

_WHO = "--by 'Lea Roth' --role external-auditor"


@click.command(
    epilog=examples(
        f"scalegate regime describe --revenue-low 6e8 --operates us-ca --expires '12 months' {_WHO}",
        f"scalegate regime describe --revenue-high 4e8 --absent us-ny --expires 2027-07-01 {_WHO}",
    )
)
@click.option("--revenue-low", type=WHOLE_USD, default=0, help="Yearly revenue is at least so many USD.")
@click.option("--revenue-high", type=WHOLE_USD, help="And at most so many.")
@click.option("--operates", multiple=True, metavar="PLACE", help="It operates there, such as us-ca; repeatable.")
@click.option("--absent", multiple=True, metavar="PLACE", help="It does not operate there; repeatable.")
@click.option("--expires", type=MOMENT, required=True, help="Until when, or for how long.")
@speaker_options
@store_option
@format_option
@click.pass_context
def describe(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    revenue_low: int,
    revenue_high: int | None,
    operates: tuple[str, ...],
    absent: tuple[str, ...],
    expires: int,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Say how large the developer's business is, and where it operates.

    Regimes bind by this, and what nobody said binds. Only a role that a policy keeps independent of the developer can
    say that it does not bind, and only until it expires; that it does, anybody can say, and that does not age.
    """
    book = open_book(ctx, store)
    end = moment(expires, book.now(book.read()))
    draft = Description(revenue_low, revenue_high, operates, absent, end)
    entry, hints = describe_developer(book, draft, speaker(by, role))
    output.facts(
        {
            "entry": entry.index,
            "digest": entry.digest,
            "revenue_low": revenue_low,
            "revenue_high": revenue_high,
            "operates": list(operates),
            "absent": list(absent),
        },
        f"entry {entry.index}: {by} ({role}) describes the developer until {show_instant(end)}",
    )
    for text in hints:
        output.hint(text)
    return exits.YES
