"""A leaf of the log: an event as in-toto Statement, signed by whom it names, in a DSSE envelope.

The statement's subject is what the event is about, by digest: the files of a model, a policy, or the event itself. Its
predicate type is `urn:scalegate:TAG:v1`, and its predicate says, beside the event, for which log it was made (`log`),
how many statements its author had made for that log before and with this one (`number`), and when (`at`).

Envelope and statement are in canonical form, so that one sequence of bytes stands for one leaf. What is signed is the
statement; its digest names the entry, and does not depend on who else signs.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, cast

import msgspec

from scalegate.core.canonical import Plain, canonical_bytes, digest_bytes
from scalegate.core.events import Event
from scalegate.core.ports import Signer
from scalegate.ledger.codec import TAGS, CodecError, decode_event, encode_event, tag_of
from scalegate.ledger.dsse import (
    IN_TOTO,
    STATEMENT,
    DsseError,
    Envelope,
    canonical_envelope,
    parse_envelope,
    sign_envelope,
)

# C2SP tlog-tiles writes the length of an entry in 16 bits.
MAX_LEAF = 65_535
# What base64 and a few signatures leave of that.
MAX_STATEMENT = 48_000
MAX_TIME = 1 << 53
_RATIONAL = re.compile(r"-?[0-9]{1,400}/[0-9]{1,400}", re.ASCII)
_FIRST = b'{"payload":"'
_PREFIX, _SUFFIX = "urn:scalegate:", ":v1"
# The same as `canonical_bytes` where keys are ASCII, which ours are, and ten times as fast.
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class LeafError(ValueError):
    """Bytes that are no leaf of ours, or an event that fits in none; the message says why."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as it says itself; whose signatures it has is for the keys in force to say.

    Attributes:
        digest: `sha256:` and hex over the statement: names the entry.
        log: origin of the log that the statement was made for.
        number: how many statements its author has made for that log, from 1.
        at: when its author says that it was made, in seconds since 1970.
        event: what happened.
        subjects: what it is about: names, and SHA-256 in hex.
        envelope: statement and signatures.
    """

    digest: str
    log: str
    number: int
    at: int
    event: Event
    subjects: tuple[tuple[str, str], ...]
    envelope: Envelope


def write_statement(event: Event, log: str, number: int, at: int, subjects: Sequence[tuple[str, str]]) -> bytes:
    """Return the canonical bytes of a statement.

    Raises:
        LeafError: if the event cannot be written, or is too long.
    """
    try:
        about: list[Plain] = [{"digest": {"sha256": mark}, "name": name} for name, mark in subjects]
        data = canonical_bytes(
            {
                "_type": STATEMENT,
                "predicate": {"at": at, "event": encode_event(event), "log": log, "number": number},
                "predicateType": f"{_PREFIX}{tag_of(event)}{_SUFFIX}",
                "subject": about,
            }
        )
    except UnicodeEncodeError as error:
        raise LeafError("a text holds half of a surrogate pair") from error
    except CodecError as error:
        raise LeafError(str(error)) from error
    if len(data) > MAX_STATEMENT:
        raise LeafError(f"the entry has {len(data)} bytes, and {MAX_STATEMENT} is the limit")
    return data


def sign_leaf(statement: bytes, signers: Sequence[Signer]) -> tuple[Envelope, bytes]:
    """Return the envelope of a statement, signed, and the bytes of the leaf. Each signature was checked.

    Raises:
        LeafError: if a signature is not good, or the leaf is too long.
    """
    try:
        envelope = sign_envelope(IN_TOTO, statement, signers)
        data = canonical_envelope(envelope)
    except DsseError as error:
        raise LeafError(str(error)) from error
    if len(data) > MAX_LEAF:
        raise LeafError(f"the signed entry has {len(data)} bytes, and {MAX_LEAF} is the limit")
    return envelope, data


def read_leaf(data: bytes) -> Leaf:
    """Return the leaf that some bytes stand for. Signatures are not verified.

    Raises:
        LeafError: for anything but one leaf in canonical form.
    """
    if len(data) > MAX_LEAF:
        raise LeafError(f"the entry has {len(data)} bytes, and {MAX_LEAF} is the limit")
    try:
        envelope = parse_envelope(data)
        if canonical_envelope(envelope) != data:
            raise LeafError("the envelope is not in canonical form")
    except DsseError as error:
        raise LeafError(str(error)) from error
    if envelope.payload_type != IN_TOTO:
        raise LeafError("the entry is no in-toto statement")
    try:
        text = envelope.payload.decode("utf-8")
        value = json.loads(text)
        canonical = _CANONICAL(value)
    except (ValueError, RecursionError) as error:
        raise LeafError("the statement is not JSON") from error
    if canonical != text:
        raise LeafError("the statement is not in canonical form")
    try:
        return _leaf(value, envelope)
    except CodecError as error:
        raise LeafError(str(error)) from error


def _leaf(value: object, envelope: Envelope) -> Leaf:
    fields = _fields(value, "the statement", "_type", "predicate", "predicateType", "subject")
    if fields["_type"] != STATEMENT:
        raise LeafError(f"the statement is of version {fields['_type']!r:.80}")
    predicate = _fields(fields["predicate"], "the predicate", "at", "event", "log", "number")
    at, log, number = predicate["at"], predicate["log"], predicate["number"]
    if type(at) is not int or type(number) is not int or not 0 <= at < MAX_TIME or not 0 < number < MAX_TIME:
        raise LeafError("`at` and `number` of a statement are integers, not negative")
    if not isinstance(log, str):
        raise LeafError("the statement does not say for which log it was made")
    event = decode_event(_tag(fields["predicateType"]), predicate["event"])
    subjects = fields["subject"]
    if not isinstance(subjects, list) or not subjects:
        raise LeafError("the statement has no subject")
    about = tuple(_about(item) for item in subjects)
    return Leaf(digest_bytes(envelope.payload), log, number, at, event, about, envelope)


def _tag(kind: object) -> str:
    if not isinstance(kind, str) or not (kind.startswith(_PREFIX) and kind.endswith(_SUFFIX)):
        raise LeafError(f"the statement is of another kind: {kind!r:.80}")
    return kind[len(_PREFIX) : -len(_SUFFIX)]


def _about(item: object) -> tuple[str, str]:
    fields = _fields(item, "a subject", "digest", "name")
    digest = _fields(fields["digest"], "the digest of a subject", "sha256")["sha256"]
    if not isinstance(fields["name"], str) or not isinstance(digest, str):
        raise LeafError("a subject is a name with a SHA-256")
    return fields["name"], digest


def _fields(value: object, what: str, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise LeafError(f"{what} is an object with the fields {', '.join(names)}")
    return value


# ---------------------------------------------------------------- of leaves that somebody checked


class _Predicate(msgspec.Struct):
    at: int
    event: msgspec.Raw
    number: int


class _Statement(msgspec.Struct):
    predicate: _Predicate
    predicateType: str  # noqa: N815 - as in-toto writes it


class _Signature(msgspec.Struct):
    keyid: str = ""


class _Envelope(msgspec.Struct):
    signatures: list[_Signature]


_read_envelope = msgspec.json.Decoder(_Envelope).decode
_read_statement = msgspec.json.Decoder(_Statement).decode


class Recalled(NamedTuple):
    """What is needed of a leaf that was admitted before."""

    digest: str
    number: int
    at: int
    event: Event


def recall_leaf(data: bytes) -> Recalled:
    """Return a leaf that was admitted before, several times as fast as `read_leaf` and without its signatures.

    Only for bytes that a checkpoint of the log covers: the form of the leaf is not checked again.

    Raises:
        LeafError: if the bytes are no leaf after all.
    """
    try:
        # In canonical form the payload comes first, and base64 holds no quotation mark.
        if not data.startswith(_FIRST):
            raise LeafError("the entry is no leaf: its payload does not come first")
        payload = a2b_base64(data[len(_FIRST) : data.index(b'"', len(_FIRST))])
        statement = _read_statement(payload)
        predicate = statement.predicate
        event = _decoder(statement.predicateType)(predicate.event)
    except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError, KeyError) as error:
        raise LeafError(f"the entry is no leaf: {error}") from error
    return Recalled(digest_bytes(payload), predicate.number, predicate.at, event)


def hints_of(data: bytes) -> tuple[str, ...]:
    """Return whose keys are said to have signed a leaf.

    Raises:
        LeafError: if the bytes are no leaf.
    """
    try:
        return tuple([item.keyid for item in _read_envelope(data).signatures])
    except (ValueError, msgspec.MsgspecError) as error:
        raise LeafError(f"the entry is no leaf: {error}") from error


@cache
def _decoder(kind: str) -> Callable[[msgspec.Raw], Event]:
    decoder = msgspec.json.Decoder(TAGS[_tag(kind)], dec_hook=_rational, strict=False)
    return cast("Callable[[msgspec.Raw], Event]", decoder.decode)


def _rational(kind: type, value: object) -> object:
    if kind is Fraction and isinstance(value, str) and _RATIONAL.fullmatch(value):
        return Fraction(value)
    raise ValueError(f"no {kind.__name__} in an event")
