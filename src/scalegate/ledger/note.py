"""Signed notes (C2SP signed-note) and cosignatures of checkpoints (C2SP tlog-cosignature).

A note is a text, an empty line, and one line for each signature. Reading is strict: one sequence of bytes stands for
one note, so that `format_note(parse_note(data)) == data`. A parsed note is only a claim; `verify_note` says who made
it. Signatures by keys that nobody named are ignored, as the specification asks: logs and witnesses change theirs one
after the other. A signature by a named key has to be good, or the whole note is refused.

Three types of signature are known: an Ed25519 signature of the text (0x01), and cosignatures with Ed25519 (0x04) and
ML-DSA-44 (0x06), which add a time and are given for checkpoints only. Ed25519 cosignatures do not commit to the name
of the cosigner; so one key under two names is refused, which could count as two.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from scalegate.core.ports import SignatureAlgorithm, Signer
from scalegate.ledger.checkpoint import (
    MAX_ORIGIN,
    Checkpoint,
    CheckpointError,
    cosignature_message,
    decode_base64,
    parse_checkpoint,
    subtree_message,
)
from scalegate.ledger.signatures import KeyFormatError, PublicKey, SignatureRefusedError, ed25519_public

# The specification asks for 16 signatures or more, and says that one may have almost 5 kB.
MAX_NOTE = 1 << 19
MAX_SIGNATURES = 64
MAX_NAME = MAX_ORIGIN
_MAX_ID = (1 << 32) - 1
_ID_BYTES, _TIME_BYTES = 4, 8
_LINE = "\u2014 "
_SIGNER = "PRIVATE+KEY+"
# ASCII but the newline; the other control characters of Unicode are allowed, and renderers escape them.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_HEX = re.compile(r"[0-9a-f]{8}", re.ASCII)


class NoteError(ValueError):
    """Bytes that are no note, a key in no form of ours, or a note that is not signed well; the message says why."""


class SignatureType(IntEnum):
    """How the bytes of a signature line came about; the values stand in key IDs and in the text forms of keys."""

    NOTE = 0x01
    COSIGNATURE = 0x04
    ML_DSA_COSIGNATURE = 0x06

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What the keys of this type are for."""
        return "ml-dsa-44" if self is SignatureType.ML_DSA_COSIGNATURE else "ed25519"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, its 32-bit ID, and the bytes behind the ID."""

    name: str
    key_id: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a newline, and who is said to have signed it."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that verifies signature lines.

    Attributes:
        name: Name in the lines, not empty, without spaces and plus signs, at most 255 bytes of UTF-8.
        kind: Type of its signatures.
        key: Its public key.
        key_id: First 32 bits of the SHA-256 of name, newline, type and public key (C2SP signed-note).

    Raises:
        NoteError: from the constructor, for another name, or a key of another algorithm than that of its type.
    """

    name: str
    kind: SignatureType
    key: PublicKey
    key_id: int = field(init=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.name.encode()) > MAX_NAME:
            raise NoteError(f"the name of a key has at most {MAX_NAME} bytes")
        if self.key.algorithm != self.kind.algorithm:
            raise NoteError(f"keys of type {self.kind:#04x} are {self.kind.algorithm} keys, not {self.key.algorithm}")
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.key.public))

    def verify(self, text: str, signature: bytes) -> int | None:
        """Return the time that a signature of this text states, in seconds since 1970 UTC, or None if it states none.

        Args:
            text: Text of the note.
            signature: What stands behind the key ID in the signature line.

        Raises:
            NoteError: if the signature is not good, or a cosigned text is no checkpoint.
        """
        timestamp = None
        if self.kind is not SignatureType.NOTE:
            timestamp = int.from_bytes(signature[:_TIME_BYTES])
            signature = signature[_TIME_BYTES:]
        try:
            self.key.verify(signature, self._message(text, timestamp))
        except SignatureRefusedError as error:
            raise NoteError(f"the signature of {self.name} is not good: {error}") from error
        # An ML-DSA-44 cosigner that states no time writes zero.
        return None if self.kind is SignatureType.ML_DSA_COSIGNATURE and timestamp == 0 else timestamp

    def sign(self, text: str, signer: Signer, timestamp: int | None = None) -> NoteSignature:
        """Return a signature line for a text, checked before it is returned.

        Args:
            text: Text of the note.
            signer: Whoever holds the private key.
            timestamp: Seconds since 1970 UTC, for cosignatures and only for them.

        Raises:
            NoteError: if the signer has another key, the text is no text of a note, or the signature is not good.
        """
        if (signer.algorithm, signer.public) != (self.key.algorithm, self.key.public):
            raise NoteError(f"the signer has another key than that of {self.name}")
        if (timestamp is None) is not (self.kind is SignatureType.NOTE):
            raise NoteError("cosignatures state a time, and signatures of notes do not")
        _check_text(text)
        signature = signer.sign(self._message(text, timestamp))
        if timestamp is not None:
            signature = timestamp.to_bytes(_TIME_BYTES) + signature
        # A signer that is broken, or made to err, can give away its key by a wrong signature.
        self.verify(text, signature)
        return NoteSignature(self.name, self.key_id, signature)

    def _message(self, text: str, timestamp: int | None) -> bytes:
        """Return what is signed for a text."""
        if timestamp is None:
            return text.encode()
        try:
            if self.kind is SignatureType.COSIGNATURE:
                return cosignature_message(text, timestamp)
            return subtree_message(text, self.name, timestamp)
        except CheckpointError as error:
            raise NoteError(f"there is no cosignature of this text at this time: {error}") from error


@dataclass(frozen=True, slots=True)
class Signed:
    """A key that signed a note, and the last time that its signatures state, in seconds since 1970 UTC."""

    key: NoteKey
    timestamp: int | None


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signatures were verified.

    Attributes:
        checkpoint: Head of the log.
        note: The note that it was read from.
        log: Signatures by keys of the log, one or more.
        witnesses: Cosignatures by the witnesses asked for; whether they are enough is for a trust policy to say.
    """

    checkpoint: Checkpoint
    note: Note
    log: tuple[Signed, ...]
    witnesses: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class SecretKey:
    """An Ed25519 key that signs notes or cosigns, as its text form carries it; never shown by `repr`."""

    name: str
    kind: SignatureType
    seed: bytes = field(repr=False)

    @property
    def key(self) -> NoteKey:
        """The key that verifies what this one signs.

        Raises:
            NoteError: if the name or the seed is none, or the type is not one of Ed25519.
        """
        if self.kind.algorithm != "ed25519":
            raise NoteError(f"keys of type {self.kind:#04x} have no secret text form")
        try:
            return NoteKey(self.name, self.kind, PublicKey("ed25519", ed25519_public(self.seed)))
        except KeyFormatError as error:
            raise NoteError(f"the secret key {self.name!r:.80} is not one: {error}") from error


# ---------------------------------------------------------------- notes


def parse_note(data: bytes) -> Note:
    """Return the note that some bytes stand for. Nothing is verified yet.

    Raises:
        NoteError: for anything but one well-formed note of at most 512 KiB and 64 signatures.
    """
    if len(data) > MAX_NOTE:
        raise NoteError(f"a note has at most {MAX_NOTE} bytes, and this has {len(data)}")
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError(f"the note is not UTF-8 at byte {error.start}") from error
    if _CONTROL.search(content):
        raise NoteError("the note has a control character in it that is no newline")
    # The text may contain empty lines, and the signatures cannot: the last one separates them.
    head, separator, tail = content.rpartition("\n\n")
    if not separator:
        raise NoteError("no empty line separates the text of the note from signatures")
    if not tail.endswith("\n"):
        raise NoteError("the note does not end with a signature line and a newline")
    lines = tail[:-1].split("\n", MAX_SIGNATURES)
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures")
    return Note(head + "\n", tuple(map(_parse_line, lines)))


def format_note(note: Note) -> bytes:
    """Return the bytes of a note.

    Raises:
        NoteError: if it has none: no signatures, a text without its newline, a name with spaces, and so on.
    """
    _check_text(note.text)
    lines = []
    for item in note.signatures:
        _check_name(item.name)
        if not 0 <= item.key_id <= _MAX_ID:
            raise NoteError("the ID of a key has 32 bits")
        body = base64.b64encode(item.key_id.to_bytes(_ID_BYTES) + item.signature).decode()
        lines.append(f"{_LINE}{item.name} {body}\n")
    data = f"{note.text}\n{''.join(lines)}".encode()
    if parse_note(data) != note:
        raise NoteError("the note has no form that can be read back: look at the names of its keys")
    return data


def verify_note(note: Note, keys: Iterable[NoteKey]) -> tuple[Signed, ...]:
    """Return which of the keys signed a note: each once however often it did, in the order of the first lines.

    Raises:
        NoteError: if none did, a signature by one of them is not good, or the keys themselves can be mistaken for
            one another.
    """
    known = _known(keys)
    found: dict[tuple[str, int], Signed] = {}
    for item in note.signatures:
        name = (item.name, item.key_id)
        key = known.get(name)
        if key is None:
            continue
        timestamp = key.verify(note.text, item.signature)
        before = found.get(name)
        if before is None or (timestamp or 0) > (before.timestamp or 0):
            found[name] = Signed(key, timestamp)
    if not found:
        raise NoteError("none of the known keys signed the note")
    return tuple(found.values())


def open_checkpoint(
    data: bytes, origin: str, log: Iterable[NoteKey], witnesses: Iterable[NoteKey] = ()
) -> SignedCheckpoint:
    """Return the checkpoint in a note that a log signed.

    Args:
        data: Bytes of the note.
        origin: Which log it has to be of.
        log: Keys of the log; at least one has to have signed.
        witnesses: Keys whose cosignatures are looked for; those that signed are reported.

    Raises:
        NoteError: if there is no such note, a signature by a known key is not good, or the log did not sign.
        CheckpointError: if the text is no checkpoint, or one of another log.
    """
    note = parse_note(data)
    of_log, of_witnesses = tuple(log), tuple(witnesses)
    signed = verify_note(note, (*of_log, *of_witnesses))
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise CheckpointError(f"the checkpoint is one of the log {checkpoint.origin!r:.200}, not of {origin!r:.200}")
    by_log = tuple(item for item in signed if item.key in of_log)
    if not by_log:
        raise NoteError("witnesses cosigned the checkpoint, but no known key of its log signed it")
    return SignedCheckpoint(checkpoint, note, by_log, tuple(item for item in signed if item.key in of_witnesses))


# ---------------------------------------------------------------- keys as text


def parse_vkey(text: str) -> NoteKey:
    """Return the key of a verifier key line, `name+ID+base64(type || public key)`.

    Raises:
        NoteError: for another form, a type that is not known here, an ID of another key, or a key nobody should use.
        SignatureUnavailableError: if the installed library cannot verify with it.
    """
    name, kind, public, key_id = _parse_key(text)
    try:
        key = NoteKey(name, kind, PublicKey(kind.algorithm, public))
    except KeyFormatError as error:
        raise NoteError(f"the key {name!r:.80} cannot be used: {error}") from error
    return _with_id(key, key_id)


def format_vkey(key: NoteKey) -> str:
    """Return the verifier key line of a key."""
    return f"{key.name}+{key.key_id:08x}+{_encode(key.kind, key.key.public)}"


def parse_skey(text: str) -> SecretKey:
    """Return the secret key of a signer key line, `PRIVATE+KEY+name+ID+base64(type || seed)`, the form of Go's x/mod.

    Raises:
        NoteError: for another form, another type than 0x01 and 0x04, or an ID of another key. The message never
            quotes the line.
    """
    if not text.startswith(_SIGNER):
        raise NoteError(f"a secret key starts with {_SIGNER}")
    try:
        name, kind, seed, key_id = _parse_key(text.removeprefix(_SIGNER))
        secret = SecretKey(name, kind, seed)
        _with_id(secret.key, key_id)
    except NoteError:
        # Without the cause: whatever part of the line it quotes could be the secret.
        raise NoteError("the secret key is not in its text form, or its ID is that of another key") from None
    return secret


def format_skey(secret: SecretKey) -> str:
    """Return the signer key line of a secret key.

    Raises:
        NoteError: if there is no such key.
    """
    return f"{_SIGNER}{secret.name}+{secret.key.key_id:08x}+{_encode(secret.kind, secret.seed)}"


# ---------------------------------------------------------------- parts


def _parse_line(line: str) -> NoteSignature:
    if not line.startswith(_LINE):
        raise NoteError("a signature line starts with an em dash and a space")
    name, space, body = line[len(_LINE) :].partition(" ")
    if not space:
        raise NoteError("a signature line has a name, a space and a signature")
    _check_name(name)
    try:
        data = decode_base64(body)
    except ValueError as error:
        raise NoteError(f"the signature of {name!r:.80} is not in canonical base64") from error
    if len(data) <= _ID_BYTES:
        raise NoteError(f"the signature of {name!r:.80} has nothing behind the key's ID")
    return NoteSignature(name, int.from_bytes(data[:_ID_BYTES]), data[_ID_BYTES:])


def _parse_key(text: str) -> tuple[str, SignatureType, bytes, int]:
    name, _, rest = text.partition("+")
    number, _, body = rest.partition("+")
    if not _HEX.fullmatch(number):
        raise NoteError("a key is written as name, ID in 8 hex digits, and base64, with a plus between them")
    _check_name(name)
    try:
        data = decode_base64(body)
    except ValueError as error:
        raise NoteError(f"the key {name!r:.80} is not in canonical base64") from error
    if data[:1] not in {bytes([kind]) for kind in SignatureType}:
        raise NoteError(f"the key {name!r:.80} is of a type that is not known here")
    return name, SignatureType(data[0]), data[1:], int(number, 16)


def _with_id(key: NoteKey, key_id: int) -> NoteKey:
    if key.key_id != key_id:
        raise NoteError(f"the key {key.name!r:.80} has the ID {key.key_id:08x}, and {key_id:08x} is written")
    return key


def _encode(kind: SignatureType, body: bytes) -> str:
    return base64.b64encode(bytes([kind]) + body).decode()


def _key_id(name: str, kind: SignatureType, public: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"%b\n%c%b" % (name.encode(), kind, public)).digest()[:_ID_BYTES])


def _known(keys: Iterable[NoteKey]) -> dict[tuple[str, int], NoteKey]:
    known: dict[tuple[str, int], NoteKey] = {}
    names: dict[tuple[SignatureType, bytes], str] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise NoteError(f"two keys have the name {key.name} and the ID {key.key_id:08x}")
        name = names.setdefault((key.kind, key.key.public), key.name)
        if name != key.name:
            raise NoteError(f"{name} and {key.name} are names of one key, which would count twice")
    return known


def _check_name(name: str) -> None:
    if not name or "+" in name or any(map(str.isspace, name)) or _CONTROL.search(name):
        raise NoteError(f"the name of a key is not empty and has no spaces or plus signs: {name!r:.80}")
    _check_encodes(name)


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("the text of a note ends with a newline and has no other control characters")
    _check_encodes(text)


def _check_encodes(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("half of a surrogate pair has no form in UTF-8") from error
