"""The ladder: eight Pythia sizes, 27 checkpoints each, and the evaluations that were published of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from scalegate.core.reading import Reading
from scalegate.ingest.read import read_log

# Parameters without embeddings, as the Pythia paper (arXiv:2304.01373, table 1) gives them.
PARAMETERS = {
    "70m": 18_915_328,
    "160m": 85_056_000,
    "410m": 302_311_424,
    "1b": 805_736_448,
    "1.4b": 1_208_602_624,
    "2.8b": 2_517_652_480,
    "6.9b": 6_444_163_072,
    "12b": 11_327_027_200,
}
TOKENS_A_STEP = 2_097_152  # 1,024 sequences of 2,048 tokens
FLOP_A_PARAMETER_AND_TOKEN = 6  # the usual estimate of forward and backward pass
STEPS = (0, *(2**power for power in range(10)), 1_000, 3_000, *range(13_000, 144_000, 10_000))

# Task of each evaluation, and the number of its items. The harness did not report it: the standard errors give it, and
# every file must give the same. An accuracy of exactly 0 has no standard error; those files say that the whole task was
# run (`limit: null`), so that the number is that of the other 129 files.
TASKS = {
    "next-word": ("lambada_openai", 5_153),
    "school-science": ("arc_easy", 2_376),
    "physical-sense": ("piqa", 1_838),
}


class LadderError(Exception):
    """The files are not the ladder: one is absent, refused, or of another model."""


@dataclass(frozen=True, slots=True)
class Count:
    """A published share of successes, turned into items; `inferred` when its own standard error says nothing."""

    successes: int
    items: int
    inferred: bool


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint: its step, what was spent on it (FLOP), its results file, and the counts of each evaluation."""

    step: int
    compute: int
    reading: Reading
    counts: dict[str, Count]


def flop(size: str, step: int) -> int:
    """Return the training compute of a size at a step, in FLOP."""
    return FLOP_A_PARAMETER_AND_TOKEN * PARAMETERS[size] * TOKENS_A_STEP * step


def read_size(folder: Path, size: str) -> list[Checkpoint]:
    """Read all checkpoints of one size through the reader that evidence goes through.

    Raises:
        LadderError: if a file is absent or refused.
    """
    found = []
    for step in STEPS:
        path = folder / f"pythia-{size}-deduped" / "zero-shot" / f"{size}-deduped_step{step}.json"
        reading = read_log(path)
        if reading.refusal is not None:
            raise LadderError(f"{path.name}: {reading.refusal.code} {reading.refusal.message}")
        if not reading.model.endswith(f"-{size}-deduped@step{step}"):
            raise LadderError(f"{path.name} is about {reading.model}")
        counts = {name: _count(reading, task, items) for name, (task, items) in TASKS.items()}
        found.append(Checkpoint(step, flop(size, step), reading, counts))
    return found


def _count(reading: Reading, task: str, items: int) -> Count:
    """Return the counts behind an accuracy.

    Raises:
        LadderError: if it is absent, or no share of the number of items.
    """
    found = next((item for item in reading.aggregates if (item.task, item.metric) == (task, "acc")), None)
    if found is None or found.value is None:
        raise LadderError(f"{reading.model} has no accuracy on {task}")
    inferred = found.n is None and found.value == 0 and found.stderr == 0
    if found.n != items and not inferred:
        raise LadderError(f"{reading.model}: the standard error on {task} stands for {found.n} items, not {items}")
    successes = round(found.value * items)
    if abs(found.value * items - successes) > Fraction(1, 1_000_000):
        raise LadderError(f"{reading.model}: {float(found.value)} is no share of the {items} items of {task}")
    return Count(successes, items, inferred)
