"""`scalegate plan`: what the next scale will demand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scalegate.app.review import Plan
from scalegate.app.review import plan as look_ahead
from scalegate.cli import exits
from scalegate.cli.decision_text import question
from scalegate.cli.gate import answer_json, check_action, exit_code
from scalegate.cli.options import FLOP, examples, format_option, open_book, store_option
from scalegate.cli.output import Output, bold
from scalegate.cli.text import safe, wrap
from scalegate.core.actions import TRAIN
from scalegate.core.decision import Request
from scalegate.core.quantities import show_flop
from scalegate.gate.record import flop

SCHEMA = "scalegate/plan/v1"


@click.command(
    epilog=examples(
        "scalegate plan --subject orion --to 4e25",
        "scalegate plan deploy.api --subject orion-chat --format json",
    )
)
@click.argument("action", default=TRAIN)
@click.option("--subject", required=True, metavar="NAME", help="The model or system it is about.")
@click.option("--to", type=FLOP, help="Effective compute of the next scale, such as 4e25.")
@click.option("--context", default="", help="Deployment context; none is the worst one.")
@store_option
@format_option
@click.pass_context
def plan(
    ctx: click.Context,
    *,
    action: str,
    subject: str,
    to: int | None,
    context: str,
    store: Path | None,
    output: Output,
) -> int:
    """Show what an action will demand: what to gather, what no evidence would release, how far.

    Binds nothing and grants nothing: 1 if it would be held now, 3 if it would be permitted.
    """
    check_action(action)
    found = look_ahead(open_book(ctx, store), Request(action, subject, to, context))
    if output.form == "json":
        reach, edge = flop(found.reach), flop(found.next_hold)
        output.json({"schema": SCHEMA, "answer": answer_json(found.answer), "reach": reach, "held_at": edge})
    else:
        output.lines(_human(found) if output.form == "human" else _plain(found))
    code = exit_code(found.answer)
    return exits.UNKNOWN if code == exits.YES else code


def _human(found: Plan) -> Iterator[str]:
    decision = found.answer.decision
    would = "would be permitted" if decision.answer == "permit" else "would be held"
    yield f"{bold('PLAN')}    {safe(question(decision))}: {would} as things stand"
    yield ""
    yield from (f"  {line}" for line in _reach(found))
    for reason in decision.reasons:
        mark = "!" if reason.kind in ("hole", "never", "crossed") else "+"
        yield wrap(f"{reason.kind}: {reason.message}", f"  {mark} ", "    ")
    if decision.remedies:
        yield ""
        yield "  enough to release it, each alone:"
    for place, remedy in enumerate(decision.remedies, start=1):
        tail = "" if remedy.attainable else " (nobody knows how)"
        yield wrap("; ".join(remedy.steps) + tail, f"  {place}) ", "     ")
    for note in decision.exceptions:
        yield wrap(f"exception {note.policy}/{note.exception}: {note.message}", "  ~ ", "    ")
    yield ""
    yield "  A plan binds nothing. + to gather   ! more of the same releases nothing   ~ an exception"


def _plain(found: Plan) -> Iterator[str]:
    decision = found.answer.decision
    yield safe(f"plan: {question(decision)}")
    yield f"as things stand: {'permitted' if decision.answer == 'permit' else 'held'}"
    yield from (f"reach: {line}" for line in _reach(found))
    for reason in decision.reasons:
        yield safe(f"demand: {reason.kind}: {reason.message}")
    for remedy in decision.remedies:
        word = "remedy" if remedy.attainable else "remedy nobody knows"
        yield safe(f"{word}: {'; '.join(remedy.steps)}")
    for note in decision.exceptions:
        yield safe(f"exception: {note.policy}/{note.exception}: {note.message}")


def _reach(found: Plan) -> Iterator[str]:
    if found.answer.decision.request.to is None:
        return
    if found.reach is None:
        yield "no scale that was tried would be permitted now"
    else:
        yield f"would be permitted now up to {show_flop(found.reach)} FLOP"
    if found.next_hold is not None:
        beyond = found.reach is not None and found.next_hold == found.reach + 1
        edge = found.reach if beyond and found.reach is not None else found.next_hold
        yield f"would be held {'beyond' if beyond else 'at'} {show_flop(edge)} FLOP"
