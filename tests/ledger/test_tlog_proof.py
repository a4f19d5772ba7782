import base64
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger.checkpoint import Checkpoint, CheckpointError, format_checkpoint
from scalegate.ledger.merkle import Tree, leaf_hash, node_hash
from scalegate.ledger.note import Note, NoteError, NoteKey, SignatureType, format_note
from scalegate.ledger.proof import IndexOutsideError, ProofError, ProofTooShortError, Prover, RootMismatchError
from scalegate.ledger.tlog_proof import (
    MAX_EXTRA,
    MAX_HASHES,
    MAX_INDEX,
    MAX_PROOF,
    TlogProof,
    TlogProofError,
    format_proof,
    parse_proof,
    prove_entry,
    verify_proof,
)
from tests.ledger.signers import Ed25519Signer, MlDsa44Signer, has_ml_dsa_44, key_of

ORIGIN = "lab.example/log"
TIME = 1_800_000_000
ENTRIES = [b"entry %d" % index for index in range(600)]
TREE = Tree(map(leaf_hash, ENTRIES))
LAB = Ed25519Signer("lab")
LAB_KEY = NoteKey(ORIGIN, SignatureType.NOTE, key_of(LAB))
WITNESSES = [Ed25519Signer(f"witness {number}") for number in range(3)]
WITNESS_KEYS = [
    NoteKey(f"witness{number}.example", SignatureType.COSIGNATURE, key_of(signer))
    for number, signer in enumerate(WITNESSES)
]


def head(size, root, origin=ORIGIN, witnesses=3):
    """A checkpoint that the lab signed, and some witnesses."""
    text = format_checkpoint(Checkpoint(origin, size, root))
    cosigned = [key.sign(text, signer, TIME) for key, signer in zip(WITNESS_KEYS, WITNESSES, strict=True)]
    return Note(text, (LAB_KEY.sign(text, LAB), *cosigned[:witnesses]))


NOTES = {size: head(size, TREE.root(size)) for size in (1, 2, 7, 256, 257, 600)}
PROVERS = {size: Prover(TREE.node, size) for size in NOTES}
PROOF = prove_entry(PROVERS[600], 317, NOTES[600], b"how the entry was made")
DATA = format_proof(PROOF)
BARE = format_proof(replace(PROOF, extra=None))


def check(proof, entry=ENTRIES[317], origin=ORIGIN, log=(LAB_KEY,), witnesses=tuple(WITNESS_KEYS)):
    return verify_proof(proof, entry, origin, log, witnesses)


@st.composite
def proofs(draw):
    """Proofs of entries of a log that hold."""
    size = draw(st.sampled_from(sorted(NOTES)))
    index = draw(st.integers(0, size - 1))
    return prove_entry(PROVERS[size], index, NOTES[size], draw(st.none() | st.binary(min_size=1, max_size=80)))


# ---------------------------------------------------------------- files


@given(proofs())
def test_what_is_written_is_read_back_and_holds(proof):
    read = parse_proof(format_proof(proof))
    assert read == proof
    signed = check(read, ENTRIES[proof.index])
    assert signed.note == proof.note
    assert [item.key for item in signed.witnesses] == WITNESS_KEYS


def test_the_form_is_that_of_the_specification():
    lines = DATA.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == "extra " + base64.b64encode(b"how the entry was made").decode()
    assert lines[2] == "index 317"
    assert lines[3 : 3 + len(PROOF.hashes)] == [base64.b64encode(item).decode() for item in PROOF.hashes]
    assert lines[3 + len(PROOF.hashes)] == ""
    assert "\n".join(lines[4 + len(PROOF.hashes) :]).encode() == format_note(NOTES[600])
    assert re.sub(rb"extra .*\n", b"", DATA) == BARE


def test_a_log_of_one_entry_needs_no_hashes():
    proof = prove_entry(PROVERS[1], 0, NOTES[1])
    assert proof.hashes == ()
    assert format_proof(proof).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nlab.example/log\n1\n")
    assert check(parse_proof(format_proof(proof)), ENTRIES[0]).checkpoint.size == 1


@given(st.data())
def test_every_file_that_is_read_is_the_one_form_of_its_proof(data):
    place = data.draw(st.integers(0, len(DATA) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = DATA[:place] + bytes([byte]) + DATA[place + 1 :]
    try:
        read = parse_proof(changed)
    except TlogProofError:
        return
    assert format_proof(read) == changed


@given(st.data())
def test_whatever_byte_is_changed_nothing_else_is_shown(data):
    place = data.draw(st.integers(0, len(BARE) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = BARE[:place] + bytes([BARE[place] ^ 1 << bit]) + BARE[place + 1 :]
    try:
        signed = check(parse_proof(changed))
    except (TlogProofError, NoteError, CheckpointError, ProofError):
        return
    # What is left is to make a signature one by a key that nobody knows.
    assert signed.checkpoint.root == TREE.root()
    assert len(signed.witnesses) < len(WITNESSES)


def line(old, new, data=DATA):
    assert old in data
    return data.replace(old, new, 1)


HASH = base64.b64encode(PROOF.hashes[0])
WRONG = {
    "empty": (b"", "no empty line"),
    "another_version": (line(b"@v1", b"@v2"), "first line"),
    "first_line_missing": (DATA.partition(b"\n")[2], "first line"),
    "carriage_returns": (DATA.replace(b"\n", b"\r\n"), "no empty line"),
    "byte_order_mark": (b"\xef\xbb\xbf" + DATA, "not ASCII at byte 0"),
    "space_before_the_index": (line(b"index 317", b" index 317"), "index"),
    "two_spaces_before_the_number": (line(b"index 317", b"index  317"), "index"),
    "space_after_the_number": (line(b"index 317", b"index 317 "), "index"),
    "index_with_leading_zero": (line(b"index 317", b"index 0317"), "leading zeros"),
    "index_with_sign": (line(b"index 317", b"index +317"), "index"),
    "negative_index": (line(b"index 317", b"index -1"), "index"),
    "index_in_arabic_digits": (line(b"index 317", "index ٣".encode()), "not ASCII"),
    "index_of_no_tree": (line(b"index 317", b"index %d" % (MAX_INDEX + 1)), "index"),
    "index_of_5000_digits": (line(b"index 317", b"index " + b"9" * 5_000), "index"),
    "index_missing": (re.sub(rb"index .*\n", b"", DATA), "line with the index"),
    "index_twice": (line(b"index 317", b"index 317\nindex 317"), "hash 0"),
    "extra_twice": (line(b"extra ", b"extra AAAA\nextra "), "line with the index"),
    "extra_after_the_index": (line(b"index 317\n", b"index 317\nextra AAAA\n", BARE), "hash 0"),
    "extra_of_nothing": (line(b"index", b"extra \nindex", BARE), "left out where there is none"),
    "extra_without_padding": (line(b"index", b"extra AA\nindex", BARE), "extra data is not"),
    "hash_without_padding": (line(HASH, HASH.rstrip(b"=")), "hash 0 of the proof is not"),
    "hash_with_bits_behind_the_end": (line(HASH, HASH[:-2] + bytes([HASH[-2] + 1]) + b"="), "hash 0"),
    "hash_in_url_alphabet": (line(HASH, b"_" * 43 + b"="), "hash 0"),
    "hash_of_31_bytes": (line(HASH, base64.b64encode(bytes(31))), "31 bytes"),
    "hash_of_33_bytes": (line(HASH, base64.b64encode(bytes(33))), "33 bytes"),
    "more_hashes_than_any_tree_has": (line(HASH, b"\n".join([HASH] * 64)), "at most 63 hashes"),
    "a_million_hashes": (line(HASH, b"\n".join([HASH] * 13_000)), "at most 63 hashes"),
    "empty_line_among_the_hashes": (line(HASH, HASH + b"\n"), "is no checkpoint"),
    "no_checkpoint": (DATA.partition(b"\n\n")[0] + b"\n\n", "no signed checkpoint"),
    "unsigned_checkpoint": (DATA.rpartition(b"\n\n")[0] + b"\n\n", "no signed checkpoint"),
    "two_empty_lines": (line(b"\n\n", b"\n\n\n"), "is no checkpoint"),
    "note_that_is_no_checkpoint": (line(b"lab.example/log\n600\n", b"lab.example/log\n0600\n"), "is no checkpoint"),
    "something_behind_the_end": (DATA + b"\n", "no signed checkpoint"),
    "no_newline_at_the_end": (DATA[:-1], "no signed checkpoint"),
    "too_long": (DATA + bytes(MAX_PROOF), "a proof has at most"),
}


@pytest.mark.parametrize("defect", WRONG)
def test_what_is_not_one_proof_in_its_form_is_refused(defect):
    data, reason = WRONG[defect]
    with pytest.raises(TlogProofError, match=reason):
        parse_proof(data)


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1},
        {"index": MAX_INDEX + 1},
        {"index": True},
        {"hashes": (bytes(31),)},
        {"hashes": (bytes(32),) * (MAX_HASHES + 1)},
        {"extra": b""},
        {"extra": bytes(MAX_EXTRA + 1)},
        {"note": Note("no checkpoint\n", PROOF.note.signatures)},
    ],
)
def test_what_no_file_can_carry_is_no_proof(change):
    with pytest.raises(TlogProofError):
        replace(PROOF, **change)


def test_the_largest_proof_is_read_back():
    proof = TlogProof(MAX_INDEX, (bytes(32),) * MAX_HASHES, PROOF.note, bytes(MAX_EXTRA))
    assert parse_proof(format_proof(proof)) == proof


# ---------------------------------------------------------------- what a proof shows


def test_a_proof_shows_no_other_entry():
    with pytest.raises(RootMismatchError):
        check(PROOF, ENTRIES[318])


def test_a_proof_shows_no_other_index():
    with pytest.raises(RootMismatchError):
        check(replace(PROOF, index=316))


def test_an_index_beyond_the_checkpoint_shows_nothing():
    with pytest.raises(IndexOutsideError):
        check(replace(PROOF, index=600))


def test_a_proof_without_one_of_its_hashes_shows_nothing():
    with pytest.raises(ProofTooShortError):
        check(replace(PROOF, hashes=PROOF.hashes[:-1]))


def test_a_proof_under_the_checkpoint_of_a_smaller_tree_shows_nothing():
    with pytest.raises(ProofError):
        check(replace(PROOF, note=NOTES[257]))


def test_a_checkpoint_of_another_log_shows_nothing():
    with pytest.raises(CheckpointError, match=r"not of 'other\.example/log'"):
        check(PROOF, origin="other.example/log")


def test_witnesses_do_not_sign_for_the_log():
    witnessed = replace(PROOF, note=Note(PROOF.note.text, PROOF.note.signatures[1:]))
    with pytest.raises(NoteError, match="no known key of its log"):
        check(witnessed)


def test_a_wrong_cosignature_by_a_known_witness_is_no_absent_one():
    first, second, *others = PROOF.note.signatures
    forged = replace(second, signature=second.signature[:-1] + bytes([second.signature[-1] ^ 1]))
    with pytest.raises(NoteError, match=r"witness0\.example is not good"):
        check(replace(PROOF, note=Note(PROOF.note.text, (first, forged, *others))))


def test_witnesses_that_nobody_named_are_not_reported():
    assert [item.key for item in check(PROOF, witnesses=WITNESS_KEYS[:1]).witnesses] == WITNESS_KEYS[:1]


def test_extra_data_changes_nothing_that_is_shown():
    assert check(replace(PROOF, extra=b"anything")) == check(PROOF)


@pytest.mark.parametrize("note", [head(600, TREE.root(599)), head(599, TREE.root())])
def test_no_proof_is_made_for_the_checkpoint_of_another_tree(note):
    with pytest.raises(TlogProofError, match="take the checkpoint of the same tree"):
        prove_entry(PROVERS[600], 317, note)


def test_no_proof_is_made_for_an_entry_that_is_not_there():
    with pytest.raises(IndexOutsideError):
        prove_entry(PROVERS[600], 600, NOTES[600])


# ---------------------------------------------------------------- sizes


def large_tree(index, entry, height=40):
    """Nodes of a tree of any size whose entries are all the same, but for one: two hashes stand for each level."""
    same, odd = [leaf_hash(b"the others")], [leaf_hash(entry)]
    for level in range(height):
        odd.append(node_hash(same[-1], odd[-1]) if index >> level & 1 else node_hash(odd[-1], same[-1]))
        same.append(node_hash(same[-1], same[-1]))
    return lambda level, place: odd[level] if place == index >> level else same[level]


@pytest.mark.parametrize("size", [1_000_000, 1 << 20])
def test_a_proof_among_a_million_entries_with_three_witnesses_has_at_most_1700_bytes(size):
    prover = Prover(large_tree(317_000, b"the entry"), size)
    proof = prove_entry(prover, 317_000, head(size, prover.root))
    data = format_proof(proof)
    signed = check(parse_proof(data), b"the entry")
    assert signed.checkpoint.size == size
    assert len(signed.witnesses) == 3
    assert len(proof.hashes) == 20
    assert len(data) <= 1_700


@pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed cryptography has no ML-DSA-44")
def test_a_witness_with_ml_dsa_44_is_reported():
    signer = MlDsa44Signer()
    key = NoteKey("pq.example", SignatureType.ML_DSA_COSIGNATURE, key_of(signer))
    note = Note(PROOF.note.text, (*PROOF.note.signatures, key.sign(PROOF.note.text, signer, TIME)))
    proof = parse_proof(format_proof(replace(PROOF, note=note)))
    assert [item.key for item in check(proof, witnesses=[key]).witnesses] == [key]
