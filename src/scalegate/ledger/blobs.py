"""Bytes kept by their digest: logs and documents that are too large for an entry."""

from __future__ import annotations

import re
from pathlib import Path

from scalegate.core.canonical import digest_bytes
from scalegate.ledger.errors import StoreDamagedError
from scalegate.ledger.files import sync_folder, write_durably

FOLDER = "blobs"
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
    for missing in (folder / FOLDER, path.parent.parent, path.parent):
        if not missing.is_dir():
            missing.mkdir(exist_ok=True)
            sync_folder(missing.parent)
    write_durably(path, data)
    return digest


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
