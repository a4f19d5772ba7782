"""`scalegate ledger`: entries shown and proven, and the trust file in force."""

import json
import shutil
import sqlite3

import pytest

from scalegate.core.events import StopOrdered
from scalegate.ledger import LocalStore
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.leaf import read_leaf
from scalegate.ledger.note import Note, format_note
from tests.cli.lab import LEA
from tests.cli.signed import forge, key_in_force, keyring
from tests.cli.speakers import ORIGIN, speakers_folder, trust_file
from tests.cli.test_hostile_text import ATTACKS, DRAWN

ATTEST = ("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day")
FORMS = ("human", "plain", "json")


@pytest.fixture
def open_lab(bare, monkeypatch):
    """A lab of which attackers have the keys."""
    bare.keys = bare.folder / "keys"
    shutil.copytree(speakers_folder() / "keys", bare.keys)
    monkeypatch.setenv("SCALEGATE_KEYS", str(bare.keys))
    return bare


# ---------------------------------------------------------------- show


def test_every_entry_is_one_line(lab):
    said = lab.do("ledger", "show")
    assert len(said.out.splitlines()) == 1 + len(lab.kinds())
    assert "result-reported" in said.out
    assert "Lea Roth (auditor)" in said.out
    rows = lab.do("ledger", "show", "--format", "json").json["entries"]
    assert [row["digest"] for row in rows] == [entry.digest for entry in lab.history().entries]
    assert len(lab.do("ledger", "show", "--format", "plain").out.splitlines()) == len(rows)


def test_entries_of_one_kind_from_some_index_on_are_listed(lab):
    kinds = lab.kinds()
    rows = lab.do("ledger", "show", "--kind", "run-registered", "--format", "json").json["entries"]
    assert [row["index"] for row in rows] == [kinds.index("RunRegistered")]
    rows = lab.do("ledger", "show", "--since", "2", "--format", "json").json["entries"]
    assert [row["index"] for row in rows] == list(range(2, len(kinds)))
    assert "did you mean `run-registered`?" in lab.run("ledger", "show", "--kind", "run-registred").err


@pytest.mark.parametrize("form", FORMS)
def test_an_entry_is_shown_whole_by_index_and_by_digest(lab, form):
    entry = lab.history().entries[1]
    by_index = lab.do("ledger", "show", "1", "--format", form).out
    assert by_index == lab.do("ledger", "show", entry.digest, "--format", form).out
    assert key_in_force(lab, "Ada Osei").digest in by_index
    assert entry.digest in by_index
    if form == "json":
        assert json.loads(json.loads(by_index)["statement"])["predicate"]["log"] == ORIGIN


def test_a_denial_does_not_look_like_a_statement(bare):
    bare.do(*ATTEST, *LEA)
    bare.do(*ATTEST, "--denied", *LEA)
    first, second = bare.do("ledger", "show", "--kind", "statement", "--format", "plain").out.splitlines()
    assert "holds True" in first
    assert "holds False" in second


@pytest.mark.parametrize("which", ["99", "sha256:00", "-"])
def test_an_entry_that_is_not_there_is_not_shown(lab, which):
    assert lab.run("ledger", "show", which).code == 2


def test_an_entry_that_its_author_did_not_sign_is_not_shown_as_signed(open_lab):
    """Who has the key of the log, and not that of its gate, can sign a head over it, and nobody believes that."""
    event = StopOrdered("s1", (), "", "M. Ito", "regulator")
    data = forge(open_lab, "a.leaf", event, [key_in_force(open_lab, "Ada Osei")]).read_bytes()
    with LocalStore(open_lab.store) as store:
        standing = store.standing()
    index, (key,) = len(standing.entries), standing.trust.logs
    standing.recall(data)
    text = format_checkpoint(Checkpoint(ORIGIN, index + 1, standing.tree.root()))
    note = format_note(Note(text, (key.sign(text, keyring(open_lab).note_signer(key)),)))
    with sqlite3.connect(open_lab.store / "ledger.db") as db:
        db.execute("INSERT INTO entries VALUES (?, ?)", (index, data))
        db.execute("UPDATE head SET note = ?", (note,))
    db.close()
    for command in (["ledger", "show", "--kind", "stop-ordered"], ["ledger", "show", str(index)]):
        said = open_lab.run(*command)
        assert said.code == 4
        assert "not signed with the key of `M. Ito`" in said.err


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_an_entry_steers_a_terminal(open_lab, attack):
    event = StopOrdered(ATTACKS[attack], (), "", "M. Ito", "regulator")
    path = forge(open_lab, "a.leaf", event, [key_in_force(open_lab, "M. Ito")])
    for form in FORMS:
        for line in (["include", path], ["show"], ["show", str(len(open_lab.kinds()) - 1)]):
            said = open_lab.do("ledger", *line, "--format", form)
            assert set(said.out + said.err) <= DRAWN, (line, said)


# ---------------------------------------------------------------- prove


@pytest.fixture
def proof(lab):
    """The proof of a permit."""
    assert lab.gate().code == 0
    lab.do("ledger", "prove", "--decision", "1", "--out", "p.tlog-proof")
    return lab


def checked(lab, *more, trust=None):
    return lab.run("ledger", "prove", "--check", "p.tlog-proof", "--leaf", "p.tlog-proof.leaf",
                   "--trust", trust or trust_file(), *more)  # fmt: skip


def test_a_proof_holds_offline(proof):
    shutil.rmtree(proof.store)
    said = checked(proof)
    assert said.code == 0, said
    assert f"the proof holds: entry 5 of {ORIGIN}" in said.out
    leaf = read_leaf((proof.folder / "p.tlog-proof.leaf").read_bytes())
    assert (leaf.event.answer, leaf.event.number) == ("permit", 1)


def test_a_proof_for_another_entry_is_false(proof):
    proof.do("ledger", "prove", "1", "--out", "q.tlog-proof")
    shutil.copy("q.tlog-proof.leaf", "p.tlog-proof.leaf")
    said = checked(proof)
    assert said.code == 4
    assert "error[proof-false]" in said.err


def test_a_proof_with_another_index_is_false(proof):
    path = proof.folder / "p.tlog-proof"
    path.write_text(path.read_text().replace("index 5", "index 4"))
    assert checked(proof).code == 4


def test_a_proof_under_a_checkpoint_that_somebody_else_signed_is_false(proof):
    other = trust_file().read_text().splitlines()
    proof.do("keys", "new", "--log", "other.example/log", "--unprotected", "--keys", "other")
    line = proof.do("keys", "list", "--keys", "other", "--format", "json").json["keys"][0]["line"]
    assert checked(proof, trust=proof.file("t", "\n".join([line, *other[1:]]) + "\n")).code == 4


def test_a_proof_that_too_few_witnesses_cosigned_is_not_enough(proof):
    lines = trust_file().read_text().replace("quorum none", "quorum w")
    key = proof.do("keys", "new", "--witness", "w.example", "--unprotected", "--keys", "other").out
    trust = proof.file("t", key.replace("witness w.example", "witness w") + lines)
    said = checked(proof, trust=trust)
    assert said.code == 3
    assert "too few witnesses cosigned" in said.out


@pytest.mark.parametrize("line", [(), ("1", "--decision", "1"), ("--check", "p"), ("1", "--trust", "t")])
def test_a_proof_is_of_one_entry(lab, line):
    assert lab.run("ledger", "prove", *line).code == 2
    assert not list(lab.folder.glob("*.tlog-proof"))


# ---------------------------------------------------------------- trust


def test_the_trust_file_in_force_is_shown_byte_for_byte(bare):
    assert bare.do("ledger", "trust", "show", "--text").out == trust_file().read_text()
    facts = bare.do("ledger", "trust", "show", "--format", "json").json
    assert (facts["log"], facts["quorum"], facts["fresh"]) == (ORIGIN, "none", "1 day")
    lines = bare.do("ledger", "trust", "show", "--tlog-policy").out.splitlines()
    assert [line.split()[0] for line in lines] == ["log", "quorum"]
    assert "speakers: Ada Osei (developer)" in bare.do("ledger", "trust", "show").out


def test_a_new_trust_file_says_what_it_changes(bare):
    digest = bare.do("ledger", "trust", "show", "--format", "json").json["digest"]
    text = trust_file().read_text().replace("developer ed25519", "board,developer ed25519", 1)
    text = "\n".join(line for line in text.splitlines() if "Bo Li" not in line)
    path = bare.file("t2", f"{text}\nfresh 2 days\nreplaces {digest}\n")
    said = bare.do("ledger", "trust", "adopt", path)
    assert "changed: fresh: 1 day -> 2 days" in said.out
    assert "removed: roles of Bo Li: board" in said.out
    assert bare.do("ledger", "trust", "show", "--text").out == path.read_text()
    assert bare.run("ledger", "trust", "adopt", path).code == 1


def test_a_trust_file_that_does_not_name_the_one_in_force_is_not_adopted(bare):
    path = bare.file("t2", trust_file().read_text() + "fresh 2 days\n")
    said = bare.run("ledger", "trust", "adopt", path)
    assert said.code == 1
    assert "does not say that it replaces" in said.err
    assert bare.kinds().count("TrustAdopted") == 1
