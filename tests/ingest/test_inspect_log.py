"""Inspect logs: what is read, what is missing, and each reason to refuse."""

import copy
import json
import re
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from scalegate.core.reading import Reading, SingleTry
from scalegate.ingest.admissibility import tally
from scalegate.ingest.limits import MIB, Limits
from scalegate.ingest.objections import CODES
from scalegate.ingest.read import read_log
from tests.ingest.logs import archive, binary_log, codes, log_of, members_of, sample, score, write


def read(folder: Path, log, method: int = zipfile.ZIP_DEFLATED, **options) -> Reading:
    return read_log(write(folder, log, method), **options)


def missing(reading: Reading, name: str = "match") -> list[str]:
    column = reading.column(name)
    assert column is not None
    return list(column.missing)


def as_document(log) -> dict:
    return {**log["header"], "samples": log["samples"], "reductions": log["reductions"]}


@pytest.mark.parametrize("method", [0, 8, 93])
def test_a_log_is_read_whatever_its_compression(tmp_path: Path, method: int):
    reading = read(tmp_path, binary_log(["C", "I", "C", 1, 0, True, "yes", "no", "1.0", "0"][:5]), method)
    assert reading.refusal is None
    assert codes(reading.findings) == []
    assert reading.harness == "inspect"
    assert (reading.task, reading.task_version, reading.model) == ("demo", "3", "lab/model")
    assert (reading.harness_version, reading.layout, reading.status) == ("0.3.250", "eval", "success")
    assert (reading.created, reading.completed) == (1767323045, 1767326645)
    assert (reading.planned, reading.planned_count, reading.epochs) == ((1, 2, 3, 4, 5), 5, 1)
    assert [row.value for row in reading.columns[0]] == [1, 0, 1, 1, 0]
    assert len(reading.sample_digests) == 32 * 5
    assert reading.aggregates[0].value == Fraction(3, 5)


def test_a_json_log_is_the_same_evidence(tmp_path: Path):
    log = binary_log(["C", "I", "I"])
    path = tmp_path / "log.json"
    for style in ({}, {"indent": 2}, {"separators": (",", ":")}):
        path.write_text(json.dumps(as_document(log), **style))
        reading = read_log(path)
        assert reading.layout == "json"
        assert codes(reading.findings) == []
        assert [row.value for row in reading.columns[0]] == [1, 0, 0]
        assert reading.sample_digests.count(bytes(32)) == 0


def test_the_name_of_the_file_says_nothing(tmp_path: Path):
    log = binary_log(["C", "I"])
    path = tmp_path / "log.json"
    path.write_bytes(archive(members_of(log)))
    assert read_log(path).layout == "eval"
    path = tmp_path / "log.eval"
    path.write_text(json.dumps(as_document(log)))
    assert read_log(path).layout == "json"


def test_order_is_that_of_the_plan_not_of_the_file(tmp_path: Path):
    log = binary_log(["C", "I", "C"])
    forward = read(tmp_path, log)
    log["samples"].reverse()
    log["summaries"].reverse()
    backward = read(tmp_path, log)
    assert forward.columns == backward.columns
    assert forward.sample_digests == backward.sample_digests
    assert forward.digest != backward.digest


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "unscored"),
        ("N", "refused"),
        ("maybe", "unconvertible"),
        ("", "unconvertible"),
        (float("inf"), "unconvertible"),
        ("NaN", "unconvertible"),
        ("1e999999999", "unconvertible"),
        ("1_0", "unconvertible"),
    ],
)
def test_a_value_that_is_no_score_is_missing_never_zero(tmp_path: Path, value, reason: str):
    log = binary_log(["C", "I", "C"])
    for rows in (log["samples"], log["summaries"]):
        rows[1]["scores"]["match"] = score(value)
    del log["reductions"]
    log["header"]["results"]["scores"][0]["metrics"] = {}
    log["header"]["results"]["scores"][0]["scored_samples"] = None
    reading = read(tmp_path, log)
    assert missing(reading) == ["", reason, ""]
    assert [row.value for row in reading.columns[0]] == [1, None, 1]
    assert reading.refusal is None
    counts = tally(reading, "match", SingleTry())
    assert (counts.successes, counts.failures, counts.missing) == (2, 0, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("P", Fraction(1, 2)),
        (0.1, Fraction(1, 10)),
        ("0.25", Fraction(1, 4)),
        ("TRUE", Fraction(1)),
        ("No", Fraction(0)),
        (2**60 + 1, Fraction(2**60 + 1)),
        (1e-5, Fraction(1, 100_000)),
    ],
)
def test_values_are_exact(tmp_path: Path, value, expected: Fraction):
    log = binary_log(["C", "I"])
    for rows in (log["samples"], log["summaries"]):
        rows[1]["scores"]["match"] = score(value)
    del log["reductions"]
    log["header"]["results"]["scores"] = []
    assert read(tmp_path, log).columns[0][1].value == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"error": {"message": "boom"}}, "error"),
        ({"limit": {"type": "token", "limit": 5}}, "limit"),
    ],
)
def test_a_troubled_sample_is_missing_although_it_was_scored(tmp_path: Path, change, reason: str):
    reading = read(tmp_path, log_of([sample(1, "C"), sample(2, "C", **change), sample(3, "I")]))
    assert missing(reading) == ["", reason, ""]
    assert reading.refusal is None
    assert codes(reading.findings) == ["E701"]


@pytest.mark.parametrize("reason", ["invalid_response_format", "no_response", "grader_failed", "scoring_failed"])
def test_a_score_with_a_reason_is_missing(tmp_path: Path, reason: str):
    log = binary_log(["C", "I", "I"])
    log["samples"][1]["scores"]["match"]["reason"] = reason
    log["samples"][2]["scores"]["match"]["metadata"] = {"unscored_reason": "refusal"}
    assert missing(read(tmp_path, log)) == ["", reason, "refused"]


def test_a_reason_of_the_scorers_own_changes_nothing(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"][1]["scores"]["match"]["reason"] = "spelling"
    assert missing(read(tmp_path, log)) == ["", ""]


def test_samples_that_were_planned_and_never_ran_are_absent(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["header"]["eval"]["dataset"]["sample_ids"] = [1, 2, 3]
    log["header"]["results"]["total_samples"] = 3
    reading = read(tmp_path, log)
    assert reading.refusal is None
    assert missing(reading) == ["", "", "absent"]
    assert reading.sample_digests[64:] == bytes(32)


def test_literal_nan_everywhere_is_read(tmp_path: Path):
    log = log_of([sample(1, "C"), sample(2, float("nan")), sample(3, "I")])
    log["header"]["eval"]["metadata"] = {"x": float("inf")}
    log["samples"][0]["output"] = [float("nan"), {"y": -float("inf")}]
    reading = read(tmp_path, log, 93)
    assert codes(reading.findings) == ["E701"]
    assert missing(reading) == ["", "unscored", ""]
    assert reading.sample_digests.count(bytes(32)) == 0


def test_nothing_but_nan(tmp_path: Path):
    reading = read(tmp_path, log_of([sample(1, float("nan")), sample(2, float("nan"))]))
    assert reading.refusal is None
    assert missing(reading) == ["unscored", "unscored"]


def test_lone_surrogates_in_model_text_do_no_harm(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"][0]["scores"]["match"]["answer"] = "\ud83d"
    log["samples"][1]["messages"] = ["\udc00", "\\ud800"]
    assert codes(read(tmp_path, log).findings) == []


def test_large_integer_ids_and_text_ids(tmp_path: Path):
    big = 2**63 + 1
    reading = read(tmp_path, log_of([sample(big, "C"), sample("x/ünï code", "I"), sample(-1, "I")]))
    assert codes(reading.findings) == []
    assert reading.planned == (big, "x/ünï code", -1)
    assert reading.columns[0].items == reading.planned


def test_ids_that_are_equal_as_text_collide(tmp_path: Path):
    log = log_of([sample(1, "C"), sample("1", "I")])
    assert codes(read(tmp_path, log).findings) == ["E107"]
    path = tmp_path / "log.json"
    path.write_text(json.dumps(as_document(log)))
    assert codes(read_log(path).findings) == ["E408"]


def test_chunked_samples_are_read_from_their_shells(tmp_path: Path):
    log = binary_log(["C", "I"])
    members = []
    for name, data in members_of(log):
        match = re.fullmatch(r"(samples/2_epoch_1)\.json", name)
        if match is None:
            members.append((name, data))
            continue
        members.append((f"{match[1]}/sample.json", data))
        members.append((f"{match[1]}/messages/0.json", b'[{"id": 1}]'))
        members.append((f"{match[1]}/events/stats.json", b"{}"))
    path = tmp_path / "log.eval"
    path.write_bytes(archive(members, 93))
    reading = read_log(path)
    assert codes(reading.findings) == []
    assert reading.layout == "eval-chunked"
    assert [row.value for row in reading.columns[0]] == [1, 0]


def test_the_legacy_field_score_gets_the_name_of_the_only_scorer(tmp_path: Path):
    log = binary_log(["C", "N"])
    for rows in (log["samples"], log["summaries"]):
        for row in rows:
            row["score"] = row.pop("scores")["match"]
    reading = read(tmp_path, log)
    assert codes(reading.findings) == ["E701"]
    assert missing(reading) == ["", "refused"]


def test_structured_scores_become_columns(tmp_path: Path):
    log = binary_log(["C", "I"])
    values = [{"a": 1, "b": "C"}, {"a": 0, "b": float("nan")}]
    for rows in (log["samples"], log["summaries"]):
        for row, value in zip(rows, values, strict=True):
            row["scores"]["rubric"] = score(value)
            row["scores"]["pair"] = score([1, "maybe"])
    log["reductions"].append(
        {
            "scorer": "rubric",
            "samples": [
                {"sample_id": 1, "value": {"a": 1.0, "b": 1.0}},
                {"sample_id": 2, "value": {"a": 0.0, "b": float("nan")}},
            ],
        }
    )
    log["header"]["results"]["scores"] += [
        {"name": "a", "scorer": "rubric", "metrics": {"mean": {"name": "mean", "value": 0.5}}},
        {"name": "b", "scorer": "rubric", "metrics": {"mean": {"name": "mean", "value": 1.0}}},
    ]
    reading = read(tmp_path, log)
    assert reading.refusal is None
    assert [column.scorer for column in reading.columns] == ["match", "rubric/a", "rubric/b", "pair/0", "pair/1"]
    assert missing(reading, "rubric/b") == ["", "unscored"]
    assert missing(reading, "pair/1") == ["unconvertible"] * 2
    log["header"]["results"]["scores"][-1]["metrics"]["mean"]["value"] = 0.5
    assert codes(read(tmp_path, log).findings, "untrusted") == ["E403"]


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["cancelled", "error", "started", "\x1b[2Jsuccess", None])
def test_any_status_but_success_is_refused_although_there_are_results(tmp_path: Path, status):
    log = binary_log(["C", "I"])
    log["header"]["status"] = status or ""
    reading = read(tmp_path, log)
    assert reading.refusal is not None
    assert reading.refusal.code == "E301"
    assert "\x1b" not in reading.refusal.message
    assert tally(reading, "match", SingleTry()).missing == 2


def test_invalidated_log(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["header"]["invalidated"] = True
    assert codes(read(tmp_path, log).findings, "refused") == ["E303"]


def test_invalidated_sample(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"][0]["invalidation"] = {"author": "a"}
    reading = read(tmp_path, log)
    assert codes(reading.findings, "refused") == ["E304"]
    assert missing(reading) == ["invalidated", ""]


def test_edited_scores_need_permission(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"][0]["scores"]["match"]["history"] = [{"value": "I"}]
    assert codes(read(tmp_path, log).findings) == ["E305"]
    allowed = read(tmp_path, log, allow_edited=True)
    assert codes(allowed.findings) == ["E705"]
    assert allowed.refusal is None


def test_shards(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["header"]["eval"]["shards"] = {"selection": "ids", "ledger": []}
    assert "E306" in codes(read(tmp_path, log).findings, "refused")
    path = tmp_path / "log.eval"
    path.write_bytes(archive([*members_of(binary_log(["C", "I"])), ("log.shards/1/x.eval", b"")]))
    assert codes(read_log(path).findings, "refused") == ["E306"]


def test_no_scores(tmp_path: Path):
    log = log_of([sample(1, None), sample(2, None)])
    log["header"]["results"]["scores"] = []
    assert codes(read(tmp_path, log).findings) == ["E302"]


def test_samples_were_never_kept(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"] = log["summaries"] = []
    log["header"]["eval"]["config"]["log_samples"] = False
    assert codes(read(tmp_path, log).findings, "refused") == ["E307"]


def test_all_samples_deleted(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"] = []
    assert codes(read(tmp_path, log).findings) == ["E402"]


def test_header_of_another_version(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["header"]["version"] = 3
    assert codes(read(tmp_path, log).findings) == ["E308"]


def test_a_run_that_never_ended(tmp_path: Path):
    log = binary_log(["C", "I"])
    del log["header"]
    log["header"] = {"eval": {}}
    members = [member for member in members_of(log) if member[0] != "header.json"]
    path = tmp_path / "log.eval"
    path.write_bytes(archive(members))
    assert codes(read_log(path).findings) == ["E309"]


def test_early_stopping_is_inconclusive(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["header"]["results"]["early_stopping"] = {"manager": "m", "early_stops": [], "metadata": {}}
    assert read(tmp_path, log).refusal is None
    log["header"]["results"]["early_stopping"]["early_stops"] = [{"id": 3, "epoch": 1}]
    assert codes(read(tmp_path, log).findings) == ["E501"]


def test_provenance_is_lowered_by_what_is_not_known(tmp_path: Path):
    log = binary_log(["C", "I"])
    spec = log["header"]["eval"]
    assert codes(read(tmp_path, log).findings, "provenance") == ["E604", "E605"]
    spec["revision"] = {"type": "git", "origin": "o", "commit": "abc1234", "dirty": True}
    spec["config"]["limit"] = 2
    log["header"]["log_updates"] = [{"edits": []}]
    assert codes(read(tmp_path, log).findings, "provenance") == ["E601", "E603", "E604", "E605", "E607", "E608"]
    spec["revision"] = None
    spec["packages"] = {}
    reading = read(tmp_path, log)
    assert codes(reading.findings, "provenance") == ["E602", "E604", "E605", "E606", "E607", "E608"]
    assert len(reading.provenance) == 6


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("samples", 0, "id"), None),
        (("samples", 0, "id"), True),
        (("samples", 0, "id"), 1.5),
        (("samples", 0, "epoch"), 0),
        (("samples", 0, "epoch"), "1"),
        (("samples", 0, "scores"), []),
        (("samples", 0, "scores"), {"match": 1}),
        (("samples", 0, "scores"), {"match": {}}),
        (("header", "eval"), None),
        (("header", "eval", "dataset"), []),
        (("header", "eval", "dataset", "sample_ids"), [1.5]),
        (("header", "eval", "config", "epochs"), -1),
        (("header", "eval", "task"), 7),
        (("header", "results", "total_samples"), "2"),
        (("header", "results", "scores"), {}),
        (("header", "results", "scores", 0, "metrics"), []),
        (("header", "results", "scores", 0, "metrics"), {"accuracy": 1}),
        (("header", "stats"), []),
        (("summaries",), {}),
        (("header",), []),
    ],
)
def test_fields_of_the_wrong_type(tmp_path: Path, path, value):
    log = binary_log(["C", "I"])
    place = log
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "log.eval").write_bytes(
        archive([(name, json.dumps(log_part).encode()) for name, log_part in parts_of(log)])
    )
    assert codes(read_log(tmp_path / "log.eval").findings) == ["E206"]


def parts_of(log):
    yield "_journal/start.json", {}
    for number, row in enumerate(log["samples"], start=1):
        yield f"samples/{number}_epoch_1.json", row
    for name in ("summaries", "reductions", "header"):
        yield f"{name}.json", log[name]


def test_both_score_and_scores(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["samples"][0]["score"] = score("I")
    assert codes(read(tmp_path, log).findings) == ["E206"]


def test_more_planned_than_anybody_runs(tmp_path: Path):
    log = binary_log(["C", "I"])
    log["header"]["eval"]["config"]["epochs"] = 10**12
    assert "E207" in codes(read(tmp_path, log).findings)


def test_more_columns_than_anybody_scores(tmp_path: Path):
    log = binary_log(["C", "I"])
    for rows in (log["samples"], log["summaries"]):
        rows[0]["scores"]["wide"] = score({f"k{number}": 1 for number in range(2000)})
    assert codes(read(tmp_path, log).findings) == ["E207"]


def test_two_columns_of_one_name(tmp_path: Path):
    log = binary_log(["C", "I"])
    for rows in (log["samples"], log["summaries"]):
        rows[0]["scores"]["a"] = score({"b": 1})
        rows[0]["scores"]["a/b"] = score(0)
    assert codes(read(tmp_path, log).findings) == ["E206"]


# -- hostile files --------------------------------------------------------------------------------


def test_hostile_files_each_get_their_reason(tmp_path: Path):
    good = archive(members_of(binary_log(["C", "I"])))
    path = tmp_path / "log.eval"
    for content, code in [
        (b"", "E102"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "E103"),
        (b"version https://git-lfs.example/spec/v1\noid sha256:1\n", "E103"),
        (b"   ", "E202"),
        (b"{}", "E103"),
        (b'{"eval": 1', "E202"),
        (b'{"eval": {}, "status": "success", "version": 2', "E202"),
        (b"[1, 2]", "E103"),
        (b'{"status":"success","eval":"\xff"}', "E201"),
        (b'{"status":"success","eval":{},"eval":{}}', "E204"),
        (good[:-30], "E105"),
        (good[: len(good) // 2], "E105"),
        (b"PK\3\4", "E105"),
        (b"PK\5\6" + b"\0" * 18, "E103"),
        (good + b"\n", "E106"),
    ]:
        path.write_bytes(content)
        reading = read_log(path)
        assert codes(reading.findings) == [code], content[:60]
        assert reading.size == len(content)
        assert reading.columns == ()


def test_files_that_are_none(tmp_path: Path):
    assert codes(read_log(tmp_path / "nowhere.eval").findings) == ["E101"]
    assert codes(read_log(tmp_path).findings) == ["E101"]
    assert codes(read_log(f"{tmp_path}/a\0b").findings) == ["E101"]
    assert codes(read_log("/dev/zero").findings) == ["E101"]


def test_files_beyond_the_limits(tmp_path: Path):
    path = write(tmp_path, binary_log(["C", "I"]))
    assert codes(read_log(path, limits=Limits(file_bytes=10)).findings) == ["E104"]
    assert codes(read_log(path, limits=Limits(document_bytes=10)).findings) == ["E207"]
    assert codes(read_log(path, limits=Limits(members=2)).findings) == ["E118"]
    path.write_text(json.dumps(as_document(binary_log(["C", "I"]))))
    assert codes(read_log(path, limits=Limits(document_bytes=10)).findings) == ["E207"]


def test_fifty_megabytes_of_nesting_in_a_log(tmp_path: Path):
    log = binary_log(["C", "I"])
    head = b'{"version":2,"status":"success","eval":'
    path = tmp_path / "log.json"
    path.write_bytes(head + b"[" * (25 * MIB) + b"]" * (25 * MIB) + b"}")
    assert codes(read_log(path).findings) == ["E203"]
    deep = head + b"[" * MIB + b"]" * MIB + b"}"
    for name in ("samples/1_epoch_1.json", "header.json", "reductions.json", "summaries.json"):
        content = deep if name != "summaries.json" else b"[" + deep + b"]"
        members = [(key, content if key == name else data) for key, data in members_of(log)]
        path.write_bytes(archive(members))
        assert codes(read_log(path).findings) == ["E203"], name


@pytest.mark.parametrize("name", ["samples/1_epoch_1.json", "header.json", "reductions.json", "summaries.json"])
def test_second_keys_endless_numbers_and_broken_text_in_any_member(tmp_path: Path, name: str):
    log = binary_log(["C", "I"])
    path = tmp_path / "log.eval"
    for old, new, code in [
        (b'"value": ', b'"value": 0, "value": ', "E204"),
        (b'"value": ', b'"value": 1e999999999, "x": ', "E205"),
        (b'"match"', b'"m\xfftch"', "E201"),
        (b'"match"', b'"m\ntch"', "E202"),
    ]:
        members = [(key, data.replace(old, new, 1) if key == name else data) for key, data in members_of(log)]
        assert dict(members)[name] != dict(members_of(log))[name]
        path.write_bytes(archive(members))
        assert codes(read_log(path).findings) == [code], (old, new)


def test_a_sample_of_another_name(tmp_path: Path):
    members = [(name.replace("samples/1_", "samples/7_"), data) for name, data in members_of(binary_log(["C", "I"]))]
    path = tmp_path / "log.eval"
    path.write_bytes(archive(members))
    assert codes(read_log(path).findings) == ["E407"]


def test_messages_show_hostile_text_escaped(tmp_path: Path):
    log = log_of([sample("\u202eevil`::set-output", "C"), sample(2, "I")])
    log["header"]["eval"]["dataset"]["sample_ids"] = [2]
    log["header"]["results"]["total_samples"] = 1
    reading = read(tmp_path, log)
    assert "E406" in codes(reading.findings)
    text = "".join(f"{found.message}{found.where}" for found in reading.findings)
    assert "\u202e" not in text
    assert "\\u202e" in text


def test_every_code_is_used_and_none_is_unknown():
    source = Path(read_log.__code__.co_filename).parent
    used = {
        code
        for path in source.glob("*.py")
        if path.name != "objections.py"
        for code in re.findall(r'"(E\d{3})"', path.read_text(encoding="utf-8"))
    }
    # Receipts are judged one floor above their reader, with the keys of the trust file.
    assert used | {"E421"} == set(CODES)


def test_reading_the_same_bytes_twice_gives_the_same_value(tmp_path: Path):
    path = write(tmp_path, binary_log(["C", "I", "N"]))
    assert read_log(path) == read_log(path)
    assert copy.copy(read_log(path)) == read_log(path)


def spaced(log, folder: Path, name: str) -> Path:
    """The same log, its keys turned around and its white space other."""
    path = folder / name
    turned = [dict(reversed(sample.items())) for sample in log["samples"]]
    path.write_text(json.dumps({**as_document(log), "samples": turned}, indent=3))
    return path


def test_the_content_is_that_of_the_samples_whatever_bytes_they_are_in(tmp_path: Path):
    log = binary_log(["C", "I"])
    for number, made in enumerate(log["samples"]):
        made["uuid"] = f"u{number}"
    first = read(tmp_path, log)
    assert first.content
    assert read_log(spaced(log, tmp_path, "copy.json")).content == first.content
    log["samples"][0]["uuid"] = "another"
    assert read(tmp_path, log).content != first.content


def test_without_ids_of_their_own_samples_are_known_by_all_but_white_space(tmp_path: Path):
    log = binary_log(["C", "I"])
    path = tmp_path / "copy.json"
    path.write_text(json.dumps(as_document(log), indent=5))
    assert read_log(path).content == read(tmp_path, log).content
    log["samples"][0]["output"] = "a b"
    one = read(tmp_path, log).content
    log["samples"][0]["output"] = "ab"
    assert read(tmp_path, log).content != one


def test_a_log_began_when_its_first_sample_did(tmp_path: Path):
    """A run that was resumed is dated by its last start: else one could begin unregistered, and resume after it."""
    log = binary_log([1, 0, 1])
    starts = ("2026-01-02T03:04:06+00:00", "2025-12-31T23:00:00-01:00", "nonsense")
    for row, moment in zip(log["samples"], starts, strict=True):
        row["started_at"] = moment
    found = read_log(write(tmp_path, log))
    assert found.created == 1_767_225_600, "2026-01-01T00:00:00Z"
    later = binary_log([1, 0, 1])
    later["samples"][0]["started_at"] = "2026-03-01T00:00:00+00:00"
    assert read_log(write(tmp_path, later)).created == read_log(write(tmp_path, binary_log([1, 0, 1]))).created


def test_when_a_sample_began_does_not_make_it_another_one(tmp_path: Path):
    log = binary_log([1, 0, 1])
    for place, row in enumerate(log["samples"]):
        row["uuid"] = f"u{place}"
    before = read_log(write(tmp_path, log)).content
    log["samples"][0]["started_at"] = "2026-01-02T03:04:06+00:00"
    assert read_log(write(tmp_path, log)).content == before
