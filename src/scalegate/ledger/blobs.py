"""Bytes kept by their digest: logs and documents that are too large for an entry."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path

from scalegate.core.canonical import digest_bytes
from scalegate.ledger.errors import StoreDamagedError
from scalegate.ledger.files import sync_folder, write_durably

FOLDER = "blobs"
CHUNK = 1 << 20
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def put(folder: Path, data: bytes) -> str:
    """Keep some bytes in the store `folder`, and return their digest, `sha256:` and hex.

    Raises:
        OSError: if they cannot be written.
    """
    digest = digest_bytes(data)
    path = _path(folder, digest)
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return digest
    _make_folders(folder, path)
    write_durably(path, data)
    return digest


def put_file(folder: Path, source: Path) -> str:
    """Keep a copy of a file in the store `folder`, read once as a stream, and return its digest.

    Raises:
        OSError: if the file cannot be read, is no plain file, or the copy cannot be written.
    """
    drafts = folder / FOLDER
    drafts.mkdir(exist_ok=True)
    draft = drafts / f".{os.urandom(6).hex()}"
    running = hashlib.sha256()
    # Without blocking: a named pipe would wait for a writer forever.
    descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(source))
    try:
        with os.fdopen(descriptor, "rb") as file, draft.open("xb") as copy:
            while chunk := file.read(CHUNK):
                running.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        digest = f"sha256:{running.hexdigest()}"
        path = _path(folder, digest)
        _make_folders(folder, path)
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
    return digest


def fetch(folder: Path, digest: str, target: Path) -> None:
    """Copy the bytes of a digest out of a folder that somebody else may have made, into a new file.

    Raises:
        KeyError: if they are not there.
        StoreDamagedError: if what is there has another digest.
        OSError: if something on the way is a link, or no plain file, or cannot be read or written.
    """
    names = _path(folder, digest).relative_to(folder).parts
    running = hashlib.sha256()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for place, name in enumerate(names, 1):
            kind = os.O_NONBLOCK if place == len(names) else os.O_DIRECTORY
            inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", digest)
        with os.fdopen(descriptor, "rb", closefd=False) as file, target.open("xb") as copy:
            while chunk := file.read(CHUNK):
                running.update(chunk)
                copy.write(chunk)
    except FileNotFoundError as error:
        raise KeyError(digest) from error
    finally:
        os.close(descriptor)
    if f"sha256:{running.hexdigest()}" != digest:
        target.unlink()
        raise StoreDamagedError(f"the bytes under the name {digest} have another digest")


def locate(folder: Path, digest: str) -> Path:
    """Return where the bytes of a digest are kept.

    Raises:
        KeyError: if they are not there.
    """
    path = _path(folder, digest)
    if not path.is_file():
        raise KeyError(digest)
    return path


def _make_folders(folder: Path, path: Path) -> None:
    for missing in (folder / FOLDER, path.parent.parent, path.parent):
        if not missing.is_dir():
            missing.mkdir(exist_ok=True)
            sync_folder(missing.parent)


def get(folder: Path, digest: str) -> bytes:
    """Return the bytes of a digest.

    Raises:
        KeyError: if they are not there.
        StoreDamagedError: if what is there has another digest.
    """
    try:
        data = _path(folder, digest).read_bytes()
    except OSError as error:
        raise KeyError(digest) from error
    if digest_bytes(data) != digest:
        raise StoreDamagedError(f"the bytes kept as {digest} have another digest")
    return data


def _path(folder: Path, digest: str) -> Path:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise KeyError(digest)
    text = match[1]
    return folder / FOLDER / "sha256" / text[:2] / text
