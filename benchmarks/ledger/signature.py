"""CPU time of signatures: what the strict rule of the package adds to the library below it."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import process_time
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scalegate.ledger.signatures import PublicKey

MESSAGES = 2_000
MESSAGE = 1_000
ROUNDS = 7
LEAST = 12_000
PEER = "cryptography"

Verify: TypeAlias = Callable[[bytes, bytes], None]
Sign: TypeAlias = Callable[[bytes], bytes]


def _timed(verify: Verify, signed: list[tuple[bytes, bytes]]) -> float:
    start = process_time()
    for signature, message in signed:
        verify(signature, message)
    return (process_time() - start) / len(signed) * 1e6


def _ed25519() -> tuple[Verify, Verify, Sign]:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key()
    return PublicKey("ed25519", public.public_bytes_raw()).verify, public.verify, private.sign


def _p256() -> tuple[Verify, Verify, Sign]:
    private, scheme = ec.derive_private_key(7, ec.SECP256R1()), ec.ECDSA(SHA256())
    public = private.public_key()
    encoded = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return (
        PublicKey("ecdsa-p256", encoded).verify,
        lambda signature, message: public.verify(signature, message, scheme),
        lambda message: private.sign(message, scheme),
    )


def rows() -> list[dict[str, Any]]:
    """Return what to report, as arguments of a row."""
    found = []
    for name, (ours, bare, sign) in (("ed25519", _ed25519()), ("p256", _p256())):
        messages = [b"%08d" % number + bytes(MESSAGE - 8) for number in range(MESSAGES)]
        signed = [(sign(message), message) for message in messages]
        # By turns: on a shared machine, neither of the two gets the quiet minutes alone.
        times = [(_timed(ours, signed), _timed(bare, signed)) for _ in range(ROUNDS)]
        value, peer_value = (statistics.median(column) for column in zip(*times, strict=True))
        note = f"{MESSAGE} bytes, one key; {1e6 / value:,.0f} a second, {LEAST:,} promised; median of {ROUNDS} rounds"
        found.append(
            {
                "name": f"ledger.signature.{name}",
                "value": value,
                "unit": "us",
                "peer": PEER,
                "peer_value": peer_value,
                "target": 1e6 / LEAST,
                "note": note,
            }
        )
    return found


if __name__ == "__main__":
    print(rows())
