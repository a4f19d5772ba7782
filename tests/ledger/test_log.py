"""Fast reading: what a gate vouched for is recalled, everything else is admitted with all its signatures."""

import json
import shutil
from base64 import b64encode
from dataclasses import replace

import pytest

from scalegate.core.canonical import canonical_bytes, digest
from scalegate.core.events import DecisionMade, StopLifted
from scalegate.core.log_events import KeyRevoked, KeyRotated, TrustAdopted
from scalegate.ledger import LocalStore, NotAdmittedEntryError, StoreDamagedError
from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.codec import encode_event
from scalegate.ledger.dsse import canonical_envelope
from scalegate.ledger.holders import NotAdmittedError
from scalegate.ledger.leaf import MAX_TIME, read_leaf, sign_leaf, write_statement
from scalegate.ledger.merkle import Tree, leaf_hash
from scalegate.ledger.note import Note, NoteKey, SignatureType, format_note, parse_note
from scalegate.ledger.standing import Standing, witnessed
from scalegate.ledger.store import HEAD
from scalegate.ledger.trust import parse_trust, write_key
from tests.ledger.events import event
from tests.ledger.keys import ORIGIN, MemoryKeys, log_key, make_trust, speaker_line, trust_text, witness_key
from tests.ledger.signers import Ed25519Signer, key_of
from tests.ledger.test_store import LocalPlace

PEOPLE = {"M. Ito": ["regulator"], "Ada": ["developer"], "Tess": ["trustee"]}
TRUST = make_trust(speakers=PEOPLE)
KEYS = MemoryKeys(*PEOPLE, "G", own=("log", "gate"))
EVE = Ed25519Signer("eve")


def written(name):
    return write_key(key_of(Ed25519Signer(name)))


ROTATED = KeyRotated(written("gate"), written("G"), "gate", "gate")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A closed store of a trust file and four entries, of which the first two are of the regulator."""
    folder = tmp_path_factory.mktemp("original") / ".scalegate"
    with LocalStore.create(folder, TRUST, KEYS, 1_000) as store:
        store.append(event(1), 1_001)
        store.append(event(2), 1_002)
        head = store.history().head
        store.append(
            DecisionMade("sha256:" + "0" * 64, "hold", "train", "", "", 0, 0, (), head, 1, TRUST.digest), 1_003
        )
    return folder


@pytest.fixture
def place(tmp_path, original):
    shutil.copytree(original, tmp_path / ".scalegate")
    return LocalPlace(tmp_path / ".scalegate")


def leaves_of(place):
    with place.open(KEYS) as store:
        return store.leaves()


def leaf(said, number, *signers, at=2_000):
    """A leaf of an event about nothing else, whoever signs it."""
    about = (("event", digest(encode_event(said)).removeprefix("sha256:")),)
    return sign_leaf(write_statement(said, ORIGIN, number, at, about), signers)[1]


def hinted(data, name):
    """A leaf that says that its one signature is by somebody's key."""
    envelope = read_leaf(data).envelope
    line = replace(envelope.signatures[0], key_id=key_of(Ed25519Signer(name)).digest if name else "")
    return canonical_envelope(replace(envelope, signatures=(line,)))


def gate_line(signer, text, name=f"{ORIGIN}/gate"):
    """What a gate writes beside the log's signature under a head."""
    return NoteKey(name, SignatureType.NOTE, key_of(signer)).sign(text, signer)


def rewrite(place, leaves, vouch=lambda _: ()):
    """Put other leaves under a head that the log's key signs, with whatever lines somebody adds."""
    text = format_checkpoint(Checkpoint(ORIGIN, len(leaves), Tree(map(leaf_hash, leaves)).root()))
    note = format_note(Note(text, (log_key().sign(text, Ed25519Signer("log")), *vouch(text))))
    rows = [("INSERT INTO entries VALUES (?, ?)", (index, data)) for index, data in enumerate(leaves)]
    place.edit("DELETE FROM entries", *rows, ("UPDATE head SET note = ?", (note,)))
    (place.folder / HEAD).write_bytes(note)


def fault_of(place):
    with place.open(MemoryKeys()) as store:
        return store.history().fault


def spoiled(leaves, index):
    """The same leaves, with another signature under one: only what checks signatures sees it."""
    said = read_leaf(leaves[index]).envelope
    line = replace(said.signatures[0], signature=EVE.sign(b"something else"))
    return [*leaves[:index], canonical_envelope(replace(said, signatures=(line,))), *leaves[index + 1 :]]


def gate_vouches(text):
    return (gate_line(Ed25519Signer("gate"), text),)


# ---------------------------------------------------------------- recalled or admitted


def test_entries_below_a_head_that_a_gate_signed_are_recalled(place):
    """Whoever has the gate's key vouches for them; the audit verifies everything all the same."""
    rewrite(place, spoiled(leaves_of(place), 1), gate_vouches)
    assert fault_of(place) == ""


@pytest.mark.parametrize("index", range(4))
def test_a_signature_that_is_not_good_is_a_fault_unless_a_gate_vouches(place, index):
    rewrite(place, leaves_of(place))
    assert fault_of(place) == ""
    rewrite(place, spoiled(leaves_of(place), index))
    assert f"entry {index} is not one of this log: it is not signed with the key of" in fault_of(place)


def test_the_head_of_whoever_has_the_gates_key_is_signed_with_it(place):
    with place.open(KEYS) as store:
        assert [line.name for line in parse_note(store.head()).signatures] == [ORIGIN, f"{ORIGIN}/gate"]
        assert [line.name for line in parse_note(store.checkpoint(3)).signatures] == [ORIGIN]


def test_without_the_gates_key_the_log_goes_on_and_readers_admit_it(place):
    with place.open(MemoryKeys("M. Ito", own=("log",))) as store:
        store.append(event(3), 2_000)
        assert [line.name for line in parse_note(store.head()).signatures] == [ORIGIN]
    with place.open(KEYS) as store:
        assert (store.history().fault, len(store.history().entries)) == ("", 5)
        store.append(event(4), 2_001)
    rewrite(place, spoiled(leaves_of(place), 4))
    assert "entry 4 is not one of this log" in fault_of(place)


def test_recalling_comes_to_the_same_as_admitting():
    """Rotations, revocations, a trustee who adopts, and witnesses in between."""
    keys = MemoryKeys(*PEOPLE, "G", "gate 2", own=("log", "gate"))
    table = Standing()
    second = parse_trust(
        trust_text(speakers=PEOPLE, witnesses=["w"], more=[f"replaces {TRUST.digest}"], quorum="w")
        + speaker_line("gate 2", ["gate"])
        + "\n"
    )
    leaves = []

    def say(said, signers, number, at):
        about = table.subjects_of(said)
        leaves.append(sign_leaf(write_statement(said, ORIGIN, number, at, about), signers)[1])
        return table.admit(leaves[-1])

    sign = {name: Ed25519Signer(name) for name in (*PEOPLE, "G", "gate", "gate 2")}
    say(TrustAdopted(TRUST.digest, TRUST.text), [sign["gate"]], 1, 1_000)
    say(event(1), [sign["M. Ito"]], 1, 1_001)
    say(ROTATED, [sign["gate"], sign["G"]], 2, 1_002)
    say(KeyRevoked("gate", written("G"), "lost", "Tess", "trustee"), [sign["Tess"]], 1, 1_003)
    say(TrustAdopted(second.digest, second.text), [sign["Tess"]], 2, 1_004)
    text = format_checkpoint(Checkpoint(ORIGIN, 5, table.tree.root()))
    lines = (log_key().sign(text, Ed25519Signer("log")), witness_key("w").sign(text, Ed25519Signer("w"), 5_000))
    say(witnessed(format_note(Note(text, lines)), second), [sign["gate 2"]], 1, 1_005)
    say(event(2), [sign["M. Ito"]], 2, 1_006)
    recalled = Standing()
    assert [recalled.recall(data) for data in leaves] == table.entries
    assert (recalled.numbers, recalled.holders, recalled.witnessed) == (table.numbers, table.holders, 5_000)
    assert recalled.tree.root() == table.tree.root()
    assert keys.signer(key_of(sign["gate 2"])) is not None
    assert [name for name, _ in recalled.holders.gates()] == ["gate 2"]


# ---------------------------------------------------------------- who has only the log's key

LIFTED = StopLifted("halt", "M. Ito", "regulator")
FORGED = {
    "unsigned": lambda: canonical_bytes(json.loads(leaf(LIFTED, 3, EVE)) | {"signatures": []}),
    "wrongly-signed": lambda: hinted(leaf(LIFTED, 3, EVE), "M. Ito"),
    "signed-by-the-log": lambda: leaf(LIFTED, 3, Ed25519Signer("log")),
    "an-answer-by-a-stranger": lambda: hinted(
        leaf(DecisionMade("sha256:" + "1" * 64, "permit", "train", "", "", 9, 9_000, (), "", 2, TRUST.digest), 3, EVE),
        "gate",
    ),
    "by-nobody": lambda: leaf(StopLifted("halt", "", "regulator"), 1, Ed25519Signer("log")),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_an_entry_that_nobody_signed_under_a_good_head_is_a_fault(place, forge):
    rewrite(place, [*leaves_of(place), forge()])
    assert "entry 4 is not one of this log" in fault_of(place)
    with place.open(KEYS) as store, pytest.raises(StoreDamagedError):
        store.append(event(9), 3_000)


VOUCHERS = {
    "nobody": lambda _: (),
    "a-stranger-under-the-name-of-the-gate": lambda text: (gate_line(EVE, text),),
    "the-gate-under-another-name": lambda text: (gate_line(Ed25519Signer("gate"), text, "other.example/gate"),),
    "the-gate-over-another-root": lambda text: (gate_line(Ed25519Signer("gate"), text[:-8] + "AAAAAA=\n"),),
    "a-developer": lambda text: (gate_line(Ed25519Signer("Ada"), text),),
    "the-log-itself": lambda text: (gate_line(Ed25519Signer("log"), text),),
}


@pytest.mark.parametrize("vouch", VOUCHERS.values(), ids=VOUCHERS)
def test_what_is_not_the_gates_signature_over_these_entries_vouches_for_nothing(place, vouch):
    rewrite(place, [*leaves_of(place), hinted(leaf(LIFTED, 3, EVE), "M. Ito")], vouch)
    assert "entry 4 is not one of this log: it is not signed with the key of `M. Ito`" in fault_of(place)


def test_the_gates_signature_over_an_older_head_vouches_for_nothing_more(place):
    old = parse_note((place.folder / HEAD).read_bytes()).signatures[1:]
    rewrite(place, [*leaves_of(place), hinted(leaf(LIFTED, 3, EVE), "M. Ito")], lambda _: old)
    assert "not signed with the key of `M. Ito`" in fault_of(place)


@pytest.mark.parametrize("how", ["rotated", "revoked"])
def test_a_gate_key_that_is_not_in_force_any_longer_vouches_for_nothing(place, how):
    with place.open(KEYS) as store:
        if how == "rotated":
            store.append(ROTATED, 1_500)
        else:
            store.append(KeyRevoked("gate", written("gate"), "stolen", "Tess", "trustee"), 1_500)
    rewrite(place, [*leaves_of(place), hinted(leaf(LIFTED, 3, EVE), "M. Ito")], gate_vouches)
    assert "entry 5 is not one of this log: it is not signed with the key of `M. Ito`" in fault_of(place)


def handed_over(signature):
    """A trust file that nobody adopted, under which the gate is somebody else's."""
    text = trust_text(speakers=PEOPLE, more=[f"replaces {TRUST.digest}"]).replace(written("gate"), written("eve"))
    trust = parse_trust(text)
    return hinted(leaf(TrustAdopted(trust.digest, trust.text), 3, EVE), signature)


GATES = {
    "a-trust-file": lambda: handed_over("gate"),
    "a-trust-file-of-the-trustees": lambda: handed_over("Tess"),
    "a-rotation": lambda: leaf(KeyRotated(written("gate"), written("eve"), "gate", "gate"), 3, EVE),
    "a-rotation-of-the-trustee": lambda: leaf(KeyRotated(written("Tess"), written("eve"), "Tess", "trustee"), 1, EVE),
    "a-revocation": lambda: leaf(KeyRevoked("gate", written("gate"), "lost", "Tess", "trustee"), 1, EVE),
}


@pytest.mark.parametrize("first", GATES.values(), ids=GATES)
def test_a_gate_that_an_unsigned_entry_put_there_vouches_for_nothing(place, first):
    """The entry names his key as the gate's, and his key signs the head over that entry and a forged one."""
    rewrite(
        place,
        [*leaves_of(place), first(), hinted(leaf(LIFTED, 3, EVE), "M. Ito")],
        lambda text: (gate_line(EVE, text),),
    )
    assert "entry 4 is not one of this log: it is not signed with the key of" in fault_of(place)


def test_who_holds_the_log_open_is_not_told_of_another_gate_either(place):
    with place.open(MemoryKeys()) as store:
        assert store.history().fault == ""
        rotation = leaf(KeyRotated(written("gate"), written("eve"), "gate", "gate"), 3, EVE)
        rewrite(place, [*leaves_of(place), rotation], lambda text: (gate_line(EVE, text),))
        assert "entry 4 is not one of this log" in store.history().fault


# ---------------------------------------------------------------- rows that are no leaf


def row(said, tag):
    body = b'{"predicate":{"at":1,"event":' + said + b',"number":3},"predicateType":"urn:scalegate:' + tag + b':v1"}'
    return b'{"payload":"' + b64encode(body) + b'","signatures":[]}'


def question(rate):
    bounds = (
        b'"above":%b,"above_error":"0/1","above_steps":"","below":"0/1","below_error":"0/1","below_steps":""' % rate
    )
    sampling = (
        b'{"estimand":"bank","bank":1,"order":"","seed":"","clustered_by":"","units":1,"questions":[{%b}]}' % bounds
    )
    plain = b'"elicitation":"","scaffold":"","items":1,"item_ids":"","report_by":1,"methods":[],"order":""'
    who = b'"by":"M. Ito","role":"regulator"'
    return row(
        b'{"run":"r","evaluation":"e","subject":"s",%b,%b,"sampling":%b}' % (plain, who, sampling), b"run-registered"
    )


NONE = {
    "one-over-zero": lambda: question(b'"1/0"'),
    "a-power-without-end": lambda: question(b'"1e99999999"'),
    "a-number-without-end": lambda: question(b"9" * 30_000),
    "deep": lambda: row(b'{"order":' + b"[" * 15_000 + b"]" * 15_000 + b"}", b"stop-lifted"),
    "deep-outside": lambda: b"[" * 60_000,
    "no-event": lambda: row(b"{}", b"nothing"),
    "no-form": lambda: row(b"{}", b"stop-lifted:v1:x"),
    "half-a-letter": lambda: row(b'{"order":"\\ud800","by":"M. Ito","role":"regulator"}', b"stop-lifted"),
    "no-base64": lambda: b'{"payload":"=","signatures":[]}',
}


@pytest.mark.parametrize("make", NONE.values(), ids=NONE)
@pytest.mark.parametrize("vouch", [lambda _: (), gate_vouches], ids=["log", "log-and-gate"])
def test_a_row_that_is_no_leaf_is_a_fault_and_nothing_else(place, make, vouch):
    """A power of ten with eight digits is hundreds of megabytes of number: whoever computes it does not come back."""
    data = make()
    with place.open(KEYS) as store:
        for take in (store.standing().admit, store.standing().recall):
            with pytest.raises(NotAdmittedError):
                take(data)
    rewrite(place, [*leaves_of(place), data], vouch)
    assert "entry 4 is not one of this log" in fault_of(place)


# ---------------------------------------------------------------- what the log admits


def test_an_event_that_names_nobody_is_neither_admitted_nor_recalled(place):
    rotation = KeyRotated(written("Ada"), written("thief"), "", "")
    revoked = KeyRevoked("Ada", written("Ada"), "x", "", "")
    with place.open(KEYS) as store:
        for said in (StopLifted("halt", "", "regulator"), rotation, revoked):
            with pytest.raises(NotAdmittedEntryError, match="knows no key of ``"):
                store.append(said, 2_000)
        for said in (StopLifted("halt", "", "regulator"), rotation, revoked):
            for take in (Standing.admit, Standing.recall):
                with pytest.raises(NotAdmittedError, match=r"names nobody|knows no key of ``"):
                    take(store.standing(), leaf(said, 3, Ed25519Signer("gate")))
        assert len(store.history().entries) == 4


def test_an_entry_of_a_second_gate_says_whose_it_is(tmp_path):
    """Recalled without that, it would be counted for the first one."""
    lines = speaker_line("gate two", ["gate"]) + "\n"
    trust = parse_trust(trust_text(speakers=PEOPLE) + lines)
    with LocalStore.create(tmp_path / "s", trust, KEYS, 1_000) as store:
        head = store.history().head
        said = DecisionMade("sha256:" + "0" * 64, "hold", "train", "", "", 0, 0, (), head, 1, trust.digest)
        standing = store.standing()
    data = leaf(said, 1, Ed25519Signer("gate two"))
    both = leaf(said, 1, Ed25519Signer("gate two"), Ed25519Signer("gate"))
    for other in (hinted(data, ""), hinted(data, "gate"), hinted(data, "M. Ito"), both):
        with pytest.raises(NotAdmittedError, match="not signed with the key of `the gate`"):
            standing.admit(other)
    standing.admit(data)
    assert standing.author_of(1) == "gate two"


@pytest.mark.parametrize("time", [MAX_TIME, 1 << 62])
def test_a_witness_time_beyond_any_entry_is_not_admitted(tmp_path, time):
    """What followed would be dated by it, and no reader takes such a date."""
    trust = make_trust(witnesses=["w"], quorum="w")
    with LocalStore.create(tmp_path / "s", trust, KEYS, 1_000) as store:
        note = parse_note(store.checkpoint())
        cosigned = witness_key("w").sign(note.text, Ed25519Signer("w"), time)
        said = witnessed(format_note(Note(note.text, (*note.signatures, cosigned))), trust)
        with pytest.raises(NotAdmittedEntryError, match="beyond any that an entry can have"):
            store.append(said, 1_000)
        assert store.append(event(1), 1_001).at == 1_001
