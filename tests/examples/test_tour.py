"""The tour: every act comes out as told, and one that does not is noticed."""

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from scalegate.core.reading import SingleTry
from scalegate.ingest.admissibility import tally
from scalegate.ingest.read import read_log

ROOT = Path(__file__).resolve().parents[2]
TOUR = ROOT / "examples" / "tour"
LOGS = sorted((TOUR / "logs").glob("*.eval"))


@pytest.fixture
def tour(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOUR))
    for name in ("run", "tamper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("run")


def test_every_act_comes_out_as_told() -> None:
    answer = subprocess.run(
        [sys.executable, "examples/tour/run.py"], cwd=ROOT, capture_output=True, check=False, text=True, timeout=300
    )
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.count("\ngo\n") == 1
    assert answer.stdout.endswith("acts came out as told.\n")


def test_it_shows_every_answer_that_a_gate_has(tour: ModuleType) -> None:
    assert {0, 1, 4} <= {act.code for act in tour.ACTS}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": 1}, "exit code 0, told was 1"),
        ({"says": ("a word that no answer has",)}, "it does not say"),
        ({"never": ("made a store",)}, "it says"),
    ],
)
def test_an_act_that_comes_out_otherwise_is_noticed(
    tour: ModuleType, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    tour.prepare(tmp_path / "lab")
    (first,) = (act for act in tour.ACTS if "scalegate init" in act.command)
    for act in tour.ACTS[: tour.ACTS.index(first)]:
        assert tour.perform(act, tmp_path) == []
    (wrong,) = tour.perform(replace(first, **change), tmp_path)
    assert words in wrong


@pytest.mark.parametrize(("name", "successes", "items"), [("autonomy", 30, 60), ("deception", 1, 80)])
def test_the_logs_say_what_the_acts_say_of_them(name: str, successes: int, items: int) -> None:
    reading = read_log(TOUR / "logs" / f"{name}.eval")
    assert reading.refusal is None
    counts = tally(reading, "match", SingleTry())
    assert (counts.successes, counts.failures, counts.missing) == (successes, items - successes, 0)


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.stem)
def test_the_logs_are_small_and_hold_no_path_of_a_machine(tour: ModuleType, log: Path) -> None:
    parts = sys.modules["tamper"].members(log)
    assert tour.HERE == TOUR
    assert log.stat().st_size < 200_000
    assert json.loads(parts["header.json"])["status"] == "success"
    for data in parts.values():
        assert b"file:" not in data
        assert not any(b"/" + root + b"/" in data for root in (b"home", b"root", b"Users", b"work", b"tmp", b"var"))
