"""Sigstore bundles that a managed key signed, version 0.3 (sigstore/protobuf-specs, `sigstore_bundle.proto`).

Read are the media types `application/vnd.dev.sigstore.bundle.v0.3+json`, which is also what is written, and its older
spelling `application/vnd.dev.sigstore.bundle+json;version=0.3`. Versions 0.1 and 0.2 and anything newer are refused:
their fields mean other things. So is every field that version 0.3 does not have.

A bundle says which key signed in words that anyone can have written: the key that counts comes from the caller.
Certificates, transparency logs and timestamp authorities cannot be checked here, for want of their roots. A bundle that
rests on a certificate is therefore never verified, only said to have the right form; log entries and timestamps beside
a managed key add nothing to its signature, and whoever verifies is told that they were not looked at.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from scalegate.core.canonical import canonical_bytes
from scalegate.ledger.checkpoint import decode_base64
from scalegate.ledger.dsse import (
    DsseError,
    Envelope,
    format_envelope,
    pae,
    parse_envelope,
    parse_statement,
    read_json,
)
from scalegate.ledger.signatures import PublicKey, SignatureRefusedError

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPES = frozenset({MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"})
MAX_ENTRIES = 64
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_SHA256_BYTES = 32
_CONTENTS = ("dsseEnvelope", "messageSignature")

Material: TypeAlias = Literal["publicKey", "certificate", "x509CertificateChain"]
_MATERIALS: tuple[Material, ...] = ("publicKey", "certificate", "x509CertificateChain")


class BundleError(ValueError):
    """A bundle that is refused; the message says why."""


class BundleUncheckableError(BundleError):
    """A bundle that may be good, and that nothing here can tell: it is not verified."""


class VerifyingKey(Protocol):
    """A public key: one of ours (`PublicKey`), or one of a kind that only others use."""

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if this key signed the message.

        Raises:
            SignatureRefusedError: if it did not, or the signature is not in its one encoding.
        """


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature of the bytes of an artifact.

    Attributes:
        signature: What the key is said to have made.
        digest: SHA-256 of the artifact as the bundle tells it, or None; it is not signed.
    """

    signature: bytes
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds. Nothing is verified yet.

    Attributes:
        material: What it offers for verification; only `publicKey` can be checked here.
        hint: What it calls its key, or empty. Anyone can have written it.
        content: What was signed.
        log_entries: How many entries of transparency logs it carries.
        timestamps: How many signed timestamps it carries.
    """

    material: Material
    hint: str
    content: Envelope | MessageSignature
    log_entries: int = 0
    timestamps: int = 0


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """A bundle whose signature is good.

    Attributes:
        bundle: What was verified.
        checked: What was checked, as sentences without a period.
        unchecked: What stands in the bundle, or could be asked of it, and was not checked.
    """

    bundle: Bundle
    checked: tuple[str, ...]
    unchecked: tuple[str, ...]


def format_bundle(envelope: Envelope, hint: str) -> bytes:
    """Return a bundle around an envelope that a managed key signed, in canonical JSON (RFC 8785).

    Args:
        envelope: What was signed, with exactly one signature, as the format asks.
        hint: How verifiers may find the key; the digest of the key, or what they call it.

    Raises:
        BundleError: if it could not be read back.
    """
    try:
        wrapped = read_json(format_envelope(envelope))
        data = canonical_bytes(
            {
                "dsseEnvelope": wrapped,
                "mediaType": MEDIA_TYPE,
                "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
            }
        )
    except (DsseError, UnicodeEncodeError) as error:
        raise BundleError(f"the envelope or the hint has no form: {error}") from error
    if parse_bundle(data) != Bundle("publicKey", hint, envelope):
        raise BundleError("the envelope has no form that can be read back")
    return data


def parse_bundle(data: bytes) -> Bundle:
    """Return the bundle that some JSON stands for. Nothing is verified yet.

    Raises:
        BundleError: for another media type, JSON that two readers may understand differently or that exceeds 1 MiB,
            an unknown field, none or two kinds of content or of verification material, or an envelope that does not
            have exactly one signature.
    """
    try:
        value = read_json(data)
    except DsseError as error:
        raise BundleError(f"the bundle cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise BundleError("the bundle is no object")
    # First, so that a bundle of another version is refused for its version and not for its fields.
    media_type = value.get("mediaType")
    if not isinstance(media_type, str) or media_type not in _MEDIA_TYPES:
        raise BundleError(f"the bundle is of type {media_type!r:.120}, and only {MEDIA_TYPE} is read")
    value = _fields(value, "the bundle", ("mediaType", "verificationMaterial"), _CONTENTS)
    material = _fields(
        value["verificationMaterial"],
        "the verification material",
        (),
        (*_MATERIALS, "tlogEntries", "timestampVerificationData"),
    )
    kind = _one_of(material, _MATERIALS, "the verification material")
    content = _one_of(value, _CONTENTS, "the bundle")
    return Bundle(
        cast("Material", kind),
        _hint(material[kind]) if kind == "publicKey" else _certificates(kind, material[kind]),
        _envelope(value[content]) if content == "dsseEnvelope" else _message_signature(value[content]),
        len(_objects(material.get("tlogEntries", []), "tlogEntries")),
        _timestamps(material.get("timestampVerificationData", {})),
    )


def verify_bundle(bundle: Bundle, key: VerifyingKey, artifact: bytes | str | None = None) -> VerifiedBundle:
    """Return what was checked, if the key signed what the bundle holds.

    Args:
        bundle: What is to be verified.
        key: Who counts; the hint in the bundle does not.
        artifact: What it has to be about: the bytes, or `sha256:` and the hex digest of them. A signed message needs
            it. For an envelope it has to be a subject of the in-toto statement; without it, any statement will do.

    Raises:
        BundleUncheckableError: if nothing here can tell: the bundle rests on a certificate, or a message signature is
            to be checked against a digest by a key that signs the message itself.
        BundleError: if the key did not sign, or the bundle is about something else.
    """
    # 1. The bundle rests on a key, and on nothing else.
    if bundle.material != "publicKey":
        raise BundleUncheckableError(
            "the bundle rests on a certificate, which cannot be checked here: no certificate authority is trusted; "
            "ask for a bundle that a managed key signed"
        )
    digest = _digest(artifact)
    try:
        if isinstance(bundle.content, Envelope):
            checked = _verify_envelope(bundle.content, key, digest)
        else:
            checked = _verify_message(bundle.content, key, artifact, digest)
    except SignatureRefusedError as error:
        raise BundleError(f"the key did not sign what the bundle holds: {error}") from error
    return VerifiedBundle(bundle, checked, _unchecked(bundle, digest))


def verify_ecdsa(
    key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, algorithm: HashAlgorithm | Prehashed
) -> None:
    """Return if a key signed a message, or, with `Prehashed`, a message with that digest.

    Raises:
        SignatureRefusedError: if it did not, or the signature is not in canonical DER.
    """
    try:
        canonical = encode_dss_signature(*decode_dss_signature(signature)) == signature
    except ValueError:
        canonical = False
    if not canonical:
        raise SignatureRefusedError("the ECDSA signature is not two numbers in canonical DER")
    try:
        key.verify(signature, message, ec.ECDSA(algorithm))
    except InvalidSignature:
        raise SignatureRefusedError("the ECDSA signature is not one of this message by this key") from None


# ---------------------------------------------------------------- verification


def _verify_envelope(envelope: Envelope, key: VerifyingKey, digest: bytes | None) -> tuple[str, ...]:
    # 2. The one signature is the key's, over type and payload.
    if len(envelope.signatures) != 1:
        raise BundleError("the envelope in a bundle has exactly one signature")
    key.verify(envelope.signatures[0].signature, pae(envelope.payload_type, envelope.payload))
    checked = ("the key signed the payload and its type",)
    if digest is None:
        return checked
    # 3. The statement is about the artifact.
    try:
        statement = parse_statement(envelope)
    except DsseError as error:
        raise BundleError(f"the bundle is about no artifact: {error}") from error
    if not any(("sha256", digest.hex()) in subject.digests for subject in statement.subjects):
        raise BundleError(f"the artifact sha256:{digest.hex()} is no subject of the statement")
    return (*checked, "the artifact is a subject of the statement")


def _verify_message(
    content: MessageSignature, key: VerifyingKey, artifact: bytes | str | None, digest: bytes | None
) -> tuple[str, ...]:
    if digest is None:
        raise BundleError("the bundle signs an artifact, and none was given")
    # 2. What the bundle says of the artifact is true; no signature covers it.
    if content.digest is not None and content.digest != digest:
        raise BundleError(f"the bundle is about sha256:{content.digest.hex()}, and not about sha256:{digest.hex()}")
    # 3. The signature is the key's, over the artifact.
    if isinstance(artifact, bytes):
        key.verify(content.signature, artifact)
    elif isinstance(key, PublicKey) and key.algorithm == "ecdsa-p256":
        public = cast("ec.EllipticCurvePublicKey", load_der_public_key(key.spki))
        verify_ecdsa(public, content.signature, digest, Prehashed(SHA256()))
    else:
        raise BundleUncheckableError(
            "a SHA-256 digest does not tell whether this key signed: give the artifact's bytes, which it signs"
        )
    return ("the key signed the artifact",)


def _digest(artifact: bytes | str | None) -> bytes | None:
    if artifact is None:
        return None
    if isinstance(artifact, bytes):
        return hashlib.sha256(artifact).digest()
    if not _SHA256.fullmatch(artifact):
        raise BundleError(f"the digest of an artifact is sha256: and 64 lower-case hex digits, not {artifact!r:.80}")
    return bytes.fromhex(artifact.removeprefix("sha256:"))


def _unchecked(bundle: Bundle, digest: bytes | None) -> tuple[str, ...]:
    said = []
    if bundle.log_entries:
        said.append(f"entries of transparency logs in the bundle: {bundle.log_entries}")
    if bundle.timestamps:
        said.append(f"signed timestamps in the bundle: {bundle.timestamps}")
    if digest is None:
        said.append("which artifact the statement is about")
    return tuple(said)


# ---------------------------------------------------------------- fields


def _fields(value: object, what: str, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BundleError(f"{what} is no object")
    for name in required:
        if name not in value:
            raise BundleError(f"{what} has no {name}")
    for name in value:
        if name not in required and name not in optional:
            raise BundleError(f"{what} has a field {name!r:.80}, which version 0.3 does not know")
    return value


def _one_of(value: dict[str, Any], names: tuple[str, ...], what: str) -> str:
    found = [name for name in names if name in value]
    if len(found) != 1:
        raise BundleError(f"{what} has one of {', '.join(names)}, and here there are {len(found)}")
    return found[0]


def _objects(value: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BundleError(f"{what} is no list of objects")
    if len(value) > MAX_ENTRIES:
        raise BundleError(f"the bundle has {len(value)} {what}, and {MAX_ENTRIES} is the limit")
    return value


def _bytes(value: object, what: str) -> bytes:
    try:
        data = decode_base64(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise BundleError(f"{what} is not in canonical base64") from error
    if not data:
        raise BundleError(f"{what} is no text, or an empty one")
    return data


def _hint(value: object) -> str:
    # Model signing before 1.1 wrote the key itself instead of a hint. It is no better than one.
    found = _fields(value, "publicKey", (), ("hint", "rawBytes", "keyDetails"))
    if "hint" not in found and "rawBytes" not in found:
        raise BundleError("publicKey has no hint")
    if not all(isinstance(item, str) for item in found.values()):
        raise BundleError("a field of publicKey is no text")
    return str(found.get("hint", ""))


def _certificates(kind: str, value: object) -> str:
    """Check the form of certificates, which have no hint."""
    rows = [value]
    if kind == "x509CertificateChain":
        rows = list(_objects(_fields(value, kind, ("certificates",), ())["certificates"], "certificates"))
        if not rows:
            raise BundleError("the chain of certificates is empty")
    for row in rows:
        _bytes(_fields(row, "a certificate", ("rawBytes",), ())["rawBytes"], "a certificate")
    return ""


def _timestamps(value: object) -> int:
    found = _fields(value, "timestampVerificationData", (), ("rfc3161Timestamps",))
    return len(_objects(found.get("rfc3161Timestamps", []), "rfc3161Timestamps"))


def _envelope(value: object) -> Envelope:
    found = _fields(value, "the envelope", ("payload", "payloadType", "signatures"), ())
    if not isinstance(found["signatures"], list) or len(found["signatures"]) != 1:
        raise BundleError("the envelope in a bundle has exactly one signature")
    _fields(found["signatures"][0], "a signature", ("sig",), ("keyid",))
    try:
        return parse_envelope(canonical_bytes(found))
    except (DsseError, TypeError) as error:
        raise BundleError(f"the envelope cannot be read: {error}") from error


def _message_signature(value: object) -> MessageSignature:
    found = _fields(value, "messageSignature", ("signature",), ("messageDigest",))
    signature = _bytes(found["signature"], "the signature")
    if "messageDigest" not in found:
        return MessageSignature(signature)
    told = _fields(found["messageDigest"], "messageDigest", ("algorithm", "digest"), ())
    if told["algorithm"] != "SHA2_256":
        raise BundleError(f"the digest is of type {told['algorithm']!r:.40}, and only SHA2_256 is read")
    digest = _bytes(told["digest"], "the digest")
    if len(digest) != _SHA256_BYTES:
        raise BundleError(f"a SHA2_256 digest has 32 bytes, not {len(digest)}")
    return MessageSignature(signature, digest)
