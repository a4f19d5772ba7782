"""A registered run, really run: in its registered order, until it is decided, through any interruption."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from scalegate.app.bindings import find_evaluation
from scalegate.app.book import Book, Page, Speaker
from scalegate.app.refusal import RefusalError
from scalegate.app.results import Added, add_result
from scalegate.app.runs import Registration, find_run, planned_units, register
from scalegate.app.watching import Watching
from scalegate.core.events import RunRegistered
from scalegate.core.kernel import Evaluation
from scalegate.stats.binomial import BoundError

if TYPE_CHECKING:
    from scalegate.integrations.inspect import Finished

FOLDER = "runs"
"""Where runs leave their logs while they go on, beside the history."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run.

    Attributes:
        plan: its registration; task, model and item ids are those of the task where they are empty.
        task: `file.py@name`, or the name of an installed task.
        model: name of a model as Inspect writes it.
        model_args, task_args: their arguments.
        folder: where the log is written; None for a folder beside the history.
        together: how many samples may be under way at once.
    """

    plan: Registration
    task: str
    model: str
    model_args: Mapping[str, object] = field(default_factory=dict)
    task_args: Mapping[str, object] = field(default_factory=dict)
    folder: Path | None = None
    together: int = 8


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that ended, and what was recorded of it.

    Attributes:
        watching: what it came to.
        finished: its log.
        added: the result, as recorded.
        warnings: what would not count later, as said at registration.
        resumed: it was registered before.
    """

    watching: Watching
    finished: Finished
    added: Added
    warnings: tuple[str, ...]
    resumed: bool


def evaluate(book: Book, wanted: Wanted, speaker: Speaker, progress: Callable[[Watching], None]) -> Ran:
    """Register a run unless it is registered, run or resume it, and record its result.

    Args:
        book: where to.
        wanted: what to run.
        speaker: who registers and reports it.
        progress: told after each item.

    Raises:
        RefusalError: if the extra is absent, the run cannot be registered or has its result, or the task cannot run.
        KeyboardInterrupt: the run was interrupted; the same call goes on with it.
    """
    page = book.page()
    known = page.records.runs.get(wanted.plan.run)
    warnings: tuple[str, ...] = ()
    if known is None:
        warnings = _register(book, wanted, speaker)
    elif known.result is not None:
        raise RefusalError("refused", "run-reported", f"run `{wanted.plan.run}` has its result already")
    page = book.page()
    plan = find_run(page, wanted.plan.run).plan
    watching = _watching(book, page, plan)
    finished = _run(book, wanted, plan, watching, progress)
    added = add_result(book, plan.run, finished.log, speaker)
    return Ran(watching, finished, added, warnings, resumed=known is not None)


def _register(book: Book, wanted: Wanted, speaker: Speaker) -> tuple[str, ...]:
    """Register a run, with the names and items of its task where none were given."""
    plan = wanted.plan
    _check_extra()
    from scalegate.integrations.inspect import RunError  # noqa: PLC0415 - an extra
    from scalegate.integrations.inspect_items import describe  # noqa: PLC0415 - an extra

    try:
        # What tasks, models and plugins of Inspect print while they are loaded is no answer of ours.
        with redirect_stdout(sys.stderr):
            found = describe(wanted.task, wanted.model, model_args=wanted.model_args, task_args=wanted.task_args)
    except RunError as error:
        raise _refusal(error) from error
    ids = plan.item_ids or tuple(sorted(found.items))
    _, warnings = register(
        book,
        Registration(
            plan.run, plan.evaluation, plan.subject, min(plan.items or len(ids), len(ids)), plan.report_by, ids,
            plan.elicitation, plan.scaffold, plan.methods, found.task, plan.scorer, found.model,
            sequential=True, clusters=plan.clusters,
        ),
        speaker,
    )  # fmt: skip
    return warnings


def _watching(book: Book, page: Page, plan: RunRegistered) -> Watching:
    if plan.sampling is None:
        raise RefusalError(
            "refused",
            "run-at-once",
            f"run `{plan.run}` was registered to be looked at once",
            "run it with Inspect, and `scalegate evidence add` its log",
        )
    try:
        return Watching(plan, _evaluation(page, plan), planned_units(book, plan))
    except BoundError as error:
        raise RefusalError("untrusted", "boundaries-broken", f"the plan of run `{plan.run}`: {error}") from error


def _evaluation(page: Page, plan: RunRegistered) -> Evaluation:
    return find_evaluation(page, plan.evaluation)


def _run(
    book: Book, wanted: Wanted, plan: RunRegistered, watching: Watching, progress: Callable[[Watching], None]
) -> Finished:
    _check_extra()
    from scalegate.integrations.inspect import RunError, run_task  # noqa: PLC0415 - an extra

    folder = wanted.folder or book.store.folder / FOLDER / plan.run.replace("/", "_")
    try:
        return run_task(
            wanted.task,
            wanted.model,
            watching,
            plan.scorer,
            folder,
            epochs=watching.tries,
            max_samples=wanted.together,
            model_args=wanted.model_args,
            task_args=wanted.task_args,
            run=plan.run,
            progress=lambda _done, _of: progress(watching),
        )
    except RunError as error:
        raise _refusal(error) from error


def _refusal(error: Exception) -> RefusalError:
    code = getattr(error, "code", "run-failed")
    hint = "the same command goes on with it once the cause is gone" if code == "run-failed" else ""
    return RefusalError("refused", code, str(error), hint)


def _check_extra() -> None:
    if find_spec("inspect_ai") is None:
        raise RefusalError(
            "usage", "extra-missing", "running an evaluation needs Inspect", "pip install 'scalegate[inspect]'"
        )
