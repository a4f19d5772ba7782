"""`scalegate run`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from scalegate.app.evaluate import Ran, Wanted, evaluate
from scalegate.app.runs import Registration, read_item_ids
from scalegate.app.watching import Standing, Watching
from scalegate.cli.evidence.add import code_of, finding_line, record_of, sentence_of
from scalegate.cli.options import (
    MOMENT,
    examples,
    format_option,
    moment,
    open_book,
    speaker,
    speaker_options,
    store_option,
)
from scalegate.cli.output import Output
from scalegate.cli.text import safe, unheard
from scalegate.core.quantities import show_bound

_EXAMPLE = "scalegate run autonomy --run r7 --subject orion --task bank.py@tasks --scorer match"
_WHO = "--by 'Lea Roth' --role external-auditor"
# A terminal is redrawn, and a file written to, no more often than this, in seconds.
_REDRAW, _RETELL = 0.2, 15.0


@click.command(
    epilog=examples(
        f"{_EXAMPLE} --model openai/gpt-x --report-by '7 days' {_WHO}",
        f"{_EXAMPLE} --model hf/local --model-arg model_path=./ckpt --at-most 400 {_WHO}",
    )
)
@click.argument("evaluation")
@click.option("--run", "name", required=True, help="Id of the run; one that was interrupted goes on.")
@click.option("--subject", required=True, metavar="NAME", help="The model or system evaluated.")
@click.option("--task", required=True, help="FILE.py@NAME, or the name of an installed Inspect task.")
@click.option("--model", required=True, help="The model, as Inspect names it.")
@click.option("--scorer", required=True, help="Which score counts.")
@click.option("--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="For the model, repeatable.")
@click.option("--task-arg", "task_args", multiple=True, metavar="KEY=VALUE", help="For the task, repeatable.")
@click.option("--at-most", type=click.IntRange(min=2), default=None, help="Samples; without it, all there are.")
@click.option("--item-ids", type=click.Path(path_type=Path), help="Ids of the bank, with clusters after a tab.")
@click.option("--report-by", type=MOMENT, default="14 days", help="After this, no result is missing.")
@click.option("--elicitation", default="", help="How the capability is drawn out.")
@click.option("--scaffold", default="", help="The scaffold around the model.")
@click.option("--method", "methods", multiple=True, help="A method card it follows, repeatable.")
@click.option("--together", type=click.IntRange(min=1), default=8, help="Samples under way at once.")
@click.option("--log-dir", type=click.Path(path_type=Path), help="Where its log is written.")
@speaker_options
@store_option
@format_option
@click.pass_context
def run(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    evaluation: str,
    name: str,
    subject: str,
    task: str,
    model: str,
    scorer: str,
    model_args: tuple[str, ...],
    task_args: tuple[str, ...],
    at_most: int | None,
    item_ids: Path | None,
    report_by: int,
    elicitation: str,
    scaffold: str,
    methods: tuple[str, ...],
    together: int,
    log_dir: Path | None,
    by: str,
    role: str,
    store: Path | None,
    output: Output,
) -> int:
    """Run an evaluation: register it, look after every sample, end when every threshold is answered.

    It is registered before anything runs, and runs in the registered order with Inspect (extra `inspect`).
    When it was interrupted, the same command goes on with it. Its result is recorded as by `evidence add`,
    with the same exit codes.
    """
    book = open_book(ctx, store)
    ids, clusters = read_item_ids(item_ids) if item_ids is not None else ((), ())
    plan = Registration(
        name,
        evaluation,
        subject,
        at_most or 0,
        moment(report_by, book.now(book.read())),
        ids,
        elicitation,
        scaffold,
        methods,
        scorer=scorer,
        sequential=True,
        clusters=clusters,
    )
    wanted = Wanted(plan, task, model, _pairs(model_args), _pairs(task_args), log_dir, together)
    tell = _Progress(output)
    ran = evaluate(book, wanted, speaker(by, role), tell)
    tell.close(ran.watching)
    for warning in (*ran.warnings, *ran.added.warnings):
        output.warn(warning)
    if output.form == "json":
        output.json(_record(ran))
    elif output.form == "plain":
        output.lines(safe(f"{key}: {value}") for key, value in _record(ran).items())
    else:
        lines = [safe(_standing(item)) for item in ran.watching.standings]
        output.lines([*lines, safe(sentence_of(ran.added)), *map(finding_line, ran.added.findings)])
    return code_of(ran.added.refusal)


def _pairs(given: tuple[str, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in given:
        key, sign, value = pair.partition("=")
        if not sign or not key.isidentifier():
            raise click.UsageError(f"`{pair}` is not KEY=VALUE")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _record(ran: Ran) -> dict[str, object]:
    return {
        **record_of(ran.added),
        "samples": ran.watching.samples,
        "planned": ran.watching.planned,
        "decided": ran.watching.decided,
        "resumed": ran.resumed,
        "begun_twice": list(ran.finished.restarted),
        "log_file": str(ran.finished.log),
        "questions": [
            {
                "threshold": str(item.constant),
                "answer": item.answer or None,
                "evidence_above": f"{float(item.above):.6g}",
                "evidence_below": f"{float(item.below):.6g}",
            }
            for item in ran.watching.standings
        ],
    }


def _standing(item: Standing) -> str:
    """Return one question in words: what is shown, or how far off an answer is."""
    threshold = show_bound(item.constant, up=True)
    if item.answer:
        return f"  {item.answer} {threshold}"
    words = f"  {threshold} open: evidence {float(item.above):.2g} above, {float(item.below):.2g} not above"
    far = [
        f"{count} more {what} in a row show {claim}"
        for count, what, claim in (
            (item.to_above, "successes", "above"),
            (item.to_below, "failures", "not above"),
        )
        if count > 0
    ]
    return f"{words}; {', '.join(far)}" if far else words


class _Progress:
    """Progress on stderr: one line that is redrawn on a terminal, a line now and then elsewhere; none in JSON mode."""

    def __init__(self, output: Output) -> None:
        self._quiet = output.form == "json"
        self._terminal = sys.stderr.isatty()
        self._told = -_RETELL
        self._clock: Callable[[], float] = time.monotonic

    def __call__(self, watching: Watching) -> None:
        now = self._clock()
        if self._quiet or now - self._told < (_REDRAW if self._terminal else _RETELL):
            return
        self._told = now
        self._tell(watching, end="" if self._terminal else "\n")

    def close(self, watching: Watching) -> None:
        """Tell where the run ended."""
        if not self._quiet:
            self._tell(watching, end="\n")

    def _tell(self, watching: Watching, end: str) -> None:
        parts = [f"{watching.samples} of at most {watching.planned} samples"]
        parts += [_standing(item).strip() for item in watching.standings]
        line = safe("; ".join(parts))
        start = "\r\x1b[K" if self._terminal else ""
        click.echo(start + unheard(line), err=True, nl=bool(end))
