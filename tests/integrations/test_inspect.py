"""Inspect runs what was registered, in that order, until it is decided, and goes on after any interruption."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest

from scalegate.ingest.read import read_log
from tests.conftest import ROOT

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
from scalegate.integrations.inspect_folder import open_journal  # noqa: E402
from tests.integrations.inspected import (  # noqa: E402
    Prefix,
    answering,
    bank,
    begun,
    check_refused,
    column,
    expected,
    objections,
    only_log,
    registered,
    usual,
)

PROGRAM = Path(__file__).with_name("inspected.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


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


def test_one_task_serves_several_runs(tmp_path):
    task, model = bank(), answering(usual)
    for name in ("a", "b"):
        watch = Prefix(["q2", "q1"])
        run_task(task, model, watch, "match", tmp_path / name)
        assert watch.seen == {"q2": 1, "q1": 1}
    assert len(task.dataset) == 400


def test_a_run_in_which_everything_breaks_is_no_evidence(tmp_path):
    watch = Prefix(["q5", "q22", "q39"], 2)
    done = run_task(bank(), answering(usual), watch, "match", tmp_path, max_samples=1)
    assert watch.seen == {"q5": None, "q22": None}
    assert (done.complete, done.stopped_early) == (True, True)
    assert read_log(done.log).refusal.code == "E302"


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


# -- what is refused ------------------------------------------------------------------------------


def test_a_data_set_that_lacks_a_registered_item(tmp_path):
    message = check_refused("order-uncovered", tmp_path, Prefix(["q1", "q401", "q7", "q999"]))
    assert message == "the data set of 400 samples lacks 2 of 4 registered items, such as `q401`"
    assert not list(tmp_path.glob("*.eval"))


def test_an_order_that_is_none(tmp_path):
    check_refused("order-empty", tmp_path, Prefix([]))
    check_refused("order-twice", tmp_path, Prefix(["q1", "q2", "q1"]))


def test_a_scorer_that_the_task_lacks(tmp_path):
    message = check_refused("scorer-missing", tmp_path, name="exact")
    assert message == "the task has no scorer `exact`; it has `match`"
    assert not list(tmp_path.glob("*.eval"))
    assert run_task(bank(), answering(usual), Prefix(["q1"]), "match", tmp_path).complete


def test_a_task_that_stops_by_itself(tmp_path):
    class Stop:
        async def start_task(self, task, samples, epochs):  # noqa: ARG002
            return "stop"

    check_refused("task-stops", tmp_path, task=bank(early_stopping=Stop()))


@pytest.mark.parametrize("spec", ["absent.py@x", "no_such_package/task"])
def test_a_task_that_is_not_there(tmp_path, spec):
    check_refused("task-unloadable", tmp_path, task=str(tmp_path / spec))


def test_two_samples_with_one_id(tmp_path):
    check_refused("task-unloadable", tmp_path, task=bank([*range(1, 100), 5]))
