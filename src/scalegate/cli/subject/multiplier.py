"""`scalegate subject multiplier`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click

from scalegate.app.subjects import state_multiplier
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, speaker, speaker_options, store_option
from scalegate.cli.output import Output
from scalegate.core.quantities import QuantityError, number, show_number

_WHO = "--by 'Lea Roth' --role external-auditor"


class Factor(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A number such as `1.5`, as an exact fraction."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Return the exact number."""
        if isinstance(value, Fraction):
            return value
        try:
            return number(str(value))
        except QuantityError as error:
            self.fail(str(error), param, ctx)


@click.command(
    epilog=examples(
        f"scalegate subject multiplier orion --low 1.2 --high 2 --why 'better data than the reference run' {_WHO}",
        f"scalegate subject multiplier --high 3 --why 'optimizer of 2026-09' {_WHO}",
    )
)
@click.argument("name", default="")
@click.option("--low", type=Factor(), default="1", show_default=True, help="A FLOP is worth at least so much.")
@click.option("--high", type=Factor(), required=True, help="And at most so much.")
@click.option("--why", required=True, help="What it rests on.")
@speaker_options
@store_option
@format_option
@click.pass_context
def multiplier(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    name: str,
    low: Fraction,
    high: Fraction,
    why: str,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """State how much effective compute a FLOP is worth in what is trained from a subject; without a name, from any.

    Permits are bounded in effective compute, and jobs count FLOP. Of all that was stated the largest counts, whoever
    said it: it can only take from what a permit leaves, never add to it.
    """
    book = open_book(ctx, store)
    entry = state_multiplier(book, name, low, high, why, speaker(by, role))
    ends = f"{show_number(low)} to {show_number(high)}"
    output.facts(
        {"entry": entry.index, "digest": entry.digest, "subject": name, "low": str(low), "high": str(high)},
        f"entry {entry.index}: a FLOP in what comes from {name or 'any subject'} is worth {ends} of effective compute",
    )
    return exits.YES
