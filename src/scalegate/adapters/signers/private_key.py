"""Private keys in the memory of this process, and their text: PKCS#8 in PEM, encrypted or not.

Encrypted ones are what RFC 8018 and RFC 7914 describe: PBES2 with scrypt (N = 2^14, r = 8, p = 5: 16 MiB and about a
seventh of a second for each guess) and AES-256 in CBC. `cryptography` reads that form but writes PBKDF2 with 2,048
rounds, a third of a millisecond for each guess; so it is written here. `openssl pkey` opens the result.
"""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from scalegate.adapters.signers import SignerError
from scalegate.core.ports import SignatureAlgorithm
from scalegate.ledger.signatures import PublicKey, SignatureError, key_from_spki

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

PrivateKey: TypeAlias = "Ed25519PrivateKey | ec.EllipticCurvePrivateKey | MLDSA44PrivateKey"

_N, _R, _P, _KEY = 1 << 14, 8, 5, 32
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_PLAIN, _ENCRYPTED = "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"
PEM = re.compile(
    rf"-----BEGIN ({_PLAIN}|{_ENCRYPTED})-----\n(?:[A-Za-z0-9+/=]{{1,64}}\n){{1,80}}-----END \1-----\n", re.ASCII
)


class PrivateKeySigner:
    """A `Signer` with the private key in memory; `repr` shows the public one."""

    __slots__ = ("_key", "_private")

    def __init__(self, private: PrivateKey) -> None:
        """Keep the key.

        Raises:
            SignerError: if it is of no algorithm of ours.
        """
        self._private = private
        self._key = public_of(private)

    def __repr__(self) -> str:
        return f"PrivateKeySigner({self._key.algorithm} {self._key.digest})"

    @property
    def private(self) -> PrivateKey:
        """The private key itself."""
        return self._private

    @property
    def key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        return self._key

    @property
    def public(self) -> bytes:
        """The public key in the encoding of its algorithm."""
        return self._key.public

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What the key is for."""
        return self._key.algorithm

    def sign(self, message: bytes) -> bytes:
        """Return a signature of the message; for `ecdsa-p256` in DER."""
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            return self._private.sign(message, ec.ECDSA(SHA256()))
        return self._private.sign(message)


def generate(algorithm: SignatureAlgorithm) -> PrivateKey:
    """Return a new private key.

    Raises:
        SignerError: if the installed library has not the algorithm.
    """
    try:
        if algorithm == "ed25519":
            return Ed25519PrivateKey.generate()
        if algorithm == "ecdsa-p256":
            return ec.generate_private_key(ec.SECP256R1())
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415 - newer releases

        return MLDSA44PrivateKey.generate()
    except (ImportError, UnsupportedAlgorithm):
        raise SignerError(
            "usage",
            "algorithm-unavailable",
            f"the installed `cryptography` makes no {algorithm} keys",
            "install a newer release, or take `--algorithm ed25519`",
        ) from None


def public_of(private: object) -> PublicKey:
    """Return the public key of a private one.

    Raises:
        SignerError: if that is of no algorithm of ours.
    """
    try:
        public = private.public_key()  # type: ignore[attr-defined]  # every private key has one
        return key_from_spki(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except (SignatureError, AttributeError) as error:
        raise SignerError("malformed", "key-unfit", f"the private key cannot be used: {error}") from None


def to_pem(private: PrivateKey, passphrase: bytes | None) -> str:
    """Return the text of a private key.

    Args:
        private: The key.
        passphrase: What encrypts it; None leaves it as it is.
    """
    if passphrase is None:
        return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    salt, vector = os.urandom(16), os.urandom(16)
    key = Scrypt(salt=salt, length=_KEY, n=_N, r=_R, p=_P).derive(passphrase)
    padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    plain = padder.update(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) + padder.finalize()
    sealed = encryptor.update(plain) + encryptor.finalize()
    derivation = _sequence(
        _SCRYPT, _sequence(_item(_OCTETS, salt), _integer(_N), _integer(_R), _integer(_P), _integer(_KEY))
    )
    scheme = _sequence(_PBES2, _sequence(derivation, _sequence(_AES_256_CBC, _item(_OCTETS, vector))))
    text = base64.b64encode(_sequence(scheme, _item(_OCTETS, sealed))).decode()
    lines = (text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {_ENCRYPTED}-----\n" + "\n".join(lines) + f"\n-----END {_ENCRYPTED}-----\n"


def is_encrypted(pem: str) -> bool:
    """Whether a text that `PEM` matches needs a passphrase."""
    return pem.startswith(f"-----BEGIN {_ENCRYPTED}-----")


def from_pem(pem: str, passphrase: bytes | None) -> PrivateKeySigner:
    """Return a signer with the private key of a text.

    Args:
        pem: PKCS#8 in PEM and nothing else.
        passphrase: What it is encrypted with; None if it is not.

    Raises:
        SignerError: if the passphrase is another one, or there is no key of an algorithm of ours in it.
    """
    if PEM.fullmatch(pem) is None:
        raise SignerError("malformed", "key-unfit", "the private key is not PKCS#8 in PEM")
    if is_encrypted(pem) is not (passphrase is not None):
        raise SignerError("malformed", "key-unfit", "a passphrase goes with an encrypted key, and only with one")
    # Without the cause: what a library says about a secret is not ours to show.
    try:
        private = load_pem_private_key(pem.encode(), passphrase)
    except UnsupportedAlgorithm:
        raise SignerError(
            "usage", "algorithm-unavailable", "the installed `cryptography` does not know the algorithm of the key"
        ) from None
    except (ValueError, TypeError):
        if passphrase is None:
            raise SignerError("malformed", "key-unfit", "the private key cannot be decoded") from None
        raise SignerError(
            "refused",
            "passphrase-wrong",
            "the passphrase does not open the private key",
            "it is another one, or the file is damaged",
        ) from None
    return PrivateKeySigner(_known(private))


def _known(private: object) -> PrivateKey:
    if isinstance(private, Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        return private
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415 - newer releases
    except ImportError:
        pass
    else:
        if isinstance(private, MLDSA44PrivateKey):
            return private
    raise SignerError("malformed", "key-unfit", "the private key is of no algorithm of ours")


def _item(tag: int, body: bytes) -> bytes:
    """Return a DER item (X.690)."""
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    width = (size.bit_length() + 7) // 8
    return bytes([tag, 128 | width]) + size.to_bytes(width) + body


def _integer(value: int) -> bytes:
    return _item(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _sequence(*parts: bytes) -> bytes:
    return _item(_SEQUENCE, b"".join(parts))
