"""Sealed blobs open for their recipients, whole or not at all."""

import hashlib
import hmac
import io

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from scalegate.ledger import sealed
from scalegate.ledger.sealed import (
    CHUNK,
    MAGIC,
    NotRecipientError,
    OpeningKey,
    OtherBlobError,
    Recipient,
    SealBrokenError,
    SealError,
    SealFormatError,
    SealKeyError,
    SealUnavailableError,
    open_sealed,
    open_stream,
    seal,
    seal_stream,
)

pytestmark = pytest.mark.skipif(not sealed.HPKE_AVAILABLE, reason="cryptography before 47 has no HPKE")

ANNA, BEN, CARL = (OpeningKey(bytes([number]) * 32) for number in (1, 2, 3))
STANZA, MAC = 144, 16
START = len(MAGIC) + 1
BLOB = b"what a model wrote" * 10_000


def for_two(blob: bytes = BLOB) -> bytes:
    return seal(blob, [ANNA.recipient, BEN.recipient])


def payload_at(recipients: int) -> int:
    return START + recipients * STANZA + 32


def chunks_of(data: bytes, recipients: int) -> list[bytes]:
    payload = data[payload_at(recipients) :]
    return [payload[at : at + CHUNK + MAC] for at in range(0, len(payload), CHUNK + MAC)]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 16])
def test_every_recipient_opens_what_was_sealed(size: int):
    blob = bytes(size)
    data = for_two(blob)
    for key in (ANNA, BEN):
        assert open_sealed(data, key) == blob
    chunks = max(1, -(-size // CHUNK))
    assert len(data) == payload_at(2) + size + MAC * chunks


@given(st.binary(max_size=300), st.sets(st.integers(1, 9), min_size=1, max_size=4))
def test_sealing_is_undone_by_opening(blob, numbers):
    keys = [OpeningKey(bytes([number]) * 32) for number in numbers]
    data = seal(blob, [key.recipient for key in keys])
    assert [open_sealed(data, key, "sha256:" + hashlib.sha256(blob).hexdigest()) for key in keys] == [blob] * len(keys)


def test_two_sealings_of_one_blob_share_nothing_but_the_recipients():
    first, second = for_two(), for_two()
    assert first[:START] == second[:START]
    for at in (START, START + STANZA):
        assert first[at : at + 32] == second[at : at + 32]
        assert first[at + 32 : at + STANZA] != second[at + 32 : at + STANZA]
    assert first[payload_at(2) :] != second[payload_at(2) :]


def test_neither_the_blob_nor_its_digest_is_seen_from_outside():
    data = for_two()
    assert b"what a model wrote" not in data
    assert hashlib.sha256(BLOB).digest() not in data


def test_whoever_is_no_recipient_opens_nothing():
    with pytest.raises(NotRecipientError, match="2 other keys"):
        open_sealed(for_two(), CARL)


def test_another_blob_than_the_ledger_names_is_refused():
    target = io.BytesIO()
    with pytest.raises(OtherBlobError, match="was asked for"):
        open_stream(io.BytesIO(for_two()), target, ANNA, "sha256:" + hashlib.sha256(b"other").hexdigest())
    assert target.getvalue() == b""
    with pytest.raises(OtherBlobError):
        open_sealed(for_two(), ANNA, "")


# -- a second implementation, from the format's description -----------------------------------------


def extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def expand(prk: bytes, info: bytes, size: int) -> bytes:
    made, block = b"", b""
    while len(made) < size:
        block = hmac.digest(prk, block + info + bytes([len(made) // 32 + 1]), "sha256")
        made += block
    return made[:size]


def hpke_open(sealed_key: bytes, private: bytes, info: bytes) -> bytes:
    """RFC 9180, sections 4.1 and 5.1: base mode, KEM 0x0020, KDF 0x0001, AEAD 0x0003, first message."""
    enc, ciphertext = sealed_key[:32], sealed_key[32:]
    own = X25519PrivateKey.from_private_bytes(private)
    shared = own.exchange(X25519PublicKey.from_public_bytes(enc))
    kem = b"KEM" + b"\0\x20"
    prk = extract(b"", b"HPKE-v1" + kem + b"eae_prk" + shared)
    context = enc + own.public_key().public_bytes_raw()
    secret = expand(prk, b"\0\x20HPKE-v1" + kem + b"shared_secret" + context, 32)
    suite = b"HPKE" + b"\0\x20\0\x01\0\x03"
    psk_id = extract(b"", b"HPKE-v1" + suite + b"psk_id_hash")
    info_hash = extract(b"", b"HPKE-v1" + suite + b"info_hash" + info)
    schedule = b"\0" + psk_id + info_hash
    prk = extract(secret, b"HPKE-v1" + suite + b"secret")
    key = expand(prk, b"\0\x20HPKE-v1" + suite + b"key" + schedule, 32)
    nonce = expand(prk, b"\0\x0cHPKE-v1" + suite + b"base_nonce" + schedule, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")


def test_a_second_implementation_opens_what_this_one_seals():
    data = for_two()
    at = START if data[START : START + 32] == hashlib.sha256(ANNA.recipient.public).digest() else START + STANZA
    secret = hpke_open(data[at + 32 : at + STANZA], ANNA.private, b"scalegate sealed 1\n")
    file_key, digest = secret[:32], secret[32:]
    header = data[: START + 2 * STANZA]
    made = expand(extract(hashlib.sha256(header).digest(), file_key), b"scalegate sealed 1\ntag and payload", 64)
    assert data[len(header) : len(header) + 32] == made[:32]
    cipher = ChaCha20Poly1305(made[32:])
    chunks = chunks_of(data, 2)
    plain = b"".join(
        cipher.decrypt(number.to_bytes(11) + bytes([number == len(chunks) - 1]), chunk, None)
        for number, chunk in enumerate(chunks)
    )
    assert plain == BLOB
    assert digest == hashlib.sha256(BLOB).digest()


# -- attacks --------------------------------------------------------------------------------------


def test_a_sealed_blob_with_any_changed_byte_is_refused():
    data = for_two(b"short")
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises((SealFormatError, SealBrokenError, NotRecipientError)):
            open_sealed(bytes(changed), ANNA)


def test_a_sealed_blob_cut_anywhere_is_refused():
    data = for_two(b"short")
    for size in range(len(data)):
        with pytest.raises((SealFormatError, SealBrokenError)):
            open_sealed(data[:size], ANNA)


def test_a_sealed_blob_cut_between_chunks_is_refused():
    data = for_two()
    with pytest.raises(SealBrokenError, match="cut off after chunk 1"):
        open_sealed(data[: payload_at(2) + 2 * (CHUNK + MAC)], ANNA)
    with pytest.raises(SealBrokenError):
        open_sealed(data[: payload_at(2)], ANNA)


def test_chunks_that_are_reordered_dropped_or_repeated_are_refused():
    data = for_two()
    head, (first, second, last) = data[: payload_at(2)], chunks_of(data, 2)
    for parts in ((second, first, last), (first, last), (first, first, second, last), (first, second, second, last)):
        with pytest.raises(SealBrokenError, match="changed or moved"):
            open_sealed(head + b"".join(parts), ANNA)


def test_trailing_data_is_refused():
    data = for_two()
    with pytest.raises(SealBrokenError):
        open_sealed(data + b"\0", ANNA)
    whole = for_two(bytes(CHUNK))
    for more in (b"\0", bytes(MAC), whole[payload_at(2) :], bytes(3 * CHUNK)):
        with pytest.raises(SealBrokenError, match="something follows the last chunk, which is chunk 0"):
            open_sealed(whole + more, ANNA)


def test_an_empty_last_chunk_after_others_is_refused():
    header, key = sealed._make_header(bytes(32), hashlib.sha256(bytes(CHUNK)).digest(), (ANNA.recipient,))
    cipher = ChaCha20Poly1305(key)
    first = cipher.encrypt(bytes(12), bytes(CHUNK), None)
    empty = cipher.encrypt((1).to_bytes(11) + b"\1", b"", None)
    with pytest.raises(SealBrokenError, match="chunk 1 is empty"):
        open_sealed(header + first + empty, ANNA)


def test_swapped_recipient_stanzas_are_refused():
    data = for_two()
    first, second = data[START : START + STANZA], data[START + STANZA : START + 2 * STANZA]
    head, rest = data[:START], data[START + 2 * STANZA :]
    with pytest.raises(SealFormatError, match="one order"):
        open_sealed(head + second + first + rest, ANNA)
    with pytest.raises(SealFormatError, match="one order"):
        open_sealed(head + first + first + rest, ANNA)
    mixed = head + first[:32] + second[32:] + second[:32] + first[32:] + rest
    for key in (ANNA, BEN):
        with pytest.raises(SealBrokenError, match="for this key"):
            open_sealed(mixed, key)


def test_a_stanza_of_another_sealed_blob_is_refused():
    data, other = for_two(), for_two()
    for key in (ANNA, BEN):
        with pytest.raises(SealBrokenError, match="header was changed"):
            open_sealed(other[: START + 2 * STANZA] + data[START + 2 * STANZA :], key)


def test_a_recipient_who_is_taken_out_is_missed():
    data = for_two()
    first = data[START : START + STANZA]
    key = ANNA if first[:32] == ANNA.recipient.id else BEN
    with pytest.raises(SealBrokenError, match="header was changed"):
        open_sealed(MAGIC + b"\1" + first + data[START + 2 * STANZA :], key)


def test_a_stanza_of_small_order_is_refused():
    data = seal(b"", [ANNA.recipient])
    with pytest.raises(SealBrokenError, match="for this key"):
        open_sealed(data[: START + 32] + bytes(32) + data[START + 64 :], ANNA)


def test_recipients_who_would_open_two_blobs_are_refused_one_by_one():
    """A dishonest sealer gives two file keys; the tag can fit one of them."""
    digest = hashlib.sha256(b"").digest()
    one, _ = sealed._make_header(bytes(32), digest, (ANNA.recipient, BEN.recipient))
    two, _ = sealed._make_header(b"\1" * 32, digest, (ANNA.recipient, BEN.recipient))
    content = one[: START + STANZA] + two[START + STANZA : START + 2 * STANZA]
    tag, key = sealed._tag_and_key(content, bytes(32))
    data = content + tag + ChaCha20Poly1305(key).encrypt(bytes(11) + b"\1", b"", None)
    first = ANNA if data[START : START + 32] == ANNA.recipient.id else BEN
    assert open_sealed(data, first) == b""
    with pytest.raises(SealBrokenError, match="would open different blobs"):
        open_sealed(data, BEN if first is ANNA else ANNA)


def test_a_header_that_names_another_blob_is_refused():
    header, key = sealed._make_header(bytes(32), hashlib.sha256(b"named").digest(), (ANNA.recipient,))
    data = header + ChaCha20Poly1305(key).encrypt(bytes(11) + b"\1", b"other", None)
    with pytest.raises(SealBrokenError, match="not the one that the header names"):
        open_sealed(data, ANNA)


def test_a_header_that_grants_a_larger_blob_than_the_cap_is_refused(monkeypatch):
    data = for_two()
    monkeypatch.setattr(sealed, "MAX_BLOB", 2 * CHUNK)
    with pytest.raises(SealFormatError, match="at most"):
        open_sealed(data, ANNA)
    with pytest.raises(SealError, match="at most"):
        for_two()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        MAGIC.replace(b"1", b"2") + bytes(300),
        b"age-encryption.org/v1\n",
        MAGIC + b"\0" + bytes(300),
        MAGIC + b"\x41" + bytes(65 * STANZA + 48),
    ],
    ids=range(6),
)
def test_what_is_no_sealed_blob_of_this_version_is_refused(data):
    with pytest.raises(SealFormatError):
        open_sealed(data, ANNA)


# -- streams --------------------------------------------------------------------------------------


class Trickle(io.BytesIO):
    """A stream that returns less than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 7_001))


def test_streams_that_trickle_give_the_same():
    target, opened = io.BytesIO(), io.BytesIO()
    seal_stream(Trickle(BLOB), target, [ANNA.recipient])
    open_stream(Trickle(target.getvalue()), opened, ANNA)
    assert opened.getvalue() == BLOB == open_sealed(target.getvalue(), ANNA)


def test_a_stream_is_sealed_from_where_it_stands():
    source = io.BytesIO(b"head" + BLOB)
    source.seek(4)
    assert open_sealed(seal(source, [ANNA.recipient]), ANNA) == BLOB


class Shifting(io.BytesIO):
    """A stream that holds something else when it is read again."""

    def seek(self, offset: int, whence: int = 0) -> int:
        self.getbuffer()[0] ^= 1
        return super().seek(offset, whence)


def test_a_blob_that_changes_while_it_is_sealed_is_refused():
    with pytest.raises(SealError, match="changed while it was sealed"):
        seal(Shifting(BLOB), [ANNA.recipient])


# -- keys -----------------------------------------------------------------------------------------

P = 2**255 - 19
SMALL_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_point_of_small_order_is_no_recipient(point: int):
    with pytest.raises(SealKeyError, match="small order"):
        Recipient(point.to_bytes(32, "little"))


@pytest.mark.parametrize("number", [P, P + 9, 2**255 + 9, 2**256 - 1])
def test_a_recipient_has_one_encoding(number: int):
    assert Recipient((9).to_bytes(32, "little")).public[0] == 9
    with pytest.raises(SealKeyError, match="one encoding"):
        Recipient(number.to_bytes(32, "little"))


@pytest.mark.parametrize("recipients", [[], [ANNA.recipient] * 2])
def test_blobs_are_sealed_for_somebody_and_for_each_once(recipients):
    with pytest.raises(SealError):
        seal(b"", recipients)


def test_there_are_at_most_64_recipients():
    recipients = [OpeningKey(bytes([number]) * 32).recipient for number in range(1, 66)]
    assert open_sealed(seal(b"x", recipients[:64]), ANNA) == b"x"
    with pytest.raises(SealError, match="1 to 64"):
        seal(b"", recipients)


def test_keys_are_read_from_pem_and_written_so():
    key = OpeningKey.generate()
    assert key != OpeningKey.generate()
    assert OpeningKey.from_pem(key.pem) == key
    assert Recipient.from_pem(key.recipient.pem) == key.recipient
    assert Recipient.from_pem(key.recipient.pem.replace(b"\n", b"\r\n")) == key.recipient
    assert key.private.hex() not in repr(key)
    assert "private" not in repr(key)


def test_keys_of_other_kinds_and_several_keys_are_refused():
    ed25519 = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = ed25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = ed25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = ANNA.recipient.pem
    for data in (b"", public, ANNA.pem, pem + BEN.recipient.pem, b"a comment\n" + pem, bytes(32)):
        with pytest.raises(SealKeyError):
            Recipient.from_pem(data)
    for data in (b"", private, pem):
        with pytest.raises(SealKeyError):
            OpeningKey.from_pem(data)
    with pytest.raises(SealKeyError, match="password"):
        OpeningKey.from_pem(ANNA.pem, b"one")
    for size in (0, 31, 33):
        with pytest.raises(SealKeyError):
            OpeningKey(bytes(size))
        with pytest.raises(SealKeyError):
            Recipient(bytes(size))


def test_without_hpke_nothing_is_sealed_or_opened_and_the_cure_is_named(monkeypatch):
    data = for_two()
    monkeypatch.setattr(sealed, "HPKE_AVAILABLE", False)
    for refused in (for_two, lambda: open_sealed(data, ANNA)):
        with pytest.raises(SealUnavailableError, match="cryptography 47"):
            refused()
