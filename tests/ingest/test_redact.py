"""Redacted tables: the counts of the log, none of its texts, and nothing that can be changed."""

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.canonical import canonical_bytes, digest
from scalegate.core.reading import AtLeast, Column, Reading, SingleTry, Tally
from scalegate.ingest.admissibility import tally
from scalegate.ingest.limits import Limits
from scalegate.ingest.objections import ObjectionError
from scalegate.ingest.read import read_lm_eval_run, read_log
from scalegate.ingest.redact import (
    Items,
    Redaction,
    RedactionError,
    log_texts,
    read_table,
    reading_of,
    redact,
    text_digest,
)
from scalegate.ledger.commitments import CommitmentError, record_of, root_of_commitments, verify_opening, verify_text
from tests.ingest.logs import archive, binary_log, log_of, members_of, sample, write

SECRET = bytes(range(32))
BOTH: list[Items] = ["shown", "blinded"]
RULES = (SingleTry(), AtLeast(1, 1), AtLeast(2, 4))


def redacted(path: Path, items: Items = "shown", reading: Reading | None = None) -> Redaction:
    reading = reading or read_log(path)
    return redact(reading, log_texts(path, reading), SECRET, items=items)


def reread(made: Redaction) -> Reading:
    return reading_of(read_table(made.table, made.commitments.root, made.commitments.size))


def counted(answer: Tally) -> tuple[Any, ...]:
    """A tally without the messages of its objections, which quote the log."""
    return replace(answer, findings=()), [(finding.code, finding.severity) for finding in answer.findings]


def same_counts(log: Reading, table: Reading, *registered: Any) -> bool:
    names = [column.scorer for column in log.columns]
    return [column.scorer for column in table.columns] == names and all(
        counted(tally(log, name, rule, plan)) == counted(tally(table, name, rule, plan))
        for name in names
        for rule in RULES
        for plan in (None, 1, 120, *registered)
    )


def by_try(reading: Reading) -> list[dict[Any, Any]]:
    """What each scorer gave each try: the lines of a table have an order of their own."""
    rows = [zip(each.items, each.epochs, each.values, each.missing, strict=True) for each in reading.columns]
    return [{(item, epoch): (value, missing) for item, epoch, value, missing in row} for row in rows]


# -- real logs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", BOTH)
def test_every_real_log_is_counted_alike_from_its_table(shared_data: Path, items: Items):
    done, refused = 0, set()
    paths = [*sorted((shared_data / "inspect_logs").iterdir()), *(shared_data / "lm_eval").rglob("*.jsonl")]
    for path in paths:
        reading = read_log(path)
        if not reading.columns:
            refused.add(path.name)
            continue
        table = reread(redacted(path, items))
        assert same_counts(reading, table), path.name
        if items == "shown":
            assert by_try(table) == by_try(reading), path.name
            assert sorted(map(str, table.planned)) == sorted(map(str, reading.planned))
        done += 1
    assert done == 16
    assert refused == {
        "inspect_ai_no-samples.json",
        "inspect_ai_popularity_2025-02_a.eval",
        "inspect_ai_tool_call_error.json",
    }


def test_lm_eval_samples_are_redacted_with_what_their_results_say(shared_data: Path):
    folder = shared_data / "lm_eval" / "generated_v0.4.13"
    (path,) = folder.glob("samples_*.jsonl")
    (results,) = folder.glob("results_*.json")
    (reading,) = read_lm_eval_run(results, [path])
    table = reread(redacted(path, reading=reading))
    assert same_counts(reading, table)
    assert (table.task, table.model, table.harness_version) == ("synth_mc", reading.model, "0.4.13")
    with pytest.raises(RedactionError, match="no scores of samples"):
        redacted(results)


def texts_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(texts_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(texts_of, value))
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize("name", ["inspect_ai_security-guide.json", "inspect_ai_popularity.json"])
def test_no_text_of_a_real_sample_is_in_its_table(shared_data: Path, name: str):
    path = shared_data / "inspect_logs" / name
    texts = {text for each in json.loads(path.read_bytes())["samples"] for text in texts_of(each) if len(text) > 9}
    assert len(texts) > 10
    shown = texts_of([json.loads(line) for line in redacted(path).table.splitlines()])
    log = read_log(path)
    named = f"{log.columns[0].scorer} {log.model}"
    assert [text for text in texts for word in shown if text in word and text not in named] == []


def test_a_real_sample_is_shown_from_the_archive_alone(shared_data: Path):
    path = shared_data / "inspect_logs" / "inspect_scout_popularity.eval"
    made = redacted(path)
    with zipfile.ZipFile(path) as log:
        name = "samples/7_epoch_1.json"
        part = (name, log.read(name))
    (index,) = (at for at, record in enumerate(made.commitments.records) if record.item == 7)
    record = verify_opening(made.commitments.root, 100, made.commitments.opening(index))
    verify_text(record, made.commitments.text_salt(index), text_digest([part]))
    with pytest.raises(CommitmentError, match="others were counted"):
        verify_text(record, made.commitments.text_salt(index), text_digest([(name, part[1] + b" ")]))


# -- what is hidden -------------------------------------------------------------------------------

SECRETIVE = "PLASMID"


def dangerous() -> dict[str, Any]:
    log = log_of(
        [
            sample(f"{SECRETIVE}-{number}", value, input=f"{SECRETIVE} how", metadata={"note": SECRETIVE})
            for number, value in enumerate("CIIC")
        ]
    )
    log["samples"][1]["error"] = {"message": f"{SECRETIVE} crashed", "traceback": SECRETIVE}
    log["samples"][2]["scores"]["match"]["explanation"] = SECRETIVE
    log["samples"][0]["scores"]["match"]["answer"] = SECRETIVE
    return log


def test_blinded_tables_hold_no_text_of_any_sample_item_or_objection(tmp_path: Path):
    path = write(tmp_path, dangerous())
    reading = read_log(path)
    assert any(SECRETIVE in finding.message + finding.where for finding in reading.findings)
    made = redacted(path, "blinded")
    assert SECRETIVE.encode() not in made.table
    assert SECRETIVE not in repr(made)
    assert f"{SECRETIVE}-0".encode() in redacted(path).table
    assert same_counts(reading, reread(made))


def test_tries_of_one_item_stay_together_when_items_are_blinded(tmp_path: Path):
    rows = [sample(item, "C" if item != "b" else "I", epoch) for item in "abc" for epoch in (1, 2, 3, 4)]
    path = write(tmp_path, log_of(rows, epochs=4))
    reading = read_log(path)
    table = reread(redacted(path, "blinded"))
    assert same_counts(reading, table)
    answer = tally(table, "match", AtLeast(2, 4))
    assert (answer.refusal, answer.successes, answer.failures) == (None, 2, 1)
    assert len(set(table.columns[0].items)) == 3


def test_blinded_items_are_strangers_to_a_registered_list(tmp_path: Path):
    path = write(tmp_path, binary_log("CIC"))
    assert same_counts(read_log(path), reread(redacted(path)), [1, 2, 3], [1, 2])
    refusal = tally(reread(redacted(path, "blinded")), "match", SingleTry(), [1, 2, 3]).refusal
    assert refusal is not None
    assert refusal.code == "E415"


def test_a_table_says_what_it_cannot_show(tmp_path: Path):
    path = write(tmp_path, binary_log("CIC"))
    for items in BOTH:
        made = redacted(path, items)
        table = read_table(made.table, made.commitments.root, 3)
        assert "The answers cannot be scored again: the table holds no texts." in table.lost
        assert any("Summaries" in sentence for sentence in table.lost)
        assert any("registered list" in sentence for sentence in table.lost) is (items == "blinded")
        assert all(sentence.endswith(".") for sentence in table.lost)


def test_a_table_is_never_taken_for_its_log(tmp_path: Path):
    path = write(tmp_path, binary_log("CIC"))
    log = read_log(path)
    made = redacted(path)
    table = read_table(made.table, made.commitments.root, 3)
    assert table.log == log.digest
    assert reading_of(table).digest == table.digest != log.digest
    assert reading_of(table).content == ""
    (tmp_path / "table.jsonl").write_bytes(made.table)
    refusal = read_log(tmp_path / "table.jsonl").refusal
    assert refusal is not None
    assert refusal.severity == "malformed"


# -- texts ----------------------------------------------------------------------------------------


def test_the_parts_of_a_chunked_sample_are_all_committed_to(tmp_path: Path):
    def chunked(message: bytes) -> Redaction:
        members = []
        for name, data in members_of(binary_log("CI")):
            match = re.fullmatch(r"(samples/2_epoch_1)\.json", name)
            members.append((f"{match[1]}/sample.json" if match else name, data))
            if match:
                members.append((f"{match[1]}/messages/0.json", message))
        path = tmp_path / "log.eval"
        path.write_bytes(archive(members, 93))
        assert read_log(path).layout == "eval-chunked"
        return redacted(path)

    first, second = chunked(b'[{"id": 1}]'), chunked(b'[{"id": 2}]')
    sizes = first.commitments, second.commitments
    assert sizes[0].root != sizes[1].root
    whole = dict(members_of(binary_log("CI")))["samples/2_epoch_1.json"]
    parts = [("samples/2_epoch_1/sample.json", whole), ("samples/2_epoch_1/messages/0.json", b'[{"id": 1}]')]
    record, salt = sizes[0].records[1], sizes[0].text_salt(1)
    verify_text(record, salt, text_digest(parts))
    for wrong in (parts[:1], [(parts[0][0], whole), ("samples/2_epoch_1/messages/1.json", parts[1][1])]):
        with pytest.raises(CommitmentError):
            verify_text(record, salt, text_digest(wrong))


def test_a_text_that_was_changed_behind_an_unchanged_score_is_noticed(tmp_path: Path):
    """Samples with an ID of their own are told apart by it and their scores: the table commits to their bytes."""
    log = binary_log("CIC")
    for each in log["samples"]:
        each["uuid"] = f"u{each['id']}"
    path = write(tmp_path, log)
    before, root = read_log(path).sample_digests, redacted(path).commitments.records
    log["samples"][1]["input"] = "another question"
    path = write(tmp_path, log)
    assert read_log(path).sample_digests == before
    now = redacted(path).commitments
    with pytest.raises(CommitmentError):
        verify_text(root[1], now.text_salt(1), log_texts(path, read_log(path))["2", 1])


def test_another_log_than_the_one_read_is_refused(tmp_path: Path):
    path = write(tmp_path, binary_log("CIC"))
    reading = read_log(path)
    write(tmp_path, binary_log("CCC"))
    with pytest.raises(RedactionError, match="not the one that was read"):
        log_texts(path, reading)


def test_texts_that_are_missing_or_too_many_are_refused(tmp_path: Path):
    log = binary_log("CIC")
    path = write(tmp_path, log)
    reading = read_log(path)
    texts = log_texts(path, reading)
    assert set(texts) == {("1", 1), ("2", 1), ("3", 1)}
    with pytest.raises(RedactionError, match="item `2`, try 1"):
        redact(reading, {key: text for key, text in texts.items() if key != ("2", 1)}, SECRET, items="shown")
    absent = replace(reading, sample_digests=bytes(32) + reading.sample_digests[32:])
    with pytest.raises(RedactionError, match="item `1`, try 1"):
        redact(absent, texts, SECRET, items="shown")


def test_a_planned_try_that_never_ran_stays_missing(tmp_path: Path):
    log = binary_log("CIC")
    log["header"]["eval"]["dataset"]["sample_ids"] = [1, 2, 3, 4]
    path = write(tmp_path, log)
    made = redacted(path)
    assert [record.text is None for record in made.commitments.records] == [False, False, False, True]
    assert same_counts(read_log(path), reread(made))
    assert reread(made).refusal is not None


def test_documents_whose_samples_cannot_be_cut_out_are_refused(tmp_path: Path):
    log = members_of(binary_log("CI"))
    header = json.loads(dict(log)["header.json"])
    header["samples"] = binary_log("CI")["samples"]
    path = tmp_path / "log.json"
    path.write_text(json.dumps(header))
    assert same_counts(read_log(path), reread(redacted(path)))
    path.write_text(json.dumps(header).replace('"samples": [', '"sam\\u0070les": ['))
    reading = read_log(path)
    assert reading.columns
    with pytest.raises(RedactionError, match="told apart"):
        log_texts(path, reading)


# -- tampering ------------------------------------------------------------------------------------

Rows = list[dict[str, Any]]


def tampered(path: Path, edit: Callable[[Rows], None]) -> str:
    """Why an edited table is refused."""
    made = redacted(path)
    rows = [json.loads(line) for line in made.table.splitlines()]
    edit(rows)
    data = b"".join(canonical_bytes(row) + b"\n" for row in rows)
    assert data != made.table
    with pytest.raises(RedactionError) as refused:
        read_table(data, made.commitments.root, made.commitments.size)
    return str(refused.value)


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return write(tmp_path, log_of([sample(number, "CIICI"[number]) for number in range(5)]))


@pytest.mark.parametrize("place", range(5))
def test_any_tampered_score_breaks_its_commitment(log_path: Path, place: int):
    def flip(rows: Rows) -> None:
        score = rows[place + 1]["scores"][0]
        score[1] = "1" if score[1] == "0" else "0"

    assert f"line {place + 2} breaks its commitment" in tampered(log_path, flip)


def commit_anew(rows: Rows) -> bytes:
    """Make every commitment anew, as whoever has the table can, and return the root."""
    for row in rows[1:]:
        fields = {name: row[name] for name in ("item", "try", "scores", "text")}
        record = record_of({**fields, "about": digest(rows[0])})
        row["commitment"] = record.commitment(bytes.fromhex(row["salt"])).hex()
    return root_of_commitments(bytes.fromhex(row["commitment"]) for row in rows[1:])


def forge(rows: Rows) -> None:
    score = rows[2]["scores"][0]
    score[1] = str(1 - int(score[1]))
    commit_anew(rows)


def swap(rows: Rows) -> None:
    rows[1], rows[2] = rows[2], rows[1]


def drop(rows: Rows) -> None:
    del rows[2]


def drop_and_say_so(rows: Rows) -> None:
    del rows[2]
    rows[0]["samples"] = 4


def repeat(rows: Rows) -> None:
    rows[2] = rows[1]


EDITS: dict[str, tuple[Callable[[Rows], None], str]] = {
    "forged": (forge, "root is another"),
    "swapped": (swap, "root is another"),
    "dropped": (drop, "5 samples were committed to"),
    "dropped and said": (drop_and_say_so, "5 samples were committed to"),
    "repeated": (repeat, "same try"),
    "made missing": (lambda rows: rows[1]["scores"].__setitem__(0, ["match", "", "error"]), "line 2 breaks"),
    "another item": (lambda rows: rows[1].update(item="0"), "line 2 breaks"),
    "another try": (lambda rows: rows[1].update({"try": 2}), "line 2 breaks"),
    "another text": (lambda rows: rows[1].update(text="00" * 32), "line 2 breaks"),
    "another salt": (lambda rows: rows[1].update(salt="00" * 32), "line 2 breaks"),
    "a scorer renamed": (lambda rows: rows[1]["scores"][0].__setitem__(0, "other"), "line 2 breaks"),
    "a score added": (lambda rows: rows[1]["scores"].append(["more", "1", ""]), "line 2 breaks"),
    "a value in another text": (lambda rows: rows[1]["scores"][0].__setitem__(1, "1.0"), "lowest terms"),
    "a field added": (lambda rows: rows[1].update(about="x"), "other fields"),
    "no row": (lambda rows: rows.__setitem__(1, []), "other fields"),
    "objections left out": (lambda rows: rows[0].update(findings=[]), "line 2 breaks"),
    "fewer tries planned": (lambda rows: rows[0].update(epochs=2), "line 2 breaks"),
    "more planned": (lambda rows: rows[0].update(planned_count=99), "line 2 breaks"),
    "another log": (lambda rows: rows[0].update(log="sha256:" + "0" * 64), "line 2 breaks"),
    "nothing lost": (lambda rows: rows[0].update(lost=[]), "line 2 breaks"),
    "an unknown objection": (lambda rows: rows[0].update(findings=["E000"]), "another type or value"),
    "a number as text": (lambda rows: rows[0].update(epochs="1"), "another type or value"),
    "no scorers": (lambda rows: rows[0].update(scorers=[]), "another type or value"),
    "another format": (lambda rows: rows[0].update(format="scalegate redacted scores 2"), "name the format"),
    "a header field added": (lambda rows: rows[0].update(more=1), "other fields"),
    "no header": (lambda rows: rows.__delitem__(0), "name the format"),
    "nothing": (lambda rows: rows.clear(), "name the format"),
}


CONTRADICTIONS: dict[str, tuple[Callable[[Rows], None], str]] = {
    "repeated": (repeat, "same try"),
    "another scorer": (lambda rows: rows[1]["scores"][0].__setitem__(0, "other"), "other scorers"),
    "an item blinded": (lambda rows: rows[1].update(item={"blinded": "0" * 64}), "shows its item"),
    "items said to be blinded": (lambda rows: rows[0].update(items="blinded"), "shows its item"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_table_that_contradicts_itself_is_refused_even_if_it_was_committed_to(log_path: Path, name: str):
    edit, reason = CONTRADICTIONS[name]
    rows = [json.loads(line) for line in redacted(log_path).table.splitlines()]
    edit(rows)
    root = commit_anew(rows)
    with pytest.raises(RedactionError, match=reason):
        read_table(b"".join(canonical_bytes(row) + b"\n" for row in rows), root, 5)


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_table_is_refused(log_path: Path, name: str):
    edit, reason = EDITS[name]
    assert reason in tampered(log_path, edit)


def test_a_table_is_refused_under_another_root_or_size(log_path: Path):
    made = redacted(log_path)
    assert read_table(made.table, made.commitments.root, 5).size == len(made.table)
    for root, size in ((bytes(32), 5), (made.commitments.root, 4), (made.commitments.root, 6), (b"", 5)):
        with pytest.raises(RedactionError):
            read_table(made.table, root, size)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table[:-1],
        lambda table: table + b"\n",
        lambda table: table.replace(b'"try":1', b'"try": 1', 1),
        lambda table: table.replace(b'"try":1', b'"try":1,"try":1', 1),
        lambda table: table.replace(b'"try":1', b'"try":1.0', 1),
        lambda table: table.replace(b"\n", b"\r\n", 1),
        lambda table: b"\xff" + table,
    ],
    ids=range(7),
)
def test_a_table_has_one_form(log_path: Path, change: Callable[[bytes], bytes]):
    made = redacted(log_path)
    with pytest.raises(RedactionError):
        read_table(change(made.table), made.commitments.root, 5)


@given(place=st.integers(min_value=0), change=st.integers(0, 255))
def test_a_table_with_any_changed_byte_or_cut_there_is_refused(place: int, change: int):
    column = Column("match", (0, 1), (1, 1), (Fraction(1), Fraction(1)), ("", ""))
    reading = Reading("sha256:" + "0" * 64, 9, "inspect", columns=(column,), sample_digests=b"\1" * 64)
    made = redact(reading, {("0", 1): bytes(32), ("1", 1): bytes(32)}, SECRET, items="shown")
    place %= len(made.table)
    data = bytearray(made.table)
    data[place] ^= change
    with pytest.raises(RedactionError):
        read_table(bytes(data) if change else made.table[:place], made.commitments.root, 2)


def test_a_table_larger_than_the_caps_is_refused(log_path: Path):
    made = redacted(log_path)
    with pytest.raises(RedactionError, match="at most 100 bytes"):
        read_table(made.table, made.commitments.root, 5, Limits(document_bytes=100))


def test_the_root_of_a_table_is_that_of_its_commitments(log_path: Path):
    made = redacted(log_path)
    shown = [bytes.fromhex(json.loads(line)["commitment"]) for line in made.table.splitlines()[1:]]
    assert root_of_commitments(shown) == made.commitments.root


def test_a_refused_log_stays_refused(tmp_path: Path):
    log = binary_log("CIC")
    log["samples"][1]["scores"]["match"]["history"] = [{"value": "C"}]
    path = write(tmp_path, log)
    assert read_log(path).refusal is not None
    answer = tally(reread(redacted(path, "blinded")), "match", SingleTry())
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.successes, answer.missing) == ("E305", 0, 3)


def test_names_that_are_not_unicode_and_secrets_of_another_size_are_refused(tmp_path: Path):
    log = binary_log("CIC")
    path = write(tmp_path, log)
    reading = read_log(path)
    texts = log_texts(path, reading)
    with pytest.raises(RedactionError, match="surrogate"):
        redact(replace(reading, task="\ud800"), texts, SECRET, items="shown")
    with pytest.raises(RedactionError, match="32 bytes"):
        redact(reading, texts, b"short", items="shown")


def test_a_broken_log_is_an_objection(tmp_path: Path):
    path = write(tmp_path, binary_log("CIC"))
    reading = read_log(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ObjectionError):
        log_texts(path, reading)
