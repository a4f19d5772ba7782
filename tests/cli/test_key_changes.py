"""Keys that were rotated or revoked, and who tries them all the same."""

import shutil

import pytest

from scalegate.adapters.signers.secret import Secrets
from scalegate.app.keyring import Keyring
from scalegate.core.events import StopOrdered
from scalegate.core.log_events import KeyRevoked, KeyRotated
from scalegate.ledger.trust import write_key
from tests.cli.lab import ADA, ITO, LEA
from tests.cli.signed import forge, key_in_force, keyring
from tests.cli.speakers import speakers_folder

ROTATE = ("keys", "rotate", "Ada Osei", "--role", "developer", "--unprotected")
ATTEST = ("evidence", "attest", "predicate", "rival-without-safeguards", "--expires", "1 day")
TRUSTEE = ("--by", "M. Ito", "--role", "trustee")


@pytest.fixture
def own(bare, monkeypatch):
    """A lab with keys of its own to rotate, whose trust file makes M. Ito a trustee."""
    bare.keys = bare.folder / "keys"
    shutil.copytree(speakers_folder() / "keys", bare.keys)
    monkeypatch.setenv("SCALEGATE_KEYS", str(bare.keys))
    facts = bare.do("ledger", "trust", "show", "--format", "json").json
    text = bare.do("ledger", "trust", "show", "--text").out.replace("auditor,regulator", "auditor,regulator,trustee")
    said = bare.do("ledger", "trust", "adopt", bare.file("trust-2", f"{text}replaces {facts['digest']}\n"))
    assert "changed: roles of M. Ito: auditor, regulator -> auditor, regulator, trustee" in said.out
    return bare


def stop(by="Ada Osei", role="developer"):
    return StopOrdered("s1", (), "", by, role)


def included(lab, path):
    """What the log says to a statement; nothing is recorded that it refuses."""
    before = lab.kinds()
    said = lab.run("ledger", "include", path, "--format", "json")
    (row,) = said.json["statements"]
    assert (said.code == 0) is (row["entry"] is not None) is (lab.kinds() != before)
    return row["why"]


def test_after_a_rotation_the_new_key_signs(own):
    before = key_in_force(own, "Ada Osei")
    own.do(*ROTATE)
    after = key_in_force(own, "Ada Osei")
    assert after != before
    own.do("evidence", "method", "m1", "--elicitation", "prompting", *ADA)
    whole = own.do("ledger", "show", str(len(own.kinds()) - 1), "--format", "json").json
    assert whole["signers"] == [after.digest]
    assert f"{after.digest}, rotated" in own.do("ledger", "trust", "show").out


def test_a_rotation_is_signed_with_both_keys(own):
    before = key_in_force(own, "Ada Osei")
    own.do(*ROTATE)
    whole = own.do("ledger", "show", str(len(own.kinds()) - 1), "--format", "json").json
    assert whole["kind"] == "key-rotated"
    assert whole["signers"] == [before.digest, key_in_force(own, "Ada Osei").digest]


def test_a_rotated_key_signs_nothing(own):
    old = key_in_force(own, "Ada Osei")
    own.do(*ROTATE)
    assert "not signed with the key of `Ada Osei`" in included(own, forge(own, "a.leaf", stop(), [old]))
    assert included(own, forge(own, "b.leaf", stop(), [key_in_force(own, "Ada Osei")])) == ""


def test_a_rotated_key_cannot_be_taken_back_into_use(own):
    old = key_in_force(own, "Ada Osei")
    own.do(*ROTATE)
    new = key_in_force(own, "Ada Osei")
    event = KeyRotated(write_key(new), write_key(old), "Ada Osei", "developer")
    assert "is or was somebody's already" in included(own, forge(own, "a.leaf", event, [new, old]))


def test_a_revoked_key_signs_nothing(own):
    key = key_in_force(own, "Ada Osei")
    own.do("keys", "revoke", "Ada Osei", "--why", "laptop stolen", *TRUSTEE)
    said = own.run("evidence", "method", "m1", "--elicitation", "prompting", *ADA)
    assert said.code == 1
    assert "the key of `Ada Osei` is revoked" in said.err
    assert "is revoked" in included(own, forge(own, "a.leaf", stop(), [key]))
    assert f"{key.digest}, revoked" in own.do("ledger", "trust", "show").out


def test_a_revoked_key_cannot_rotate_itself(own):
    key = key_in_force(own, "Ada Osei")
    own.do("keys", "revoke", "Ada Osei", "--why", "laptop stolen", *ADA)
    files = sorted(own.keys.iterdir())
    assert "error[key-revoked]" in own.run(*ROTATE).err
    assert sorted(own.keys.iterdir()) == files, "no key is made for nothing"
    new = Keyring(own.keys, Secrets({})).create("Ada Osei", ["developer"], protected=False, replaces=True).public
    event = KeyRotated(write_key(key), write_key(new), "Ada Osei", "developer")
    assert "is revoked" in included(own, forge(own, "a.leaf", event, [key, new]))


@pytest.mark.parametrize("signers", ["new", "old"])
def test_a_rotation_that_one_key_signed_alone_is_none(own, signers):
    """With the new key alone anybody could take over a name; with the old one, somebody else's key."""
    old = key_in_force(own, "Ada Osei")
    new = keyring(own).create("Ada Osei", ["developer"], protected=False, replaces=True).public
    event = KeyRotated(write_key(old), write_key(new), "Ada Osei", "developer")
    why = included(own, forge(own, "a.leaf", event, [new if signers == "new" else old]))
    assert "not signed with the key of `Ada Osei`" in why
    assert key_in_force(own, "Ada Osei") == old


def test_nobody_rotates_to_a_key_of_somebody_else(own):
    ada, lea = key_in_force(own, "Ada Osei"), key_in_force(own, "Lea Roth")
    event = KeyRotated(write_key(ada), write_key(lea), "Ada Osei", "developer")
    assert "is or was somebody's already" in included(own, forge(own, "a.leaf", event, [ada, lea]))


def test_nobody_rotates_the_key_of_somebody_else(own):
    lea = key_in_force(own, "Lea Roth")
    new = keyring(own).create("Ada Osei", ["developer"], protected=False, replaces=True).public
    event = KeyRotated(write_key(lea), write_key(new), "Ada Osei", "developer")
    assert "not the key in force of `Ada Osei`" in included(own, forge(own, "a.leaf", event, [lea, new]))


@pytest.mark.parametrize("who", [LEA, ITO], ids=["another-speaker", "a-trustee-in-another-role"])
def test_a_stranger_revokes_nothing(own, who):
    said = own.run("keys", "revoke", "Ada Osei", "--why", "I want to", *who)
    assert said.code == 1
    assert "only `Ada Osei`, or a trustee of the trust file, revokes that key" in said.err
    own.do("evidence", "method", "m1", "--elicitation", "prompting", *ADA)


def test_a_revocation_names_the_key_in_force(own):
    old = key_in_force(own, "Ada Osei")
    own.do(*ROTATE)
    event = KeyRevoked("Ada Osei", write_key(old), "late", "M. Ito", "trustee")
    why = included(own, forge(own, "a.leaf", event, [key_in_force(own, "M. Ito")]))
    assert "not the key in force of `Ada Osei`" in why


def test_what_a_key_signed_before_it_was_revoked_stays(own):
    own.do(*ATTEST, *LEA)
    own.do("keys", "revoke", "Lea Roth", "--why", "she left", *LEA)
    whole = own.do("ledger", "show", str(len(own.kinds()) - 2), "--format", "json").json
    assert (whole["kind"], whole["by"]) == ("statement", "Lea Roth")


def test_a_key_that_is_not_here_is_not_rotated(own):
    for entry in keyring(own).find("Ada Osei"):
        entry.file.unlink()
    files = sorted(own.keys.iterdir())
    assert "error[key-missing]" in own.run(*ROTATE).err
    assert sorted(own.keys.iterdir()) == files


@pytest.mark.parametrize(
    ("line", "code"),
    [(("keys", "rotate", "Nobody", "--role", "developer"), 2), (("keys", "rotate", "Ada Osei", "--role", "board"), 1)],
)
def test_a_rotation_needs_a_name_and_a_role_of_the_trust_file(own, line, code):
    files = sorted(own.keys.iterdir())
    assert own.run(*line, "--unprotected").code == code
    assert sorted(own.keys.iterdir()) == files


def test_the_key_of_the_gate_is_rotated_and_the_gate_goes_on(own):
    own.do("keys", "rotate", "acme gate", "--role", "gate", "--unprotected")
    own.gate()
    whole = own.do("ledger", "show", str(len(own.kinds()) - 1), "--format", "json").json
    assert whole["kind"] == "decision-made"
    assert whole["signers"] == [key_in_force(own, "acme gate").digest]
