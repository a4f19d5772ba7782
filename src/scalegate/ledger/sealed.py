"""Blobs sealed for auditors: whoever has the key of one recipient can open them, and nobody else.

    magic       b"scalegate sealed 1" and a newline; the digit is the version of the format
    count       1 byte: number of recipients, 1 to 64
    stanzas     for each recipient, in the order of their IDs:
                    id      32 bytes: SHA-256 of the recipient's public key
                    sealed  112 bytes: HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
                            ChaCha20-Poly1305; info is the magic) of file key and SHA-256 of the blob, 32 bytes each
    tag         32 bytes
    payload     the blob in chunks of 64 KiB, each with ChaCha20-Poly1305 (RFC 8439) and its 16 bytes behind it

HKDF-SHA256 of the file key, with SHA-256 of everything before the tag as its salt, gives 64 bytes: the tag, and the
key of the payload. The nonce of a chunk is its number in 11 bytes, and one byte that is 1 for the last chunk only
(the STREAM construction; the same as in age). So chunks cannot be moved, dropped, added or cut off. All chunks but
the last are full, and the last is empty only for an empty blob: one blob under one file key has one payload.

Why a tag, when the payload is authenticated: ChaCha20-Poly1305 lets a dishonest sealer make one payload that opens
under two file keys to two blobs. The tag fits one file key only, so that all recipients open the same blob.

Who seals is not shown: anybody can seal for a recipient, and every recipient could seal another blob. The signed entry
of the ledger that names a blob by its digest says whose it is; hand that digest to `open_sealed`. The digest inside
is hidden from others because a short blob could be guessed by it. Names of recipients are not hidden: equal IDs are
equal recipients. Nor is the size of the blob. Files sealed today can be opened by whoever breaks X25519 later.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

try:
    from cryptography.hazmat.primitives import hpke
except ImportError:  # cryptography before 47
    HPKE_AVAILABLE = False
else:
    HPKE_AVAILABLE = True

MAGIC = b"scalegate sealed 1\n"
CHUNK = 1 << 16
MAX_RECIPIENTS = 64
MAX_BLOB = 16 << 30
_KEY = _ID = _TAG = 32
_SEALED_KEY = 32 + 2 * _KEY + 16
_STANZA = _ID + _SEALED_KEY
_MAC = 16
_HEAD = len(MAGIC) + 1
_MAX_PEM = 8_192
_P = 2**255 - 19


class SealError(ValueError):
    """A blob that cannot be sealed or opened; the message says why."""


class SealKeyError(SealError):
    """Bytes that are no X25519 key, or one that nobody should use."""


class SealFormatError(SealError):
    """Bytes that are no sealed blob of a known version."""


class NotRecipientError(SealError):
    """The blob is sealed, but not for this key."""


class SealBrokenError(SealError):
    """The sealed blob was changed, cut off or put together from others: do not trust it."""


class OtherBlobError(SealError):
    """The blob is sealed well, and is another one than was asked for."""


class SealUnavailableError(SealError):
    """The installed `cryptography` lacks HPKE; 47 and later have it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The X25519 public key (RFC 7748) of somebody for whom blobs are sealed.

    Attributes:
        public: Its 32 bytes, in the one encoding below 2**255 - 19.

    Raises:
        SealKeyError: from the constructor, for other bytes, or a point of small order, which hides nothing.
    """

    public: bytes

    def __post_init__(self) -> None:
        if len(self.public) != _KEY:
            raise SealKeyError(f"an X25519 key has {_KEY} bytes, and this has {len(self.public)}")
        if int.from_bytes(self.public, "little") >= _P:
            raise SealKeyError("the X25519 key is not in its one encoding")
        try:
            X25519PrivateKey.generate().exchange(self._key)
        except ValueError as error:
            raise SealKeyError(
                "the X25519 key is a point of small order: everybody could open what it seals"
            ) from error

    @classmethod
    def from_pem(cls, data: bytes) -> Recipient:
        """Return the key in a `PUBLIC KEY` block (RFC 8410), as `openssl pkey -pubout` writes it.

        Raises:
            SealKeyError: for anything else.
        """
        try:
            key = load_pem_public_key(data[: _MAX_PEM + 1])
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SealKeyError("this is no public key in PEM") from error
        if not isinstance(key, X25519PublicKey):
            raise SealKeyError("this is a public key of another algorithm: blobs are sealed for X25519 keys")
        recipient = cls(key.public_bytes_raw())
        if data.replace(b"\r\n", b"\n") != recipient.pem:
            raise SealKeyError("the file holds more than one public key in PEM")
        return recipient

    @property
    def pem(self) -> bytes:
        """The key as a `PUBLIC KEY` block."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def id(self) -> bytes:
        """SHA-256 of the key, by which a recipient finds its stanza."""
        return hashlib.sha256(self.public).digest()

    @property
    def _key(self) -> X25519PublicKey:
        return X25519PublicKey.from_public_bytes(self.public)


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """The X25519 private key of a recipient, 32 bytes; never shown by `repr`.

    Raises:
        SealKeyError: from the constructor, for another number of bytes.
    """

    private: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.private) != _KEY:
            raise SealKeyError(f"an X25519 key has {_KEY} bytes, and this has {len(self.private)}")

    @classmethod
    def generate(cls) -> OpeningKey:
        """Return a new key."""
        return cls(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_pem(cls, data: bytes, password: bytes | None = None) -> OpeningKey:
        """Return the key in a `PRIVATE KEY` block, as `openssl genpkey -algorithm x25519` writes it.

        Raises:
            SealKeyError: for anything else, or if the password is not that of the key.
        """
        try:
            key = load_pem_private_key(data[: _MAX_PEM + 1], password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SealKeyError("this is no private key in PEM, or it has another password") from error
        if not isinstance(key, X25519PrivateKey):
            raise SealKeyError("this is a private key of another algorithm: blobs are sealed for X25519 keys")
        return cls(key.private_bytes_raw())

    @property
    def pem(self) -> bytes:
        """The key as a `PRIVATE KEY` block without a password."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def recipient(self) -> Recipient:
        """The public key that belongs to this one."""
        return Recipient(self._key.public_key().public_bytes_raw())

    @property
    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.private)


# ---------------------------------------------------------------- sealing


def seal(data: bytes | BinaryIO, recipients: Iterable[Recipient]) -> bytes:
    """Return a blob sealed for one or more recipients.

    Args:
        data: The blob, or a stream at its start that can be read twice.
        recipients: 1 to 64 keys, each once.

    Raises:
        SealError: for another number of recipients, a blob of more than 16 GiB, or one that changes meanwhile.
    """
    target = io.BytesIO()
    seal_stream(io.BytesIO(data) if isinstance(data, bytes) else data, target, recipients)
    return target.getvalue()


def seal_stream(source: BinaryIO, target: BinaryIO, recipients: Iterable[Recipient]) -> None:
    """Seal a blob from one stream into another, 64 KiB at a time.

    Args:
        source: A stream at the start of the blob that can be read twice: the header commits to the digest.
        target: Where the sealed blob goes; worth nothing after an error.
        recipients: 1 to 64 keys, each once.

    Raises:
        SealError: as for `seal`.
    """
    start = source.tell()
    digest = hashlib.sha256()
    size = 0
    while piece := source.read(CHUNK):
        digest.update(piece)
        size += len(piece)
    if size > MAX_BLOB:
        raise SealError(f"a sealed blob has at most {MAX_BLOB} bytes, and this has {size}")
    source.seek(start)
    header, key = _make_header(os.urandom(_KEY), digest.digest(), tuple(recipients))
    target.write(header)
    cipher = ChaCha20Poly1305(key)
    again = hashlib.sha256()
    for number, (piece, last) in enumerate(_pieces(source, CHUNK)):
        again.update(piece)
        target.write(cipher.encrypt(_nonce(number, last=last), piece, None))
    if again.digest() != digest.digest():
        raise SealError("the blob changed while it was sealed")


def _make_header(file_key: bytes, digest: bytes, recipients: tuple[Recipient, ...]) -> tuple[bytes, bytes]:
    """Return the header up to the payload, and the key of the payload."""
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        raise SealError(f"a blob is sealed for 1 to {MAX_RECIPIENTS} recipients, and not for {len(recipients)}")
    if len(set(recipients)) != len(recipients):
        raise SealError("the same recipient is named twice")
    content = MAGIC + bytes([len(recipients)])
    suite = _suite()
    for recipient in sorted(recipients, key=lambda item: item.id):
        public = X25519PublicKey.from_public_bytes(recipient.public)
        content += recipient.id + suite.encrypt(file_key + digest, public, MAGIC)
    tag, key = _tag_and_key(content, file_key)
    return content + tag, key


# ---------------------------------------------------------------- opening


def open_sealed(data: bytes, key: OpeningKey, digest: str | None = None) -> bytes:
    """Return the blob that was sealed, if it is whole and for this key.

    Args:
        data: The sealed blob.
        key: Private key of one of its recipients.
        digest: What the ledger calls the blob, `sha256:` and hexadecimal digits; None takes any blob.

    Raises:
        SealFormatError: if this is no sealed blob.
        NotRecipientError: if it is sealed for others.
        SealBrokenError: if any byte is not as it was sealed, or some are missing or added.
        OtherBlobError: if it is another blob than `digest` names.
        SealUnavailableError: if the installed library has no HPKE.
    """
    target = io.BytesIO()
    open_stream(io.BytesIO(data), target, key, digest)
    return target.getvalue()


def open_stream(source: BinaryIO, target: BinaryIO, key: OpeningKey, digest: str | None = None) -> None:
    """Open a sealed blob from one stream into another, 64 KiB at a time.

    Every chunk is authenticated before it is written; that the blob is whole is known at the end only. After an
    error, what was written has to be thrown away.

    Args:
        source: A stream at the start of the sealed blob; nothing may follow it.
        target: Where the blob goes.
        key: Private key of one of its recipients.
        digest: What the ledger calls the blob; None takes any blob.

    Raises:
        SealError: as for `open_sealed`.
    """
    payload_key, named = _read_header(source, key)
    if digest is not None and digest != f"sha256:{named.hex()}":
        raise OtherBlobError(f"the sealed blob is sha256:{named.hex()}, and {digest!r:.80} was asked for")
    cipher = ChaCha20Poly1305(payload_key)
    found = hashlib.sha256()
    for number, (piece, last) in enumerate(_pieces(source, CHUNK + _MAC)):
        if number * CHUNK >= MAX_BLOB:
            raise SealFormatError(f"a sealed blob has at most {MAX_BLOB} bytes, and this has more")
        plain = _open_chunk(cipher, number, piece, last=last)
        found.update(plain)
        target.write(plain)
    if found.digest() != named:
        raise SealBrokenError("the blob is not the one that the header names")


def _read_header(source: BinaryIO, key: OpeningKey) -> tuple[bytes, bytes]:
    """Return the key of the payload and the digest of the blob, from a header that is as its sealer made it."""
    head = _exactly(source, _HEAD)
    if len(head) < _HEAD or not head.startswith(MAGIC):
        raise SealFormatError(f"this is no sealed blob: it does not start with {MAGIC!r} and a number of recipients")
    count = head[-1]
    if not 1 <= count <= MAX_RECIPIENTS:
        raise SealFormatError(f"a blob is sealed for 1 to {MAX_RECIPIENTS} recipients, and not for {count}")
    rest = _exactly(source, count * _STANZA + _TAG)
    if len(rest) < count * _STANZA + _TAG:
        raise SealFormatError("the sealed blob ends within its header")
    stanzas = {rest[at : at + _ID]: rest[at + _ID : at + _STANZA] for at in range(0, count * _STANZA, _STANZA)}
    if len(stanzas) != count or list(stanzas) != sorted(stanzas):
        raise SealFormatError("the recipients of the sealed blob do not stand in their one order")
    own = key.recipient.id
    if own not in stanzas:
        raise NotRecipientError(f"the blob is sealed for {count} other keys, and not for the key {own.hex()[:16]}")
    private = X25519PrivateKey.from_private_bytes(key.private)
    suite = _suite()
    try:
        secret = suite.decrypt(stanzas[own], private, MAGIC)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError("the part of the header for this key was changed, or is for another key") from error
    file_key, digest = secret[:_KEY], secret[_KEY:]
    tag, payload_key = _tag_and_key(head + rest[:-_TAG], file_key)
    if not bytes_eq(tag, rest[-_TAG:]):
        raise SealBrokenError("the header was changed, or its recipients would open different blobs")
    return payload_key, digest


def _open_chunk(cipher: ChaCha20Poly1305, number: int, piece: bytes, *, last: bool) -> bytes:
    try:
        plain = cipher.decrypt(_nonce(number, last=last), piece, None)
    except InvalidTag as error:
        raise SealBrokenError(_why(cipher, number, piece, last=last)) from error
    if not plain and number:
        raise SealBrokenError(f"chunk {number} is empty: no sealer ends a blob so")
    return plain


def _why(cipher: ChaCha20Poly1305, number: int, piece: bytes, *, last: bool) -> str:
    """Return what is wrong with a chunk that cannot be opened where it stands."""
    try:
        cipher.decrypt(_nonce(number, last=not last), piece, None)
    except InvalidTag:
        return f"chunk {number} was changed or moved, or what followed it was cut off"
    if last:
        return f"the sealed blob is cut off after chunk {number}"
    return f"something follows the last chunk, which is chunk {number}"


# ---------------------------------------------------------------- parts


def _suite() -> hpke.Suite:
    if not HPKE_AVAILABLE:
        raise SealUnavailableError("blobs cannot be sealed or opened here: install cryptography 47 or later")
    return hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def _tag_and_key(content: bytes, file_key: bytes) -> tuple[bytes, bytes]:
    """Return the tag of a header, and the key of the payload."""
    salt = hashlib.sha256(content).digest()
    made = HKDF(SHA256(), 2 * _KEY, salt=salt, info=MAGIC + b"tag and payload").derive(file_key)
    return made[:_TAG], made[_TAG:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _pieces(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces of a stream and whether each is the last; an empty stream has one empty piece."""
    piece = _exactly(source, size)
    while following := _exactly(source, size):
        yield piece, False
        piece = following
    yield piece, True


def _exactly(source: BinaryIO, size: int) -> bytes:
    """Return the next bytes of a stream, fewer only at its end: streams may return less than they are asked for."""
    parts = []
    while size > 0 and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
