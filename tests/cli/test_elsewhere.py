"""Statements signed elsewhere: on a copy, into a file, through the inbox, into the log, with a receipt."""

import os
import shutil

import pytest

from scalegate.core.events import StopOrdered
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.tlog_proof import parse_proof
from tests.cli.lab import ADA, DAY, ITO, LEA
from tests.cli.signed import forge, key_in_force
from tests.cli.speakers import ORIGIN, speakers_folder, trust_file

ATTEST = ("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day")


@pytest.fixture
def open_lab(bare):
    """A lab of which attackers have the keys."""
    bare.keys = speakers_folder() / "keys"
    return bare


def stop(order="s1", by="M. Ito", role="regulator"):
    return StopOrdered(order, (), "", by, role)


def statement(lab, name="a.leaf", order="s1", **fields):
    """A stop order that M. Ito signed and that nobody recorded."""
    return forge(lab, name, stop(order), [key_in_force(lab, "M. Ito")], **fields)


# ---------------------------------------------------------------- signed elsewhere


def signed(lab, name, *line):
    return lab.run("--sign-only", name, *line)


def test_a_statement_is_signed_and_not_recorded_until_it_is_included(bare):
    before = bare.kinds()
    said = signed(bare, "a.leaf", *ATTEST, *LEA)
    assert said.code == 0, said
    assert f"statement 1 of Lea Roth for the log {ORIGIN} is signed" in said.out
    assert "counts only once `scalegate ledger include a.leaf`" in said.err
    assert bare.kinds() == before
    said = bare.do("ledger", "include", "a.leaf", "--format", "json")
    (row,) = said.json["statements"]
    assert (row["entry"], row["known"]) == (len(before), False)
    assert bare.kinds() == [*before, "Statement"]


def test_a_receipt_is_a_proof(bare):
    signed(bare, "a.leaf", *ATTEST, *LEA)
    bare.do("ledger", "include", "a.leaf")
    assert parse_proof((bare.folder / "a.leaf.receipt").read_bytes()).index == len(bare.kinds()) - 1
    bare.do("ledger", "prove", "--check", "a.leaf.receipt", "--leaf", "a.leaf", "--trust", trust_file())


def test_a_statement_that_is_in_the_log_is_not_recorded_twice(bare):
    signed(bare, "a.leaf", *ATTEST, *LEA)
    shutil.copy("a.leaf", "b.leaf")
    said = bare.do("ledger", "include", "a.leaf", "b.leaf", "--format", "json")
    assert [row["entry"] for row in said.json["statements"]] == [len(bare.kinds()) - 1] * 2
    kinds = bare.kinds()
    said = bare.do("ledger", "include", "a.leaf")
    assert f"was in the log already, as entry {len(kinds) - 1}" in said.out
    assert bare.kinds() == kinds


def test_statements_signed_one_after_the_other_have_consecutive_numbers(bare):
    for name in ("b.leaf", "a.leaf", "c.leaf"):
        assert signed(bare, name, *ATTEST, *LEA).code == 0
    assert [read_leaf((bare.folder / f"{name}.leaf").read_bytes()).number for name in "bac"] == [1, 2, 3]
    bare.do("ledger", "include", "c.leaf", "a.leaf", "b.leaf")
    assert bare.kinds()[-3:] == ["Statement"] * 3


def test_a_statement_before_which_another_one_is_missing_is_not_admitted(bare):
    signed(bare, "a.leaf", *ATTEST, *LEA)
    signed(bare, "b.leaf", *ATTEST, *LEA)
    said = bare.run("ledger", "include", "b.leaf")
    assert said.code == 1
    assert "it is statement 2 of `Lea Roth`, and 1 comes next" in said.out
    assert not (bare.folder / "b.leaf.receipt").exists()


def test_a_signed_statement_replaces_no_file(bare):
    bare.file("a.leaf", "mine")
    assert signed(bare, "a.leaf", *ATTEST, *LEA).code == 1
    (bare.folder / "link").symlink_to(bare.folder / "elsewhere")
    assert signed(bare, "link", *ATTEST, *LEA).code == 1
    assert (bare.folder / "a.leaf").read_text() == "mine"
    assert not (bare.folder / "elsewhere").exists()


@pytest.mark.parametrize("option", [("--sign-only", "a.leaf"), ("--sign-only=a.leaf",)])
def test_the_gate_answers_in_no_file(lab, option):
    said = lab.run(*option, "gate", "train", "--subject", "orion", "--to", "4e24")
    assert said.code == 1
    assert said.out.startswith("HOLD")
    assert "error[sign-only-gate]" in said.err
    assert not (lab.folder / "a.leaf").exists()
    assert "DecisionMade" not in lab.kinds()


def test_what_the_gate_says_of_the_log_is_signed_in_no_file(bare):
    digest = bare.do("ledger", "trust", "show", "--format", "json").json["digest"]
    path = bare.file("t2", f"{trust_file().read_text()}replaces {digest}\n")
    said = signed(bare, "a.leaf", "ledger", "trust", "adopt", path)
    assert said.code == 1
    assert "error[sign-only-gate]" in said.err
    assert not (bare.folder / "a.leaf").exists()


def test_statements_that_need_one_another_are_taken_in_whatever_their_order(bare):
    """Lea Roth's first statement is about a model that Ada Osei's third one declares."""
    copy = shutil.copytree(bare.store, bare.folder / "copy")
    signed(bare, "b.leaf", "subject", "add", "nova", "--digest", f"sha256:{'7' * 64}", "--issuer", "acme",
           "--compute", "3e24", "--from-scratch", "--store", copy, *ADA)  # fmt: skip
    bare.do("ledger", "include", "b.leaf", "--store", copy)
    signed(bare, "a.leaf", "evidence", "attest", "safeguard", "vault", "--subject", "nova", "--expires", "1 day",
           "--store", copy, *LEA)  # fmt: skip
    assert bare.run("ledger", "include", "a.leaf").code == 1
    bare.do("ledger", "include", "a.leaf", "b.leaf")
    assert bare.kinds()[-2:] == ["SubjectDeclared", "Statement"]


def test_whoever_has_no_key_signs_nothing(bare, monkeypatch):
    monkeypatch.setenv("SCALEGATE_KEYS", str(bare.folder / "none"))
    said = signed(bare, "a.leaf", *ATTEST, *LEA)
    assert said.code == 1
    assert "error[key-missing]" in said.err
    assert not (bare.folder / "a.leaf").exists()


@pytest.mark.parametrize("copy", ["store", "export"])
def test_an_auditor_signs_on_a_copy_and_documents_travel_with_the_statement(bare, copy):
    bare.register("r1")
    if copy == "store":
        shutil.copytree(bare.store, bare.folder / "copy")
    else:
        bare.do("ledger", "export", "copy")
    log = bare.log("r1.jsonl", [0.0] * 100)
    said = signed(bare, "r1.leaf", "evidence", "add", "r1", log, *LEA, "--store", "copy")
    assert said.code == 0, said
    digest = read_leaf((bare.folder / "r1.leaf").read_bytes()).event.log
    place = bare.store / "blobs" / "sha256" / digest[7:9] / digest[7:]
    assert not place.exists()
    bare.do("ledger", "inbox", "r1.leaf")
    bare.do("ledger", "include")
    assert place.read_bytes() == log.read_bytes()
    assert bare.gate().code == 0


def test_the_inbox_is_included_and_receipts_stay(bare):
    signed(bare, "a.leaf", *ATTEST, *LEA)
    bare.do("ledger", "inbox", "a.leaf")
    said = bare.do("ledger", "include")
    assert "its receipt is" in said.out
    (receipt,) = (bare.store / "inbox").iterdir()
    bare.do("ledger", "prove", "--check", receipt, "--leaf", "a.leaf", "--trust", trust_file())
    assert "the inbox is empty" in bare.do("ledger", "include").out


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"number": 7}, "it is statement 7 of `M. Ito`, and 1 comes next"),
        ({"log": "other.example/log"}, "made for the log `other.example/log`"),
        ({"at": 1_790_000_000 + 301}, "made later than it is here"),
    ],
    ids=["gap", "other-log", "future"],
)
def test_a_statement_with_anything_wrong_is_not_admitted(open_lab, fields, why):
    said = open_lab.run("ledger", "include", statement(open_lab, **fields))
    assert said.code == 1
    assert why in said.out
    assert "StopOrdered" not in open_lab.kinds()


def test_a_statement_in_the_name_of_somebody_else_is_not_admitted(open_lab):
    path = forge(open_lab, "a.leaf", stop(), [key_in_force(open_lab, "Ada Osei")])
    assert "not signed with the key of `M. Ito`" in open_lab.run("ledger", "include", path).out
    path = forge(open_lab, "b.leaf", stop(role="board"), [key_in_force(open_lab, "M. Ito")])
    assert "does not let `M. Ito` speak as `board`" in open_lab.run("ledger", "include", path).out


def test_a_file_that_is_no_statement_is_refused_whole(open_lab):
    path = statement(open_lab)
    said = open_lab.run("ledger", "include", path, open_lab.file("b.leaf", "{}"))
    assert said.code == 2
    assert "StopOrdered" not in open_lab.kinds()


# ---------------------------------------------------------------- what waits for too long


def test_a_statement_that_waits_for_too_long_holds_the_gate(lab):
    lab.keys = speakers_folder() / "keys"
    lab.do("ledger", "inbox", statement(lab))
    lab.now += 3 * DAY
    assert lab.gate().code == 0
    lab.now += 1
    said = lab.gate()
    assert said.code == 4
    words = "a statement that M. Ito signed on 2026-09-21T14:13:20Z is not in the log"
    assert words in " ".join(said.out.split())
    lab.do("ledger", "include")
    said = lab.gate()
    assert said.code == 1, "it was a stop order"
    assert "stop order s1" in said.out


def test_the_time_of_a_file_is_nobodys_word(lab):
    """Who runs the log can touch a file, and cannot change when its author says that he signed."""
    lab.keys = speakers_folder() / "keys"
    lab.do("ledger", "inbox", statement(lab))
    (path,) = (lab.store / "inbox").iterdir()
    lab.now += 4 * DAY
    os.utime(path, (lab.now, lab.now))
    assert lab.gate().code == 4


@pytest.mark.parametrize("junk", ["text", "forged", "other-log", "spent-number", "link"])
def test_what_nobody_signed_for_this_log_holds_nothing(lab, junk):
    lab.keys = speakers_folder() / "keys"
    inbox = lab.store / "inbox"
    inbox.mkdir()
    if junk == "text":
        (inbox / "a.leaf").write_text("junk")
    elif junk == "forged":
        shutil.move(forge(lab, "a.leaf", stop(), [key_in_force(lab, "Ada Osei")]), inbox)
    elif junk == "other-log":
        shutil.move(statement(lab, log="other.example/log"), inbox)
    elif junk == "link":
        (inbox / "a.leaf").symlink_to(statement(lab, "b.leaf"))
    else:
        path = statement(lab)
        lab.do("stop", "issue", "s2", "--action", "deploy.api", *ITO)
        shutil.move(path, inbox)
    lab.now += 4 * DAY
    assert lab.gate().code == 0


def test_an_inbox_that_cannot_be_read_holds_the_gate(lab):
    (lab.store / "inbox").write_text("no folder")
    said = lab.gate()
    assert said.code == 4
    assert "the inbox cannot be read" in said.out
