"""Several processes at one store."""

import os
import subprocess
import sys

from scalegate.app import ask as asking
from scalegate.core.events import DecisionMade
from tests.cli.lab import LEA
from tests.conftest import ROOT


def start(lab, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "scalegate.cli.main", *map(str, arguments)],
        cwd=lab.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(children):
    said = [(child, *child.communicate(timeout=120)) for child in children]
    return [(child.returncode, out, err) for child, out, err in said]


def test_of_many_who_report_one_run_one_succeeds(bare):
    bare.register("r1")
    path = bare.log("r1.jsonl", [0.0] * 100)
    codes = [code for code, _, _ in finish([start(bare, "evidence", "add", "r1", path, *LEA) for _ in range(4)])]
    assert sorted(codes) == [0, 1, 1, 1]
    assert bare.kinds().count("ResultReported") == 1
    assert bare.history().fault == ""


def test_live_answers_are_numbered_without_gaps_whoever_asks(lab):
    ask = ("gate", "train", "--subject", "orion", "--to", "4e26")
    codes = [code for code, _, _ in finish([start(lab, *ask) for _ in range(4)])]
    assert codes == [1, 1, 1, 1]
    made = [entry for entry in lab.history().entries if isinstance(entry.event, DecisionMade)]
    assert [entry.event.number for entry in made] == [1, 2, 3, 4]
    behind = [lab.history().entries[entry.index - 1] for entry in made]
    # Each rests on everything before it; other answers may have come in between, which it did not see.
    last = next(entry for entry in reversed(behind) if not isinstance(entry.event, DecisionMade))
    assert {entry.event.head for entry in made} <= {last.digest, *(entry.digest for entry in made)}
    assert [lab.run("why", number).err for number in (1, 2, 3, 4)] == [""] * 4


def test_an_answer_is_made_on_the_history_it_is_recorded_behind(lab, monkeypatch):
    """A stop order that arrives between question and record: the question is asked again."""
    real, calls = asking.decide, []

    def slow(*given, **more):
        calls.append(given)
        if len(calls) == 1:
            lab.do("stop", "issue", "halt", "--by", "M. Ito", "--role", "regulator")
        return real(*given, **more)

    monkeypatch.setattr(asking, "decide", slow)
    assert lab.gate().code == 1
    assert len(calls) == 2
    assert lab.kinds()[-2:] == ["StopOrdered", "DecisionMade"]


def test_an_answer_that_came_in_between_changes_only_the_number(lab, monkeypatch):
    """Another answer grants nothing that this one could see: it is recorded behind it, and derived without it."""
    real, calls = asking.decide, []

    def slow(*given, **more):
        calls.append(given)
        if len(calls) == 1:
            assert lab.gate().code == 0
            lab.now += 60
        return real(*given, **more)

    monkeypatch.setattr(asking, "decide", slow)
    assert lab.gate().code == 0
    first, second = (entry.event for entry in lab.history().entries[-2:])
    assert (first.number, second.number, first.head == second.head) == (1, 2, True)
    for number in (1, 2):
        said = lab.run("why", number)
        assert (said.code, said.err) == (3, ""), number
