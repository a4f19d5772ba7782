"""Bytes of a tlog-proof file in a log of a million entries, with three witnesses."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scalegate.ledger.checkpoint import Checkpoint, format_checkpoint
from scalegate.ledger.merkle import leaf_hash, node_hash
from scalegate.ledger.note import Note, NoteKey, SignatureType
from scalegate.ledger.proof import Prover
from scalegate.ledger.signatures import PublicKey
from scalegate.ledger.tlog_proof import format_proof, parse_proof, prove_entry, verify_proof

SIZE = 1_000_000
WITNESSES = 3
LIMIT = 1_700
TIME = 1_800_000_000
ORIGIN = "ledger.example.org/scalegate"


class Signer:
    """An Ed25519 key in memory."""

    algorithm = "ed25519"

    def __init__(self, number: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def key(signer: Signer, name: str, kind: SignatureType) -> NoteKey:
    """Return the key that verifies what a signer signs."""
    return NoteKey(name, kind, PublicKey("ed25519", signer.public))


def rows() -> list[dict[str, Any]]:
    """Return what to report, as arguments of a row; the proof is read back and verified."""
    # All entries are equal, so that one hash stands for each level: the length is that of any other tree.
    level_hashes = [leaf_hash(b"entry")]
    while len(level_hashes) < 40:
        level_hashes.append(node_hash(level_hashes[-1], level_hashes[-1]))
    prover = Prover(lambda level, _: level_hashes[level], SIZE)
    text = format_checkpoint(Checkpoint(ORIGIN, SIZE, prover.root))
    log, *others = [Signer(number) for number in range(1 + WITNESSES)]
    log_key = key(log, ORIGIN, SignatureType.NOTE)
    keys = [
        key(signer, f"witness{number}.example.org", SignatureType.COSIGNATURE)
        for number, signer in enumerate(others, 1)
    ]
    cosigned = [one.sign(text, signer, TIME) for one, signer in zip(keys, others, strict=True)]
    data = format_proof(prove_entry(prover, SIZE // 3, Note(text, (log_key.sign(text, log), *cosigned))))
    signed = verify_proof(parse_proof(data), b"entry", ORIGIN, [log_key], keys)
    note = f"{SIZE:,} entries, Ed25519 of the log and of {len(signed.witnesses)} witnesses; names of 20 to 30 bytes"
    return [
        {"name": "ledger.tlog_proof_bytes", "value": len(data), "unit": "bytes", "target": float(LIMIT), "note": note}
    ]


if __name__ == "__main__":
    print(rows())
