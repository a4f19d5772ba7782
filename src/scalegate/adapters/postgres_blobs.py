"""Bytes by digest in PostgreSQL, in parts, with copies in a local folder for readers of files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import psycopg

from scalegate.core.canonical import digest_bytes
from scalegate.ledger import blobs
from scalegate.ledger.errors import StoreDamagedError

_KEEP: Final = "INSERT INTO scalegate.blobs VALUES (%b, %b, %b) ON CONFLICT DO NOTHING"
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_PART: Final = "SELECT data FROM scalegate.blobs WHERE digest = %b AND part = %b"


class PostgresBlobs:
    """The table `blobs` over one connection, and a local folder with copies."""

    def __init__(self, db: psycopg.Connection[Any], folder: Callable[[], Path]) -> None:
        """Keep the connection, and what makes or finds the folder."""
        self._db = db
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep some bytes durably, and return their digest.

        Raises:
            StoreDamagedError: if other bytes are kept under that digest.
        """
        digest = digest_bytes(data)
        self._keep(digest, (data[start : start + blobs.CHUNK] for start in range(0, max(len(data), 1), blobs.CHUNK)))
        return digest

    def put_file(self, source: Path) -> str:
        """Keep a file durably, and return its digest; it is read once, into a local copy.

        Raises:
            OSError: if the file cannot be read, is no plain file, or the copy cannot be written.
            StoreDamagedError: if other bytes are kept under that digest.
        """
        folder = self._folder()
        digest = blobs.put_file(folder, source)
        with blobs.locate(folder, digest).open("rb") as file:
            self._keep(digest, _read(file))
        return digest

    def locate(self, digest: str) -> Path:
        """Return the path of a local copy, made on first use.

        Raises:
            KeyError: if the bytes are not there.
            StoreDamagedError: if what is there has another digest.
            OSError: if the copy cannot be written.
        """
        folder = self._folder()
        try:
            return blobs.locate(folder, digest)
        except KeyError:
            draft = folder / f".{os.urandom(6).hex()}"
        try:
            with draft.open("xb") as file:
                for part in self._parts(digest):
                    file.write(part)
            blobs.put_file(folder, draft)
        finally:
            draft.unlink(missing_ok=True)
        return blobs.locate(folder, digest)

    def get(self, digest: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            KeyError: if they are not there.
            StoreDamagedError: if what is there has another digest.
        """
        return b"".join(self._parts(digest))

    def _keep(self, digest: str, parts: Iterator[bytes]) -> None:
        fresh = True
        with self._db.transaction():
            for number, part in enumerate(parts):
                fresh = self._db.execute(_KEEP, (digest, number, part)).rowcount == 1 and fresh
        if not fresh:
            # Somebody kept them before: the same bytes, or this raises.
            for _ in self._parts(digest):
                pass

    def _parts(self, digest: str) -> Iterator[bytes]:
        """Yield the parts of a digest, and raise an error behind the last if they are not its bytes."""
        if not _DIGEST.fullmatch(digest):
            raise KeyError(digest)
        running = hashlib.sha256()
        number = 0
        while (row := self._db.execute(_PART, (digest, number), binary=True).fetchone()) is not None:
            running.update(row[0])
            yield row[0]
            number += 1
        if not number:
            raise KeyError(digest)
        if f"sha256:{running.hexdigest()}" != digest:
            raise StoreDamagedError(f"the bytes kept as {digest} have another digest")


def _read(file: BinaryIO) -> Iterator[bytes]:
    """Yield the parts of a file; one without any bytes has one part."""
    part = file.read(blobs.CHUNK)
    yield part
    while part := file.read(blobs.CHUNK):
        yield part
