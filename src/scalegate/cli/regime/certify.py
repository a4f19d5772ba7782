"""`scalegate regime certify`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.attaching import certify
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option, open_book, speaker, speaker_options, store_option
from scalegate.cli.output import Output
from scalegate.cli.policy.compare import comparison_lines
from scalegate.cli.text import safe, wrap

_END = {"yes": exits.YES, "no": exits.NO, "unknown": exits.UNKNOWN}


@click.command(
    "certify",
    epilog=examples(
        "scalegate regime certify eu-frontier --by 'M. Ito' --role regulator",
        "scalegate regime certify eu-frontier --by 'M. Ito' --role regulator --format json",
    ),
)
@click.argument("regime")
@speaker_options
@store_option
@format_option
@click.pass_context
def certify_regime(ctx: click.Context, *, regime: str, by: str, role: str, store: Path | None, output: Output) -> int:
    """Record whether the developer's policies in force, together, are at least as strict as REGIME.

    The certificate goes into the log, with what was proved and every situation that speaks against it. 0: they are, and
    no role that the regime mandates is missing. 1: they are not. 3: nobody can say.
    """
    found = certify(open_book(ctx, store), regime, speaker(by, role))
    lacks = [lack.message for lack in found.lacks]
    if output.form == "json":
        output.json(
            {
                "entry": found.entry.index,
                "digest": found.entry.digest,
                "answer": found.answer,
                "relation": found.comparison.relation,
                "lacks": lacks,
            }
        )
    else:
        output.lines(
            [f"entry {found.entry.index}: conformity with {safe(found.regime.id)} is recorded: {found.answer}"]
        )
        output.lines(wrap(text, "  ", "    ") for text in lacks)
        output.lines(comparison_lines(found.comparison, found.policies, (found.regime,)))
    return _END[found.answer]
