"""Inspect runs a registered evaluation: in the registered order, until it is decided, through any interruption.

Needs the extra `inspect`. A run owns a folder, with its log and a journal of the tries that were begun:

- A try that ends is in the log, by an atomic replacement of the file, before `Watch` hears of it and before another
  one takes its place. Killing the process loses the tries under way, at most `max_samples`, and nothing else.
- A try that is in the log is never run again, errors included. One that was under way when the process died left
  nothing but its line in the journal, and begins again; the log and `Finished.restarted` name its item.
- A power failure can lose more, since Inspect does not sync the file until the run ends.

Whoever controls this process can choose when to kill it, and what the evaluated model answers.
(inspect_ai 0.3.285: `util/_early_stopping.py`, `_eval/task/run.py`, `_eval/task/log.py`, `log/_recorders/eval.py`.)
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import inspect_ai
from inspect_ai import Task
from inspect_ai._eval.task.resolved import ResolvedTask
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.hooks import Hooks, SampleEnd, hooks
from inspect_ai.log import EvalSample, EvalSpec
from inspect_ai.model import Model
from inspect_ai.scorer import SampleScore
from inspect_ai.util import EarlyStop

from scalegate.core.canonical import Plain, digest
from scalegate.core.quantities import show_count
from scalegate.ingest.sanitize import quoted
from scalegate.integrations.inspect_folder import (
    OURS,
    Journal,
    Prior,
    RunError,
    Try,
    changes,
    check_identity,
    cut_off,
    fingerprint,
    keep_only,
    open_journal,
    read_prior,
    score_of,
)
from scalegate.integrations.inspect_items import load

__all__ = ["Finished", "Progress", "RunError", "Watch", "run_task"]

Progress = Callable[[int, int], None]
"""Told how many items are done, of how many."""


class Watch(Protocol):
    """What decides when enough was seen.

    Attributes:
        order: the registered items in their order, each once.
    """

    order: Sequence[str]

    def see(self, item: str, score: object) -> None:
        """Take the score of an item, once for each item, in the order in which they end.

        Args:
            item: its id.
            score: what `scalegate.ingest` reads from the log: an exact fraction, or None where the score is missing
                for whatever reason. With several tries of each item, a tuple with one of these for each try.
        """
        ...

    @property
    def decided(self) -> bool:
        """Whether no further item can change the verdict."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended.

    Attributes:
        log: the one log of the run.
        complete: the watch is decided, or every try of every item is in the log.
        stopped_early: tries were left out because the watch was decided.
        restarted: items of which a try was begun more than once, in registered order.
    """

    log: Path
    complete: bool
    stopped_early: bool
    restarted: tuple[str, ...]


def run_task(  # noqa: PLR0913 - what a run is made of
    task: str | Task,
    model: str | Model,
    watch: Watch,
    scorer: str,
    log_dir: Path,
    *,
    epochs: int = 1,
    max_samples: int = 8,
    model_args: Mapping[str, Any] | None = None,
    task_args: Mapping[str, Any] | None = None,
    run: str = "",
    progress: Progress | None = None,
) -> Finished:
    """Run a task, or go on with the run that the folder holds, until the watch is decided or all items are done.

    A folder whose run has ended gives its log again, and nothing is run.

    Args:
        task: `file.py@name`, the name of an installed task, or a task.
        model: name of a model as Inspect writes it, or a model.
        watch: a fresh one for each call: a run that goes on tells it of every item again.
        scorer: which score of a sample counts, as `scalegate.ingest` names its columns (`match`, `rubric/key`).
        log_dir: the folder of this one run, made if needed.
        epochs: tries of each item. Inspect begins the second try of any item after the first of all.
        max_samples: how many tries may be under way together.
        model_args: further arguments of the model.
        task_args: arguments of the task, where it is given by name.
        run: id of the run, kept in the log.
        progress: told after each item.

    Raises:
        RunError: see its codes.
        KeyboardInterrupt: the run was interrupted; the same call goes on with it.
        Exception: what the watch raised.
    """
    order = tuple(watch.order)
    _check_order(order)
    log_dir.mkdir(parents=True, exist_ok=True)
    # What tasks, models and Inspect itself print is no answer of ours.
    with redirect_stdout(sys.stderr), open_journal(log_dir) as journal:
        identity: dict[str, Plain] = {"run": run, "scorer": scorer, "order": digest([*order]), "tries": epochs}
        prior = read_prior(log_dir, identity)
        conductor = _Conductor(watch, order, epochs, scorer, journal, progress, prior)
        for sample in prior.samples.values() if prior else ():
            conductor.take(sample)
        if prior and prior.log.status == "success" and conductor.over:
            return conductor.finish(prior.path)
        resolved = _load(task, model, order, model_args or {}, task_args or {}, conductor)
        identity["samples"] = fingerprint(resolved.task.dataset)
        if prior:
            check_identity(prior.log.eval, identity, prior.path)
            resolved = replace(resolved, id=prior.log.eval.task_id, **prior.reused(epochs))
        return conductor.finish(_evaluate(resolved, log_dir, epochs, max_samples, conductor, identity))


class _Conductor:
    """Inspect's early stopping: lets tries begin in their order, tells the watch what they gave, ends the run."""

    def __init__(
        self,
        watch: Watch,
        order: tuple[str, ...],
        epochs: int,
        scorer: str,
        journal: Journal,
        progress: Progress | None,
        prior: Prior | None,
    ) -> None:
        self._watch, self._order, self._epochs, self._scorer = watch, order, epochs, scorer
        self._journal, self._progress, self._prior = journal, progress, prior
        self._waiting: dict[Try, None] = dict.fromkeys(
            (item, epoch) for epoch in range(1, epochs + 1) for item in order
        )
        self._scores: dict[Try, Fraction | None] = {}
        self._done = 0
        self.began = False
        self.failure: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to run."""
        return self._watch.decided or not self._left_out

    @property
    def _left_out(self) -> int:
        return len(self._order) * self._epochs - len(self._scores)

    @property
    def _restarted(self) -> tuple[str, ...]:
        twice = {item for (item, _), count in self._journal.begun.items() if count > 1}
        return tuple(item for item in self._order if item in twice)

    def finish(self, log: Path) -> Finished:
        """Say how the run ended, and leave one log."""
        keep_only(log)
        return Finished(log, self.over, self._left_out > 0, self._restarted)

    def take(self, sample: EvalSample) -> None:
        """Take a try that is over and in the log."""
        item, key = str(sample.id), (str(sample.id), sample.epoch)
        if key in self._scores or cut_off(sample):
            return
        self._scores[key] = score_of(sample, self._scorer)
        self._waiting.pop(key, None)
        tries = [(item, epoch) for epoch in range(1, self._epochs + 1)]
        if all(one in self._scores for one in tries):
            scores = tuple(self._scores[one] for one in tries)
            self._watch.see(item, scores if self._epochs > 1 else scores[0])
            self._done += 1
            if self._progress:
                self._progress(self._done, len(self._order))

    def hear(self, sample: EvalSample) -> None:
        """Take a try; Inspect swallows what its hooks raise, so that it is kept for whom it asks next."""
        try:
            self.take(sample)
        except Exception as error:  # noqa: BLE001 - raised by the next call
            self.failure = self.failure or error

    # From here on, what Inspect calls, by the names of its protocol.

    async def start_task(self, task: EvalSpec, samples: list[Sample], epochs: int) -> str:
        """Compare the run with its registration and with what it was before an interruption."""
        if ([str(sample.id) for sample in samples], epochs) != ([*self._order], self._epochs):
            self._fail("order-broken", "Inspect plans other tries than were registered")
        names = [spec.name.removeprefix("inspect_ai/") for spec in task.scorers or ()]
        if not any(self._scorer.startswith(name) for name in names):
            shown = ", ".join(map(quoted, names)) or "none"
            self._fail("scorer-missing", f"the task has no scorer {quoted(self._scorer)}; it has {shown}")
        changed = changes(self._prior.log.eval, task) if self._prior else ()
        if changed:
            self._fail("run-changed", f"what was begun cannot go on with another {', '.join(changed)}")
        _listeners()[task.eval_id] = self
        self.began = True
        return OURS

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:  # noqa: A002 - their name
        """Let a try begin, or leave it out when the watch is decided."""
        self._raise()
        if self._watch.decided:
            return EarlyStop(id=id, epoch=epoch, reason="the verdict can no longer change")
        if next(iter(self._waiting), None) != (str(id), epoch):
            self._fail("order-broken", f"Inspect would begin item {quoted(str(id))} out of turn")
        del self._waiting[str(id), epoch]
        self._journal.begin(str(id), epoch)
        return None

    async def complete_sample(self, id: str | int, epoch: int, scores: dict[str, SampleScore]) -> None:  # noqa: A002, ARG002
        """End the run if hearing of this try failed: only those with scores are told here, so that `hear` takes all."""
        self._raise()

    async def complete_task(self) -> dict[str, Any]:
        """Say in the log how the run went."""
        return {"decided": self._watch.decided, "restarted": [*self._restarted]}

    def _fail(self, code: str, message: str) -> None:
        self.failure = RunError(code, message)
        self._raise()

    def _raise(self) -> None:
        if self.failure:
            raise self.failure


@cache
def _listeners() -> dict[str, _Conductor]:
    """Return the conductors by id of their evaluation; each hears of every try of it that ends.

    Inspect does not tell early stopping of tries that end in an error or at a limit, but it tells hooks, once the try
    is in the log. They stay for the life of the process, and come late: those that are there first are announced.
    """
    running: dict[str, _Conductor] = {}

    async def on_sample_end(_: object, data: SampleEnd) -> None:
        if data.eval_id in running:
            running[data.eval_id].hear(data.sample)

    # By hand: where the extra is absent, its classes are of no type that a checker lets one derive from.
    listener: Any = type("Listener", (Hooks,), {"on_sample_end": on_sample_end})
    register: Any = hooks(name=OURS, description="hears of the end of each try")
    register(listener)
    return running


def _check_order(order: Sequence[str]) -> None:
    if not order:
        raise RunError("order-empty", "no item is registered")
    item, count = Counter(order).most_common(1)[0]
    if count > 1:
        raise RunError("order-twice", f"item {quoted(item)} is registered {count} times")


def _load(
    task: str | Task,
    model: str | Model,
    order: Sequence[str],
    model_args: Mapping[str, Any],
    task_args: Mapping[str, Any],
    conductor: _Conductor,
) -> ResolvedTask:
    """Load a task and its model, and cut its data set to the registered items, in their order.

    Raises:
        RunError: it cannot be loaded, lacks an item, or stops early by a rule of its own.
    """
    found = load(task, model, model_args, task_args)
    loaded = found.task
    if loaded.early_stopping is not None:
        raise RunError("task-stops", "the task stops early by a rule of its own")
    by_id = {str(sample.id): sample for sample in loaded.dataset}
    if len(by_id) != len(loaded.dataset):
        raise RunError("task-unloadable", "two samples of the data set have the same id")
    absent = [item for item in order if item not in by_id]
    if absent:
        some = f"{len(absent)} of {show_count(len(order), 'registered item')}, such as {quoted(absent[0])}"
        raise RunError("order-uncovered", f"the data set of {show_count(len(by_id), 'sample')} lacks {some}")
    dataset = MemoryDataset([by_id[item] for item in order], loaded.dataset.name, loaded.dataset.location)
    ours = inspect_ai.task_with(copy(loaded), dataset=dataset, early_stopping=conductor)
    return replace(found, task=ours)


def _evaluate(
    task: ResolvedTask,
    folder: Path,
    epochs: int,
    max_samples: int,
    conductor: _Conductor,
    identity: Mapping[str, Plain],
) -> Path:
    """Let Inspect run a task, and return its log.

    Raises:
        RunError: it failed, or left something out.
        KeyboardInterrupt: it was interrupted.
    """
    try:
        logs = inspect_ai.eval(
            task,
            model=None,
            log_dir=str(folder),
            log_format="eval",
            display="none",
            epochs=epochs,
            max_samples=max_samples,
            max_connections=max_samples,  # also the batch that a local model waits for
            fail_on_error=False,
            log_samples=True,
            log_buffer=1,  # a try is in the file before the next one begins
            log_realtime=False,
            score_display=False,
            ctl_server=False,
            metadata={OURS: dict(identity)},
        )
    except Exception as error:
        raise conductor.failure or RunError("run-failed", f"{type(error).__name__}: {quoted(str(error))}") from error
    finally:
        _listeners().clear()
    if not logs or logs[0].status == "cancelled":
        raise KeyboardInterrupt
    path = folder / Path(logs[0].location).name
    if conductor.failure:
        if not conductor.began:
            path.unlink()  # nothing was run, and its header may be that of another run
        raise conductor.failure
    if logs[0].status != "success":
        raise RunError("run-failed", quoted(logs[0].error.message if logs[0].error else "no reason is given"))
    if not conductor.over:
        raise RunError("run-incomplete", "Inspect ended the run before every item was done")
    return path
