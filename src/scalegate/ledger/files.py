"""Files that are there whole or not at all, also after a crash."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, data: bytes, *, named: bool = True, mode: int = 0o644) -> None:
    """Write a file so that a crash leaves the old contents or the new, and returning means new.

    Args:
        path: the file.
        data: its contents.
        named: without it a crash right after may leave the old contents, which takes half the time.
        mode: who may read and write it.

    Raises:
        OSError: if it cannot be written.
    """
    # Not a fixed name: two writers of one blob must not write into one another's file.
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if named:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        OSError: if it cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
