"""What a run of Inspect leaves in its folder: a journal of begun tries, and the log to go on from after a crash."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from inspect_ai._eval.task.run import EvalSampleSource, SeedSource
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample, EvalSpec, read_eval_log
from inspect_ai.model import ModelUsage

from scalegate.core.canonical import Plain, digest_bytes
from scalegate.ingest.columns import columns
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.sample_table import SAMPLE_FIELDS, SampleTable
from scalegate.ingest.sanitize import quoted
from scalegate.ingest.strict_json import parse

JOURNAL = "attempts.jsonl"
"""Name of the journal: one line, `{"item": ..., "try": ...}`, for each try that was begun, in their order."""

OURS = "scalegate"
"""Key under which the metadata of a log say which run it is of."""

Try = tuple[str, int]
"""An item, and which try of it, from 1."""

_COLUMNS = 100_000
# What may not change between the interruptions of a run; the rest of a specification names runs and files.
_SAME = {
    "task",
    "task_version",
    "task_args",
    "solver",
    "solver_args",
    "sandbox",
    "model",
    "model_args",
    "model_base_url",
    "model_generate_config",
    "model_roles",
    "dataset",
    "scorers",
    "metrics",
    "config",
    "packages",
}
_FREE_SETTINGS = ("max_samples", "max_tasks", "max_subprocesses", "max_sandboxes", "max_dataset_memory")


class RunError(Exception):
    """A run that could not begin, go on or end; it can be tried again once the cause is gone.

    Attributes:
        code: which one. Before anything runs `order-empty`, `order-twice`, `order-uncovered`, `task-unloadable`,
            `task-stops`, `scorer-missing`; because of what the folder holds `run-elsewhere`, `run-other`,
            `run-changed`, `log-unreadable`, `logs-contradict`; and `run-failed`, `run-incomplete`, `order-broken`.
    """

    def __init__(self, code: str, message: str) -> None:
        """Say which error it is, and what exactly."""
        self.code = code
        super().__init__(message)


class Journal:
    """Tries that were begun, each recorded before it begins.

    Attributes:
        begun: how often each try was.
    """

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - the type of an unbuffered file is private
        """Read what an unbuffered file holds, which is then appended to."""
        self._file = file
        self.begun: Counter[Try] = Counter()
        for line in file.readlines():
            # A kill can cut the last line: that try never began.
            with suppress(ValueError, KeyError, TypeError):
                row = json.loads(line)
                self.begun[row["item"], row["try"]] += 1

    def begin(self, item: str, number: int) -> None:
        """Record that a try begins."""
        self.begun[item, number] += 1
        self._file.write(json.dumps({"item": item, "try": number}).encode() + b"\n")


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """Open the journal of a folder, which only one process can have; it goes with the process.

    Raises:
        RunError: another process has it.
    """
    with (folder / JOURNAL).open("a+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError("run-elsewhere", f"another process is at the run in `{folder}`") from error
        file.seek(0)
        yield Journal(file)


@dataclass(frozen=True, slots=True)
class Prior:
    """A log to go on from.

    Attributes:
        path: its file.
        log: its contents.
        samples: the tries that are over.
    """

    path: Path
    log: EvalLog
    samples: dict[Try, EvalSample]

    def reused(self, epochs: int) -> dict[str, Any]:
        """Return what makes Inspect take these tries for its own instead of running them, as fields of its task.

        Args:
            epochs: tries of each item.
        """

        async def look_up(item: int | str, epoch: int) -> EvalSample | None:
            return self.samples.get((str(item), epoch))

        # Inspect's own retry runs what ended in an error again; here an error is an outcome like any other.
        async def classify(_item: int | str, _epoch: int, sample: EvalSample | None) -> EvalSample | None:
            return sample

        usage: tuple[dict[str, ModelUsage], dict[str, ModelUsage]] = ({}, {})
        for sample in self.samples.values():
            for sums, spent in zip(usage, (sample.model_usage, sample.role_usage), strict=True):
                for name, tokens in spent.items():
                    sums[name] = sums.get(name, ModelUsage()) + tokens
        return {
            # From memory: a copy of the file would carry tries that were cut off, beside those that replace them.
            "sample_source": EvalSampleSource(look_up, SeedSource([*self.samples.values()], classify, epochs)),
            "initial_model_usage": usage[0],
            "initial_role_usage": usage[1],
        }


def read_prior(folder: Path, identity: Mapping[str, Plain]) -> Prior | None:
    """Return the log to go on from, None for a fresh run; what else is there holds no more, and is removed.

    Raises:
        RunError: a log cannot be read, is of another run, or two of them tell different things.
    """
    found: list[Prior] = []
    for path in sorted(folder.glob("*.eval")):
        try:
            log = read_eval_log(str(path))
            samples = [sample for sample in log.samples or () if not cut_off(sample)]
        except Exception as error:  # whatever a damaged file makes of a foreign reader
            raise RunError("log-unreadable", f"`{path}`: {quoted(str(error))}") from error
        check_identity(log.eval, identity, path)
        found.append(Prior(path, log, {(str(sample.id), sample.epoch): sample for sample in samples}))
    if not found:
        return None
    # Each log takes in the one before it. Among equals the first: a later one may have been killed on its way out,
    # refused for what its header says.
    best = max(found, key=lambda one: (len(one.samples), one.log.status == "success"))
    for other in found:
        for key, sample in other.samples.items():
            if key not in best.samples or best.samples[key].uuid != sample.uuid:
                both = f"`{best.path}` and `{other.path}`"
                raise RunError("logs-contradict", f"{both} tell different things of {quoted(key[0])}")
    keep_only(best.path)
    return best


def keep_only(log: Path) -> None:
    """Remove the other logs of a folder, and drafts of logs that a kill left behind."""
    for path in (*log.parent.glob("*.eval"), *log.parent.glob(".inspect_tmp_*")):
        if path.name != log.name:
            path.unlink(missing_ok=True)


def cut_off(sample: EvalSample) -> bool:
    """Tell whether a try was interrupted before it had an outcome.

    One that was interrupted when it had its score already is over: it counts as an error, and is not tried again.
    """
    if sample.error is None or sample.scores:
        return False
    return bool(sample.error.message.startswith(("CancelledError(", "Cancelled(")))


# -- what runs and samples are told apart by ------------------------------------------------------


def check_identity(spec: EvalSpec, identity: Mapping[str, Plain], path: Path) -> None:
    """Compare what a log says of its run with what it has to be.

    Raises:
        RunError: it is of another run.
    """
    kept = (spec.metadata or {}).get(OURS)
    for name, value in identity.items():
        said = kept.get(name) if isinstance(kept, dict) else None
        if said != value:
            shown = f"its {name} is {quoted(str(said))}, not {quoted(str(value))}"
            raise RunError("run-other", f"`{path}` is of another run: {shown}")


def changes(before: EvalSpec, now: EvalSpec) -> list[str]:
    """Return which parts of a run changed that may not change while it goes on."""
    old, new = _outline(before), _outline(now)
    return sorted(name for name in _SAME if old.get(name) != new.get(name))


def _outline(spec: EvalSpec) -> dict[str, Any]:
    kept: dict[str, Any] = _bare(json.loads(spec.model_dump_json(include=set(_SAME), fallback=lambda _: None)))
    for name in _FREE_SETTINGS:
        kept["config"].pop(name, None)
    kept["dataset"].pop("location", None)  # relative to wherever the process began
    return kept


def _bare(value: Any) -> Any:  # noqa: ANN401 - JSON is any of six types
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items() if part is not None}
    return [_bare(part) for part in value] if isinstance(value, list) else value


def fingerprint(samples: Iterable[Sample]) -> str:
    """Return a digest of what the items ask and expect, in their order; of files only their names count."""
    rows = []
    for sample in samples:
        row = sample.model_dump(mode="json", exclude_none=True, fallback=lambda value: type(value).__name__)
        for message in row["input"] if isinstance(row["input"], list) else ():
            message.pop("id", None)  # drawn at random when a data set is loaded
        rows.append(json.dumps(row, sort_keys=True))
    return digest_bytes("\n".join(rows).encode())


def score_of(sample: EvalSample, scorer: str) -> Fraction | None:
    """Return the score of a sample as `scalegate.ingest` will read it from the log, None where it is missing.

    Raises:
        RunError: the reader would refuse the sample.
    """
    try:
        text = sample.model_dump_json(include=set(SAMPLE_FIELDS), exclude_none=True)
        table = SampleTable()
        table.add(parse(text.encode(), "sample"), "sample")
        made, _, _ = columns(table, [(sample.id, sample.epoch, 0)], _COLUMNS)
    except ObjectionError as error:
        raise RunError("run-failed", f"item {quoted(str(sample.id))}: {error}") from error
    return next((column.values[0] for column in made if column.scorer == scorer), None)
