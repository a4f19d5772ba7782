"""Files that people asked for: written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from scalegate.app.refusal import RefusalError
from scalegate.ledger.files import write_durably


def save(path: Path, data: bytes) -> None:
    """Write a file durably, in place of an older one.

    Raises:
        RefusalError: if it cannot be written.
    """
    try:
        write_durably(path, data)
    except OSError as error:
        raise RefusalError("usage", "file-unwritable", f"cannot write `{path}`: {error.strerror}") from error
