"""A witness: cosigns the checkpoints of logs, each only if it continues the one before (C2SP tlog-witness).

Here is what a witness decides; `scalegate.adapters.witness_server` lets others ask. Who runs a log cannot get two
histories cosigned, whatever they send: for each log there is one head, a new one has to continue it by a proof, and
it is on the disk before the cosignature leaves the house. What the entries say is not looked at.

**One cosignature for each size of a log.** Cosignatures are bytes that a log cannot choose, and the order of
evaluation items is drawn from them. So nobody may ask until they like the answer: who asks again for the checkpoint
that was cosigned last gets the same bytes, with the time of the first asking, and a checkpoint of that size with
another text, be it in its extension lines, is refused. A fresh time takes a new entry in the log.

Times never go back: where the clock does, a cosignature states the time of the one before it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scalegate.core.ports import Signer
from scalegate.ledger.checkpoint import (
    MAX_INTEGER,
    MAX_ORIGIN,
    Checkpoint,
    CheckpointError,
    decode_base64,
    parse_checkpoint,
    parse_decimal,
)
from scalegate.ledger.merkle import HASH_SIZE
from scalegate.ledger.note import Note, NoteError, NoteKey, SignedCheckpoint, open_checkpoint
from scalegate.ledger.proof import ProofError, verify_consistency
from scalegate.ledger.witness_state import (
    Cosigned,
    WitnessState,
    WitnessStateDamagedError,
    WitnessStateError,
    WitnessStateMissingError,
    read_history,
)

__all__ = [
    "MAX_PROOF",
    "MAX_REQUEST",
    "PLAIN",
    "SIZE",
    "Answer",
    "Cosigned",
    "Request",
    "Witness",
    "WitnessRequestError",
    "WitnessState",
    "WitnessStateDamagedError",
    "WitnessStateError",
    "WitnessStateMissingError",
    "format_request",
    "parse_request",
    "read_history",
]

MAX_REQUEST: Final = 1 << 16
MAX_PROOF: Final = 63
PLAIN: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"
_OLD = b"old "


class WitnessRequestError(ValueError):
    """Bytes that are no `add-checkpoint` request; the message says why, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to cosign a checkpoint. Nothing about it is verified.

    Attributes:
        old_size: Size that the proof starts from.
        proof: Hashes of the consistency proof, 32 bytes each.
        checkpoint: What the text of the note stands for.
        note: Bytes of the note around the checkpoint.
    """

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer over HTTP: status, content type and body. Nothing of the request is quoted in it."""

    status: int
    content_type: str
    body: bytes


def parse_request(body: bytes) -> Request:
    """Return the request that a body stands for.

    Raises:
        WitnessRequestError: for anything but an `old` line, at most 63 lines with a hash each, an empty line, and a
            note with a checkpoint in it; all of at most 64 KiB.
    """
    if len(body) > MAX_REQUEST:
        raise WitnessRequestError(f"a request has at most {MAX_REQUEST} bytes")
    head, empty, note = body.partition(b"\n\n")
    text, end, _ = note.rpartition(b"\n\n")
    if not empty or not end:
        raise WitnessRequestError("a request is an old size, a proof, an empty line, and a checkpoint with signatures")
    old_size, proof = _parse_head(head)
    try:
        checkpoint = parse_checkpoint(text.decode() + "\n")
    except (UnicodeDecodeError, CheckpointError) as error:
        raise WitnessRequestError("the text of the note is no checkpoint") from error
    return Request(old_size, proof, checkpoint, note)


def format_request(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Return the body of a request to cosign the checkpoint in a note.

    Raises:
        WitnessRequestError: if it would be none.
    """
    hashes = b"".join(base64.b64encode(item) + b"\n" for item in proof)
    body = b"old %d\n%b\n%b" % (old_size, hashes, note)
    parse_request(body)
    return body


class Witness:
    """Decides about checkpoints, from the memory of a witness and with its key."""

    def __init__(self, state: WitnessState, signer: Signer, logs: Mapping[str, tuple[NoteKey, ...]]) -> None:
        """Answer for some logs.

        Args:
            state: memory of the witness, and its key.
            signer: who holds the private key.
            logs: keys of each log, by its origin.

        Raises:
            NoteError: if the signer has another key, a log has no keys, too long an origin, or the key of the witness.
        """
        if (signer.algorithm, signer.public) != (state.key.key.algorithm, state.key.key.public):
            raise NoteError(f"the signer has another key than that of the witness {state.key.name}")
        for origin, keys in logs.items():
            if not keys or not 0 < len(origin.encode()) <= MAX_ORIGIN:
                raise NoteError(f"a log has a key or more, and an origin of 1 to {MAX_ORIGIN} bytes: {origin!r:.80}")
            if any(key.key == state.key.key for key in keys):
                raise NoteError(f"the log {origin!r:.80} has the key of its witness: nobody witnesses themselves")
        self._state = state
        self._signer = signer
        self._logs = dict(logs)

    @property
    def key(self) -> NoteKey:
        """The key that verifies what this witness signs."""
        return self._state.key

    def heads(self) -> dict[str, Cosigned | None]:
        """Return the last cosigned checkpoint of each log by its origin, None where there is none yet.

        Raises:
            WitnessStateError: if the memory cannot be used.
        """
        with self._state.exclusive:
            return {origin: self._state.head(origin) for origin in self._logs}

    def add_checkpoint(self, body: bytes, now: int) -> Answer:
        """Answer a request to cosign a checkpoint.

        The statuses are those of the specification: 200 with the cosignature, 400 for what is no request, 404 for
        a log that is not known here, 403 if none of its keys signed well, 409 with the size of the last cosigned
        checkpoint if the request starts from another one or is for another checkpoint of that size, and 422 for a
        proof that does not hold.

        Args:
            body: Body of the request.
            now: Seconds since 1970 UTC.

        Raises:
            ValueError: if the time is none.
            WitnessStateError: if the memory cannot be used: nothing is signed then.
            NoteError: if the signer failed to sign.
        """
        if not 0 < now <= MAX_INTEGER:
            raise ValueError(f"a witness needs the time, and {now} is none")
        try:
            request = parse_request(body)
        except WitnessRequestError as error:
            return _refusal(400, str(error))
        origin, size = request.checkpoint.origin, request.checkpoint.size
        keys = self._logs.get(origin)
        if keys is None:
            return _refusal(404, "this witness does not know the log of the checkpoint")
        try:
            opened = open_checkpoint(request.note, origin, keys)
        except (NoteError, CheckpointError):
            return _refusal(403, "the checkpoint has no good signature by a key that this witness knows for the log")
        if request.old_size > size:
            return _refusal(400, "the old size is larger than that of the checkpoint")
        with self._state.exclusive:
            last = self._state.head(origin)
            return _objection(request, opened, last) or self._cosign(opened, keys, last, now)

    def _cosign(self, opened: SignedCheckpoint, keys: tuple[NoteKey, ...], last: Cosigned | None, now: int) -> Answer:
        """Return the cosignature of the next checkpoint, or the one that there is of the last."""
        text = opened.note.text
        if last is None or last.note.text != text:
            time = now if last is None else max(now, last.time)
            by_log = {(key.name, key.key_id) for key in keys}
            # Signatures by nobody known were not looked at, and are not kept; a repeated one is kept once.
            kept = {
                (item.name, item.key_id): item for item in opened.note.signatures if (item.name, item.key_id) in by_log
            }
            cosignature = self.key.sign(text, self._signer, time)
            last = self._state.record(opened.checkpoint.origin, Note(text, (*kept.values(), cosignature)))
        return Answer(200, PLAIN, last.line)


def _parse_head(head: bytes) -> tuple[int, tuple[bytes, ...]]:
    old, *hashes = head.split(b"\n", MAX_PROOF + 1)
    if not old.startswith(_OLD):
        raise WitnessRequestError("the first line is `old` and the size that the proof starts from")
    if len(hashes) > MAX_PROOF:
        raise WitnessRequestError(f"a proof has at most {MAX_PROOF} hashes")
    try:
        old_size = parse_decimal(old.removeprefix(_OLD).decode("ascii"))
    except (UnicodeDecodeError, CheckpointError) as error:
        raise WitnessRequestError("the old size is a decimal from 0 to 2**63 - 1 without leading zeros") from error
    try:
        proof = tuple(decode_base64(item.decode("ascii")) for item in hashes)
    except ValueError as error:
        raise WitnessRequestError("a hash of the proof is not in canonical base64") from error
    if any(len(item) != HASH_SIZE for item in proof):
        raise WitnessRequestError(f"a hash of the proof has not {HASH_SIZE} bytes")
    return old_size, proof


def _objection(request: Request, opened: SignedCheckpoint, last: Cosigned | None) -> Answer | None:
    """Return why a checkpoint is not the last one that was cosigned, and does not continue it either."""
    known = 0 if last is None else last.checkpoint.size
    size = opened.checkpoint.size
    if request.old_size != known:
        return _conflict(known)
    if last is not None and size == known and last.note.text != opened.note.text:
        return _conflict(known)
    if (request.old_size == 0 or size == known) and request.proof:
        return _refusal(422, "there is nothing to prove, and a proof that it is")
    if request.old_size == 0 or last is None:
        return None
    try:
        verify_consistency(known, size, request.proof, last.checkpoint.root, opened.checkpoint.root)
    except ProofError as error:
        return _refusal(422, str(error))
    return None


def _conflict(size: int) -> Answer:
    return Answer(409, SIZE, b"%d\n" % size)


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, PLAIN, f"{reason}\n".encode())
