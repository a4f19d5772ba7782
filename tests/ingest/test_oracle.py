"""The real inspect_ai as an oracle: it writes logs of every kind, and both readers must agree on every score."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from scalegate.core.reading import Reading
from scalegate.ingest.read import read_log
from tests.ingest.logs import codes

pytestmark = [pytest.mark.extra, pytest.mark.slow, pytest.mark.filterwarnings("default")]

inspect_ai = pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")
from inspect_ai.dataset import MemoryDataset, Sample  # noqa: E402
from inspect_ai.log import ProvenanceData, edit_score, read_eval_log, write_eval_log  # noqa: E402
from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked  # noqa: E402
from inspect_ai.model import ModelOutput, ModelUsage, get_model  # noqa: E402
from inspect_ai.scorer import Score, ScoreEdit, accuracy, match, mean, scorer, std, stderr  # noqa: E402
from inspect_ai.solver import generate, solver  # noqa: E402

QUESTIONS = 12


@scorer(metrics=[accuracy(), stderr()])
def letters() -> Any:
    async def score(state: Any, target: Any) -> Score:  # noqa: ARG001
        return Score(value="CIPN"[(int(state.sample_id) + state.epoch) % 4], explanation="</script>")

    return score


@scorer(metrics=[accuracy(), mean(), stderr(), std()])
def holes() -> Any:
    async def score(state: Any, target: Any) -> Score:  # noqa: ARG001
        if (int(state.sample_id) + state.epoch) % 3 == 0:
            return Score.unscored(reason="grader_failed", explanation="NaN")
        return Score(value=int(state.sample_id) % 2 == 0)

    return score


@scorer(metrics={"a": [mean(), stderr()], "b": [mean()]})
def rubric() -> Any:
    async def score(state: Any, target: Any) -> Score:  # noqa: ARG001
        number = int(state.sample_id)
        return Score(value={"a": number % 2, "b": math.nan if number % 5 == 0 else 0.1 * number})

    return score


@solver
def stumble() -> Any:
    async def solve(state: Any, generate: Any) -> Any:
        if int(state.sample_id) % 4 == 1:
            raise ValueError("stumbled \x1b[31m")
        return await generate(state)

    return solve


def outputs() -> Any:
    while True:
        output = ModelOutput.from_content("mockllm/model", "the answer is yes")
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        yield output


def run(folder: Path, *scorers: Any, text_ids: bool = False, **options: Any) -> Any:
    steps = options.pop("steps", [generate()])
    samples = [
        Sample(
            id=f"{number}" if text_ids else number,
            input=f'question {number} \u202e "quoted" \\ \n é \U0001f600',
            target="yes" if number % 3 else "no",
            metadata={"x": number},
        )
        for number in range(1, QUESTIONS + 1)
    ]
    task = inspect_ai.Task(dataset=MemoryDataset(samples, name="bank"), solver=steps, scorer=list(scorers))
    (log,) = inspect_ai.eval(
        task,
        model=get_model("mockllm/model", custom_outputs=outputs()),
        log_dir=str(folder),
        display="none",
        log_realtime=False,
        **options,
    )
    return log


def same(ours: Fraction | None, theirs: Any) -> bool:
    if theirs in ("C", "I", "P"):
        theirs = {"C": 1, "I": 0, "P": 0.5}[theirs]
    if theirs is None or theirs == "N" or (isinstance(theirs, float) and math.isnan(theirs)):
        return ours is None
    return ours is not None and float(ours) == float(theirs)


def compare(path: str) -> Reading:
    """Both readers on one file: identity, planned tries, every value."""
    theirs = read_eval_log(path)
    ours = read_log(path)
    assert ours.harness == "inspect"
    assert (ours.task, ours.model, ours.status) == (theirs.eval.task, theirs.eval.model, theirs.status)
    assert list(ours.planned) == list(theirs.eval.dataset.sample_ids or [])
    samples = {(str(sample.id), sample.epoch): sample for sample in theirs.samples or []}
    for column in ours.columns:
        name, _, key = column.scorer.partition("/")
        for row in column:
            sample = samples.get((str(row.item), row.epoch))
            if sample is None or sample.error or sample.limit or name not in (sample.scores or {}):
                assert row.value is None
                continue
            value = sample.scores[name].value
            assert same(row.value, value[key] if key and isinstance(value, dict) else value)
    names = {name for sample in samples.values() for name in sample.scores or {}}
    assert {column.scorer.partition("/")[0] for column in ours.columns} == names
    return ours


@pytest.mark.parametrize("log_format", ["eval", "json"])
@pytest.mark.parametrize("text_ids", [False, True])
def test_scores_of_every_shape(tmp_path: Path, log_format: str, text_ids: bool):  # noqa: FBT001
    log = run(tmp_path, match(), letters(), holes(), rubric(), log_format=log_format, text_ids=text_ids)
    reading = compare(log.location)
    assert reading.refusal is None
    assert set(codes(reading.findings)) == {"E701", "E703"}
    assert [column.scorer for column in reading.columns] == ["match", "letters", "holes", "rubric/a", "rubric/b"]


@pytest.mark.parametrize(
    "reducer", ["mean", "median", "mode", "max", "at_least_2", "pass_at_2", ["mean", "pass_at_1", "at_least_1"]]
)
def test_epochs_under_every_reducer(tmp_path: Path, reducer: Any):
    log = run(tmp_path, match(), holes(), letters(), epochs=inspect_ai.Epochs(3, reducer))
    reading = compare(log.location)
    assert codes(reading.findings, "untrusted", "malformed", "refused", "inconclusive") == []
    assert reading.epochs == 3
    assert len(reading.columns[0]) == 3 * QUESTIONS


def test_errors_are_missing(tmp_path: Path):
    log = run(tmp_path, match(), steps=[stumble()], fail_on_error=False)
    reading = compare(log.location)
    assert reading.refusal is None
    assert [row.missing for row in reading.columns[0]].count("error") == 3


def test_errors_that_were_scored_are_missing_too(tmp_path: Path):
    log = run(tmp_path, letters(), steps=[stumble()], fail_on_error=False, score_on_error=True)
    reading = compare(log.location)
    assert reading.refusal is None
    assert [row.missing for row in reading.columns[0]].count("error") == 3


def test_a_failed_run_is_refused(tmp_path: Path):
    log = run(tmp_path, match(), steps=[stumble()])
    reading = compare(log.location)
    assert reading.refusal is not None
    assert reading.refusal.code == "E301"


def test_samples_that_hit_a_limit_are_missing(tmp_path: Path):
    log = run(tmp_path, match(), message_limit=1)
    reading = compare(log.location)
    assert codes(reading.findings, "untrusted") == []
    assert {row.missing for row in reading.columns[0]} == {"limit"}


def test_a_part_of_the_data_set_is_marked(tmp_path: Path):
    reading = compare(run(tmp_path, match(), limit=5).location)
    assert reading.planned_count == 5
    assert "E607" in codes(reading.findings, "provenance")


@pytest.mark.parametrize("log_format", ["eval", "json"])
def test_an_edited_score_is_seen(tmp_path: Path, log_format: str):
    log = run(tmp_path, match(), log_format=log_format)
    edit = ScoreEdit(value="C", provenance=ProvenanceData(author="a", reason="b"))
    edit_score(log, 3, "match", edit)
    write_eval_log(log)
    reading = read_log(log.location)
    assert codes(reading.findings) == ["E305"]
    assert codes(read_log(log.location, allow_edited=True).findings) == ["E705"]


def test_an_early_stop_is_inconclusive(tmp_path: Path):
    class Stop:
        async def start_task(self, task: Any, samples: Any, epochs: int) -> str:  # noqa: ARG002
            return "stop"

        async def schedule_sample(self, id: Any, epoch: int) -> Any:  # noqa: A002
            from inspect_ai.util import EarlyStop  # noqa: PLC0415

            return EarlyStop(id=id, epoch=epoch) if int(id) > 8 else None

        async def complete_sample(self, id: Any, epoch: int, scores: Any) -> None:  # noqa: A002
            assert id
            assert epoch
            assert scores

        async def complete_task(self) -> dict[str, Any]:
            return {}

    task = inspect_ai.Task(
        dataset=MemoryDataset([Sample(id=n, input="q", target="yes") for n in range(1, 13)]),
        solver=[generate()],
        scorer=match(),
        early_stopping=Stop(),
    )
    (log,) = inspect_ai.eval(
        task,
        model=get_model("mockllm/model", custom_outputs=outputs()),
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    reading = compare(log.location)
    assert codes(reading.findings, "untrusted", "refused", "inconclusive") == ["E501"]
    assert [row.missing for row in reading.columns[0]].count("absent") == 4


def test_samples_in_chunks_are_the_same_evidence(tmp_path: Path):
    log = run(tmp_path / "whole", match(), letters(), epochs=2)
    convert_eval_logs_to_chunked(log.location, output_dir=str(tmp_path / "chunked"))
    (path,) = (tmp_path / "chunked").glob("*.eval")
    # Inspect's own read_eval_log stumbles over its chunked samples (0.3.285).
    whole, chunked = compare(log.location), read_log(path)
    assert (whole.layout, chunked.layout) == ("eval", "eval-chunked")
    assert whole.columns == chunked.columns
    assert codes(chunked.findings) == codes(whole.findings)


def test_every_real_log_reads_the_same(shared_data: Path):
    for path in sorted((shared_data / "inspect_logs").iterdir()):
        if path.name not in ("inspect_ai_log_formats.json", "inspect_ai_tool_call_error.json"):
            assert compare(str(path)).digest.startswith("sha256:")
