"""Logs that nobody here wrote: each gets a verdict, none that is honest is accused, three tamperings are."""

import json
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from scalegate.core.reading import AtLeast, Finding, SingleTry
from scalegate.ingest.admissibility import tally
from scalegate.ingest.read import read_log
from tests.ingest.logs import codes

# File: refusal of the log, sum and number of the scores of its one scorer, refusal of counting single tries.
LOGS: dict[str, tuple[str | None, int, int, str | None]] = {
    "inspect_ai_browser.json": (None, 1, 1, "E504"),
    "inspect_ai_input-task_2024-11.eval": (None, 1, 1, "E504"),
    "inspect_ai_input-task_2024-11.json": (None, 1, 1, "E504"),
    "inspect_ai_log_formats.json": (None, 0, 1, "E504"),
    "inspect_ai_mmlu-choices.eval": (None, 0, 1, "E504"),
    "inspect_ai_no-samples.json": ("E301", 0, 0, "E301"),
    "inspect_ai_popularity.json": ("E301", 2, 3, "E301"),
    "inspect_ai_popularity_2025-02_a.eval": ("E302", 0, 0, "E302"),
    "inspect_ai_security-guide.json": (None, 3, 3, None),
    "inspect_ai_tool_call_error.json": ("E405", 0, 0, "E405"),
    "inspect_flow_gpqa-diamond_a.eval": (None, 4, 4, "E504"),
    "inspect_flow_mmlu-0-shot_a.eval": (None, 0, 1, "E504"),
    "inspect_flow_mmlu-0-shot_b.eval": (None, 0, 1, "E504"),
    "inspect_scout_popularity.eval": (None, 63, 100, None),
    "inspect_scout_security-guide.eval": (None, 11, 16, None),
    "inspect_scout_websearch.eval": (None, 1, 1, "E504"),
    "metr_inspect-action_class-eval.eval": (None, 5, 5, None),
    "metr_vivaria_small.eval": (None, 6, 6, "E504"),
}


def test_every_real_log_is_in_the_table(shared_data: Path):
    assert sorted(path.name for path in (shared_data / "inspect_logs").iterdir()) == sorted(LOGS)


@pytest.mark.parametrize("name", LOGS)
def test_a_real_log_gets_its_verdict(shared_data: Path, name: str):
    refusal, total, number, counted = LOGS[name]
    reading = read_log(shared_data / "inspect_logs" / name)
    assert (reading.refusal and reading.refusal.code) == refusal
    values = [row.value for column in reading.columns for row in column]
    assert (sum(value or 0 for value in values), len(values)) == (total, number)
    scorer = reading.columns[0].scorer if reading.columns else "match"
    answer = tally(reading, scorer, SingleTry())
    assert (answer.refusal and answer.refusal.code) == counted
    if answer.refusal is None:
        assert (answer.successes, answer.failures) == (total, number - total)
    assert reading.size == (shared_data / "inspect_logs" / name).stat().st_size


@pytest.mark.parametrize("name", [name for name, row in LOGS.items() if row[0] is None])
def test_recomputed_is_what_the_header_of_an_honest_log_reports(shared_data: Path, name: str):
    """The reader found no difference; here the plain mean is computed once more, by other means."""
    reading = read_log(shared_data / "inspect_logs" / name)
    assert codes(reading.findings, "untrusted", "malformed", "refused", "inconclusive") == []
    assert set(codes(reading.findings, "note")) <= {"E703"}
    column = reading.columns[0]
    means = [item.value for item in reading.aggregates if item.metric.rpartition(" ")[2] in ("accuracy", "mean")]
    assert means
    values = [value for value in column.values if value is not None]
    assert means == [pytest.approx(Fraction(sum(values), len(values)))] * len(means)


def test_counts_of_the_largest_log_under_rules_and_registrations(shared_data: Path):
    reading = read_log(shared_data / "inspect_logs" / "inspect_scout_popularity.eval")
    for rule in (SingleTry(), AtLeast(1, 1)):
        answer = tally(reading, "match", rule, 120)
        assert (answer.successes, answer.failures, answer.missing) == (63, 37, 20)
    four = read_log(shared_data / "inspect_logs" / "inspect_flow_gpqa-diamond_a.eval")
    answer = tally(four, "choice", AtLeast(1, 4))
    assert answer.refusal is not None
    assert answer.refusal.code == "E504"


# -- tampering ------------------------------------------------------------------------------------

Edit = Callable[[str, bytes], bytes | None]


def tampered(source: Path, target: Path, edit: Edit) -> Finding | None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = edit(info.filename, old.read(info))
            if data is not None:
                new.writestr(info.filename, data)
    return read_log(target).refusal


def unchanged(_name: str, data: bytes) -> bytes:
    return data


def set_the_metric(name: str, data: bytes) -> bytes:
    if name != "header.json":
        return data
    header = json.loads(data)
    header["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.10
    return json.dumps(header).encode()


def delete_sixty_samples(name: str, data: bytes) -> bytes | None:
    number = name.removeprefix("samples/").partition("_")[0]
    return None if name.startswith("samples/") and int(number) <= 60 else data


def flip_every_score(name: str, data: bytes) -> bytes:
    if not name.startswith("samples/"):
        return data
    sample = json.loads(data)
    for score in sample["scores"].values():
        score["value"] = "I"
    return json.dumps(sample, indent=2).encode()


@pytest.mark.parametrize(
    ("edit", "code"),
    [(set_the_metric, "E403"), (delete_sixty_samples, "E402"), (flip_every_score, "E401")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_three_edits_that_inspects_own_reader_accepts(shared_data: Path, tmp_path: Path, edit: Edit, code: str):
    source = shared_data / "inspect_logs" / "inspect_scout_popularity.eval"
    assert tampered(source, tmp_path / "same.eval", unchanged) is None
    refusal = tampered(source, tmp_path / "edited.eval", edit)
    assert refusal is not None
    assert (refusal.severity, refusal.code) == ("untrusted", code)


def test_a_real_log_cut_anywhere_is_refused(shared_data: Path, tmp_path: Path):
    data = (shared_data / "inspect_logs" / "inspect_scout_security-guide.eval").read_bytes()
    path = tmp_path / "cut.eval"
    for size in (1, 3, 30, 1000, len(data) // 2, len(data) - 23, len(data) - 1):
        path.write_bytes(data[:size])
        refusal = read_log(path).refusal
        assert refusal is not None
        assert refusal.code in ("E103", "E105")
