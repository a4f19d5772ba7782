"""Inspect runs what was registered, in that order, until it is decided, and goes on after any interruption."""

import asyncio
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scalegate.ingest.read import read_log
from tests.conftest import ROOT
from tests.ingest.logs import codes

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

inspect_ai = pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")
from inspect_ai.dataset import MemoryDataset, Sample  # noqa: E402
from inspect_ai.log import read_eval_log  # noqa: E402
from inspect_ai.scorer import Score, match, mean, scorer  # noqa: E402
from inspect_ai.solver import generate  # noqa: E402

from scalegate.integrations.inspect import RunError, _Conductor, run_task  # noqa: E402
from scalegate.integrations.inspect_folder import JOURNAL, open_journal  # noqa: E402
from tests.integrations.inspected import (  # noqa: E402
    Prefix,
    answering,
    bank,
    expected,
    registered,
    usual,
)

PROGRAM = Path(__file__).with_name("inspected.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
# The first four are of the repository that the tests run in, the last says that something is missing.
COMMON = {"E601", "E602", "E604", "E605", "E701"}


class StumbleError(Exception):
    """Raised by a watch in the middle of a run."""


class Stumbling(Prefix):
    """Fails at some item."""

    def __init__(self, order, at):
        super().__init__(order)
        self.at = at

    def see(self, item, score):
        super().see(item, score)
        if len(self.seen) == self.at:
            raise StumbleError


def begun(folder):
    return [tuple(json.loads(line).values()) for line in (folder / JOURNAL).read_text().splitlines()]


def column(log):
    """Scores by item, as the reader has them."""
    (found,) = read_log(log).columns
    return dict(zip(map(str, found.items), found.values, strict=True))


def objections(log):
    """What the reader says of a log, beyond what it says of all logs of these tests."""
    return set(codes(read_log(log).findings)) - COMMON


def only_log(folder):
    (path,) = folder.glob("*.eval")
    return path


def stumble(folder, at=20, **options):
    """Begin a run that fails after some items, and return what was seen until then."""
    watch = Stumbling(registered(60), at)
    with pytest.raises(StumbleError):
        run_task(
            options.pop("task", None) or bank(), answering(usual), watch, "match", folder, max_samples=4, **options
        )
    return watch.seen


# -- order and end --------------------------------------------------------------------------------


def test_items_begin_in_registered_order_and_end_when_it_is_decided(tmp_path, capsys):
    told = []
    watch = Prefix(registered(200), 50)
    done = run_task(
        bank(), answering(usual), watch, "match", tmp_path, max_samples=6, run="r1",
        progress=lambda *counts: told.append(counts),
    )  # fmt: skip
    assert (done.log, done.complete, done.stopped_early, done.restarted) == (only_log(tmp_path), True, True, ())
    ran = [item for item, _ in begun(tmp_path)]
    assert ran == watch.order[: len(ran)]
    assert 50 <= len(ran) <= 50 + 6
    assert watch.seen == {item: expected(item) for item in ran}
    assert told == [(count, 200) for count in range(1, len(ran) + 1)]
    assert capsys.readouterr().out == ""
    log = read_eval_log(str(done.log))
    assert log.status == "success"
    assert log.eval.dataset.sample_ids == watch.order
    assert log.eval.metadata["scalegate"]["run"] == "r1"
    assert log.results.early_stopping.manager == "scalegate"
    assert log.results.early_stopping.metadata == {"decided": True, "restarted": []}
    assert {stop.id for stop in log.results.early_stopping.early_stops} == set(watch.order) - set(ran)


def test_a_log_that_stopped_early_is_read_as_such(tmp_path):
    watch = Prefix(registered(100), 30)
    done = run_task(bank(), answering(usual), watch, "match", tmp_path, max_samples=3)
    reading = read_log(done.log)
    assert objections(done.log) == {"E501"}
    assert [str(item) for item in reading.planned] == watch.order
    seen = {item: watch.seen.get(item) for item in watch.order}
    assert column(done.log) == seen


def test_a_log_of_all_items_is_evidence_like_any_other(tmp_path):
    watch = Prefix(registered(40))
    done = run_task(bank(), answering(usual), watch, "match", tmp_path)
    assert (done.complete, done.stopped_early) == (True, False)
    assert read_log(done.log).refusal is None
    assert objections(done.log) == set()
    assert column(done.log) == watch.seen == {item: expected(item) for item in watch.order}


def test_what_is_missing_is_told_as_missing(tmp_path):
    @scorer(metrics=[mean()])
    def graded():
        async def score(state, target):  # noqa: ARG001
            number = int(state.input_text.split()[-1])
            if number % 4 == 0:
                return Score.unscored(reason="grader_failed")
            return None if number % 4 == 1 else Score(value=number % 4 == 2)

        return score

    watch = Prefix([f"q{number}" for number in range(1, 13)])
    task = bank(range(1, 13), scorer=[graded(), match()], solver=[generate()])
    done = run_task(task, answering(lambda number: "yes"), watch, "graded", tmp_path)  # noqa: ARG005
    found = next(column for column in read_log(done.log).columns if column.scorer == "graded")
    assert watch.seen == dict(zip(found.items, found.values, strict=True))
    assert Counter(watch.seen.values()) == {None: 6, 1: 3, 0: 3}


def test_an_item_that_hits_a_limit_is_missing_though_scored(tmp_path):
    watch = Prefix(["q1", "q2"])
    done = run_task(bank(message_limit=1), answering(usual), watch, "match", tmp_path)
    assert watch.seen == {"q1": None, "q2": None} == column(done.log)
    assert [sample.limit.type for sample in read_eval_log(str(done.log)).samples] == ["message", "message"]


def test_one_key_of_a_score_counts(tmp_path):
    @scorer(metrics={"a": [mean()], "b": [mean()]})
    def rubric():
        async def score(state, target):  # noqa: ARG001
            return Score(value={"a": int(state.input_text.split()[-1]) % 2, "b": 0.25})

        return score

    watch = Prefix(["q2", "q3"])
    run_task(bank(scorer=rubric()), answering(usual), watch, "rubric/a", tmp_path)
    assert watch.seen == {"q2": 0, "q3": 1}


def test_several_tries_of_an_item_are_told_together(tmp_path):
    tries = Counter()

    def second_time(number):
        tries[number] += 1
        return "yes" if tries[number] == 2 else "no"

    watch = Prefix(["q3", "q1", "q2"])
    done = run_task(bank(), answering(second_time), watch, "match", tmp_path, epochs=2, max_samples=1)
    assert watch.seen == dict.fromkeys(watch.order, (0, 1))
    assert begun(tmp_path) == [("q3", 1), ("q1", 1), ("q2", 1), ("q3", 2), ("q1", 2), ("q2", 2)]
    assert (done.complete, done.stopped_early) == (True, False)


def test_an_item_out_of_turn_does_not_begin(tmp_path):
    with open_journal(tmp_path) as journal:
        conductor = _Conductor(Prefix(["q3", "q1", "q2"]), ("q3", "q1", "q2"), 1, "match", journal, None, None)
        assert asyncio.run(conductor.schedule_sample("q3", 1)) is None
        with pytest.raises(RunError, match="`q2` out of turn") as stop:
            asyncio.run(conductor.schedule_sample("q2", 1))
    assert stop.value.code == "order-broken"
    assert begun(tmp_path) == [("q3", 1)]


@pytest.mark.parametrize("number", [None, int], ids=["no ids", "numbers"])
def test_ids_that_are_no_text(tmp_path, number):
    samples = [Sample(id=number and number(row), input=f"question {row}", target="yes") for row in range(1, 9)]
    task = inspect_ai.Task(dataset=MemoryDataset(samples), solver=[generate()], scorer=match())
    watch = Prefix(["7", "3", "8"])
    done = run_task(task, answering(usual), watch, "match", tmp_path)
    assert watch.seen == {"7": 1, "3": 0, "8": 1} == column(done.log)
    assert {sample.input for sample in read_eval_log(str(done.log)).samples} == {f"question {row}" for row in (3, 7, 8)}


def test_a_task_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks.py").write_text(
        "from inspect_ai import Task, task\n"
        "from inspect_ai.dataset import Sample\n"
        "from inspect_ai.scorer import includes\n"
        "print('loaded')\n"
        "@task\n"
        "def small(word='yes'):\n"
        "    samples = [Sample(id=f'q{n}', input=f'question {n}', target=word) for n in range(9)]\n"
        "    return Task(samples, scorer=includes())\n"
        "@task\n"
        "def other():\n"
        "    return small()\n"
    )
    watch = Prefix(["q4", "q2"])
    spec = f"{tmp_path / 'tasks.py'}@small"
    done = run_task(
        spec, answering(usual), watch, "includes", tmp_path / "run", task_args={"word": "es"}, model_args={"x": 1}
    )
    assert watch.seen == {"q4": 1, "q2": 1}
    assert read_eval_log(str(done.log)).eval.task_args == {"word": "es"}
    with pytest.raises(RunError, match="2 tasks") as stop:
        run_task("tasks.py", answering(usual), watch, "includes", tmp_path / "two")
    assert stop.value.code == "task-unloadable"


# -- going on -------------------------------------------------------------------------------------


def test_what_is_over_is_not_run_again(tmp_path):
    first = stumble(tmp_path)
    before = read_eval_log(str(only_log(tmp_path)))
    assert before.status == "error"
    over = {sample.id: sample.uuid for sample in before.samples if not sample.error or "broken" in sample.error.message}
    called = []

    def otherwise(number):
        called.append(f"q{number}")
        return "yes"

    watch = Prefix(registered(60))
    done = run_task(bank(), answering(otherwise), watch, "match", tmp_path)
    assert set(called) == set(watch.order) - set(over)
    assert len(called) == len(set(called))
    assert first.items() <= watch.seen.items()
    assert watch.seen == {item: expected(item) if item in over else 1 for item in watch.order} == column(done.log)
    assert None in {watch.seen[item] for item in over}
    log = read_eval_log(str(done.log))
    assert {sample.id: sample.uuid for sample in log.samples}.items() >= over.items()
    assert log.eval.task_id == before.eval.task_id
    assert log.results.completed_samples == 60 - sum(expected(item) is None for item in over)
    assert sum(usage.total_tokens for usage in log.stats.model_usage.values()) >= 4 * (log.results.completed_samples)


def test_a_log_of_a_run_that_went_on_is_clean(tmp_path):
    stumble(tmp_path)
    done = run_task(bank(), answering(usual), Prefix(registered(60), 30), "match", tmp_path)
    assert only_log(tmp_path) == done.log
    assert objections(done.log) == {"E501"}


def test_a_decided_run_that_died_before_its_end_runs_nothing_more(tmp_path):
    seen = stumble(tmp_path, at=25)
    called = []
    watch = Prefix(registered(60), 20)
    done = run_task(bank(), answering(called.append), watch, "match", tmp_path)
    assert called == []
    assert done.stopped_early
    assert watch.seen.items() >= seen.items()


def test_a_run_that_ended_gives_its_log_again(tmp_path):
    first = run_task(bank(), answering(usual), Prefix(registered(30), 10), "match", tmp_path, max_samples=2)
    data = first.log.read_bytes()
    watch = Prefix(registered(30), 10)
    again = run_task("nowhere.py@gone", "mockllm/model", watch, "match", tmp_path)
    assert again == first
    assert first.log.read_bytes() == data
    assert len(watch.seen) >= 10


def test_tries_that_were_cut_off_begin_again_and_are_named(tmp_path):
    stumble(tmp_path)
    held = {sample.id for sample in read_eval_log(str(only_log(tmp_path))).samples if not cut(sample)}
    lost = [item for item, _ in begun(tmp_path) if item not in held]
    done = run_task(bank(), answering(usual), Prefix(registered(60)), "match", tmp_path)
    assert list(done.restarted) == lost
    assert read_eval_log(str(done.log)).results.early_stopping.metadata["restarted"] == lost


def cut(sample):
    return bool(sample.error and sample.error.message.startswith("Cancel"))


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, None], ids=["kill", "interrupt", "both"])
def test_a_run_survives_being_killed_at_any_time(tmp_path, sent):
    """Until it ends by itself: what is in a log stays as it is, and what is not was under way."""
    seed = random.Random(20_260_101)
    run, items, needed, together = tmp_path / "run", 300, 200, 6
    known, ends = {}, 0
    for patience in range(1, 60):
        child = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(tmp_path), str(items), str(needed), str(together)],
            env=ENVIRONMENT, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            said, wrong = child.communicate(timeout=seed.uniform(1.0, 2.0 + patience / 2))
            assert (child.returncode, said) == (0, ""), wrong
            break
        except subprocess.TimeoutExpired:
            child.send_signal(sent or seed.choice([signal.SIGKILL, signal.SIGINT]))
            child.communicate()
            ends += 1
        logs = [read_eval_log(str(path)) for path in run.glob("*.eval")]
        held = [{sample.id: sample.uuid for sample in log.samples or () if not cut(sample)} for log in logs]
        best = max(held, key=len, default={})
        assert known.items() <= best.items()
        assert set((tmp_path / "seen").read_text().split() if logs else ()) <= best.keys()
        assert all(one.items() <= best.items() for one in held)
        known = best
    tries = Counter(item for item, _ in begun(run))
    calls = Counter((tmp_path / "calls").read_text().split())
    assert ends > 0
    assert calls.keys() <= tries.keys()
    assert all(calls[item] <= tries[item] for item in calls)
    assert sum(tries.values()) - len(tries) <= together * ends
    assert list(tries) == registered(items)[: len(tries)]
    log = read_eval_log(str(only_log(run)))
    assert {sample.id: sample.uuid for sample in log.samples}.items() >= known.items()
    assert {sample.id for sample in log.samples} == set(tries)
    assert set(log.results.early_stopping.metadata["restarted"]) == {item for item in tries if tries[item] > 1}
    assert objections(only_log(run)) == {"E501"}
    assert column(only_log(run)) == {item: expected(item) if item in tries else None for item in registered(items)}
    assert not list(run.glob(".inspect_tmp_*"))


# -- what is refused ------------------------------------------------------------------------------


def refused(code, folder, watch=None, *, task=None, model=None, name="match", **options):
    with pytest.raises(RunError) as stop:
        run_task(task or bank(), model or answering(usual), watch or Prefix(registered(60)), name, folder, **options)
    assert stop.value.code == code, stop.value
    return str(stop.value)


def test_a_data_set_that_lacks_a_registered_item(tmp_path):
    message = refused("order-uncovered", tmp_path, Prefix(["q1", "q401", "q7", "q999"]))
    assert message == "the data set of 400 samples lacks 2 of 4 registered items, such as `q401`"
    assert not list(tmp_path.glob("*.eval"))


def test_an_order_that_is_none(tmp_path):
    refused("order-empty", tmp_path, Prefix([]))
    refused("order-twice", tmp_path, Prefix(["q1", "q2", "q1"]))


def test_a_scorer_that_the_task_lacks(tmp_path):
    message = refused("scorer-missing", tmp_path, name="exact")
    assert message == "the task has no scorer `exact`; it has `match`"
    assert not list(tmp_path.glob("*.eval"))
    assert run_task(bank(), answering(usual), Prefix(["q1"]), "match", tmp_path).complete


def test_a_task_that_stops_by_itself(tmp_path):
    class Stop:
        async def start_task(self, task, samples, epochs):  # noqa: ARG002
            return "stop"

    refused("task-stops", tmp_path, task=bank(early_stopping=Stop()))


@pytest.mark.parametrize("spec", ["absent.py@x", "no_such_package/task"])
def test_a_task_that_is_not_there(tmp_path, spec):
    refused("task-unloadable", tmp_path, task=str(tmp_path / spec))


def test_two_samples_with_one_id(tmp_path):
    refused("task-unloadable", tmp_path, task=bank([*range(1, 100), 5]))


def test_another_run_in_the_folder(tmp_path):
    stumble(tmp_path, run="r1")
    assert "its run is `r1`, not `r2`" in refused("run-other", tmp_path, run="r2")
    assert "its order is" in refused("run-other", tmp_path, Prefix(registered(60, seed=8)), run="r1")
    assert "its scorer is" in refused("run-other", tmp_path, name="match/x", run="r1")
    assert "its tries is `1`" in refused("run-other", tmp_path, epochs=2, run="r1")
    changed = bank()
    changed.dataset[int(registered(60)[3][1:]) - 1].target = "no"
    assert "its samples is" in refused("run-other", tmp_path, task=changed, run="r1")


def test_a_run_that_would_go_on_otherwise(tmp_path):
    stumble(tmp_path)
    log = only_log(tmp_path)
    data = log.read_bytes()
    assert refused("run-changed", tmp_path, model=answering(usual, name="other")).endswith("another model")
    assert refused("run-changed", tmp_path, task=bank(message_limit=9)).endswith("another config")
    assert refused("run-changed", tmp_path, task=bank(version=2)).endswith("another task_version")
    assert only_log(tmp_path) == log
    assert log.read_bytes() == data
    assert run_task(bank(), answering(usual), Prefix(registered(60)), "match", tmp_path).complete


def test_what_was_refused_is_not_gone_on_from_even_when_it_was_left_behind(tmp_path, monkeypatch):
    stumble(tmp_path)
    with monkeypatch.context() as stuck:
        stuck.setattr(Path, "unlink", lambda *_, **__: None)
        refused("run-changed", tmp_path, model=answering(usual, name="other"))
    assert len(list(tmp_path.glob("*.eval"))) == 2
    refused("run-changed", tmp_path, model=answering(usual, name="other"))
    assert run_task(bank(), answering(usual), Prefix(registered(60)), "match", tmp_path).complete


def test_two_processes_at_one_run(tmp_path):
    with (tmp_path / JOURNAL).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused("run-elsewhere", tmp_path)


def test_logs_that_cannot_both_be_true(tmp_path):
    stumble(tmp_path / "a")
    stumble(tmp_path / "b")
    path = only_log(tmp_path / "b")
    path.rename(tmp_path / "a" / f"x{path.name}")
    refused("logs-contradict", tmp_path / "a")


def test_a_log_that_is_damaged(tmp_path):
    stumble(tmp_path)
    path = only_log(tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])
    refused("log-unreadable", tmp_path)
