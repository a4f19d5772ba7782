import base64
import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger import note as notes
from scalegate.ledger.checkpoint import Checkpoint, CheckpointError, format_checkpoint
from scalegate.ledger.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    NoteError,
    NoteKey,
    NoteSignature,
    SecretKey,
    SignatureType,
    Signed,
    format_note,
    format_skey,
    format_vkey,
    open_checkpoint,
    parse_note,
    parse_skey,
    parse_vkey,
    verify_note,
)
from tests.ledger.signers import Ed25519Signer, MlDsa44Signer, P256Signer, has_ml_dsa_44, key_of

needs_ml_dsa_44 = pytest.mark.skipif(not has_ml_dsa_44(), reason="the installed cryptography has no ML-DSA-44")

LAB, AUDITOR = Ed25519Signer("lab"), Ed25519Signer("auditor")
LAB_KEY = NoteKey("lab.example/log", SignatureType.NOTE, key_of(LAB))
WITNESS_KEY = NoteKey("auditor.example", SignatureType.COSIGNATURE, key_of(AUDITOR))
TEXT = format_checkpoint(Checkpoint("lab.example/log", 12, hashlib.sha256(b"root").digest()))
TIME = 1_800_000_000
SIGNED = Note(TEXT, (LAB_KEY.sign(TEXT, LAB), WITNESS_KEY.sign(TEXT, AUDITOR, TIME)))
DATA = format_note(SIGNED)


# ---------------------------------------------------------------- published notes


def test_the_example_of_the_specification_is_good(shared_data):
    example = json.loads((shared_data / "vectors/c2sp/signed_note_example.json").read_text())
    key, data = parse_vkey(example["vkey"]), example["note"].encode()
    note = parse_note(data)
    assert verify_note(note, [key]) == (Signed(key, None),)
    assert note.text == "This is an example message.\n"
    assert format_note(note) == data
    assert format_vkey(key) == example["vkey"]


def requests(shared_data, name):
    sequence = json.loads((shared_data / "vectors/c2sp" / name).read_text())
    # Before the first empty line stand the size and the proof, which are not part of the note.
    return sequence, [(item["body"].partition("\n\n")[2], item["status"]) for item in sequence["requests"]]


def test_the_checkpoints_of_the_witness_sequence_are_read(shared_data):
    sequence, bodies = requests(shared_data, "witness_add_checkpoint_sequence.json")
    public = bytes.fromhex(sequence["log_key_sigsum_hex"])
    origin = f"sigsum.org/v1/tree/{hashlib.sha256(public).hexdigest()}"
    key = parse_vkey(format_vkey(NoteKey(origin, SignatureType.NOTE, notes.PublicKey("ed25519", public))))
    found = []
    for body, status in bodies:
        try:
            found.append(open_checkpoint(body.encode(), origin, [key]).checkpoint.size)
        except NoteError:
            # 403: the signature is wrong, or of a log that nobody knows.
            assert status == 403
            continue
        assert status != 403
        assert format_note(parse_note(body.encode())) == body.encode()
    assert found == [1, 3, 3, 3, 5, 5, 5]


def test_the_checkpoint_of_the_go_checksum_database_is_good(shared_data):
    sequence, bodies = requests(shared_data, "witness_sumdb_sequence.json")
    keys = [parse_vkey(text) for text in sequence["vkey"]]
    (body,) = [body for body, _ in bodies]
    # Its origin is the line above the size, and not the name of its key.
    opened = open_checkpoint(body.encode(), "go.sum database tree", keys)
    assert opened.checkpoint.size == 35_225_469
    assert opened.log == (Signed(keys[0], None),)


# ---------------------------------------------------------------- laws

names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Z"], exclude_characters="+"), min_size=1, max_size=12
).filter(lambda name: not any(map(str.isspace, name)))
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n"), max_size=60).map(
    lambda text: text + "\n"
)
lines = st.builds(NoteSignature, names, st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=70))
some_notes = st.builds(Note, texts, st.lists(lines, min_size=1, max_size=4).map(tuple))


@given(some_notes)
def test_a_note_comes_back_from_its_bytes(note):
    assert parse_note(format_note(note)) == note


@given(some_notes, st.data())
def test_bytes_stand_for_one_note(note, data):
    content = format_note(note)
    place = data.draw(st.integers(0, len(content)))
    gone = data.draw(st.integers(0, 3))
    changed = content[:place] + data.draw(st.binary(max_size=3)) + content[place + gone :]
    try:
        found = parse_note(changed)
    except NoteError:
        return
    assert format_note(found) == changed


@given(st.integers(0, 8 * len(DATA) - 1))
def test_any_flipped_bit_loses_a_signature(bit):
    changed = bytearray(DATA)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        signed = verify_note(parse_note(bytes(changed)), [LAB_KEY, WITNESS_KEY])
    except NoteError:
        return
    # In the name or ID of a line: then the line is somebody else's, and only that.
    assert len(signed) == 1


@given(names, st.sampled_from([SignatureType.NOTE, SignatureType.COSIGNATURE]), st.binary(min_size=32, max_size=32))
def test_keys_come_back_from_their_text_forms(name, kind, seed):
    secret = SecretKey(name, kind, seed)
    assert parse_skey(format_skey(secret)) == secret
    assert parse_vkey(format_vkey(secret.key)) == secret.key
    assert base64.b64encode(seed).decode() not in repr(secret)
    assert repr(seed) not in repr(secret)


@given(texts)
def test_what_was_signed_verifies(text):
    note = Note(text, (LAB_KEY.sign(text, LAB),))
    assert verify_note(parse_note(format_note(note)), [LAB_KEY]) == (Signed(LAB_KEY, None),)


# ---------------------------------------------------------------- who signed


def test_log_and_witnesses_are_told_apart():
    opened = open_checkpoint(DATA, "lab.example/log", [LAB_KEY], [WITNESS_KEY])
    assert opened.log == (Signed(LAB_KEY, None),)
    assert opened.witnesses == (Signed(WITNESS_KEY, TIME),)
    assert opened.checkpoint.size == 12


def test_signatures_of_unknown_keys_are_ignored():
    stranger = NoteSignature("stranger.example", 7, b"anything")
    same_name = NoteSignature(LAB_KEY.name, LAB_KEY.key_id ^ 1, b"anything")
    same_id = NoteSignature("stranger.example", LAB_KEY.key_id, b"anything")
    note = replace(SIGNED, signatures=(stranger, same_name, same_id, *SIGNED.signatures))
    assert verify_note(parse_note(format_note(note)), [LAB_KEY]) == (Signed(LAB_KEY, None),)


def test_a_note_signed_by_nobody_known_is_refused():
    with pytest.raises(NoteError, match="none of the known keys"):
        verify_note(SIGNED, [])
    with pytest.raises(NoteError, match="none of the known keys"):
        verify_note(SIGNED, [NoteKey("other.example", SignatureType.NOTE, key_of(LAB))])


def test_a_signature_by_another_key_with_the_same_name_is_refused():
    impostor = Ed25519Signer("impostor")
    theirs = NoteKey(LAB_KEY.name, SignatureType.NOTE, key_of(impostor)).sign(TEXT, impostor)
    with pytest.raises(NoteError, match="none of the known keys"):
        verify_note(Note(TEXT, (theirs,)), [LAB_KEY])
    with pytest.raises(NoteError, match="is not good"):
        verify_note(Note(TEXT, (replace(theirs, key_id=LAB_KEY.key_id),)), [LAB_KEY])


def test_one_bad_signature_of_a_known_key_spoils_the_note():
    bad = replace(SIGNED.signatures[1], signature=bytes(72))
    with pytest.raises(NoteError, match=r"auditor\.example is not good"):
        verify_note(Note(TEXT, (SIGNED.signatures[0], bad)), [LAB_KEY, WITNESS_KEY])


def test_a_repeated_signature_line_counts_once():
    note = replace(SIGNED, signatures=SIGNED.signatures * 2)
    assert verify_note(parse_note(format_note(note)), [LAB_KEY, WITNESS_KEY]) == verify_note(
        SIGNED, [LAB_KEY, WITNESS_KEY]
    )


def test_a_witness_that_signed_twice_counts_once_with_its_last_time():
    later = WITNESS_KEY.sign(TEXT, AUDITOR, TIME + 5)
    for order in ((SIGNED.signatures[1], later), (later, SIGNED.signatures[1])):
        assert verify_note(Note(TEXT, order), [WITNESS_KEY]) == (Signed(WITNESS_KEY, TIME + 5),)


def test_one_key_under_two_names_is_refused():
    alias = NoteKey("second.example", SignatureType.COSIGNATURE, key_of(AUDITOR))
    line = replace(SIGNED.signatures[1], name=alias.name, key_id=alias.key_id)
    note = replace(SIGNED, signatures=(*SIGNED.signatures, line))
    with pytest.raises(NoteError, match="names of one key"):
        verify_note(note, [WITNESS_KEY, alias])


def test_keys_that_share_name_and_id_are_refused():
    twin = NoteKey(LAB_KEY.name, SignatureType.NOTE, key_of(AUDITOR))
    object.__setattr__(twin, "key_id", LAB_KEY.key_id)
    with pytest.raises(NoteError, match="two keys have the name"):
        verify_note(SIGNED, [LAB_KEY, twin])


def test_a_moved_time_of_a_cosignature_is_refused():
    line = SIGNED.signatures[1]
    moved = replace(line, signature=(TIME + 1).to_bytes(8) + line.signature[8:])
    with pytest.raises(NoteError, match="is not good"):
        verify_note(Note(TEXT, (moved,)), [WITNESS_KEY])


@pytest.mark.parametrize("signature", [b"\xff" * 72, b"\x01", bytes(8), bytes(71)])
def test_a_cosignature_without_a_time_or_signature_is_refused(signature):
    line = replace(SIGNED.signatures[1], signature=signature)
    with pytest.raises(NoteError, match=r"is not good|no cosignature"):
        verify_note(Note(TEXT, (line,)), [WITNESS_KEY])


def test_a_signature_of_one_type_is_none_of_another():
    plain = NoteKey("auditor.example", SignatureType.NOTE, key_of(AUDITOR))
    bare = plain.sign(TEXT, AUDITOR)
    assert plain.key_id != WITNESS_KEY.key_id
    as_cosignature = NoteSignature(WITNESS_KEY.name, WITNESS_KEY.key_id, TIME.to_bytes(8) + bare.signature)
    with pytest.raises(NoteError, match="is not good"):
        verify_note(Note(TEXT, (as_cosignature,)), [WITNESS_KEY])
    message = "cosignature/v1\ntime 1800000000\n" + TEXT
    as_note = NoteSignature(plain.name, plain.key_id, SIGNED.signatures[1].signature[8:])
    # The header is what keeps them apart: a note whose text is that header is the one thing both mean.
    assert verify_note(Note(message, (as_note,)), [plain]) == (Signed(plain, None),)
    with pytest.raises(CheckpointError):
        open_checkpoint(format_note(Note(message, (as_note,))), "cosignature/v1", [plain])


def test_what_is_no_checkpoint_is_not_cosigned():
    with pytest.raises(NoteError, match="no cosignature of this text"):
        WITNESS_KEY.sign("text\n", AUDITOR, TIME)


def test_a_checkpoint_of_another_log_is_refused():
    with pytest.raises(CheckpointError, match=r"one of the log 'lab\.example/log'"):
        open_checkpoint(DATA, "other.example/log", [LAB_KEY])


def test_witnesses_alone_do_not_make_a_checkpoint():
    data = format_note(Note(TEXT, SIGNED.signatures[1:]))
    with pytest.raises(NoteError, match="no known key of its log"):
        open_checkpoint(data, "lab.example/log", [LAB_KEY], [WITNESS_KEY])


@needs_ml_dsa_44
def test_an_ml_dsa_44_cosignature_covers_name_time_and_tree():
    signer = MlDsa44Signer()
    key = NoteKey("pq.example", SignatureType.ML_DSA_COSIGNATURE, key_of(signer))
    assert parse_vkey(format_vkey(key)) == key
    line = key.sign(TEXT, signer, TIME)
    assert len(line.signature) == 8 + 2_420
    assert verify_note(parse_note(format_note(Note(TEXT, (line,)))), [key]) == (Signed(key, TIME),)
    # Extension lines are not signed, and a cosigner may state no time.
    assert verify_note(Note(TEXT + "extension\n", (line,)), [key]) == (Signed(key, TIME),)
    assert verify_note(Note(TEXT, (key.sign(TEXT, signer, 0),)), [key]) == (Signed(key, None),)
    other = NoteKey("other.example", SignatureType.ML_DSA_COSIGNATURE, key_of(signer))
    with pytest.raises(NoteError, match="is not good"):
        other.verify(TEXT, line.signature)
    with pytest.raises(NoteError, match="is not good"):
        key.verify(TEXT.replace("\n12\n", "\n13\n"), line.signature)


# ---------------------------------------------------------------- bytes that are no note

LINE = DATA.decode().splitlines(keepends=True)[-1]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no empty line", id="nothing"),
        pytest.param(TEXT.encode(), "no empty line", id="no-signatures"),
        pytest.param(f"{TEXT}{LINE}".encode(), "no empty line", id="no-blank-line"),
        pytest.param(f"{TEXT}\n".encode(), "does not end with a signature", id="blank-line-and-nothing"),
        pytest.param(f"{TEXT}\n\n".encode(), "does not end with a signature", id="two-blank-lines"),
        pytest.param(DATA[:-1], "does not end with a signature", id="no-last-newline"),
        pytest.param(DATA + b"\n", "does not end with a signature", id="blank-line-behind"),
        pytest.param(DATA + b"trailing text\n", "em dash", id="trailing-text"),
        pytest.param(DATA + b"trailing text", "does not end with a signature", id="trailing-text-without-newline"),
        pytest.param(DATA + b"\ntrailing text\n", "em dash", id="trailing-paragraph"),
        pytest.param(DATA.replace(b"\n", b"\r\n"), "control character", id="crlf"),
        pytest.param(DATA.replace(b"lab", b"l\tb"), "control character", id="tab"),
        pytest.param(DATA.replace(b"lab", b"l\0b"), "control character", id="nul"),
        pytest.param(b"\xef\xbb\xbf\xff" + DATA, "not UTF-8 at byte 3", id="invalid-utf8"),
        pytest.param(b"\xed\xa0\x80" + DATA, "not UTF-8", id="surrogate"),
        pytest.param(b"\xc0\x8a" + DATA, "not UTF-8", id="overlong"),
        pytest.param(DATA.replace("\u2014 ".encode(), b"- "), "em dash", id="hyphen"),
        pytest.param(DATA.replace("\u2014 ".encode(), "\u2014".encode()), "em dash", id="no-space"),
        pytest.param(DATA.replace("\u2014 ".encode(), "\u2014  ".encode()), "has no spaces", id="two-spaces"),
        pytest.param(f"{TEXT}\n\u2014 name\n".encode(), "a name, a space and a signature", id="no-signature"),
        pytest.param(f"{TEXT}\n\u2014 na+me AAAAAAA=\n".encode(), "plus signs", id="plus-in-name"),
        pytest.param(f"{TEXT}\n\u2014 na\u00a0me AAAAAAA=\n".encode(), "has no spaces", id="nbsp-in-name"),
        pytest.param(f"{TEXT}\n\u2014 na\u2028me AAAAAAA=\n".encode(), "has no spaces", id="line-separator-in-name"),
        pytest.param(f"{TEXT}\n\u2014 name AAAAAA==\n".encode(), "nothing behind", id="id-alone"),
        pytest.param(f"{TEXT}\n\u2014 name AAAA\n".encode(), "nothing behind", id="short-id"),
        pytest.param(f"{TEXT}\n\u2014 name AAAAAAB=\n".encode(), "canonical base64", id="loose-bits"),
        pytest.param(f"{TEXT}\n\u2014 name AAAAAAA\n".encode(), "canonical base64", id="no-padding"),
        pytest.param(f"{TEXT}\n\u2014 name AAAAAAA= \n".encode(), "canonical base64", id="trailing-space"),
        pytest.param(f"{TEXT}\n\u2014 name AAAAAA-_\n".encode(), "canonical base64", id="url-safe"),
        pytest.param(DATA + LINE.encode() * MAX_SIGNATURES, "at most 64 signatures", id="many-signatures"),
        pytest.param(b"x" * MAX_NOTE + DATA, "at most 524288 bytes", id="giant"),
    ],
)
def test_what_is_no_note_is_refused(data, reason):
    with pytest.raises(NoteError, match=reason):
        parse_note(data)


def test_text_with_empty_lines_is_separated_at_the_last():
    text = "\n\na\n\n\u2014 not a signature\n\n\n"
    assert parse_note(format_note(replace(SIGNED, text=text))).text == text


def test_sixteen_large_signatures_are_accepted():
    lines = tuple(NoteSignature(f"{n}.example", n, bytes(5_000)) for n in range(16))
    assert len(parse_note(format_note(Note(TEXT, lines))).signatures) == 16


@pytest.mark.parametrize(
    "note",
    [
        replace(SIGNED, signatures=()),
        replace(SIGNED, text="no newline"),
        replace(SIGNED, text="a\rb\n"),
        replace(SIGNED, text="\ud800\n"),
        replace(SIGNED, signatures=(NoteSignature("two words", 1, b"x"),)),
        replace(SIGNED, signatures=(NoteSignature("a\nb", 1, b"x"),)),
        replace(SIGNED, signatures=(NoteSignature("name", 1 << 32, b"x"),)),
        replace(SIGNED, signatures=(NoteSignature("name", 1, b""),)),
        replace(SIGNED, signatures=(NoteSignature("a x\n\u2014 b", 1, b"x"),)),
        replace(SIGNED, signatures=(NoteSignature("\ud800", 1, b"x"),)),
    ],
)
def test_a_note_without_bytes_of_its_own_is_refused(note):
    with pytest.raises(NoteError):
        format_note(note)


# ---------------------------------------------------------------- keys

VKEY, SKEY = format_vkey(LAB_KEY), format_skey(SecretKey("lab.example/log", SignatureType.NOTE, LAB.seed))
SMALL_ORDER = b"\1" + (1).to_bytes(32, "little")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "written as name", id="nothing"),
        pytest.param("lab.example/log", "written as name", id="name-alone"),
        pytest.param(VKEY.replace("lab", "lap"), "has the ID", id="another-name"),
        pytest.param(VKEY[:-4] + "AAAA", r"has the ID|cannot be used", id="another-key"),
        pytest.param(VKEY.replace(f"{LAB_KEY.key_id:08x}", "00000000"), "has the ID", id="another-id"),
        pytest.param(VKEY.replace(f"{LAB_KEY.key_id:08x}", f"{LAB_KEY.key_id:08X}"), "8 hex digits", id="upper-case"),
        pytest.param(VKEY + "\n", "canonical base64", id="newline"),
        pytest.param(VKEY[:-4], "has 32 bytes", id="short"),
        pytest.param("+" + VKEY.partition("+")[2], "is not empty", id="no-name"),
        pytest.param("a b+" + VKEY.partition("+")[2], "no spaces", id="space-in-name"),
        pytest.param("name+00000000+", "type that is not known", id="no-type"),
        pytest.param("name+00000000+AgAA", "type that is not known", id="ecdsa"),
        pytest.param("name+00000000+/wAA", "type that is not known", id="no-byte-of-its-own"),
        pytest.param(f"name+00000000+{base64.b64encode(SMALL_ORDER).decode()}", "small order", id="small-order-key"),
        pytest.param("name+00000000+Bg==", "1,312 bytes", id="empty-ml-dsa-key")
        if has_ml_dsa_44()
        else pytest.param("name", "written as name", id="no-ml-dsa"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text, reason):
    with pytest.raises(NoteError, match=reason):
        parse_vkey(text)


@pytest.mark.parametrize(
    "text",
    [
        VKEY,
        SKEY[:-4],
        SKEY + "\n",
        SKEY.replace("lab", "lap"),
        SKEY.replace("PRIVATE+KEY+", "PRIVATE+KEY"),
        f"PRIVATE+KEY+name+00000000+{base64.b64encode(bytes([6]) + LAB.seed).decode()}",
        f"PRIVATE+KEY+{base64.b64encode(LAB.seed).decode()}+00000000+!",
    ],
)
def test_what_is_no_secret_key_is_refused_without_quoting_it(text):
    with pytest.raises(NoteError) as refused:
        parse_skey(text)
    assert str(refused.value).startswith(("a secret key starts", "the secret key is not"))
    assert refused.value.__cause__ is None


def test_a_secret_key_signs_for_its_verifier_key():
    assert parse_skey(SKEY).key == LAB_KEY


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "\u2003", "x" * 256, "\ud800"])
def test_a_name_that_no_line_can_carry_is_refused(name):
    with pytest.raises(NoteError):
        NoteKey(name, SignatureType.NOTE, key_of(LAB))


def test_a_key_of_another_algorithm_than_its_type_is_refused():
    with pytest.raises(NoteError, match="0x01 are ed25519 keys"):
        NoteKey("name", SignatureType.NOTE, key_of(P256Signer()))
    with pytest.raises(NoteError, match="0x06 are ml-dsa-44 keys"):
        NoteKey("name", SignatureType.ML_DSA_COSIGNATURE, key_of(LAB))


# ---------------------------------------------------------------- signing


def test_a_signer_with_another_key_is_refused():
    with pytest.raises(NoteError, match="another key"):
        LAB_KEY.sign(TEXT, AUDITOR)


def test_a_signer_that_errs_is_noticed():
    class Broken(Ed25519Signer):
        def sign(self, message):
            return super().sign(message + b"!")

    with pytest.raises(NoteError, match="is not good"):
        LAB_KEY.sign(TEXT, Broken("lab"))


def test_times_are_for_cosignatures():
    with pytest.raises(NoteError, match="state a time"):
        LAB_KEY.sign(TEXT, LAB, TIME)
    with pytest.raises(NoteError, match="state a time"):
        WITNESS_KEY.sign(TEXT, AUDITOR)
    with pytest.raises(NoteError, match="time of a cosignature"):
        WITNESS_KEY.sign(TEXT, AUDITOR, -1)


def test_a_text_that_is_none_is_not_signed():
    with pytest.raises(NoteError, match="ends with a newline"):
        LAB_KEY.sign("text", LAB)
