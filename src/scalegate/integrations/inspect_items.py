"""What an Inspect task will be called in its log, and what it holds, before anything of it is run.

Needs the extra `inspect`. (inspect_ai 0.3.285: `_eval/eval.py`, `_eval/task/log.py`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inspect_ai._eval.eval import eval_init, eval_resolve_tasks
from inspect_ai.model import GenerateConfig, ModelName

from scalegate.ingest.sanitize import quoted
from scalegate.integrations.inspect import RunError


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
    """Load a task and a model, and run nothing.

    Args:
        task: `file.py@name`, or the name of an installed task.
        model: name of a model as Inspect writes it.
        model_args: further arguments of the model.
        task_args: arguments of the task.

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
        raise RunError("task-unloadable", f"{quoted(task)} holds {len(found)} tasks, not one")
    samples = found[0].task.dataset
    ids = tuple(str(place if sample.id is None else sample.id) for place, sample in enumerate(samples, 1))
    return Described(found[0].task.name, str(ModelName(judged)), ids)
