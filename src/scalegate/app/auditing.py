"""Audits from a directory, a trust file, and statements of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scalegate.app.refusal import RefusalError
from scalegate.app.trusting import read_trust
from scalegate.audit.report import Report
from scalegate.audit.verify import verify
from scalegate.ledger.leaf import MAX_LEAF
from scalegate.ledger.note import MAX_NOTE
from scalegate.ledger.sealed import OpeningKey, SealError

# What lies beside statements, and is none.
RECEIPTS = (".receipt", ".tlog-proof")
MAX_PEM = 65_536


@dataclass(frozen=True, slots=True)
class Brought:
    """What whoever verifies brings along.

    Attributes:
        trust: his trust file.
        own: a folder of statements that he signed for the log; None for none.
        kept: checkpoints of the log that he kept, or has from other readers.
        permits: digests of answers that somebody acts on.
        opening: files with his private X25519 keys, for logs that were sealed for him.
    """

    trust: Path
    own: Path | None = None
    kept: Sequence[Path] = ()
    permits: Sequence[str] = ()
    opening: Sequence[Path] = ()


def audit(folder: Path, brought: Brought, now: int) -> Report:
    """Audit a bundle at a time, in seconds since 1970.

    Raises:
        RefusalError: if something of what is brought along cannot be read.
    """
    known = read_trust(brought.trust)
    keys = [_opening_key(path) for path in brought.opening]
    kept = [_checkpoint(path) for path in brought.kept]
    own = _statements(brought.own) if brought.own is not None else ()
    return verify(folder, known, now, own, brought.permits, kept, keys)


def _checkpoint(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE + 1)
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error


def _opening_key(path: Path) -> OpeningKey:
    try:
        with path.open("rb") as file:
            return OpeningKey.from_pem(file.read(MAX_PEM))
    except OSError as error:
        raise RefusalError("usage", "file-unreadable", f"cannot read `{path}`: {error.strerror}") from error
    except SealError as error:
        raise RefusalError(
            "malformed",
            "key-unfit",
            f"`{path}`: {error}",
            "`openssl genpkey -algorithm x25519` makes one; a key with a password is opened before it is given",
        ) from error


def _statements(folder: Path) -> Iterator[bytes]:
    try:
        for path in sorted(folder.rglob("*")):
            # Whatever it is called: a statement that was overlooked is one that nobody misses.
            if path.is_file() and path.suffix not in RECEIPTS:
                with path.open("rb") as file:
                    yield file.read(MAX_LEAF + 1)
    except OSError as error:
        raise RefusalError("usage", "folder-unreadable", f"cannot read `{folder}`: {error.strerror}") from error
