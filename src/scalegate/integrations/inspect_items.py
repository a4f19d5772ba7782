"""What an Inspect task is, before anything of it is run: loaded with its model, and named as its log will name it.

Needs the extra `inspect`. (inspect_ai 0.3.285: `_eval/eval.py`, `_eval/task/log.py`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from inspect_ai import Task
from inspect_ai._eval.eval import eval_init, eval_resolve_tasks
from inspect_ai._eval.task.resolved import ResolvedTask
from inspect_ai.model import GenerateConfig, Model, ModelName

from scalegate.core.quantities import show_count
from scalegate.ingest.sanitize import quoted
from scalegate.integrations.inspect_folder import RunError


@dataclass(frozen=True, slots=True)
class Described:
    """A task and a model, as their log will name them.

    Attributes:
        task, model: names.
        items: ids of the samples, in the order of the data set.
    """

    task: str
    model: str
    items: tuple[str, ...]


def describe(task: str, model: str, *, model_args: Mapping[str, Any], task_args: Mapping[str, Any]) -> Described:
    """Load a task and a model, and run nothing; arguments and errors are those of `load`."""
    found = load(task, model, model_args, task_args)
    items = tuple(str(sample.id) for sample in found.task.dataset)
    return Described(found.task.name, str(ModelName(found.model)), items)


def load(
    task: str | Task, model: str | Model, model_args: Mapping[str, Any], task_args: Mapping[str, Any]
) -> ResolvedTask:
    """Load a task and its model. Samples without an id get the one that Inspect would give them.

    Args:
        task: `file.py@name`, the name of an installed task, or a task.
        model: name of a model as Inspect writes it, or a model.
        model_args: further arguments of the model.
        task_args: arguments of the task, where it is given by name.

    Raises:
        RunError: `task-unloadable`.
    """
    try:
        (judged,) = eval_init(model=model, model_args=dict(model_args))
        found, *_ = eval_resolve_tasks(
            task, dict(task_args), [judged], None, GenerateConfig(), None, None, None,
            input_media_policy="trusted_pre_run",
        )  # fmt: skip
    except Exception as error:  # whatever the code of a task, or the loader of a model, raises
        raise RunError("task-unloadable", f"{type(error).__name__}: {quoted(str(error))}") from error
    if len(found) != 1:
        raise RunError("task-unloadable", f"{quoted(str(task))} holds {show_count(len(found), 'task')}, not one")
    for number, sample in enumerate(found[0].task.dataset, start=1):
        sample.id = number if sample.id is None else sample.id
    return replace(found[0], model=judged)
