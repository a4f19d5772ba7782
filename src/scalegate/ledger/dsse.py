"""Signed statements: DSSE envelopes (secure-systems-lab/dsse) around in-toto Statements, version 1.

What is signed are the bytes of the payload together with its type; nothing is canonicalized, and nothing in the JSON
around them is trusted. Key IDs are hints: they decide which key is tried first, and never whether a signature counts.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn, cast

from scalegate.core.canonical import canonical_bytes
from scalegate.core.ports import SignatureAlgorithm, Signer
from scalegate.ledger.checkpoint import decode_base64
from scalegate.ledger.signatures import P256_RAW_SIGNATURE, PublicKey, SignatureRefusedError, der_from_raw

IN_TOTO = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
# Our entries stay under 65,535 bytes; the statements of others may be larger.
MAX_ENVELOPE = 1 << 20
MAX_SIGNATURES = 32
MAX_SUBJECTS = 4_096
MAX_DEPTH = 64
MAX_DIGITS = 400
MAX_EXPONENT = 400
# Possessive, and content with a missing quote at the end: linear in whatever is sent.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^][{}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)


class DsseError(ValueError):
    """An envelope or a statement that is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class EnvelopeSignature:
    """One signature of an envelope, and a hint, which anyone can have written, at whose it is."""

    signature: bytes
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, what it is, and who is said to have signed both."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about.

    Attributes:
        digests: Pairs of algorithm and digest, at least one, sorted; SHA-2 digests are in lower-case hex.
        name: What its author calls it, or empty.
    """

    digests: tuple[tuple[str, str], ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """An in-toto Statement.

    Attributes:
        subjects: What it is about, at least one.
        predicate_type: URI of what it says.
        predicate: What it says, as strict JSON: numbers with a point or exponent are `Decimal`.
    """

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: lengths stand before type and payload, so that neither can pass for the other.

    Source: DSSE protocol version 1, Pre-Authentication Encoding.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(data: bytes) -> Envelope:
    """Return the envelope that some JSON stands for. Nothing is verified yet.

    Fields without a meaning in the specification are ignored, as it asks; base64 is standard or URL-safe.

    Raises:
        DsseError: for JSON that `read_json` refuses, a missing field, one of another type, or base64 in another form
            than the canonical ones.
    """
    value = _object(read_json(data), "the envelope")
    payload_type = _text(value, "payloadType", "the envelope")
    if not payload_type:
        raise DsseError("the type of the payload is empty")
    payload = _bytes(value, "payload", "the envelope")
    rows = _list(value, "signatures", "the envelope", MAX_SIGNATURES)
    signatures = []
    for row in rows:
        item = _object(row, "a signature")
        key_id = _text(item, "keyid", "a signature") if item.get("keyid") is not None else ""
        signatures.append(EnvelopeSignature(_bytes(item, "sig", "a signature"), key_id))
    return Envelope(payload_type, payload, tuple(signatures))


def format_envelope(envelope: Envelope) -> bytes:
    """Return the JSON of an envelope, in canonical form (RFC 8785) with standard base64.

    Raises:
        DsseError: if it could not be read back.
    """
    data = canonical_envelope(envelope)
    parse_envelope(data)
    return data


def canonical_envelope(envelope: Envelope) -> bytes:
    """Return what `format_envelope` does, of an envelope that was read from some bytes already.

    Raises:
        DsseError: for a text that holds half of a surrogate pair.
    """
    signatures = [
        {"sig": _base64(item.signature)} | ({"keyid": item.key_id} if item.key_id else {})
        for item in envelope.signatures
    ]
    try:
        return canonical_bytes(
            {
                "payload": _base64(envelope.payload),
                "payloadType": envelope.payload_type,
                "signatures": cast("list[Any]", signatures),
            }
        )
    except UnicodeEncodeError as error:
        raise DsseError("a text of the envelope holds half of a surrogate pair") from error


def sign_envelope(payload_type: str, payload: bytes, signers: Sequence[Signer]) -> Envelope:
    """Return a signed envelope; each signature is checked before it is returned, and hints at the digest of its key.

    Raises:
        DsseError: if a signature is not good, or there are none.
        KeyFormatError: if a signer's public key is none.
        SignatureUnavailableError: if the installed library cannot check a signature.
    """
    message = pae(payload_type, payload)
    signatures = []
    for signer in signers:
        key = _key(signer.algorithm, signer.public)
        signature = signer.sign(message)
        try:
            key.verify(signature, message)
        except SignatureRefusedError as error:
            raise DsseError(f"the signer of {key.digest} did not sign well: {error}") from error
        signatures.append(EnvelopeSignature(signature, key.digest))
    if not signatures:
        raise DsseError("nobody signs the envelope")
    return Envelope(payload_type, payload, tuple(signatures))


def verify_envelope(
    envelope: Envelope, keys: Iterable[PublicKey], payload_type: str = IN_TOTO
) -> tuple[PublicKey, ...]:
    """Return which of the keys signed an envelope: each once however often it did, in the order given.

    Signatures by other keys are ignored, and so are broken ones: a hint does not say whose they should have been.
    P-256 signatures are taken in DER and, since others write them so, as 64 bytes `r || s`.

    Args:
        envelope: What is to be verified.
        keys: Who counts.
        payload_type: What the payload has to be.

    Raises:
        DsseError: if none of them signed, or the payload is of another type.
    """
    if envelope.payload_type != payload_type:
        raise DsseError(f"the payload is of type {envelope.payload_type!r:.120}, and {payload_type!r} was expected")
    message = pae(envelope.payload_type, envelope.payload)
    asked = tuple(dict.fromkeys(keys))
    hints = {key: key.digest for key in asked}
    found: set[PublicKey] = set()
    for item in envelope.signatures:
        for key in sorted(asked, key=lambda key: hints[key] != item.key_id):
            if key not in found and _is_by(key, item.signature, message):
                found.add(key)
                break
    if not found:
        raise DsseError("none of the known keys signed the envelope")
    return tuple(key for key in asked if key in found)


def parse_statement(envelope: Envelope) -> Statement:
    """Return the statement in an envelope. Whether anyone signed it is the question of `verify_envelope`.

    Source: in-toto attestation framework, Statement version 1; unknown fields are ignored, as it asks.

    Raises:
        DsseError: for another payload type, another version, no subject, a subject without a digest, no type of
            predicate, or JSON that `read_json` refuses.
    """
    if envelope.payload_type != IN_TOTO:
        raise DsseError(f"the payload is of type {envelope.payload_type!r:.120}, which is no in-toto statement")
    value = _object(read_json(envelope.payload), "the statement")
    version = _text(value, "_type", "the statement")
    if version != STATEMENT:
        raise DsseError(f"the statement is of version {version!r:.120}, and only {STATEMENT} is read")
    rows = _list(value, "subject", "the statement", MAX_SUBJECTS)
    predicate_type = _text(value, "predicateType", "the statement")
    if not predicate_type:
        raise DsseError("the statement does not say which type its predicate has")
    predicate = value.get("predicate")
    return Statement(
        tuple(map(_subject, rows)),
        predicate_type,
        {} if predicate is None else _object(predicate, "the predicate"),
    )


def read_json(data: bytes, limit: int = MAX_ENVELOPE) -> Any:  # noqa: ANN401 - JSON is any of six types
    """Return the value of a JSON document that every reader understands in the same way.

    Numbers with a point or exponent become `Decimal`.

    Raises:
        DsseError: for more than `limit` bytes, other encodings than UTF-8, a key twice in one object, more than 64
            levels, `NaN` and infinities, numbers beyond 400 digits or powers of ten, or halves of surrogate pairs.
    """
    if len(data) > limit:
        raise DsseError(f"the JSON has {len(data)} bytes, and {limit} is the limit")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DsseError(f"the JSON is not UTF-8 at byte {error.start}") from error
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except DsseError:
        raise
    except (ValueError, RecursionError) as error:
        raise DsseError(f"it is not JSON: {error}") from error
    if "\\u" in text:
        _check_texts(value)
    return value


@lru_cache(maxsize=256)
def _key(algorithm: SignatureAlgorithm, public: bytes) -> PublicKey:
    """Return a signer's key; looking at a point costs more than signing with it."""
    return PublicKey(algorithm, public)


# ---------------------------------------------------------------- JSON


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser, which recurses, sees it."""
    depth = 0
    for bracket in _NO_BRACKET.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise DsseError(f"the JSON has more than {MAX_DEPTH} levels")


def _check_texts(value: object) -> None:
    """Refuse lone surrogates, which escapes can write and UTF-8 cannot."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise DsseError("a text in the JSON holds half of a surrogate pair")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in pairs:
        if key in found:
            raise DsseError(f"the key {key!r:.80} stands twice in one object")
        found[key] = item
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise DsseError(f"a number in the JSON has {len(text)} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text) if len(text) <= MAX_DIGITS else None
    except InvalidOperation:
        value = None
    # Zero has an exponent as well, and whoever writes 0e999999999 in full never returns.
    if value is None or abs(value.adjusted()) > MAX_EXPONENT:
        raise DsseError(f"a number in the JSON is beyond any quantity: {text:.40}")
    return value


def _constant(text: str) -> NoReturn:
    raise DsseError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)


# ---------------------------------------------------------------- fields


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DsseError(f"{what} is no object")
    return value


def _text(value: dict[str, Any], name: str, what: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise DsseError(f"{what} has no text {name}")
    return found


def _list(value: dict[str, Any], name: str, what: str, limit: int) -> list[object]:
    found = value.get(name)
    if not isinstance(found, list) or not found:
        raise DsseError(f"{what} has no list {name}, or an empty one")
    if len(found) > limit:
        raise DsseError(f"{what} has {len(found)} {name}, and {limit} is the limit")
    return found


def _bytes(value: dict[str, Any], name: str, what: str) -> bytes:
    text = _text(value, name, what)
    if "-" in text or "_" in text:
        if "+" in text or "/" in text:
            raise DsseError(f"{name} of {what} mixes two forms of base64")
        text = text.translate(_URL_SAFE)
    try:
        return decode_base64(text)
    except ValueError as error:
        raise DsseError(f"{name} of {what} is not in canonical base64") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _subject(row: object) -> Subject:
    value = _object(row, "a subject")
    digests = _object(value.get("digest"), "the digest of a subject")
    if not digests:
        raise DsseError("a subject has no digest")
    for algorithm, digest in digests.items():
        if not algorithm or not isinstance(digest, str) or not digest:
            raise DsseError("a digest of a subject is a text with a name")
        length = _HEX_LENGTHS.get(algorithm)
        if length is not None and (len(digest) != length or not _HEX.fullmatch(digest)):
            raise DsseError(f"the {algorithm} of a subject is not {length} lower-case hex digits")
    name = _text(value, "name", "a subject") if value.get("name") is not None else ""
    return Subject(tuple(sorted(digests.items())), name)


def _is_by(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        if key.algorithm == "ecdsa-p256" and len(signature) == P256_RAW_SIGNATURE:
            signature = der_from_raw(signature)
        key.verify(signature, message)
    except SignatureRefusedError:
        return False
    return True
