"""Proofs in one file that a log has an entry (C2SP tlog-proof): index, inclusion proof, and the signed checkpoint.

Whoever holds the entry, the origin of the log and the keys of log and witnesses checks such a file without a network.
Reading is strict, so that one sequence of bytes stands for one proof: `format_proof(parse_proof(data)) == data`. A
parsed proof is only a claim. Whoever changes the file can make it fail, and cannot make it hold for another entry,
index or checkpoint; what he can change unseen is `extra`, which nobody signed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from scalegate.ledger.checkpoint import CheckpointError, decode_base64, parse_checkpoint, parse_decimal
from scalegate.ledger.merkle import HASH_SIZE, leaf_hash
from scalegate.ledger.note import (
    MAX_NOTE,
    Note,
    NoteError,
    NoteKey,
    SignedCheckpoint,
    format_note,
    open_checkpoint,
    parse_note,
)
from scalegate.ledger.proof import Prover, verify_inclusion

# The suffix that the specification gives to names of files.
SUFFIX = ".tlog-proof"
MAX_EXTRA = 1 << 16
# No tree of fewer than 2**63 leaves has a longer way to its root, or a larger index.
MAX_HASHES = 63
MAX_INDEX = (1 << 63) - 2
MAX_PROOF = MAX_NOTE + 2 * MAX_EXTRA
_FIRST = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


class TlogProofError(ValueError):
    """Bytes that are no tlog-proof, or values that none can carry; the message says why."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """What a file says: this entry is in the tree of that checkpoint. Nothing of it is verified.

    Attributes:
        index: Which entry of the log it is, from 0.
        hashes: Inclusion proof, from the neighbor of the leaf up (RFC 6962, section 2.1.1), 32 bytes each.
        note: The signed checkpoint.
        extra: What somebody added, not empty, at most 64 KiB; None for nothing. No signature covers it: at most it may
            help to find the entry, which is then checked.

    Raises:
        TlogProofError: from the constructor, for values that no file can carry.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if type(self.index) is not int or not 0 <= self.index <= MAX_INDEX:
            raise TlogProofError("the index of an entry is an integer from 0 to 2**63 - 2")
        if len(self.hashes) > MAX_HASHES:
            raise TlogProofError(f"an inclusion proof has at most {MAX_HASHES} hashes, and this has {len(self.hashes)}")
        for place, item in enumerate(self.hashes):
            if len(item) != HASH_SIZE:
                raise TlogProofError(f"hash {place} of the proof has {len(item)} bytes, and a hash has {HASH_SIZE}")
        if self.extra is not None and not 0 < len(self.extra) <= MAX_EXTRA:
            raise TlogProofError(f"extra data has 1 to {MAX_EXTRA} bytes, and its line is left out where there is none")
        try:
            parse_checkpoint(self.note.text)
        except CheckpointError as error:
            raise TlogProofError(f"the note of the proof is no checkpoint: {error}") from error


def prove_entry(prover: Prover, index: int, note: Note, extra: bytes | None = None) -> TlogProof:
    """Return the proof that entry `index` is in the tree of a checkpoint.

    Args:
        prover: Makes proofs about the tree of that size.
        index: Which entry.
        note: The signed checkpoint; its signatures are not looked at.
        extra: What to add, unsigned.

    Raises:
        TlogProofError: if the note is no checkpoint of the prover's tree: such a proof could not hold.
        IndexOutsideError: if the tree has no such entry.
        Exception: what the prover's source raises for a node it does not have.
    """
    proof = TlogProof(index, prover.inclusion(index), note, extra)
    checkpoint = parse_checkpoint(note.text)
    if (checkpoint.size, checkpoint.root) != (prover.size, prover.root):
        raise TlogProofError(
            f"the checkpoint is of a tree of {checkpoint.size} entries with root {checkpoint.root.hex()}, and the "
            f"proof of one of {prover.size} with root {prover.root.hex()}: take the checkpoint of the same tree"
        )
    return proof


def verify_proof(
    proof: TlogProof, entry: bytes, origin: str, log: Iterable[NoteKey], witnesses: Iterable[NoteKey] = ()
) -> SignedCheckpoint:
    """Return the checkpoint that a proof shows an entry to be under, once all of this holds.

    1. A known key of the log signed the note, and each signature by a known key is good.
    2. The note is a checkpoint of the log with this origin.
    3. The hash of the entry is at the index in the tree of the checkpoint.

    Whether the witnesses that cosigned are enough, and their times recent, is for a trust policy to say.

    Args:
        proof: What is to be checked.
        entry: Bytes of the entry; the leaf is its hash by RFC 6962, which is computed here.
        origin: Which log it has to be.
        log: Keys of the log.
        witnesses: Keys whose cosignatures are looked for.

    Raises:
        NoteError: if the log did not sign, or a signature by a known key is not good.
        CheckpointError: if the checkpoint is one of another log.
        ProofError: if the entry is not shown to be in the tree at that index.
    """
    signed = open_checkpoint(format_note(proof.note), origin, log, witnesses)
    checkpoint = signed.checkpoint
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return signed


def format_proof(proof: TlogProof) -> bytes:
    """Return the bytes of a tlog-proof file.

    Raises:
        NoteError: if the note has no bytes: no signatures, a name with spaces, and so on.
    """
    lines = [_FIRST]
    if proof.extra is not None:
        lines.append(_EXTRA + base64.b64encode(proof.extra).decode())
    lines.append(f"{_INDEX}{proof.index}")
    lines += [base64.b64encode(item).decode() for item in proof.hashes]
    return "\n".join([*lines, "", ""]).encode() + format_note(proof.note)


def parse_proof(data: bytes) -> TlogProof:
    """Return the proof that some bytes stand for. Nothing is verified yet.

    Raises:
        TlogProofError: for anything but one well-formed proof.
    """
    if len(data) > MAX_PROOF:
        raise TlogProofError(f"a proof has at most {MAX_PROOF} bytes, and this has {len(data)}")
    # The first empty line: no line of the proof is empty, and the checkpoint has one of its own.
    head, separator, note = data.partition(b"\n\n")
    if not separator:
        raise TlogProofError("no empty line separates the proof from its checkpoint")
    try:
        lines = head.decode("ascii").split("\n", MAX_HASHES + 3)
    except UnicodeDecodeError as error:
        raise TlogProofError(f"the proof above its checkpoint is not ASCII at byte {error.start}") from error
    if lines.pop(0) != _FIRST:
        raise TlogProofError(f"the first line of a proof is {_FIRST}")
    extra = None
    if lines and lines[0].startswith(_EXTRA):
        extra = _decode(lines.pop(0).removeprefix(_EXTRA), "the extra data")
    if not lines or not lines[0].startswith(_INDEX):
        raise TlogProofError("a line with the index has to follow the first line, or that of extra data")
    index = _parse_index(lines.pop(0).removeprefix(_INDEX))
    if len(lines) > MAX_HASHES:
        raise TlogProofError(f"an inclusion proof has at most {MAX_HASHES} hashes")
    hashes = tuple(_decode(line, f"hash {place} of the proof") for place, line in enumerate(lines))
    try:
        return TlogProof(index, hashes, parse_note(note), extra)
    except NoteError as error:
        raise TlogProofError(f"no signed checkpoint follows the proof: {error}") from error


def _parse_index(text: str) -> int:
    try:
        return parse_decimal(text)
    except CheckpointError as error:
        raise TlogProofError(f"the index of the proof is none: {error}") from error


def _decode(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise TlogProofError(f"{what} is not in canonical base64") from error
