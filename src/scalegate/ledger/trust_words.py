"""What single words of a trust file stand for: keys, names, roles, durations and URLs.

Each reader returns None after it recorded what is wrong with its words.
"""

from __future__ import annotations

import base64
import re

from scalegate.core.person import mixed_scripts, normal_form
from scalegate.core.ports import SignatureAlgorithm
from scalegate.ledger.checkpoint import decode_base64
from scalegate.ledger.note import NoteError, NoteKey, SignatureType, parse_vkey
from scalegate.ledger.signatures import KeyFormatError, PublicKey, SignatureError
from scalegate.ledger.trust_lines import Findings, Word, quote, suggestion

GATE = "gate"
MAX_SPEAKER_NAME = 128
MAX_DURATION = 366 * 86_400
_UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_ALGORITHMS: dict[str, SignatureAlgorithm] = {
    "ed25519": "ed25519",
    "ecdsa-p256": "ecdsa-p256",
    "ml-dsa-44": "ml-dsa-44",
}
_LOG_TYPES = (SignatureType.NOTE, SignatureType.ML_DSA_COSIGNATURE)
_WITNESS_TYPES = (SignatureType.COSIGNATURE, SignatureType.ML_DSA_COSIGNATURE)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
# The names that a policy can give its roles.
_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,127}", re.ASCII)
_URL = re.compile(r"https?://[^/?#]+[^#]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


def read_number(text: str) -> int | None:
    """Return a whole number from 1 on, in decimal without leading zeros, or None."""
    return int(text) if _NUMBER.fullmatch(text) else None


def read_duration(number: Word, unit: Word, findings: Findings) -> int | None:
    """Return a duration in seconds."""
    count, seconds = read_number(number.text), _UNITS.get(unit.text.removesuffix("s"))
    if count is None:
        help_text = "write a number from 1 on, in digits"
        findings.error("T203", f"{quote(number.text)} is not a whole number of units", number.span, help=help_text)
    if seconds is None:
        help_text = suggestion(unit.text, [f"{word}s" for word in _UNITS])
        findings.error("T203", f"{quote(unit.text)} is not a unit of time", unit.span, help=help_text)
    if count is None or seconds is None:
        return None
    if count * seconds > MAX_DURATION:
        message = f"{quote(f'{number.text} {unit.text}')} is longer than 366 days"
        findings.error("T203", message, number.span, cause="a check that late checks nothing")
        return None
    return count * seconds


def read_log_key(word: Word, findings: Findings) -> NoteKey | None:
    """Return the verifier key of a log."""
    return _read_vkey(word, "log", _LOG_TYPES, findings)


def read_witness_key(word: Word, findings: Findings) -> NoteKey | None:
    """Return the verifier key of a witness."""
    return _read_vkey(word, "witness", _WITNESS_TYPES, findings)


def read_digest(word: Word, findings: Findings) -> str | None:
    """Return the digest of a trust file."""
    if _DIGEST.fullmatch(word.text):
        return word.text
    message = f"{quote(word.text)} is not `sha256:` and 64 hex digits"
    findings.error("T213", message, word.span, help="copy the digest that permits under the older file carry")
    return None


def read_url(word: Word | None, findings: Findings) -> str:
    """Return a URL, or an empty text where none is written."""
    if word is None:
        return ""
    if not _URL.fullmatch(word.text):
        cause = "it is where the log or the witness is asked, and nothing else is asked over"
        message = f"{quote(word.text)} is not a URL that starts with https:// or http://"
        findings.error("T210", message, word.span, cause=cause, help="write a URL, or leave it out")
    return word.text


def read_key(word: Word, findings: Findings) -> PublicKey | None:
    """Return the public key of a speaker."""
    try:
        return parse_key(word.text)
    except SignatureError as error:
        help_text = "copy the whole line that `scalegate keys new` printed"
        message = f"{quote(word.text)} is not the key of a speaker"
        findings.error("T208", message, word.span, cause=str(error), help=help_text)
        return None


def parse_key(text: str) -> PublicKey:
    """Return a public key that is written as its algorithm, a colon and base64.

    Raises:
        KeyFormatError: for another form, or a key that nobody should use.
        SignatureUnavailableError: if the installed library cannot verify with it.
    """
    name, colon, body = text.partition(":")
    algorithm = _ALGORITHMS.get(name)
    if not colon or algorithm is None:
        raise KeyFormatError(f"a key is one of {', '.join(_ALGORITHMS)}, a colon, and base64")
    try:
        data = decode_base64(body)
    except ValueError as error:
        raise KeyFormatError("what stands behind the colon is not canonical base64") from error
    return PublicKey(algorithm, data)


def write_key(key: PublicKey) -> str:
    """Return a public key as `parse_key` takes it."""
    return f"{key.algorithm}:{base64.b64encode(key.public).decode()}"


def read_roles(word: Word, findings: Findings) -> frozenset[str] | None:
    """Return the roles of a speaker, from a list with commas and no spaces."""
    roles: set[str] = set()
    wrong = False
    for role in word.text.split(","):
        if not _ROLE.fullmatch(role):
            message = f"{quote(role)} is not a role: roles are letters, digits, hyphens and dots"
            findings.error("T207", message, word.span, help="separate roles by commas, without spaces")
            wrong = True
        elif role.casefold() in {known.casefold() for known in roles}:
            findings.error("T207", f"the role {quote(role)} is written twice", word.span)
            wrong = True
        elif role.casefold() == GATE and role != GATE:
            findings.error("T207", f"{quote(role)} looks like the role `{GATE}`", word.span, help=f"write `{GATE}`")
            wrong = True
        roles.add(role)
    if GATE in roles and len(roles) > 1:
        cause = "who answers for the gate signs without asking anybody, and must not be able to attest as well"
        help_text = "give each its own key, on a line of its own"
        message = f"the role `{GATE}` stands beside another one"
        findings.error("T309", message, word.span, cause=cause, help=help_text)
        wrong = True
    return None if wrong else frozenset(roles)


def check_speaker_name(word: Word, findings: Findings) -> None:
    """Record what is wrong with the name of a speaker: another spelling of itself, or letters of two scripts."""
    plain = normal_form(word.text)
    if not plain:
        findings.error("T209", "the name is empty", word.span, help='write a name, for example "Ada Osei"')
    elif word.text != plain:
        cause = "it has spaces at its ends or beside each other, or letters in another form"
        message = f"the name {quote(word.text)} is not in its normal form"
        findings.error("T209", message, word.span, cause=cause, help=f"write {quote(plain)}")
    elif len(plain) > MAX_SPEAKER_NAME:
        findings.error("T209", f"the name is longer than {MAX_SPEAKER_NAME} characters", word.span)
    if mixed := mixed_scripts(plain):
        message = f"the name {quote(word.text)} mixes {mixed} letters"
        findings.error("T209", message, word.span, cause="it could look like the name of somebody else")


def _read_vkey(word: Word, of: str, types: tuple[SignatureType, ...], findings: Findings) -> NoteKey | None:
    try:
        key = parse_vkey(word.text)
    except (NoteError, SignatureError) as error:
        help_text = "write a verifier key, `NAME+ID+BASE64` (C2SP signed-note)"
        if _HEX_KEY.fullmatch(word.text):
            help_text = "this is a bare key in hex, the older form of sigsum: " + help_text
        message = f"{quote(word.text)} is not the key of a {of}"
        findings.error("T205", message, word.span, cause=str(error), help=help_text)
        return None
    if key.kind in types:
        return key
    wanted = " or ".join(f"{kind:#04x}" for kind in types)
    message = f"the key {quote(key.name)} is of type {key.kind:#04x}, which is none for a {of}"
    findings.error("T206", message, word.span, help=f"a {of} has a key of type {wanted}")
    return None
