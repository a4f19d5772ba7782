"""`scalegate gate`: the one command whose 0 lets something happen."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.ask import Answer, added_policy, ask_live, ask_only
from scalegate.app.policies import read_policy
from scalegate.app.refusal import RefusalError, nearest
from scalegate.cli import exits
from scalegate.cli.decision_text import human, plain
from scalegate.cli.options import (
    FLOP,
    MOMENT,
    examples,
    format_option,
    moment,
    open_book,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.core.decision import Request
from scalegate.core.kernel import ACTIONS
from scalegate.gate.record import decision_record


@click.command(
    epilog=examples(
        "scalegate gate train --subject orion --to 4e25 && torchrun train.py",
        "scalegate gate deploy.partners --subject orion-chat --context partner-x --format json",
    )
)
@click.argument("action")
@click.option("--subject", required=True, metavar="NAME", help="The model or system it is about.")
@click.option("--to", type=FLOP, help="Effective compute that training would reach, such as 4e25.")
@click.option("--context", default="", help="Deployment context; none is the worst one.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A policy that binds besides those in the store; it can only tighten.",
)
@click.option("--at", type=MOMENT, help="Ask about another time: never recorded, never a permit.")
@click.option("--dry-run", is_flag=True, help="Record nothing; never a permit.")
@store_option
@format_option
@click.pass_context
def gate(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    action: str,
    subject: str,
    to: int | None,
    context: str,
    policies: tuple[Path, ...],
    at: int | None,
    dry_run: bool,
    store: Path | None,
    output: Output,
) -> int:
    """Ask whether an action may go ahead.

    Exit code 0 is a permit, recorded in the store and bounded in compute and time. Everything else
    is none: 1 held, 2 asked wrongly, 3 hypothetical, 4 the store cannot be trusted, 70 failed.
    """
    check_action(action)
    book = open_book(ctx, store)
    request = Request(action, subject, to, context)
    added = [added_policy(read_policy(path), str(path)) for path in policies]
    if at is not None or dry_run:
        now = book.now(book.read())
        answer = ask_only(book, request, added, None if at is None else moment(at, now))
    else:
        answer = ask_live(book, request, added)
    show(answer, output)
    if answer.decision.answer == "hold":
        number = f" {answer.number}" if answer.number else ""
        output.hint(f"`scalegate why{number}` shows the chain, and what would release it")
    return exit_code(answer)


def show(answer: Answer, output: Output) -> None:
    """Write an answer in the format asked for."""
    if output.form == "json":
        output.json(answer_json(answer))
    else:
        output.lines(human(answer) if output.form == "human" else plain(answer))


def answer_json(answer: Answer) -> dict[str, object]:
    """Return an answer as published: the decision, its digest, and its number where recorded."""
    return {
        **decision_record(answer.decision),
        "decision": answer.digest,
        "number": answer.number or None,
        "live": answer.live,
    }


def exit_code(answer: Answer) -> int:
    """Return the exit code of an answer: 0 for a live permit and for nothing else."""
    if answer.live:
        return exits.YES
    if answer.decision.untrusted:
        return exits.UNTRUSTED
    if answer.failure:
        return exits.INTERNAL
    return exits.NO if answer.decision.answer == "hold" else exits.UNKNOWN


def check_action(action: str) -> None:
    """Refuse an action that does not exist.

    Raises:
        RefusalError: with the nearest known action.
    """
    if action in ACTIONS:
        return
    raise RefusalError(
        "usage",
        "action-unknown",
        f"`{action:.80}` is no action, and an unknown action is held",
        nearest(action, ACTIONS),
    )
