"""The Pythia replay: real results, the real reader and the real gate, and the table that comes out."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden" / "pythia.txt"

SIZES = ("70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b")


def replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "examples/pythia/replay.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def ladder(shared_data: Path) -> Path:
    return shared_data / "lm_eval" / "pythia-v1-zero-shot"


@pytest.fixture(scope="module")
def full(ladder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    out = tmp_path_factory.mktemp("pythia") / "answers.json"
    answer = replay("--data", str(ladder), "--json", str(out))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout, {row["size"]: row for row in json.loads(out.read_text())}


def test_the_table_of_all_216_files_is_the_golden_one(full: tuple[str, dict[str, Any]]) -> None:
    assert full[0] == GOLDEN.read_text()


def test_every_checkpoint_of_every_size_was_asked_about(full: tuple[str, dict[str, Any]]) -> None:
    assert tuple(full[1]) == SIZES
    assert all(len(row["answers"]) == 26 for row in full[1].values())


@pytest.mark.parametrize("size", ["70m", "160m"])
def test_models_below_scope_are_never_held(full: tuple[str, dict[str, Any]], size: str) -> None:
    row = full[1][size]
    assert row["in scope from step"] is None
    assert {item["answer"] for item in row["answers"]} == {"permit"}


@pytest.mark.parametrize("size", ["1.4b", "2.8b", "6.9b", "12b"])
def test_a_hold_lasts_where_nobody_measured_the_target(full: tuple[str, dict[str, Any]], size: str) -> None:
    row = full[1][size]
    words = "".join(item["answer"][0] for item in row["answers"])
    assert "h" in words
    assert "hp" not in words
    assert any("no registered run of harmful-completion" in why for why in row["why"])


def test_a_larger_model_is_never_held_at_a_later_step(full: tuple[str, dict[str, Any]]) -> None:
    steps = [row["held at step"] or 143_000 for row in full[1].values()]
    assert steps == sorted(steps, reverse=True)


def test_one_size_alone_is_told_as_among_all(full: tuple[str, dict[str, Any]], ladder: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.json"
    assert replay("2.8b", "--data", str(ladder), "--json", str(out)).returncode == 0
    assert json.loads(out.read_text()) == [full[1]["2.8b"]]


def _other_accuracy(results: dict[str, Any]) -> None:
    results["results"]["piqa"]["acc"] += 0.0001


def _other_model(results: dict[str, Any]) -> None:
    results["config"]["model_args"] = "pretrained=EleutherAI/pythia-v1.1-70m-deduped,revision=step1"


def _no_task(results: dict[str, Any]) -> None:
    del results["results"]["arc_easy"]


@pytest.mark.parametrize("defect", [_other_accuracy, _other_model, _no_task])
def test_a_changed_file_is_not_the_ladder(
    ladder: Path, tmp_path: Path, defect: Callable[[dict[str, Any]], None]
) -> None:
    shutil.copytree(ladder / "pythia-70m-deduped", tmp_path / "pythia-70m-deduped")
    path = tmp_path / "pythia-70m-deduped" / "zero-shot" / "70m-deduped_step8.json"
    results = json.loads(path.read_text())
    defect(results)
    path.write_text(json.dumps(results))
    answer = replay("70m", "--data", str(tmp_path))
    assert answer.returncode == 2, answer.stdout
    assert answer.stderr.startswith("not the ladder: ")


def test_without_data_it_says_so(tmp_path: Path) -> None:
    answer = replay("--data", str(tmp_path / "nowhere"))
    assert answer.returncode == 2
    assert "give its folder with --data" in answer.stderr
