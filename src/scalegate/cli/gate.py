"""`scalegate gate`: the one command whose 0 lets something happen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalegate.app.ask import Added, Answer, added_policy, ask_live, ask_only
from scalegate.app.book import Book
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
from scalegate.core.actions import ACTIONS
from scalegate.core.decision import Request
from scalegate.core.quantities import show_duration
from scalegate.gate.record import decision_record

if TYPE_CHECKING:
    from scalegate.app.claiming import Claimant

_OFTEN = 5.0


@click.command(
    epilog=examples(
        "scalegate gate train --subject orion --to 4e25 --permit orion.permit --job orion-17 && torchrun train.py",
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
@click.option(
    "--permit", type=click.Path(path_type=Path), help="Claim the permit for a job, and write it to this file."
)
@click.option("--job", default="", metavar="NAME", help="With --permit: the training run or service that gets it.")
@click.option("--host", default="", metavar="NAME", help="With --permit: its machine; by default this one.")
@click.option("--follows", type=click.Path(path_type=Path), help="With --permit: the permit that this one renews.")
@click.option("--files", type=click.Path(path_type=Path), help="Hold unless these are the files of the subject.")
@click.option("--wait", type=MOMENT, help="Ask again until it is permitted, for at most so long.")
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
    permit: Path | None,
    job: str,
    host: str,
    follows: Path | None,
    files: Path | None,
    wait: int | None,
    dry_run: bool,
    store: Path | None,
    output: Output,
) -> int:
    """Ask whether an action may go ahead.

    Exit code 0 is a permit, recorded in the store and bounded in compute and time. Everything else
    is none: 1 held, 2 asked wrongly, 3 hypothetical, 4 the store cannot be trusted, 70 failed.
    """
    check_action(action)
    if (at is not None or dry_run) and (permit is not None or wait is not None):
        raise click.UsageError("--at and --dry-run grant nothing that --permit could write or --wait could wait for")
    if wait is not None and wait >= 0:
        raise click.UsageError("--wait takes a duration, such as '2 hours'")
    book = open_book(ctx, store)
    request = Request(action, subject, to, context)
    added = [added_policy(read_policy(path), str(path)) for path in policies]
    claiming = _claiming(book, permit, job, host, follows)
    _check_files(book, subject, files)
    if at is not None or dry_run:
        now = book.now(book.read())
        answer = ask_only(book, request, added, None if at is None else moment(at, now))
    else:
        answer = _ask(book, request, added, -(wait or 0), output)
        if wait is not None:
            # They may have become others while it was waited for.
            _check_files(book, subject, files)
    claimed = claiming(answer) if claiming is not None and answer.live else ""
    show(answer, output)
    if claimed:
        output.hint(claimed)
    if answer.decision.answer == "hold":
        number = f" {answer.number}" if answer.number else ""
        output.hint(f"`scalegate why{number}` shows the chain, and what would release it")
    return exit_code(answer)


def _check_files(book: Book, subject: str, files: Path | None) -> None:
    """Return if files, where any are named, are those of a subject.

    Raises:
        RefusalError: if they are not.
    """
    if files is not None:
        # Deferred, as claims are: most questions have no files, and the gate has to start quickly.
        from scalegate.app.exported import check_files  # noqa: PLC0415

        check_files(book, subject, files)


def _ask(book: Book, request: Request, added: list[Added], seconds: int, output: Output) -> Answer:
    """Ask, and where that was asked for, again until there is a permit or the time is up."""
    end, told = time.monotonic() + seconds, False
    while seconds and ask_only(book, request, added).decision.answer != "permit":
        left = end - time.monotonic()
        if left <= 0:
            break
        if not told:
            told = True
            output.hint(f"held; asking again for at most {show_duration(seconds)}")
        time.sleep(min(_OFTEN, left))
    return ask_live(book, request, added)


def _claiming(book: Book, permit: Path | None, job: str, host: str, follows: Path | None) -> _Claiming | None:
    if permit is None:
        if job or host or follows is not None:
            raise click.UsageError("--job, --host and --follows go with --permit")
        return None
    if not job:
        raise click.UsageError("--permit needs --job: a permit is one job's")
    from scalegate.app.claiming import Claimant, check_claimant, this_host  # noqa: PLC0415

    claimant = Claimant(job, host or this_host(), permit, follows)
    check_claimant(book, claimant)
    return _Claiming(book, claimant)


@dataclass(frozen=True, slots=True)
class _Claiming:
    """What is done with a permit once there is one."""

    book: Book
    claimant: Claimant

    def __call__(self, answer: Answer) -> str:
        from scalegate.app.claiming import claim  # noqa: PLC0415

        made = claim(self.book, answer, self.claimant)
        return f"{self.claimant.file}: claimed by job {made.job} on {made.host}, whose key stands beside it"


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
