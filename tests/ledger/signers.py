"""Private keys in memory, for tests that sign: the same seed, the same key."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scalegate.ledger.signatures import PublicKey, SignatureUnavailableError


class Ed25519Signer:
    """A signer of which the seed is its name."""

    algorithm = "ed25519"

    def __init__(self, name="signer"):
        self.seed = name.encode().ljust(32, b".")[:32]
        self._private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message):
        return self._private.sign(message)


class P256Signer:
    """A signer with P-256."""

    algorithm = "ecdsa-p256"

    def __init__(self, number=7):
        self._private = ec.derive_private_key(number, ec.SECP256R1())
        self.public = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message):
        return self._private.sign(message, ec.ECDSA(SHA256()))


class MlDsa44Signer:
    """A signer with ML-DSA-44, where `has_ml_dsa_44`."""

    algorithm = "ml-dsa-44"

    def __init__(self, seed=bytes(32)):
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415 - newer releases

        self._private = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message):
        return self._private.sign(message)


def key_of(signer):
    """The public key of a signer."""
    return PublicKey(signer.algorithm, signer.public)


def has_ml_dsa_44():
    """Whether the installed library verifies ML-DSA-44."""
    try:
        PublicKey("ml-dsa-44", bytes(1_312))
    except SignatureUnavailableError:
        return False
    return True
