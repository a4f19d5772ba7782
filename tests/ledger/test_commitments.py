"""Commitments to samples hide, bind, and open one at a time."""

import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.commitments import (
    MAX_OPENING,
    CommitmentError,
    Commitments,
    Opening,
    Sample,
    SampleRecord,
    ScoreText,
    format_opening,
    parse_opening,
    plain_record,
    record_of,
    root_of_commitments,
    verify_item,
    verify_opening,
    verify_text,
)

SECRET = bytes(range(32))
ABOUT = "sha256:" + "ab" * 32
SCORES = ("0", "1", "1/2")


def sample(item, value="1", attempt: int = 1, text: bytes = b"t" * 32) -> Sample:
    return Sample(item, attempt, (ScoreText("match", value),), text)


def committed(number: int = 7, **options) -> Commitments:
    return Commitments.make([sample(item) for item in range(number)], SECRET, ABOUT, **options)


values = st.fractions().map(str).map(lambda value: ScoreText("match", value))
missing = st.sampled_from(["absent", "error", "refused"]).map(lambda reason: ScoreText("match", "", reason))
samples = st.builds(
    Sample,
    st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(1, 9),
    st.tuples(values | missing),
    st.none() | st.binary(min_size=32, max_size=32),
)


@given(st.lists(samples, max_size=9), st.binary(min_size=32, max_size=32), st.booleans())
def test_every_sample_opens_and_is_read_back(drawn, secret, blind):
    made = Commitments.make(drawn, secret, ABOUT, blind_items=blind)
    for index, given_sample in enumerate(drawn):
        opening = parse_opening(format_opening(made.opening(index)))
        record = verify_opening(made.root, made.size, opening)
        assert (record.attempt, record.scores) == (given_sample.attempt, given_sample.scores)
        verify_item(record, made.item_salt(given_sample.item), given_sample.item)
        if given_sample.text is not None:
            verify_text(record, made.text_salt(index), given_sample.text)
        assert record_of(json.loads(canonical_bytes(plain_record(record)))) == record


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, no salt and one block."""
    prk = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(prk, info + b"\x01", "sha256")


def test_commitments_are_what_the_document_says_by_other_means():
    made = Commitments.make([sample("a"), sample("b", "1/2")], SECRET, ABOUT)
    leaves = []
    for index, (item, value) in enumerate([("a", "1"), ("b", "1/2")]):
        place = ABOUT.encode() + index.to_bytes(8)
        salt = hkdf(SECRET, b"scalegate sample record 1\0" + place)
        text_salt = hkdf(SECRET, b"scalegate sample text 1\0" + place)
        text = hashlib.sha256(b"scalegate sample text 1\0" + text_salt + b"t" * 32).hexdigest()
        record = (
            f'{{"about":"{ABOUT}","item":"{item}","scores":[["match","{value}",""]],"text":"{text}","try":1}}'.encode()
        )
        commitment = hashlib.sha256(b"scalegate sample record 1\0" + salt + record).digest()
        leaves.append(hashlib.sha256(b"\0" + commitment).digest())
    assert made.root == hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()


# -- hiding ---------------------------------------------------------------------------------------


def test_equal_scores_have_different_commitments():
    same = [sample("x"), sample("x"), sample("x")]
    made = Commitments.make(same, SECRET, ABOUT)
    assert len({record.commitment(made.salt(index)) for index, record in enumerate(made.records)}) == 3


def test_a_score_cannot_be_guessed_from_its_commitment_without_its_salt():
    made = Commitments.make([sample(item, SCORES[item % 3]) for item in range(30)], SECRET, ABOUT)
    target = made.records[7].commitment(made.salt(7))
    guesses = [replace(made.records[7], scores=(ScoreText("match", value),)) for value in SCORES]
    known = [bytes(32), made.text_salt(7), made.item_salt(7), *(made.salt(at) for at in range(30) if at != 7)]
    assert all(guess.commitment(salt) != target for guess in guesses for salt in known)
    bare = [hashlib.sha256(canonical_bytes(plain_record(guess))).digest() for guess in guesses]
    assert target not in bare
    assert [guess.commitment(made.salt(7)) == target for guess in guesses] == [value == "1" for value in SCORES]


def test_an_opening_says_nothing_about_the_texts_although_they_could_be_guessed():
    made = committed()
    opening = format_opening(made.opening(3))
    assert (b"t" * 32).hex().encode() not in opening
    known = [made.salt(3), made.item_salt(3), made.text_salt(2)]
    for salt in known:
        with pytest.raises(CommitmentError, match="others were counted"):
            verify_text(made.records[3], salt, b"t" * 32)
    verify_text(made.records[3], made.text_salt(3), b"t" * 32)


def test_no_two_salts_are_equal_in_one_run_or_in_two():
    about = "sha256:" + "cd" * 32
    salts = []
    for secret, what in [(SECRET, ABOUT), (SECRET, about), (bytes(32), ABOUT)]:
        made = Commitments.make([sample(item) for item in range(5)], secret, what)
        salts += [made.salt(index) for index in range(5)]
        salts += [made.text_salt(index) for index in range(5)]
        salts += [made.item_salt(index) for index in range(5)]
    assert len(set(salts)) == len(salts)


def test_blinded_items_are_named_alike_in_every_try_and_nowhere_else():
    tries = [sample("bio-1", attempt=1), sample("bio-1", attempt=2), sample("bio-2"), sample(1), sample("1")]
    made = Commitments.make(tries, SECRET, ABOUT, blind_items=True)
    names = [record.item for record in made.records]
    assert names[0] == names[1]
    assert len(set(names)) == 4
    assert b"bio" not in format_opening(made.opening(0))
    other = Commitments.make(tries, bytes(32), ABOUT, blind_items=True)
    assert set(names).isdisjoint(record.item for record in other.records)
    with pytest.raises(CommitmentError, match="another item"):
        verify_item(made.records[2], made.item_salt("bio-1"), "bio-1")
    with pytest.raises(CommitmentError, match="another item"):
        verify_item(made.records[3], made.item_salt("1"), "1")


def test_a_shown_item_is_not_the_same_as_its_text():
    made = committed()
    with pytest.raises(CommitmentError, match="another item"):
        verify_item(made.records[1], made.item_salt("1"), "1")


def test_commitments_never_show_their_secret():
    assert repr(committed()) == f"Commitments(7 samples of {ABOUT})"


# -- binding --------------------------------------------------------------------------------------

EDITS = {
    "about": lambda record: replace(record, about="sha256:" + "00" * 32),
    "item": lambda record: replace(record, item="3"),
    "try": lambda record: replace(record, attempt=2),
    "score": lambda record: replace(record, scores=(ScoreText("match", "0"),)),
    "score made missing": lambda record: replace(record, scores=(ScoreText("match", "", "error"),)),
    "scorer": lambda record: replace(record, scores=(ScoreText("Match", "1"),)),
    "score left out": lambda record: replace(record, scores=()),
    "text": lambda record: replace(record, text=bytes(32)),
    "text left out": lambda record: replace(record, text=None),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_record_with_an_edited_field_is_refused(edit):
    made = committed()
    opening = made.opening(3)
    assert verify_opening(made.root, 7, opening) == made.records[3]
    with pytest.raises(CommitmentError, match="sample 3 is not what was committed to"):
        verify_opening(made.root, 7, replace(opening, record=EDITS[edit](opening.record)))


def test_an_opening_of_another_sample_place_size_or_root_is_refused():
    made = committed()
    opening = made.opening(3)
    for changed in (
        replace(opening, salt=made.salt(4)),
        replace(opening, index=2),
        replace(opening, index=-1),
        replace(opening, index=7),
        replace(opening, proof=opening.proof[:-1]),
        replace(opening, proof=(*opening.proof, bytes(32))),
        replace(opening, proof=made.opening(2).proof),
        replace(opening, record=made.records[4]),
    ):
        with pytest.raises(CommitmentError):
            verify_opening(made.root, 7, changed)
    for root, size in ((made.root, 0), (made.root, -1), (made.root, 100), (bytes(32), 7), (b"", 7)):
        with pytest.raises(CommitmentError):
            verify_opening(root, size, opening)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_an_opening_with_any_changed_byte_is_refused(place, change):
    made = committed()
    data = bytearray(format_opening(made.opening(3)))
    data[place % len(data)] ^= change
    with pytest.raises(CommitmentError):
        verify_opening(made.root, made.size, parse_opening(bytes(data)))


def test_the_root_changes_with_the_order_and_number_of_samples():
    made = committed()
    found = [record.commitment(made.salt(index)) for index, record in enumerate(made.records)]
    assert root_of_commitments(found) == made.root
    assert root_of_commitments(found[:-1]) != made.root
    assert root_of_commitments([found[1], found[0], *found[2:]]) != made.root


def test_texts_are_not_shown_for_a_try_that_never_ran():
    made = Commitments.make([Sample(1, 1, (ScoreText("match", "", "absent"),), None)], SECRET, ABOUT)
    with pytest.raises(CommitmentError, match="never ran"):
        verify_text(made.records[0], made.text_salt(0), bytes(32))


# -- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["1.0", "2/4", "-0", "01", " 1", "1 ", "+1", "1/1", "0/2", "1e3", "1_0", "\u0661", "1/-2", "9" * 2_001]
)
def test_a_score_has_one_text(value):
    with pytest.raises(CommitmentError, match="lowest terms"):
        ScoreText("match", value)


@pytest.mark.parametrize(("value", "reason"), [("", ""), ("1", "error")])
def test_a_score_is_there_or_missing(value, reason):
    with pytest.raises(CommitmentError, match="never both"):
        ScoreText("match", value, reason)


RECORD = SampleRecord(ABOUT, "i", 1, (ScoreText("match", "1"),), bytes(32))


@pytest.mark.parametrize(
    "fields",
    [
        {"about": "sha256:abc"},
        {"about": ABOUT + "\n"},
        {"item": b"short"},
        {"attempt": 0},
        {"attempt": True},
        {"scores": (ScoreText("match", "1"), ScoreText("match", "0"))},
        {"text": b""},
    ],
    ids=str,
)
def test_what_is_no_record_is_refused(fields):
    with pytest.raises(CommitmentError):
        replace(RECORD, **fields)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(CommitmentError, match="surrogate"):
        replace(RECORD, item="\ud800").commitment(bytes(32))
    with pytest.raises(CommitmentError, match="surrogate"):
        Commitments.make([sample("\ud800")], SECRET, ABOUT, blind_items=True)


def test_secrets_salts_and_digests_of_other_sizes_are_refused():
    made = committed()
    for refused in (
        lambda: Commitments.make([], b"short", ABOUT),
        lambda: Commitments.make([], SECRET, "sha256:"),
        lambda: Commitments.make([sample(1, text=b"short")], SECRET, ABOUT),
        lambda: RECORD.commitment(b""),
        lambda: verify_text(RECORD, b"", bytes(32)),
        lambda: verify_text(RECORD, bytes(32), b""),
        lambda: verify_item(replace(RECORD, item=bytes(32)), b"", "i"),
        lambda: made.opening(7),
        lambda: made.salt(-1),
        lambda: made.text_salt(7),
    ):
        with pytest.raises(CommitmentError):
            refused()


OPENING = format_opening(Opening(0, bytes(32), RECORD, (bytes(32),)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b" " + OPENING,
        OPENING + b"\n",
        OPENING.replace(b'"index":0', b'"index":0,"index":0'),
        OPENING.replace(b'"index":0', b'"index":0.0'),
        OPENING.replace(b'"index":0', b'"index":NaN'),
        OPENING.replace(b'"index":0', b'"index":true'),
        OPENING.replace(b'"index":0', b'"index":"0"'),
        OPENING.replace(b'"index":0', b'"extra":1,"index":0'),
        OPENING.replace(b'"item":"i"', b'"item":null'),
        OPENING.replace(b'"item":"i"', b'"item":{"blinded":"00"}'),
        OPENING.replace(b'"item":"i"', b'"item":"\\u0069"'),
        OPENING.replace(b'"try":1', b'"try":true'),
        OPENING.replace(b'["match","1",""]', b'["match",1,""]'),
        OPENING.replace(b'["match","1",""]', b'["match","1"]'),
        OPENING.replace(b'[["match","1",""]]', b'"match"'),
        OPENING.replace(b'"proof":["', b'"proof":["00'),
        OPENING.replace(b'"salt":"00', b'"salt":"0A'),
        b"[" * 100_000,
        OPENING.decode().encode("utf-16"),
        b"9" * (MAX_OPENING + 1),
    ],
    ids=range(24),
)
def test_what_is_no_opening_in_its_one_form_is_refused(data):
    assert parse_opening(OPENING).record == RECORD
    with pytest.raises(CommitmentError):
        parse_opening(data)
