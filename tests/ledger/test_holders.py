"""Whose signatures count: nobody speaks without a name, and no key ever stands for a second holder."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalegate.core.events import Event, StopLifted
from scalegate.core.log_events import HeadWitnessed, KeyRevoked, KeyRotated, OrderDrawn, TrustAdopted
from scalegate.ledger.holders import OWN, Holders, NotAdmittedError
from scalegate.ledger.note import NoteKey, SignatureType, format_vkey
from scalegate.ledger.trust import parse_trust, write_key
from tests.ledger.events import records
from tests.ledger.keys import make_trust, speaker_line, trust_text, witness_key
from tests.ledger.signers import Ed25519Signer, key_of

PEOPLE = {"Ada": ["developer"], "Lea": ["auditor"], "M. Ito": ["regulator"], "Tess": ["trustee"]}
FIRST = make_trust(speakers=PEOPLE)


def written(name):
    return write_key(key_of(Ed25519Signer(name)))


def after(old, *lines, without=(), **more):
    """A trust file that replaces another one, with further speakers."""
    who = {name: roles for name, roles in PEOPLE.items() if name not in without}
    text = trust_text(speakers=who, more=(*more.pop("more", ()), f"replaces {old.digest}"), **more)
    return parse_trust(text + "".join(f"{line}\n" for line in lines))


@pytest.fixture
def holders():
    found = Holders()
    found.adopt(FIRST)
    return found


# ---------------------------------------------------------------- nobody

NAMED = sorted((kind for kind in get_args(Event) if kind not in OWN), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.__name__)
@given(st.data(), st.sampled_from(["", "gate", "auditor", "regulator", "trustee"]))
@settings(max_examples=5)
def test_what_names_nobody_and_is_not_the_logs_own_is_said_by_nobody(kind, data, role):
    holders = Holders()
    holders.adopt(FIRST)
    event = replace(data.draw(records(kind)), by="", role=role)
    with pytest.raises(NotAdmittedError, match="knows no key of ``"):
        holders.signers_of(event)


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_what_the_log_says_itself_has_no_field_for_a_name(kind):
    assert not {"by", "role"} & set(kind.__slots__)


@pytest.mark.parametrize(
    "event",
    [
        KeyRevoked("Lea", written("Lea"), "lost", "", ""),
        KeyRevoked("", written("gate"), "lost", "", "trustee"),
        KeyRotated(written("Ada"), written("thief"), "", ""),
    ],
    ids=["revoked", "revoked-as-a-trustee", "rotated"],
)
def test_nobody_silences_nobody(holders, event):
    with pytest.raises(NotAdmittedError, match="knows no key of ``"):
        holders.signers_of(event)


def test_the_gate_says_in_its_role_only_what_becomes_of_its_key(holders):
    key = key_of(Ed25519Signer("gate"))
    assert holders.signers_of(KeyRevoked("gate", written("gate"), "lost", "gate", "gate")) == (("gate", (key,)),)
    with pytest.raises(NotAdmittedError, match="does not let `gate` speak as `gate`"):
        holders.signers_of(StopLifted("halt", "gate", "gate"))


# ---------------------------------------------------------------- one key, one holder


def test_an_auditor_who_left_does_not_come_back_under_another_name(holders):
    second = after(FIRST, without=("Lea",))
    third = after(second, speaker_line("Noa", ["auditor"], seed="Lea"), without=("Lea",))
    holders.check(second)
    holders.adopt(second)
    with pytest.raises(NotAdmittedError, match="gives `Noa` a key that `Lea` had"):
        holders.check(third)


def test_whoever_left_comes_back_as_himself(holders):
    second = after(FIRST, without=("Lea",))
    holders.adopt(second)
    third = after(second)
    holders.check(third)
    holders.adopt(third)
    assert holders.key_of("Lea") == key_of(Ed25519Signer("Lea"))


def test_the_key_of_an_auditor_is_not_given_to_somebody_else_at_once(holders):
    with pytest.raises(NotAdmittedError, match="gives `Noa` a key that `Lea` had"):
        holders.check(after(FIRST, speaker_line("Noa", ["auditor"], seed="Lea"), without=("Lea",)))


@pytest.mark.parametrize("keep", [True, False], ids=["who-stays", "who-left"])
def test_a_key_somebody_rotated_to_is_not_given_to_another_name(holders, keep):
    holders.rotate(KeyRotated(written("Ada"), written("K"), "Ada", "developer"))
    later = after(FIRST, speaker_line("Noa", ["auditor"], seed="K"), without=() if keep else ("Ada",))
    with pytest.raises(NotAdmittedError, match="gives `Noa` a key that `Ada` had"):
        holders.check(later)


def test_a_key_somebody_rotated_from_is_not_given_to_another_name(holders):
    holders.rotate(KeyRotated(written("Ada"), written("K"), "Ada", "developer"))
    with pytest.raises(NotAdmittedError, match="gives `Noa` a key that `Ada` had"):
        holders.check(after(FIRST, speaker_line("Noa", ["auditor"], seed="Ada"), without=("Ada",)))


def test_a_revoked_key_is_not_given_to_another_name(holders):
    holders.revoke(KeyRevoked("Lea", written("Lea"), "lost", "Lea", "auditor"))
    with pytest.raises(NotAdmittedError, match="gives `Noa` a key that `Lea` had"):
        holders.check(after(FIRST, speaker_line("Noa", ["auditor"], seed="Lea"), without=("Lea",)))


def test_nobody_rotates_to_a_key_that_was_ever_somebodys():
    found = Holders()
    first = make_trust(speakers=PEOPLE, witnesses=["w"])
    found.adopt(first)
    second = after(first, without=("Lea",), log="log 2")
    found.check(second)
    found.adopt(second)
    for name in ("Lea", "log", "log 2", "w", "gate", "M. Ito"):
        with pytest.raises(NotAdmittedError, match="is or was somebody's already"):
            found.signers_of(KeyRotated(written("Ada"), written(name), "Ada", "developer"))
    old, new = key_of(Ed25519Signer("Ada")), key_of(Ed25519Signer("fresh"))
    assert found.signers_of(KeyRotated(written("Ada"), written("fresh"), "Ada", "developer")) == (("Ada", (old, new)),)


@pytest.mark.parametrize(("seed", "whose"), [("log", "the log "), ("w", "the witness w ")])
def test_the_key_of_a_log_or_a_witness_never_becomes_a_speakers(seed, whose):
    found = Holders()
    first = make_trust(speakers=PEOPLE, witnesses=["w"])
    found.adopt(first)
    second = after(first, speaker_line("Noa", ["auditor"], seed=seed), log="log 2")
    with pytest.raises(NotAdmittedError, match=f"gives `Noa` a key that `{whose}` had"):
        found.check(second)


@pytest.mark.parametrize("more", [{"log": "Lea"}, {"witnesses": ["Lea"]}], ids=["log", "witness"])
def test_the_key_of_a_speaker_never_becomes_that_of_a_log_or_a_witness(holders, more):
    with pytest.raises(NotAdmittedError, match="a key that `Lea` had"):
        holders.check(after(FIRST, without=("Lea",), **more))


def test_a_witness_does_not_become_a_second_one_under_another_name():
    """Two of three by two keys would be by one."""
    found = Holders()
    first = make_trust(speakers=PEOPLE, witnesses=["w"])
    found.adopt(first)
    other = trust_text(speakers=PEOPLE, witnesses=["w"], more=[f"replaces {first.digest}"])
    found.check(parse_trust(other))
    twin = NoteKey("v", SignatureType.COSIGNATURE, witness_key("w").key)
    with pytest.raises(NotAdmittedError, match="gives `the witness v ` a key that `the witness w ` had"):
        found.check(parse_trust(other.replace(format_vkey(witness_key("w")), format_vkey(twin))))


# ---------------------------------------------------------------- gates


def test_a_log_whose_only_gate_was_revoked_goes_on_by_a_trustee(holders):
    holders.revoke(KeyRevoked("gate", written("gate"), "lost", "Tess", "trustee"))
    second = after(FIRST, speaker_line("gate 2", ["gate"]))
    assert holders.gates() == ()
    assert holders.signers_of(TrustAdopted(second.digest, second.text)) == (("Tess", (key_of(Ed25519Signer("Tess")),)),)
    holders.check(second)
    holders.adopt(second)
    assert [name for name, _ in holders.gates()] == ["gate 2"]


@pytest.mark.parametrize("event", [HeadWitnessed(1, "", 1, "", ""), OrderDrawn("r", "", "", 1, "")])
def test_a_trustee_says_nothing_else_for_the_log(holders, event):
    assert [name for name, _ in holders.signers_of(event)] == ["gate"]
    holders.revoke(KeyRevoked("gate", written("gate"), "lost", "Tess", "trustee"))
    with pytest.raises(NotAdmittedError, match="gives nobody the role `gate`, or that key is revoked"):
        holders.signers_of(event)


def test_a_revoked_trustee_and_a_developer_adopt_nothing(holders):
    holders.revoke(KeyRevoked("gate", written("gate"), "lost", "Tess", "trustee"))
    holders.revoke(KeyRevoked("Tess", written("Tess"), "lost", "Tess", "trustee"))
    with pytest.raises(NotAdmittedError, match="that key is revoked"):
        holders.signers_of(TrustAdopted("", ""))


def test_a_rotated_key_stays_in_force_under_a_later_file_with_the_line_it_was_rotated_from(holders):
    holders.rotate(KeyRotated(written("gate"), written("G"), "gate", "gate"))
    second = after(FIRST)
    holders.adopt(second)
    assert holders.gates() == (("gate", key_of(Ed25519Signer("G"))),)
