"""A run goes on after any interruption: what is over stays as it is, and what may not go on is refused."""

import fcntl
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

inspect_ai = pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")
from inspect_ai.log import read_eval_log  # noqa: E402

from scalegate.integrations.inspect import run_task  # noqa: E402
from scalegate.integrations.inspect_folder import JOURNAL  # noqa: E402
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
    slowly,
    usual,
)

PROGRAM = Path(__file__).with_name("inspected.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


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


def stumble(folder, at=20, **options):
    """Begin a run that fails after some items, and return what was seen until then."""
    watch = Stumbling(registered(60), at)
    with pytest.raises(StumbleError):
        run_task(
            options.pop("task", None) or bank(), answering(slowly), watch, "match", folder, max_samples=4, **options
        )
    return watch.seen


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
    assert lost
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
    ids = {sample.id for sample in log.samples}
    assert ids <= set(tries)
    # What was under way behind the end when the process was killed is not begun again: the verdict stands without it.
    assert not (set(tries) - ids) & set(registered(items)[:needed])
    assert set(log.results.early_stopping.metadata["restarted"]) == {item for item in tries if tries[item] > 1}
    assert objections(only_log(run)) == {"E501"}
    assert column(only_log(run)) == {item: expected(item) if item in ids else None for item in registered(items)}
    assert not list(run.glob(".inspect_tmp_*"))


# -- what is refused ------------------------------------------------------------------------------


def test_another_run_in_the_folder(tmp_path):
    stumble(tmp_path, run="r1")
    assert "its run is `r1`, not `r2`" in check_refused("run-other", tmp_path, run="r2")
    assert "its order is" in check_refused("run-other", tmp_path, Prefix(registered(60, seed=8)), run="r1")
    assert "its scorer is" in check_refused("run-other", tmp_path, name="match/x", run="r1")
    assert "its tries is `1`" in check_refused("run-other", tmp_path, epochs=2, run="r1")
    changed = bank()
    changed.dataset[int(registered(60)[3][1:]) - 1].target = "no"
    assert "its samples is" in check_refused("run-other", tmp_path, task=changed, run="r1")


def test_a_run_that_would_go_on_otherwise(tmp_path):
    stumble(tmp_path)
    log = only_log(tmp_path)
    data = log.read_bytes()
    assert check_refused("run-changed", tmp_path, model=answering(usual, name="other")).endswith("another model")
    assert check_refused("run-changed", tmp_path, task=bank(message_limit=9)).endswith("another config")
    assert check_refused("run-changed", tmp_path, task=bank(version=2)).endswith("another task_version")
    assert only_log(tmp_path) == log
    assert log.read_bytes() == data
    assert run_task(bank(), answering(usual), Prefix(registered(60)), "match", tmp_path).complete


def test_what_was_refused_is_not_gone_on_from_even_when_it_was_left_behind(tmp_path, monkeypatch):
    stumble(tmp_path)
    with monkeypatch.context() as stuck:
        stuck.setattr(Path, "unlink", lambda *_, **__: None)
        check_refused("run-changed", tmp_path, model=answering(usual, name="other"))
    assert len(list(tmp_path.glob("*.eval"))) == 2
    check_refused("run-changed", tmp_path, model=answering(usual, name="other"))
    assert run_task(bank(), answering(usual), Prefix(registered(60)), "match", tmp_path).complete


def test_two_processes_at_one_run(tmp_path):
    with (tmp_path / JOURNAL).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        check_refused("run-elsewhere", tmp_path)


def test_logs_that_cannot_both_be_true(tmp_path):
    stumble(tmp_path / "a")
    stumble(tmp_path / "b")
    path = only_log(tmp_path / "b")
    path.rename(tmp_path / "a" / f"x{path.name}")
    check_refused("logs-contradict", tmp_path / "a")


def test_a_log_that_is_damaged(tmp_path):
    stumble(tmp_path)
    path = only_log(tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])
    check_refused("log-unreadable", tmp_path)
