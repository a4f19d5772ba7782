"""lm-eval results and samples: aggregates stay aggregates, and samples must agree with them."""

import hashlib
import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.reading import Reading, SingleTry
from scalegate.ingest.admissibility import tally
from scalegate.ingest.lm_eval import derived_n
from scalegate.ingest.read import read_lm_eval_run, read_log
from tests.ingest.logs import codes


def stderr_of(successes: int, n: int) -> float:
    """As the harness computes it: sample deviation over the root of n."""
    mean = successes / n
    return math.sqrt((successes * (1 - mean) ** 2 + (n - successes) * mean**2) / (n - 1)) / math.sqrt(n)


@given(st.integers(2, 100_000).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))))
def test_the_number_of_items_is_derived_from_the_standard_error(shape):
    successes, n = shape
    value, stderr = Fraction(repr(successes / n)), Fraction(repr(stderr_of(successes, n)))
    assert derived_n(value, stderr) == n


@pytest.mark.parametrize(
    ("value", "stderr"), [("0", "0"), ("1", "0"), ("0.5", "0"), ("0.3", "0.0123"), ("4.7", "0.4"), ("0.5", "0.6")]
)
def test_no_number_is_derived_where_none_fits(value: str, stderr: str):
    assert derived_n(Fraction(value), Fraction(stderr)) is None


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def run_of(values: list[float], **changes):
    """A results document and the rows of its samples, as lm-eval 0.4 writes them."""
    rows = [
        {
            "doc_id": number,
            "doc": {"q": number},
            "target": "3",
            "filter": "none",
            "metrics": ["acc"],
            "doc_hash": hashed(f"d{number}"),
            "prompt_hash": hashed(f"p{number}"),
            "target_hash": hashed("3"),
            "acc": value,
        }
        for number, value in enumerate(values)
    ]
    mean = sum(values) / len(values)
    results = {
        "results": {"demo": {"alias": "demo", "acc,none": mean, "acc_stderr,none": "N/A"}},
        "configs": {"demo": {}},
        "versions": {"demo": 1.0},
        "n-samples": {"demo": {"original": len(values), "effective": len(values)}},
        "config": {"model": "hf", "model_args": "pretrained=lab/m,revision=step5", "limit": None},
        "git_hash": "a" * 40,
        "date": 1700000000.25,
        "lm_eval_version": "0.4.13",
        "task_hashes": {
            "demo": hashed("".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows))
        },
        **changes,
    }
    return results, rows


def write(folder: Path, results, rows) -> tuple[Path, Path]:
    head, body = folder / "r.txt", folder / "s.txt"
    head.write_text(json.dumps(results, indent=2))
    body.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return head, body


def joined(folder: Path, results, rows) -> Reading:
    head, body = write(folder, results, rows)
    (reading,) = read_lm_eval_run(head, [body])
    return reading


def test_results_alone_are_an_aggregate(tmp_path: Path):
    head, _ = write(tmp_path, *run_of([1.0, 0.0, 1.0]))
    reading = read_log(head)
    assert (reading.harness, reading.layout, reading.evidence_class) == ("lm-eval", "results-0.4", "aggregate")
    assert (reading.model, reading.created, reading.harness_version) == ("lab/m@step5", 1700000000, "0.4.13")
    assert [(item.metric, item.n, item.n_derived) for item in reading.aggregates] == [("acc,none", 3, False)]
    assert reading.refusal is None
    answer = tally(reading, "acc,none", SingleTry(), 3)
    assert answer.refusal is not None
    assert answer.refusal.code == "E505"


def test_samples_with_their_results(tmp_path: Path):
    reading = joined(tmp_path, *run_of([1.0, 0.0, 1.0, 1.0]))
    assert codes(reading.findings) == []
    assert (reading.task, reading.task_version, reading.model) == ("demo", "1.0", "lab/m@step5")
    assert (reading.evidence_class, reading.layout) == ("samples", "samples")
    answer = tally(reading, "acc,none", SingleTry())
    assert (answer.successes, answer.failures, answer.missing) == (3, 1, 0)
    assert len(reading.sample_digests) == 32 * 4


def raise_the_mean(results, _rows):
    results["results"]["demo"]["acc,none"] = 0.9


def flip_a_sample(_results, rows):
    rows[0]["acc"] = 0.0


def delete_a_sample(_results, rows):
    del rows[0]


def swap_the_samples(_results, rows):
    rows[0]["doc_hash"] = hashed("another question")


def change_a_target(_results, rows):
    rows[0]["target"] = "2"


def repeat_a_sample(_results, rows):
    rows.append(dict(rows[0]))


def shrink_the_standard_error_out_of_reach(results, _rows):
    results["results"]["demo"]["acc_stderr,none"] = 0.9


def report_a_rate_above_one(results, _rows):
    results["results"]["demo"]["acc,none"] = 1.5


@pytest.mark.parametrize(
    ("edit", "first"),
    [
        (raise_the_mean, "E412"),
        (flip_a_sample, "E412"),
        (delete_a_sample, "E414"),
        (swap_the_samples, "E414"),
        (change_a_target, "E413"),
        (repeat_a_sample, "E408"),
        (shrink_the_standard_error_out_of_reach, "E416"),
        (report_a_rate_above_one, "E412"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_one_edit_is_noticed(tmp_path: Path, edit, first: str):
    results, rows = run_of([1.0, 0.0, 1.0, 1.0])
    edit(results, rows)
    assert codes(joined(tmp_path, results, rows).findings, "untrusted")[0] == first


def test_several_filters_become_columns(tmp_path: Path):
    results, rows = run_of([1.0, 0.0])
    rows += [{**row, "filter": "strict", "acc": 0.0} for row in rows]
    results["task_hashes"] = {}
    reading = joined(tmp_path, results, rows)
    assert [column.scorer for column in reading.columns] == ["acc,none", "acc,strict"]
    assert reading.refusal is None


def test_unscored_samples_are_missing_and_the_mean_is_not_recomputed(tmp_path: Path):
    results, rows = run_of([1.0, 0.0, 0.0])
    rows[1]["acc"] = float("nan")
    reading = joined(tmp_path, results, rows)
    assert codes(reading.findings) == ["E701", "E703"]
    assert tally(reading, "acc,none", SingleTry()).missing == 1


@pytest.mark.parametrize(
    "change",
    [{"doc_id": "x"}, {"doc_id": True}, {"doc_id": None}, {"metrics": None}, {"metrics": [1]}],
    ids=str,
)
def test_rows_of_the_wrong_type(tmp_path: Path, change):
    results, rows = run_of([1.0, 0.0])
    rows[1] |= change
    assert codes(joined(tmp_path, results, rows).findings, "malformed") == ["E206"]


def test_files_in_the_wrong_places(tmp_path: Path):
    head, body = write(tmp_path, *run_of([1.0, 0.0]))
    assert codes(read_lm_eval_run(head, [head])[0].findings, "malformed") == ["E103"]
    assert codes(read_lm_eval_run(body, [body])[0].findings, "malformed") == ["E103"]
    assert codes(read_lm_eval_run(tmp_path / "no", [body])[0].findings, "malformed") == ["E101"]
    assert codes(read_lm_eval_run(head, [tmp_path / "no"])[0].findings, "malformed") == ["E101"]
    assert read_lm_eval_run(head, []) == ()


def test_results_without_numbers(tmp_path: Path):
    head, _ = write(tmp_path, *run_of([1.0, 0.0], results={"demo": {"alias": "demo"}}))
    assert codes(read_log(head).findings) == ["E302"]
    head.write_text('{"results": [], "versions": {}}')
    assert codes(read_log(head).findings) == ["E206"]
    head.write_text('{"results": {"a": {"acc": 1e999999999}}, "versions": {}}')
    assert codes(read_log(head).findings) == ["E205"]
    head.write_text('{"results": {"a": {"acc": 1, "acc": 0}}, "versions": {}}')
    assert codes(read_log(head).findings) == ["E204"]


def test_provenance_of_a_modern_and_of_an_old_file(tmp_path: Path):
    head, _ = write(tmp_path, *run_of([1.0, 0.0], config={"limit": 2}, git_hash="abc"))
    assert codes(read_log(head).findings, "provenance") == ["E603", "E604", "E607"]
    head.write_text(json.dumps({"results": {"a": {"acc": 0.5, "acc_stderr": 0.5}}, "versions": {}}))
    reading = read_log(head)
    assert codes(reading.findings, "provenance") == ["E602", "E604", "E605", "E606"]
    assert (reading.layout, reading.aggregates[0].n, reading.aggregates[0].n_derived) == ("results-0.3", 2, True)


# -- real files -----------------------------------------------------------------------------------


def test_every_file_of_the_pythia_ladder(shared_data: Path):
    paths = sorted((shared_data / "lm_eval" / "pythia-v1-zero-shot").rglob("*.json"))
    assert len(paths) == 216
    sizes: dict[str, set[int | None]] = {}
    for path in paths:
        reading = read_log(path)
        assert reading.refusal is None
        assert (reading.evidence_class, reading.layout) == ("aggregate", "results-0.3")
        assert reading.model.startswith("EleutherAI/pythia-")
        assert codes(reading.findings) == ["E706"]
        for item in reading.aggregates:
            assert item.n_derived == (item.n is not None)
            if item.metric == "acc":
                sizes.setdefault(item.task, set()).add(item.n)
    assert sizes["lambada_openai"] == {5153, None}
    assert all(len(found) == 1 for task, found in sizes.items() if task != "lambada_openai")
    assert sizes["arc_easy"] == {2376}
    assert sizes["wsc"] == {104}


def test_the_generated_run_agrees_with_itself(shared_data: Path):
    folder = shared_data / "lm_eval" / "generated_v0.4.13"
    (head,) = folder.glob("results_*.json")
    (body,) = folder.glob("samples_*.jsonl")
    (reading,) = read_lm_eval_run(head, [body])
    assert reading.task == "synth_mc"
    assert codes(reading.findings) == []
    answer = tally(reading, "acc,none", SingleTry())
    assert (answer.successes, answer.failures, answer.missing) == (47, 153, 0)
    assert {item.n for item in reading.aggregates} == {200}
    assert [derived_n(item.value or Fraction(), item.stderr or Fraction()) for item in reading.aggregates] == [200, 200]


def test_the_content_is_that_of_the_rows_whatever_bytes_they_are_in(tmp_path: Path):
    results, rows = run_of([1.0, 0.0, 1.0])
    rows += [{**row, "filter": "strict"} for row in rows]
    plain = joined(tmp_path, results, rows)
    other = [dict(reversed(row.items())) for row in reversed(rows)]
    head, body = tmp_path / "r.txt", tmp_path / "t.txt"
    body.write_text("\n\n".join(json.dumps(row, separators=(" ,", " : ")).replace("1.0", "1.00") for row in other))
    (copied,) = read_lm_eval_run(head, [body])
    assert copied.digest != plain.digest
    assert copied.content == plain.content
    assert joined(tmp_path, results, [*rows[:-1], {**rows[-1], "resps": "x"}]).content != plain.content


def test_samples_alone_say_nothing_of_their_origin_or_their_plan(tmp_path: Path):
    _, body = write(tmp_path, *run_of([1.0, 0.0]))
    assert codes(read_log(body).findings, "provenance") == ["E602", "E604", "E605", "E606", "E607"]


@pytest.mark.parametrize("counts", [{}, {"demo": {"original": 9, "effective": 2}}])
def test_results_that_show_no_whole_data_set_are_partial(tmp_path: Path, counts):
    results, rows = run_of([1.0, 0.0], **{"n-samples": counts})
    assert "E607" in codes(joined(tmp_path, results, rows).findings, "provenance")
