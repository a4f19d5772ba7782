"""Runs whose logs are not handed over: redacted tables, sealed logs, single samples, and who tampers with them."""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.audit.bundle import Bundle
from scalegate.audit.openings import Shown, check_shown
from scalegate.audit.redacted import Committed
from scalegate.core.canonical import canonical_bytes
from scalegate.core.events import RunRegistered
from scalegate.ingest.read import read_log
from scalegate.ingest.redact import Items, Redaction, log_texts, read_table, redact
from scalegate.ledger.commitments import CommitmentError
from scalegate.ledger.sealed import OpeningKey, open_sealed, seal
from scalegate.ledger.store import LocalStore
from tests.cli.lab import LEA, Lab
from tests.cli.speakers import speakers_folder, trust_file, use_keys
from tests.conftest import ROOT
from tests.ingest.logs import log_of, sample, write

REAL = ("inspect_scout_popularity.eval", "inspect_scout_security-guide.eval", "inspect_ai_security-guide.json")


def verify(folder: Path, lab, *more: object) -> list[tuple[str, str, str]]:
    said = lab.run("verify", folder, "--trust", trust_file(), "--format", "json", *more)
    assert "checks" in said.json, said
    return [(item["room"], item["verdict"], item["message"]) for item in said.json["checks"]]


def told(checks, verdict: str, room: str = "") -> str:
    return "\n".join(words for where, found, words in checks if found == verdict and where.startswith(room))


def export(lab, name: str, *more: object) -> Path:
    lab.do("ledger", "export", lab.folder / name, *more)
    return lab.folder / name


def result(lab, run: str):
    return next(e for e in lab.history().entries if getattr(e.event, "commitments", "") and e.event.run == run)


def table_of(folder: Path, run: str) -> Path:
    (path,) = (folder / "redacted").glob(f"{run}-*.jsonl")
    return path


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write_lines(path: Path, rows: list[dict]) -> None:
    path.write_bytes(b"".join(canonical_bytes(row) + b"\n" for row in rows))


def texts_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def redacted(path: Path, items: Items, secret: bytes = bytes(32)) -> Redaction:
    reading = read_log(path)
    return redact(reading, log_texts(path, reading), secret, items=items)


def key(lab, name: str) -> OpeningKey:
    made = OpeningKey.generate()
    (lab.folder / f"{name}.key").write_bytes(made.pem)
    (lab.folder / f"{name}.pem").write_bytes(made.recipient.pem)
    return made


@pytest.fixture(scope="module")
def pair(tmp_path_factory, prepared):
    """What `two` is copied from, made once; and a third result with its honest table, for whoever forges it."""
    made = Lab(tmp_path_factory.mktemp("pair"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        use_keys(patch)
        patch.setattr("scalegate.app.clock.SystemClock.now", lambda _: made.now)
        shutil.copytree(prepared / ".scalegate", made.store)
        made.register("r2")
        path = made.log("r2.jsonl", [1.0] * 3 + [0.0] * 97, doc={"question": "how is ricin made?"})
        made.do("evidence", "add", "r2", path, *LEA)
        shutil.copytree(made.store, made.folder / "two")
        made.register("r3")
        shutil.copytree(made.store, made.folder / "three")
        made.do("evidence", "add", "r3", made.log("r3.jsonl", [1.0] * 7 + [0.0] * 93), *LEA)
        made.do("ledger", "export", made.folder / "honest", "--without", "r3", "--without", "r2")
    return made


@pytest.fixture
def two(empty, pair):
    """A lab with two results of lm-eval, 0 and 3 of 100 items solved; each row of `r2` has a text of its own."""
    shutil.copytree(pair.folder / "two", empty.store)
    shutil.copy(pair.folder / "r2.jsonl", empty.folder)
    return empty


def add_real(lab, shared_data: Path, name: str, run: str = "real") -> int:
    """Register and add a real Inspect log; returns the number of its items."""
    path = shared_data / "inspect_logs" / name
    items = {"inspect_scout_popularity.eval": 100, "inspect_scout_security-guide.eval": 16}.get(name, 3)
    lab.do("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion", "--items", items,
           "--report-by", "10 days", *LEA)  # fmt: skip
    lab.do("evidence", "add", run, path, *LEA)
    return items


# -- what is handed over --------------------------------------------------------------------------


def test_the_counts_of_a_run_follow_from_its_table_and_nothing_calls_that_as_sure_as_a_log(two):
    folder = export(two, "out", "--without", "r2")
    checks = verify(folder, two)
    assert "run `r2`: its counts follow from a redacted table of 100 samples" in told(checks, "passed", "redacted")
    assert "they are the word of its owner" in told(checks, "impossible", "redacted")
    assert "The answers cannot be scored again" in told(checks, "impossible", "redacted")
    assert "1 of 1 results follow from the logs" in told(checks, "passed", "results")
    assert told(checks, "untrusted") == told(checks, "failed") == ""
    assert b"ricin" not in texts_in(folder)
    assert b"ricin" in texts_in(export(two, "open"))


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("more", [(), ("--blind",)])
def test_a_real_log_is_counted_again_from_its_table(bare, shared_data, name, more):
    items = add_real(bare, shared_data, name)
    assert result(bare, "real").event.commitments.startswith(f"{items}:")
    checks = verify(export(bare, "out", "--without", "real", *more), bare)
    assert told(checks, "untrusted") == told(checks, "failed") == ""
    assert f"a redacted table of {items} samples" in told(checks, "passed", "redacted")
    assert "results follow" not in told(checks, "passed")


def test_blinded_items_are_named_nowhere_and_counted_by_their_number(bare):
    bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion", "--report-by", "10 days",
            "--item-ids", bare.file("ids.txt", "anthrax-item\nricin-item\nsarin-item"), *LEA)  # fmt: skip
    samples = [sample(item, 0) for item in ("anthrax-item", "ricin-item", "sarin-item")]
    bare.do("evidence", "add", "r1", write(bare.folder, log_of(samples)), *LEA)
    folder = export(bare, "out", "--without", "r1", "--blind")
    assert b"ricin" not in texts_in(folder)
    checks = verify(folder, bare)
    assert told(checks, "untrusted") == told(checks, "failed") == ""
    assert "only with its length" in told(checks, "impossible", "redacted")
    assert "redacted table of 3 samples" in told(checks, "passed", "redacted")
    shown = export(bare, "shown", "--without", "r1")
    assert b"ricin-item" in table_of(shown, "r1").read_bytes()


def test_a_sequential_run_is_counted_from_its_table_in_its_order_and_never_blinded(bare):
    bare.do("evidence", "register", "s1", "--evaluation", "autonomy", "--subject", "orion", "--sequential",
            "--item-ids", bare.bank(100), "--report-by", "10 days", *LEA)  # fmt: skip
    path = bare.log("s1.jsonl", [1.0] * 9 + [0.0] * 91)
    bare.do("evidence", "add", "s1", path, *LEA)
    event = result(bare, "s1").event
    assert event.outcomes.count("1") == 9
    folder = export(bare, "out", "--without", "s1")
    checks = verify(folder, bare)
    assert "run `s1`: its counts follow from a redacted table" in told(checks, "passed", "redacted")
    said = bare.run("ledger", "export", bare.folder / "blind", "--without", "s1", "--blind")
    assert (said.code, "blinded-order" in said.err) == (1, True)
    secret = bytes.fromhex((bare.store / "secrets" / event.log.removeprefix("sha256:")).read_text().strip())
    table_of(folder, "s1").write_bytes(redacted(path, "blinded", secret).table)
    checks = verify(folder, bare)
    assert "cannot be put in their registered order" in told(checks, "impossible", "results")
    assert "s1" not in told(checks, "passed")


def test_the_lines_of_a_table_stand_in_no_order_of_the_log(two):
    rows = lines(table_of(export(two, "out", "--without", "r2", "--blind"), "r2"))[1:]
    items = items_of(two, "r2")
    assert sorted(items) == list(range(100))
    assert items != sorted(items)
    assert items != items_of(two, "r1"), "each log has a secret of its own"
    solved = {place for place, row in enumerate(rows) if row["scores"][0][1] == "1"}
    assert solved == {items.index(item) for item in range(3)} != {0, 1, 2}


def test_of_a_withheld_run_nothing_is_handed_over(two):
    folder = export(two, "out", "--withhold", "r2")
    assert not (folder / "redacted").exists()
    checks = verify(folder, two)
    assert "its scores were not counted again" in told(checks, "impossible", "results")


def sampled(lab, run: str) -> tuple[str, str]:
    """Report a sampled run, every third item solved; returns the digests of its list and its order."""
    lab.do("evidence", "register", run, "--evaluation", "autonomy", "--subject", "orion", "--sequential",
           "--item-ids", lab.bank(100), "--report-by", "10 days", *LEA)  # fmt: skip
    lab.do("evidence", "add", run, lab.log(f"{run}.jsonl", [float(item % 3 == 0) for item in range(100)]), *LEA)
    event = next(e.event for e in lab.history().entries if isinstance(e.event, RunRegistered) and e.event.run == run)
    return event.item_ids, event.sampling.order


def test_no_outcome_of_a_withheld_run_is_put_to_its_item(bare):
    marks = sampled(bare, "s1")
    folder = export(bare, "out", "--withhold", "s1")
    for mark in marks:
        with pytest.raises(KeyError):
            Bundle(folder).blob(mark)
    assert all(mark in (folder / "README").read_text() for mark in marks)
    assert "DOES NOT HOLD" not in bare.run("verify", folder, "--trust", trust_file()).out
    assert told(verify(folder, bare), "untrusted") == ""
    shown = Bundle(export(bare, "shown", "--without", "s1"))
    assert all(shown.blob(mark) for mark in marks)


def test_the_items_of_a_withheld_run_are_there_only_for_a_result_that_names_them(bare):
    bank, order = sampled(bare, "s1")
    bare.do("evidence", "register", "r9", "--evaluation", "autonomy", "--subject", "orion", "--item-ids",
            bare.bank(100), "--report-by", "10 days", *LEA)  # fmt: skip
    with pytest.raises(KeyError):
        Bundle(export(bare, "before", "--withhold", "s1")).blob(bank)
    bare.do("evidence", "add", "r9", bare.log("r9.jsonl", [0.0] * 100), *LEA)
    folder = export(bare, "after", "--withhold", "s1")
    assert Bundle(folder).blob(bank)
    with pytest.raises(KeyError):
        Bundle(folder).blob(order)


def test_the_items_of_a_withheld_run_are_sealed_with_its_log(bare):
    marks = sampled(bare, "s1")
    key(bare, "lea")
    folder = export(bare, "out", "--withhold", "s1", "--seal-for", "lea.pem")
    sealed = {f"sha256:{path.name}" for path in (folder / "sealed").iterdir()}
    assert sealed == {*marks, result(bare, "s1").event.log}
    checks = verify(folder, bare, "--opening-key", "lea.key")
    assert "1 of 1 results follow from the logs" in told(checks, "passed", "results")


@pytest.mark.parametrize("more", [("--blind",), ("--seal-for", "lea.pem"), ("--blind", "--seal-for", "lea.pem")])
def test_nothing_is_hidden_where_nothing_is_left_out(two, more):
    key(two, "lea")
    said = two.run("ledger", "export", "out", *more)
    assert (said.code, "error[nothing-left-out]" in said.err) == (2, True)
    assert not (two.folder / "out").exists()


def test_a_result_that_commits_to_nothing_is_said_to_have_no_table(two):
    two.register("r3")
    copy = export(two, "copy")
    path = two.log("r3.jsonl", [0.0] * 100)
    two.do("--sign-only", two.folder / "r3.leaf", "evidence", "add", "r3", path, *LEA, "--store", copy)
    two.do("ledger", "include", two.folder / "r3.leaf")
    said = two.do("ledger", "export", "out", "--without", "r3", "--without", "r2")
    assert "run `r3`: its result commits to no samples" in said.err
    assert "r2" not in said.err
    said = two.do("ledger", "export", "again", "--without", "r3", "--format", "json")
    assert said.json["without_tables"] == ["r3"]


@pytest.mark.parametrize("more", [(), ("--withhold", "r2", "--seal-for", "lea.pem")], ids=["open", "sealed"])
def test_a_document_that_is_another_one_in_the_store_is_not_exported(two, more):
    key(two, "lea")
    mark = result(two, "r2").event.log.removeprefix("sha256:")
    path = two.store / "blobs" / "sha256" / mark[:2] / mark
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"\n")
    said = two.run("ledger", "export", "out", *more)
    assert (said.code, "have another digest" in said.err) == (4, True)
    assert not (two.folder / "out" / "checkpoint").exists()


def test_a_log_that_is_left_out_is_not_handed_over_for_another_run_that_it_was_offered_for(two):
    two.register("r3")
    assert two.run("evidence", "add", "r3", two.folder / "r2.jsonl", *LEA).code == 4
    folder = export(two, "out", "--without", "r2")
    assert b"ricin" not in texts_in(folder)


def test_a_run_that_was_never_registered_is_not_left_out(two):
    said = two.run("ledger", "export", two.folder / "out", "--without", "r22")
    assert (said.code, "did you mean `r2`?" in said.err) == (2, True)
    assert not (two.folder / "out" / "checkpoint").exists()


def test_the_secret_of_a_log_is_kept_for_its_owner_only_and_without_it_nothing_is_redacted(two):
    path = two.store / "secrets" / result(two, "r2").event.log.removeprefix("sha256:")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    secret = path.read_bytes().strip()
    assert secret not in texts_in(export(two, "out", "--without", "r2"))
    path.unlink()
    said = two.run("ledger", "export", two.folder / "late", "--without", "r2")
    assert (said.code, "secret-missing" in said.err) == (1, True)
    path.write_bytes(b"0" * 64 + b"\n")
    said = two.run("ledger", "export", two.folder / "later", "--without", "r2")
    assert (said.code, "commitments-other" in said.err) == (4, True)


def test_two_logs_have_two_secrets(two):
    found = {path.read_bytes() for path in (two.store / "secrets").iterdir()}
    assert len(found) == 2
    assert all(len(data) == 65 for data in found)


def test_a_log_without_scores_of_samples_commits_to_nothing(bare, shared_data):
    (folder,) = (shared_data / "lm_eval").glob("generated*")
    (path,) = folder.glob("results_*.json")
    bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion", "--items", "40",
            "--report-by", "10 days", *LEA)  # fmt: skip
    bare.run("evidence", "add", "r1", path, *LEA)
    assert [e.event for e in bare.history().entries if getattr(e.event, "commitments", "")] == []


def test_who_signs_on_a_copy_keeps_no_secret_and_commits_to_nothing(two):
    two.register("r3")
    copy = export(two, "copy")
    path = two.log("r3.jsonl", [0.0] * 100)
    two.do("--sign-only", two.folder / "r3.leaf", "evidence", "add", "r3", path, *LEA, "--store", copy)
    assert not (copy / "secrets").exists()
    two.do("ledger", "include", two.folder / "r3.leaf")
    event = next(e.event for e in two.history().entries if getattr(e.event, "harness", "") and e.event.run == "r3")
    assert event.commitments == ""


def test_a_table_is_no_log_of_another_run(two):
    path = table_of(export(two, "out", "--without", "r2"), "r2")
    two.register("r3")
    assert two.run("evidence", "add", "r3", path, *LEA).code == 2


# -- attacks on tables ----------------------------------------------------------------------------


def edited_score(rows, _):
    rows[1]["scores"][0][1] = str(1 - int(rows[1]["scores"][0][1]))


def dropped_row(rows, _):
    del rows[5]
    rows[0]["samples"] -= 1


def edited_header(rows, _):
    rows[0]["lost"] = []


def other_run(rows, others):
    rows[:] = others


@pytest.mark.parametrize("attack", [edited_score, dropped_row, edited_header, other_run])
def test_a_table_that_was_tampered_with_is_not_trusted(two, attack):
    folder = export(two, "out", "--without", "r2", "--without", "r1")
    path = table_of(folder, "r2")
    rows = lines(path)
    attack(rows, lines(table_of(folder, "r1")))
    write_lines(path, rows)
    checks = verify(folder, two)
    assert "run `r2`: redacted/r2-" in told(checks, "untrusted", "results")
    assert "run `r2`" not in told(checks, "passed")
    assert "run `r1`: its counts follow" in told(checks, "passed", "redacted")


def test_a_table_of_no_result_is_not_trusted(two):
    folder = export(two, "out", "--without", "r2")
    shutil.copy(table_of(folder, "r2"), folder / "redacted" / "r9-99.jsonl")
    assert "r9-99" in told(verify(folder, two), "untrusted", "redacted")


def test_a_bad_table_beside_its_log_is_seen(two):
    folder = export(two, "open")
    left = export(two, "out", "--without", "r2")
    (folder / "redacted").mkdir()
    rows = lines(table_of(left, "r2"))
    edited_score(rows, None)
    write_lines(folder / "redacted" / table_of(left, "r2").name, rows)
    assert "breaks its commitment" in told(verify(folder, two), "untrusted", "results")


# -- results that were not recorded for what they are ---------------------------------------------


@pytest.fixture
def forged(empty, pair):
    """Records a result r3 otherwise than its log says, and exports it with its honest table, or that of `source`."""

    def make(source: str = "r3", **fields: object) -> Path:
        shutil.copytree(pair.folder / "three", empty.store)
        event = replace(result(pair, "r3").event, **fields)
        with LocalStore(empty.store, Keyring(speakers_folder() / "keys", Secrets({}))) as store:
            store.append(event, empty.now)
        folder = export(empty, "out", "--withhold", "r3")
        (folder / "redacted").mkdir()
        honest = pair.folder / "honest"
        shutil.copy(table_of(honest, source), folder / "redacted" / table_of(honest, "r3").name)
        return folder

    return make


def test_a_result_that_says_what_its_table_says_is_counted(empty, forged):
    checks = verify(forged(), empty)
    assert "run `r3`: its counts follow from a redacted table" in told(checks, "passed", "redacted")


LIES = [
    {"successes": 6, "failures": 94},
    {"missing": 1, "failures": 92},
    {"adaptive": True},
    {"binary": False},
    {"evidence_class": "aggregate"},
    {"derived": True},
    {"findings": ()},
    {"provenance": ()},
    {"model": "other"},
    {"scorer": "other"},
    {"outcomes": "1110"},
]


@pytest.mark.parametrize("fields", LIES, ids=[next(iter(each)) for each in LIES])
def test_a_result_that_says_otherwise_than_its_table_is_not_trusted(empty, forged, fields):
    checks = verify(forged(**fields), empty)
    assert "run `r3`" in told(checks, "untrusted", "results")
    assert "run `r3`" not in told(checks, "passed")


def test_the_root_of_another_result_is_none_of_this_one(empty, forged, pair):
    checks = verify(forged("r2", commitments=result(pair, "r2").event.commitments), empty)
    assert "is of the log" in told(checks, "untrusted", "results")


def test_the_log_of_another_result_counts_for_none(empty, forged, pair):
    other = result(pair, "r2").event
    checks = verify(forged("r2", log=other.log, commitments=other.commitments, successes=3, failures=97), empty)
    assert "the log was offered for another run: `r2`" in told(checks, "untrusted", "results")


def test_the_samples_of_another_result_count_for_none(empty, forged, pair):
    checks = verify(forged(content=result(pair, "r2").event.content), empty)
    assert "the log was offered for another run: `r2`" in told(checks, "untrusted", "results")


@pytest.mark.parametrize("text", ["", "100", "0:" + ":".join(["0" * 64] * 2), "100:" + "0" * 64, "x" * 999])
def test_commitments_that_are_none_have_no_table(empty, forged, text):
    checks = verify(forged(commitments=text), empty)
    assert "the result commits to no samples" in told(checks, "untrusted", "results")


# -- sealed logs ----------------------------------------------------------------------------------


def test_a_sealed_log_is_counted_like_any_log_by_whom_it_is_sealed_for(two):
    key(two, "lea")
    key(two, "ito")
    folder = export(two, "out", "--withhold", "r2", "--seal-for", "lea.pem", "--seal-for", "ito.pem")
    assert b"ricin" not in texts_in(folder)
    assert "no key that was given opens it" in told(verify(folder, two), "impossible", "results")
    for name in ("lea", "ito"):
        checks = verify(folder, two, "--opening-key", f"{name}.key")
        assert "2 of 2 results follow from the logs" in told(checks, "passed", "results")
        assert told(checks, "untrusted") == told(checks, "failed") == ""


def test_the_files_beside_a_sealed_log_are_sealed_as_well(bare, shared_data):
    (source,) = (shared_data / "lm_eval").glob("generated*")
    (path,), (results,) = source.glob("samples_*.jsonl"), source.glob("results_*.json")
    items = len(path.read_bytes().splitlines())
    bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion", "--items", items,
            "--report-by", "10 days", "--scorer", "acc,none", *LEA)  # fmt: skip
    bare.run("evidence", "add", "r1", path, "--results", results, *LEA)
    mine = key(bare, "lea")
    folder = export(bare, "out", "--without", "r1", "--seal-for", "lea.pem")
    plain = [open_sealed(each.read_bytes(), mine) for each in sorted((folder / "sealed").iterdir())]
    assert sorted(plain) == sorted([path.read_bytes(), results.read_bytes()])
    checks = verify(folder, bare, "--opening-key", "lea.key")
    assert "1 of 1 results follow from the logs" in told(checks, "passed", "results")
    assert "a redacted table of" in told(verify(folder, bare), "passed", "redacted")


def sealed_log(lab) -> tuple[Path, OpeningKey, Path]:
    """An export with one sealed log, its key, and where it stands."""
    mine = key(lab, "lea")
    folder = export(lab, "out", "--withhold", "r2", "--seal-for", "lea.pem")
    (path,) = (folder / "sealed").iterdir()
    return folder, mine, path


def test_a_log_that_was_sealed_for_somebody_else_is_not_counted(two):
    folder, _, path = sealed_log(two)
    path.write_bytes(seal((two.folder / "r2.jsonl").read_bytes(), [OpeningKey.generate().recipient]))
    checks = verify(folder, two, "--opening-key", "lea.key")
    assert "no key that was given opens it" in told(checks, "impossible", "results")
    assert "2 of 2" not in told(checks, "passed")


def test_a_sealed_log_that_is_another_one_is_not_trusted(two):
    folder, mine, path = sealed_log(two)
    path.write_bytes(seal(two.log("other.jsonl", [0.0] * 100).read_bytes(), [mine.recipient]))
    assert "was asked for" in told(verify(folder, two, "--opening-key", "lea.key"), "untrusted", "results")


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:-5] + b"x" + data[-4:],
                                    lambda _: b"{}", lambda data: data + b"x"])  # fmt: skip
def test_a_sealed_log_that_was_changed_is_not_trusted(two, change):
    folder, _, path = sealed_log(two)
    path.write_bytes(change(path.read_bytes()))
    assert "sealed/" in told(verify(folder, two, "--opening-key", "lea.key"), "untrusted", "results")


def test_nothing_of_a_sealed_log_is_left_behind(two, monkeypatch):
    folder, _, _ = sealed_log(two)
    scratch = two.folder / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert "2 of 2" in told(verify(folder, two, "--opening-key", "lea.key"), "passed", "results")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_of_a_sealed_log_is_left_behind_by_an_audit_that_is_ended(two, number):
    two.register("big")
    two.do("evidence", "add", "big", two.log("big.jsonl", [0.0] * 100, pad="x" * 100_000), *LEA)
    key(two, "lea")
    folder = export(two, "out", "--withhold", "big", "--seal-for", "lea.pem")
    scratch = two.folder / "scratch"
    scratch.mkdir()
    line = ("verify", folder, "--trust", trust_file(), "--opening-key", two.folder / "lea.key")
    # On a busy machine the audit may be through before the signal comes: then once more.
    ended = 0
    for _ in range(8):
        ended = ended_while_open(line, scratch, number)
        assert list(scratch.rglob("*")) == []
        if ended == 70:
            break
    assert ended == 70, "it was ended while the log was open"


def ended_while_open(line, scratch, number):
    """Audit in a process of its own, end it once a log is open, and return its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scalegate.cli.main", *map(str, line)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests may ignore it, and children inherit that.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    while process.poll() is None and not any(len(path.stem) == 64 for path in scratch.rglob("*")):
        time.sleep(0.001)
    process.send_signal(number)
    return process.wait(20)


@pytest.mark.parametrize("option", [("ledger", "export", "out2", "--seal-for"),
                                    ("verify", "out", "--trust", trust_file(), "--opening-key")])  # fmt: skip
def test_a_key_that_is_none_is_refused(two, option):
    export(two, "out")
    two.file("none.pem", "-----BEGIN")
    assert (two.run(*option, "none.pem").code, two.run(*option, "absent.pem").code) == (2, 2)


# -- single samples -------------------------------------------------------------------------------


def opened(lab, folder: Path, *samples: int, run: str = "r2") -> list[Path]:
    (folder / "openings").mkdir()
    paths = [folder / "openings" / f"{index}.json" for index in samples]
    for index, path in zip(samples, paths, strict=True):
        lab.do("evidence", "open", run, "--sample", index, "--out", path)
    return paths


def items_of(lab, run: str) -> list[object]:
    """The items of a run in the order of its table, which is that of its samples."""
    return [row["item"] for row in lines(table_of(export(lab, f"items-{run}", "--without", run), run))[1:]]


@pytest.mark.parametrize("more", [(), ("--blind",)])
def test_a_sample_is_shown_with_its_texts_and_checked(two, more):
    items = items_of(two, "r2")
    two_, ninety_nine = items.index(2), items.index(99)
    folder = export(two, "out", "--without", "r2", *more)
    first, last = opened(two, folder, two_, ninety_nine)
    checks = verify(folder, two)
    assert f"run `r2`: sample {two_}, try 1: acc 1; its texts are those that were committed to" in told(
        checks, "passed"
    )
    assert f"run `r2`: sample {ninety_nine}, try 1: acc 0;" in told(checks, "passed", "openings")
    assert told(checks, "untrusted") == ""
    shown = base64.b64decode(json.loads(first.read_bytes())["texts"][0][1])
    assert shown == (two.folder / "r2.jsonl").read_bytes().splitlines()[2]
    assert first.stat().st_mode & 0o777 == last.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", REAL)
def test_a_real_sample_is_shown(bare, shared_data, name):
    add_real(bare, shared_data, name)
    folder = export(bare, "out", "--without", "real")
    (path,) = opened(bare, folder, 1, run="real")
    assert "run `real`: sample 1," in told(verify(folder, bare), "passed", "openings")
    texts = b"".join(base64.b64decode(text) for _, text in json.loads(path.read_bytes())["texts"])
    assert b'"input"' in texts


def test_a_sample_that_is_not_there_is_not_shown(two):
    assert two.run("evidence", "open", "r2", "--sample", 100).code == 2
    assert two.run("evidence", "open", "r2", "--sample", -1).code == 2
    assert two.run("evidence", "open", "nobody", "--sample", 1).code == 2
    assert not list(two.folder.glob("opening-*"))


def other_text(shown, other):
    shown["texts"] = other["texts"]


def other_text_and_salt(shown, other):
    shown["texts"], shown["text_salt"] = other["texts"], other["text_salt"]


def other_place(shown, other):
    shown["opening"]["index"] = other["opening"]["index"]


def other_record(shown, other):
    shown["opening"]["record"] = other["opening"]["record"]


def better_score(shown, _):
    score = shown["opening"]["record"]["scores"][0]
    score[1] = str(1 - int(score[1]))


def other_result(shown, _):
    shown["run"] = "r1"


def no_texts(shown, _):
    shown["texts"] = []


def text_twice(shown, _):
    shown["texts"] *= 2


def more_fields(shown, _):
    shown["more"] = 1


def other_log(shown, other):
    shown["opening"] = other["of r1"]["opening"]


@pytest.mark.parametrize("attack", [other_text, other_text_and_salt, other_place, other_record, better_score,
                                    other_result, no_texts, text_twice, more_fields, other_log])  # fmt: skip
def test_a_sample_that_is_not_the_one_that_was_counted_is_not_trusted(two, attack):
    folder = export(two, "out", "--without", "r2", "--without", "r1")
    path, other = opened(two, folder, 2, 3)
    two.do("evidence", "open", "r1", "--sample", 2, "--out", two.folder / "of-r1.json")
    shown, beside = json.loads(path.read_bytes()), json.loads(other.read_bytes())
    attack(shown, {**beside, "of r1": json.loads((two.folder / "of-r1.json").read_bytes())})
    path.write_bytes(canonical_bytes(shown))
    checks = verify(folder, two)
    assert "openings/2.json" in told(checks, "untrusted", "openings")
    assert "sample 3," in told(checks, "passed", "openings")
    assert "sample 2," not in told(checks, "passed", "openings")


def test_an_opening_has_one_form(two):
    folder = export(two, "out")
    (path,) = opened(two, folder, 2)
    path.write_bytes(path.read_bytes() + b"\n")
    assert "it is not in the one form" in told(verify(folder, two), "untrusted", "openings")


def test_a_sample_whose_parts_could_be_those_of_another_is_not_shown(bare):
    bare.do("evidence", "register", "r1", "--evaluation", "autonomy", "--subject", "orion", "--report-by", "10 days",
            "--items", "2", *LEA)  # fmt: skip
    log = write(bare.folder, log_of([sample("1", 0), sample("1_epoch_1/2", 0)]))
    bare.do("evidence", "add", "r1", log, *LEA)
    items = items_of(bare, "r1")
    said = bare.run("evidence", "open", "r1", "--sample", items.index("1"))
    assert (said.code, "show the log itself" in said.err) == (1, True)
    bare.do("evidence", "open", "r1", "--sample", items.index("1_epoch_1/2"))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"entry":1}'])
def test_an_opening_that_is_none_is_not_trusted(two, data):
    folder = export(two, "out")
    (folder / "openings").mkdir()
    (folder / "openings" / "x.json").write_bytes(data)
    assert "openings/x.json" in told(verify(folder, two), "untrusted", "openings")


def test_a_sample_with_other_scores_than_the_blinded_table_is_seen(two):
    """Two roots of one result could stand for two logs: what is shown of one has to be what the other has."""
    counted = redacted(two.log("lie.jsonl", [0.0] * 4), "blinded")
    honest = redacted(two.log("truth.jsonl", [1.0, 0.0, 0.0, 0.0]), "shown").commitments
    table = read_table(counted.table, counted.commitments.root, 4)
    both = str(Committed(4, honest.root, counted.commitments.root))
    event = replace(result(two, "r2").event, commitments=both)
    shown = {honest.records[index].item: Shown("", "r2", honest.opening(index)) for index in range(4)}
    assert "try 1: acc 0; its texts are not shown" in check_shown(shown[1], event, table)
    with pytest.raises(CommitmentError, match="other scores here than in the redacted table"):
        check_shown(shown[0], event, table)


# -- draws ----------------------------------------------------------------------------------------


def test_both_sides_draw_the_same_samples(two):
    said = two.do("evidence", "draw", "r2", "--count", 5, "--seed", "dice: 3 1 6").out.split()
    again = two.do("evidence", "draw", "anything", "--count", 5, "--seed", "dice: 3 1 6", "--size", 100).out.split()
    other = two.do("evidence", "draw", "r2", "--count", 5, "--seed", "dice: 3 1 5", "--format", "json").json["samples"]
    by_hand = sorted(range(100), key=lambda index: hashlib.sha256(f"dice: 3 1 6\n{index}".encode()).digest())
    assert said == again == [str(index) for index in sorted(by_hand[:5])]
    assert sorted(other) == other != [int(index) for index in said]


@pytest.mark.parametrize("more", [("r2", "--count", 101), ("r2", "--count", 0), ("r9", "--count", 1)])
def test_what_is_not_there_is_not_drawn(two, more):
    assert two.run("evidence", "draw", *more, "--seed", "x").code == 2


def test_all_samples_can_be_drawn(two):
    said = two.do("evidence", "draw", "r2", "--count", 100, "--seed", "x")
    assert said.out.split() == [str(index) for index in range(100)]
