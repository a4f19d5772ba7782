"""The text of a checkpoint: how many entries a log has, and the root of the tree over them (C2SP tlog-checkpoint).

Reading is strict, so that one text stands for one checkpoint: `format_checkpoint(parse_checkpoint(text)) == text`.
A text says nothing before the note around it is verified, which `scalegate.ledger.note` does. What cosigners sign
(C2SP tlog-cosignature) is spelled out here as well.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

# Sizes and times of C2SP are 64 bits, and readers in other languages keep them in signed integers.
MAX_INTEGER = (1 << 63) - 1
MAX_EXTENSIONS = 64
# `cosigner_name` and `log_origin` of C2SP tlog-cosignature have a length of one byte.
MAX_ORIGIN = 255
ROOT_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f]")


class CheckpointError(ValueError):
    """A text that is no checkpoint, or a checkpoint that has no text; the message says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: Which log it is; by convention a URL without a scheme.
        size: Number of entries, from 0 to 2**63 - 1.
        root: RFC 6962 root hash over that many entries, 32 bytes.
        extensions: Further lines, without their newlines. Auditors cannot check what they say.

    Raises:
        CheckpointError: from the constructor, for values that no text can carry.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            _check_line(line)
        if len(self.extensions) > MAX_EXTENSIONS:
            raise CheckpointError(f"a checkpoint has at most {MAX_EXTENSIONS} extension lines")
        if type(self.size) is not int or not 0 <= self.size <= MAX_INTEGER:
            raise CheckpointError("the size of a log is an integer from 0 to 2**63 - 1")
        if len(self.root) != ROOT_BYTES:
            raise CheckpointError(f"a root hash has 32 bytes, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            # RFC 6962 section 2.1: the hash of an empty list is that of an empty string.
            raise CheckpointError("a log without entries has one root hash, and this is another")


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that the text of a note stands for.

    Raises:
        CheckpointError: for a missing or empty line, a size with leading zeros, another base64 than the canonical
            one, control characters, or no newline at the end.
    """
    if not text.endswith("\n"):
        raise CheckpointError("the checkpoint does not end with a newline")
    lines = text[:-1].split("\n", MAX_EXTENSIONS + 4)
    if len(lines) < 3:
        raise CheckpointError("a checkpoint has at least three lines: origin, size and root hash")
    origin, size, root, *extensions = lines
    return Checkpoint(origin, parse_decimal(size), _parse_root(root), tuple(extensions))


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the text of a checkpoint: what is signed, and becomes the text of a note."""
    root = base64.b64encode(checkpoint.root).decode()
    return "".join(f"{line}\n" for line in (checkpoint.origin, checkpoint.size, root, *checkpoint.extensions))


def cosignature_message(text: str, timestamp: int) -> bytes:
    """Return what an Ed25519 cosigner signs: that at a time the log's largest tree was that of the checkpoint.

    Args:
        text: Text of a checkpoint; extension lines are signed with it, and mean nothing by that.
        timestamp: Seconds since 1970 UTC, at most 2**63 - 1.

    Raises:
        CheckpointError: if the text is no checkpoint, or the time is none.
    """
    parse_checkpoint(text)
    _check_time(timestamp)
    return b"cosignature/v1\ntime %d\n%b" % (timestamp, text.encode())


def subtree_message(text: str, cosigner: str, timestamp: int) -> bytes:
    """Return what an ML-DSA-44 cosigner signs: the `cosigned_message` for a whole tree, without extension lines.

    Args:
        text: Text of a checkpoint.
        cosigner: Name of the cosigner, at most 255 bytes.
        timestamp: Seconds since 1970 UTC, or 0 for no statement about which tree was the largest.

    Raises:
        CheckpointError: if the text is no checkpoint, the time is none, or the name or the origin is too long.
    """
    checkpoint = parse_checkpoint(text)
    _check_time(timestamp)
    parts = (
        b"subtree/v1\n\0",
        _prefixed(cosigner),
        timestamp.to_bytes(8),
        _prefixed(checkpoint.origin),
        (0).to_bytes(8),
        checkpoint.size.to_bytes(8),
        checkpoint.root,
    )
    return b"".join(parts)


def parse_decimal(text: str) -> int:
    """Return an integer from 0 to 2**63 - 1 that is written without sign, spaces or leading zeros.

    Raises:
        CheckpointError: for anything else.
    """
    number = int(text) if _DECIMAL.fullmatch(text) else -1
    if not 0 <= number <= MAX_INTEGER:
        raise CheckpointError(f"expected a decimal from 0 to 2**63 - 1 without leading zeros: {text!r:.40}")
    return number


def decode_base64(text: str) -> bytes:
    """Return the bytes that standard base64 with padding stands for (RFC 4648 section 4).

    Raises:
        ValueError: for another alphabet, spaces, missing padding, or bits behind the last byte (section 3.5), all of
            which would let two texts stand for the same bytes.
    """
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not the canonical base64 of any bytes")
    return data


def _parse_root(text: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise CheckpointError("the root hash is not in canonical base64") from error


def _check_time(timestamp: int) -> None:
    if not 0 <= timestamp <= MAX_INTEGER:
        raise CheckpointError("the time of a cosignature is from 0 to 2**63 - 1")


def _prefixed(text: str) -> bytes:
    data = text.encode()
    if not 0 < len(data) <= MAX_ORIGIN:
        raise CheckpointError(f"ML-DSA-44 cosignatures cover names of 1 to {MAX_ORIGIN} bytes, not {len(data)}")
    return bytes([len(data)]) + data


def _check_line(line: str) -> None:
    if not line:
        raise CheckpointError("a line of the checkpoint is empty")
    if _CONTROL.search(line):
        raise CheckpointError("a line of the checkpoint has a control character in it")
    try:
        line.encode()
    except UnicodeEncodeError as error:
        raise CheckpointError("a line of the checkpoint holds half of a surrogate pair") from error
