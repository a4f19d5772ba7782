"""`scalegate why`: the argument behind an answer."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from scalegate.app.ask import Answer, ask_only
from scalegate.app.review import recall
from scalegate.cli import exits
from scalegate.cli.decision_text import Audience, plain
from scalegate.cli.decision_text import why as argument
from scalegate.cli.gate import answer_json, check_action, exit_code
from scalegate.cli.options import FLOP, examples, format_option, open_book, store_option
from scalegate.cli.output import Output
from scalegate.core.decision import Request


@click.command(
    epilog=examples(
        "scalegate why",
        "scalegate why train --subject orion --to 4e25 --for auditor",
    )
)
@click.argument("which", default="")
@click.option("--subject", default="", metavar="NAME", help="Ask anew, about this subject.")
@click.option("--to", type=FLOP, help="Effective compute that training would reach.")
@click.option("--context", default="", help="Deployment context; none is the worst one.")
@click.option(
    "--for",
    "audience",
    type=click.Choice(["engineer", "auditor", "public"]),
    default="engineer",
    show_default=True,
    help="For whom; the facts are the same.",
)
@store_option
@format_option
@click.pass_context
def why(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    which: str,
    subject: str,
    to: int | None,
    context: str,
    audience: str,
    store: Path | None,
    output: Output,
) -> int:
    """Show why something is held or permitted, and what would change that.

    WHICH is the number or digest of a recorded answer, by default the last one; or an action, with
    --subject, to ask without recording. It grants nothing: a permit is explained with exit code 3.
    """
    book = open_book(ctx, store)
    if subject:
        check_action(which)
        answer = ask_only(book, Request(which, subject, to, context))
    else:
        answer, same = recall(book, which)
        if not same:
            output.warn("the words of the recorded answer differ from those of this version")
    _show(answer, cast("Audience", audience), output)
    code = exit_code(answer)
    return exits.UNKNOWN if code == exits.YES else code


def _show(answer: Answer, audience: Audience, output: Output) -> None:
    if output.form == "json":
        output.json({**answer_json(answer), "live": False})
    elif output.form == "plain":
        output.lines(plain(answer))
    else:
        output.lines(argument(answer, audience))
