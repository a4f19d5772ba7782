"""Signatures: Ed25519, ECDSA P-256 and ML-DSA-44, with one verdict per signature on every platform.

Verification needs public keys only; signing happens behind the `Signer` port.

**Ed25519.** RFC 8032 leaves room, and implementations use it differently, so that a signature made on purpose can
be good for one auditor and bad for another. The rule here has five clauses. A signature `R || S` of `M` by the key
`A` is good if and only if

1. `A` is the canonical encoding of a point of the curve: `y < p`, a root exists (RFC 8032 section 5.1.3);
2. the order of `A` does not divide 8;
3. `R` is a canonical encoding in the same sense, and the order of that point does not divide 8 either;
4. `S < L`, where `L` is the order of the base point (section 5.1.7; otherwise `S + L` would do as well);
5. the encoding of `[S]B - [k]A` is `R`, where `k` is the SHA-512 of `R || A || M` modulo `L`: the equation without
   the cofactor, which section 5.1.7 permits, and k over the bytes as they were sent.

Without the cofactor, because that is what OpenSSL, BoringSSL, Go and RFC 8032's own text compute at least; so that
whatever this rule accepts they accept as well, and so does a verifier that multiplies by the cofactor. It is the rule
of `verify_strict` in ed25519-dalek. Clause 2 binds a signature to one key and one message: a key of small order
verifies almost anything (Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs", IACR ePrint 2020/1244).

Clauses 1 to 4 are decided here, in integers, before any library is asked. Clause 5 is a library's, and the only thing
that an exchanged library could decide differently: by the cofactor, or by refusing keys with a component of small
order. So each is first asked about two signatures on which such libraries differ. libsodium, through PyNaCl, is asked
first, because it takes half the time; OpenSSL, through `cryptography`, where a build of libsodium multiplies by the
cofactor. If both give another answer than this rule, there are no verdicts at all rather than different ones.

**ECDSA P-256** with SHA-256 (FIPS 186-5 section 6.4): keys are the 91 bytes of a SubjectPublicKeyInfo with the point
uncompressed; signatures are DER with nothing to choose (X.690 section 10), both numbers in [1, n). `(r, n - s)` is
good when `(r, s)` is, which no encoding prevents: count keys, never signatures.

**ML-DSA-44** (FIPS 204, section 5.3), pure, with an empty context, where the installed library has it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from scalegate.core.canonical import digest_bytes
from scalegate.core.ports import SignatureAlgorithm

Verify: TypeAlias = Callable[[bytes, bytes], None]
# Whether a library takes a signature: key, signature, message.
Accepts: TypeAlias = Callable[[bytes, bytes, bytes], bool]

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_Y = (1 << 255) - 1
# The eight points whose order divides 8 have these five y between them.
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})
# Key, signature, message. Refused only without the cofactor: R has a component of order 8, and nothing balances it.
_WITH_COFACTOR = (
    bytes.fromhex("5ee5df0cbbc929301543f743d2204b9c750a02abe1400df27b11f28a4cfb8b5a"),
    bytes.fromhex(
        "db75e138664c41332dd0d0b00bb3667482083bec4e92848275dd2ac0802cda89"
        "8b39bfdc969e416ef93b0f80743efd1699c430304fc6d75f238bdbe782c8f90f"
    ),
    b"scalegate",
)
# Refused only by who asks for keys of prime order: A has a component of order 8, and k is a multiple of 8.
_MIXED_ORDER = (
    bytes.fromhex("176464c262be701c17aab22cc33d988795e7d4c2f3de11d97eb8a25691f1eaed"),
    bytes.fromhex(
        "a33a11705ca697990558c643dde58c48ce7697ecef82b60a599328749ee64088"
        "cee04631767bf2b6e80f6358429c32df4721ac8d96b415824bdde8a531d40301"
    ),
    b"scalegate 4",
)

_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA = ec.ECDSA(SHA256())
_P256_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_UNCOMPRESSED = 4
ED25519_KEY, ED25519_SIGNATURE = 32, 64
P256_KEY, P256_RAW_SIGNATURE = 91, 64
ML_DSA_44_KEY, ML_DSA_44_SIGNATURE = 1_312, 2_420
_MAX_CONTEXT = 255
# SubjectPublicKeyInfo: what stands before the key (RFC 8410 section 4, RFC 5480, RFC 9881).
_SPKI_HEADS: dict[SignatureAlgorithm, bytes] = {
    "ed25519": bytes.fromhex("302a300506032b6570032100"),
    "ecdsa-p256": b"",
    "ml-dsa-44": bytes.fromhex("30820532300b06096086480165030403110382052100"),
}
_PEM = re.compile(
    r"-----BEGIN PUBLIC KEY-----\r?\n((?:[A-Za-z0-9+/=]{1,64}\r?\n)+)-----END PUBLIC KEY-----(?:\r?\n)*", re.ASCII
)
_MAX_PEM = 8_192


class SignatureError(ValueError):
    """A key or a signature that is refused; the message says why."""


class KeyFormatError(SignatureError):
    """Bytes that are no public key of their algorithm, or one that nobody should use."""


class SignatureRefusedError(SignatureError):
    """A signature that is not a good one of this message by this key."""


class SignatureUnavailableError(SignatureError):
    """Nothing can be said here: the installed libraries lack the algorithm, or have another rule for it."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that verifies. Equal keys have equal bytes: each key has one encoding.

    Attributes:
        algorithm: What the key is for.
        public: For `ed25519` 32 bytes (RFC 8032), for `ecdsa-p256` the 91 bytes of its SubjectPublicKeyInfo with the
            point uncompressed (RFC 5480), for `ml-dsa-44` 1,312 bytes (FIPS 204).

    Raises:
        KeyFormatError: from the constructor, if the bytes are no such key.
        SignatureUnavailableError: from the constructor, if the installed library cannot verify with it.
    """

    algorithm: SignatureAlgorithm
    public: bytes
    _verify: Verify = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        maker = _MAKERS.get(self.algorithm)
        if maker is None:
            raise KeyFormatError(f"unknown algorithm of a key: {self.algorithm!r:.80}")
        object.__setattr__(self, "_verify", maker(self.public))

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if this key signed the message.

        Raises:
            SignatureRefusedError: if it did not, or the signature is not in its one encoding.
        """
        self._verify(signature, message)

    @property
    def spki(self) -> bytes:
        """DER of the key as SubjectPublicKeyInfo."""
        return _SPKI_HEADS[self.algorithm] + self.public

    @property
    def digest(self) -> str:
        """Name of the key: `sha256:` and the hex digest of its SubjectPublicKeyInfo."""
        return digest_bytes(self.spki)


def key_from_spki(data: bytes) -> PublicKey:
    """Return the key that the DER of a SubjectPublicKeyInfo stands for.

    Raises:
        KeyFormatError: for another algorithm or curve, or another form of it, a compressed point for example.
        SignatureUnavailableError: if the installed library cannot verify with it.
    """
    if data.startswith(_P256_HEAD):
        return PublicKey("ecdsa-p256", data)
    for algorithm, head in _SPKI_HEADS.items():
        if head and data.startswith(head):
            return PublicKey(algorithm, data[len(head) :])
    raise KeyFormatError("the key is not an Ed25519, ML-DSA-44 or uncompressed P-256 key in DER")


def key_from_pem(text: str) -> PublicKey:
    """Return the key of a `PUBLIC KEY` file (RFC 7468 section 13).

    Raises:
        KeyFormatError: if there is anything else in the file, or the key is none of ours.
        SignatureUnavailableError: if the installed library cannot verify with it.
    """
    match = _PEM.fullmatch(text) if len(text) <= _MAX_PEM else None
    if match is None:
        raise KeyFormatError("the file is not one PUBLIC KEY in PEM")
    body = "".join(match[1].split())
    try:
        data = base64.b64decode(body, validate=True)
    except ValueError as error:
        raise KeyFormatError("the key in the PEM file is not base64") from error
    if base64.b64encode(data).decode() != body:
        raise KeyFormatError("the key in the PEM file is not in the canonical base64")
    return key_from_spki(data)


def der_from_raw(signature: bytes) -> bytes:
    """Return the DER form of an ECDSA P-256 signature that was written as `r || s`, 32 bytes each (IEEE P1363).

    Raises:
        SignatureRefusedError: for another length.
    """
    if len(signature) != P256_RAW_SIGNATURE:
        raise SignatureRefusedError(f"a raw P-256 signature has 64 bytes, not {len(signature)}")
    return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))


def ed25519_public(seed: bytes) -> bytes:
    """Return the public key of an Ed25519 seed, the private key of RFC 8032 section 5.1.5.

    Raises:
        KeyFormatError: if it has not 32 bytes.
        SignatureUnavailableError: if the installed library has no Ed25519.
    """
    if len(seed) != ED25519_KEY:
        raise KeyFormatError(f"an Ed25519 seed has 32 bytes, not {len(seed)}")
    try:
        return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    except UnsupportedAlgorithm as error:
        raise SignatureUnavailableError("the installed cryptography library has no Ed25519") from error


# ---------------------------------------------------------------- Ed25519


def _ed25519(public: bytes) -> Verify:
    _check_point(public)
    library = _equation()
    if library is None:
        raise SignatureUnavailableError("the installed libraries verify Ed25519 by another rule than ours")

    def verify(signature: bytes, message: bytes) -> None:
        if len(signature) != ED25519_SIGNATURE:
            raise SignatureRefusedError(f"an Ed25519 signature has 64 bytes, not {len(signature)}")
        y = int.from_bytes(signature[:32], "little") & _Y
        if y >= _P:
            raise SignatureRefusedError("R of the Ed25519 signature is not in its canonical encoding")
        # Here x = 0 is refused as well, so that no other sign of it is left to look at.
        if y in _SMALL_ORDER_Y:
            raise SignatureRefusedError("R of the Ed25519 signature is a point of small order")
        if int.from_bytes(signature[32:], "little") >= _L:
            raise SignatureRefusedError("S of the Ed25519 signature is not below the order of the group")
        if not library(public, signature, message):
            raise SignatureRefusedError("the Ed25519 signature is not one of this message by this key")

    return verify


def _check_point(public: bytes) -> None:
    """Refuse what is not the canonical encoding of a point whose order is more than 8."""
    if len(public) != ED25519_KEY:
        raise KeyFormatError(f"an Ed25519 key has 32 bytes, not {len(public)}")
    y = int.from_bytes(public, "little") & _Y
    if y >= _P:
        raise KeyFormatError("the Ed25519 key is not in its canonical encoding")
    if y in _SMALL_ORDER_Y:
        raise KeyFormatError("the Ed25519 key is a point of small order, which verifies almost anything")
    # x^2 = u / v is a square if u * v is one: Euler's criterion. v is never 0, and u is only where y = 1 or -1.
    square = y * y % _P
    if pow((square - 1) * (_D * square + 1) % _P, (_P - 1) // 2, _P) != 1:
        raise KeyFormatError("the Ed25519 key is no point of the curve")


def _libsodium(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def _openssl(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


@cache
def _equation() -> Accepts | None:
    """Return the first library that has the equation of clause 5; None where none has."""
    return next((library for library in (_libsodium, _openssl) if _has_our_equation(library)), None)


def _follows_the_rule() -> bool:
    """Whether there is a library with the equation of clause 5."""
    return _equation() is not None


def _has_our_equation(accepts: Accepts) -> bool:
    return accepts(*_MIXED_ORDER) and not accepts(*_WITH_COFACTOR)


# ---------------------------------------------------------------- ECDSA P-256


def _ecdsa_p256(public: bytes) -> Verify:
    if len(public) != P256_KEY or not public.startswith(_P256_HEAD) or public[len(_P256_HEAD)] != _UNCOMPRESSED:
        raise KeyFormatError("the P-256 key is not a SubjectPublicKeyInfo of 91 bytes with its point uncompressed")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public[len(_P256_HEAD) :])
    except UnsupportedAlgorithm as error:
        raise SignatureUnavailableError("the installed cryptography library has no P-256") from error
    except ValueError as error:
        raise KeyFormatError("the P-256 key is no point of the curve") from error

    def verify(signature: bytes, message: bytes) -> None:
        try:
            r, s = decode_dss_signature(signature)
            canonical = encode_dss_signature(r, s) == signature
        except ValueError:
            raise SignatureRefusedError("the P-256 signature is not two numbers in DER") from None
        if not canonical:
            raise SignatureRefusedError("the P-256 signature is not in canonical DER")
        if not (0 < r < _N and 0 < s < _N):
            raise SignatureRefusedError("a number of the P-256 signature is outside [1, n)")
        try:
            key.verify(signature, message, _ECDSA)
        except InvalidSignature:
            raise SignatureRefusedError("the P-256 signature is not one of this message by this key") from None

    return verify


# ---------------------------------------------------------------- ML-DSA-44


def _ml_dsa_44(public: bytes, context: bytes = b"") -> Verify:
    if len(public) != ML_DSA_44_KEY:
        raise KeyFormatError(f"an ML-DSA-44 key has 1,312 bytes, not {len(public)}")
    if len(context) > _MAX_CONTEXT:
        raise KeyFormatError("an ML-DSA-44 context has at most 255 bytes")
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415 - newer releases

        key = MLDSA44PublicKey.from_public_bytes(public)
    except (ImportError, UnsupportedAlgorithm) as error:
        raise SignatureUnavailableError("the installed cryptography library has no ML-DSA-44") from error
    except ValueError as error:
        raise KeyFormatError("the cryptography library does not take the ML-DSA-44 key") from error

    def verify(signature: bytes, message: bytes) -> None:
        if len(signature) != ML_DSA_44_SIGNATURE:
            raise SignatureRefusedError(f"an ML-DSA-44 signature has 2,420 bytes, not {len(signature)}")
        try:
            key.verify(signature, message, context)
        except InvalidSignature:
            raise SignatureRefusedError("the ML-DSA-44 signature is not one of this message by this key") from None

    return verify


_MAKERS: dict[SignatureAlgorithm, Callable[[bytes], Verify]] = {
    "ed25519": _ed25519,
    "ecdsa-p256": _ecdsa_p256,
    "ml-dsa-44": _ml_dsa_44,
}
