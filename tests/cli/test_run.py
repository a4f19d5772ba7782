"""`scalegate run`: a real Inspect task, decided early, through kills and concurrency, and read again by the gate."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scalegate.core.events import ResultReported
from scalegate.gate.sampling import path_of
from tests.cli.lab import LEA, Lab, Said

pytestmark = pytest.mark.extra
pytest.importorskip("inspect_ai", reason="the extra `inspect` is not installed")

TASK = '''
import asyncio

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import match
from inspect_ai.solver import solver

print("a task file that prints while it is loaded")


@solver
def fixed(delay):
    """Answer from the metadata; the later an id, the sooner it ends."""

    async def solve(state, generate):
        await asyncio.sleep(delay * (1 + (300 - int(state.sample_id[1:])) % 7))
        if state.metadata["says"] == "fails":
            raise ValueError("no answer")
        state.output = ModelOutput.from_content("mockllm/model", state.metadata["says"])
        return state

    return solve


@task
def quiz(delay=0.0, every=20, broken=0):
    samples = [
        Sample(
            id=f"q{number}",
            input=f"question {number}",
            target="right",
            metadata={"says": "fails" if number < broken else "right" if number % every == 0 else "wrong"},
        )
        for number in range(300)
    ]
    return Task(dataset=MemoryDataset(samples), solver=fixed(delay), scorer=match())
'''
MAIN = "import sys; from scalegate.cli.main import main; sys.exit(main())"


class Shop(Lab):
    """A lab that starts commands as processes, in its own folder and on the real clock."""

    def arguments(self, run: str = "r1", *more: str) -> list[str]:
        given = ["run", "autonomy", "--run", run, "--subject", "orion", "--task", "quiz.py@quiz"]
        given += ["--model", "mockllm/model", "--scorer", "match", *more, *LEA]
        return [sys.executable, "-c", MAIN, *given]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "SCALEGATE_NOW"}
        return kept | {"INSPECT_LOG_LEVEL": "error", "NO_COLOR": "1"}

    def start(self, run: str = "r1", *more: str) -> Said:
        done = subprocess.run(
            self.arguments(run, *more), cwd=self.folder, env=self.environment(), capture_output=True, text=True,
            timeout=240, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def start_and_kill(self, run: str, tries: int, *more: str) -> None:
        """Start a run and kill it as soon as so many tries have begun."""
        journal = self.store / "runs" / run / "attempts.jsonl"
        with subprocess.Popen(
            self.arguments(run, *more), cwd=self.folder, env=self.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            end = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < end:
                if journal.is_file() and journal.read_text().count("\n") >= tries:
                    break
                time.sleep(0.01)
            assert process.poll() is None, "it ended before it could be killed"
            process.send_signal(signal.SIGKILL)

    def result(self, run: str = "r1") -> ResultReported:
        (found,) = (
            entry.event
            for entry in self.history().entries
            if isinstance(entry.event, ResultReported) and entry.event.run == run
        )
        return found

    def plan(self, run: str = "r1"):
        return next(
            e.event for e in self.history().entries if getattr(e.event, "sampling", None) and e.event.run == run
        )


@pytest.fixture
def shop(bare: Lab) -> Shop:
    made = Shop(bare.folder)
    made.file("quiz.py", TASK)
    return made


def logs(shop: Shop, run: str = "r1") -> list[Path]:
    return sorted((shop.store / "runs" / run).glob("*.eval"))


def test_a_task_of_300_items_is_decided_early_and_the_gate_permits(shop):
    said = shop.start("r1", "--format", "json")
    assert said.code == 0, said.err
    assert said.json["decided"] is True
    assert 30 < said.json["samples"] < 250
    (question,) = [item for item in said.json["questions"] if item["threshold"] == "1/5"]
    assert question["answer"] == "not above"
    result = shop.result()
    assert result.adaptive
    assert path_of(shop.plan(), result).settled <= len(result.outcomes)
    assert shop.gate().code == 0


def test_a_run_that_is_killed_and_resumed_gives_the_same_verdict(shop, tmp_path):
    """Both go on from one registration, so that the order is the same; one is killed twice on its way."""
    slow = ("--task-arg", "delay=0.004")
    shop.start_and_kill("r1", 25, *slow)
    registered = shop.history()
    twin = Shop(tmp_path / "twin")
    shutil.copytree(shop.folder, twin.folder, ignore=shutil.ignore_patterns("runs"))
    shop.start_and_kill("r1", 55, *slow)
    killed, whole = shop.start("r1", *slow), twin.start("r1", *slow)
    assert (killed.code, whole.code) == (0, 0), killed.err + whole.err
    assert twin.history().entries[: len(registered.entries)] == registered.entries
    one, other = path_of(shop.plan(), shop.result()), path_of(twin.plan(), twin.result())
    assert (one.seen, one.settled) == (other.seen, other.settled)
    assert shop.gate().code == twin.gate("--store", twin.store).code == 0
    assert len(logs(shop)) == 1


def test_what_the_gate_decides_on_is_in_the_log_alone(shop, tmp_path):
    """The log of a run, added by hand to a store that has only the registration, is the same result."""
    shop.start_and_kill("r1", 5, "--task-arg", "delay=0.01")
    twin = Shop(tmp_path / "twin")
    shutil.copytree(shop.folder, twin.folder, ignore=shutil.ignore_patterns("runs"))
    assert shop.start("r1", "--task-arg", "delay=0.01").code == 0
    (log,) = logs(shop)
    twin.do("evidence", "add", "r1", log, "--store", twin.store, *LEA)
    mine, theirs = twin.result(), shop.result()
    assert (mine.outcomes, mine.log, mine.content) == (theirs.outcomes, theirs.log, theirs.content)
    assert twin.gate("--store", twin.store).code == 0


def test_a_crossing_ends_the_run_after_a_few_samples(shop):
    said = shop.start("r1", "--task-arg", "every=1", "--format", "json")
    assert said.code == 0, said.err
    assert said.json["samples"] < 30
    assert shop.gate().code == 1
    assert "crossed" in shop.gate().out


def test_items_without_an_answer_widen_both_ends(shop):
    said = shop.start("r1", "--task-arg", "broken=60", "--format", "json")
    assert said.code in (0, 3), said.err
    result = shop.result()
    assert result.outcomes.count("-") > 5
    assert len(result.outcomes) > 60


def test_a_run_that_has_its_result_is_not_run_again(shop):
    assert shop.start().code == 0
    again = shop.start()
    assert again.code == 1
    assert "has its result already" in again.err


def test_a_task_that_changed_meanwhile_is_refused(shop):
    shop.start_and_kill("r1", 20, "--task-arg", "delay=0.01")
    said = shop.start("r1", "--task-arg", "delay=0.01", "--task-arg", "every=3")
    assert said.code == 1
    assert "error[run-changed]" in said.err or "error[run-other]" in said.err


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (("--task", "nothing.py@quiz"), 1, "task-unloadable"),
        (("--scorer", "f1"), 1, "scorer-missing"),
        (("--model-arg", "x"), 2, "KEY=VALUE"),
        (("--subject", "nobody"), 2, "subject-unknown"),
    ],
)
def test_what_cannot_be_run_says_why(shop, change, code, word):
    said = shop.start("r1", *change)
    assert said.code == code, said
    assert word in said.err
