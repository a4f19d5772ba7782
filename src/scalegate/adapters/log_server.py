"""A log for others to read (C2SP tlog-tiles): /checkpoint and /tile/..., and no other path.

What is served is what `read` has; from a folder only plain files, reached without links. Readers check it against a
signed checkpoint: who changes the files can make proofs fail, and cannot make a false one hold.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from scalegate.adapters.listening import PLAIN, Answers, Limits, Listener, Reply, Report, Request
from scalegate.ledger.note import MAX_NOTE
from scalegate.ledger.tiles import MAX_ENTRY, TILE_WIDTH, TilePathError, parse_path

Read: TypeAlias = Callable[[str], bytes | None]

CHECKPOINT = "checkpoint"
BYTES = "application/octet-stream"
# A bundle of 256 entries, each of the largest size, behind its length.
MAX_FILE = max(MAX_NOTE, TILE_WIDTH * (2 + MAX_ENTRY))
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}


def log_answers(read: Read) -> Answers:
    """Return what answers for a log.

    Args:
        read: gets `checkpoint`, or the path of a tile or bundle in its one form, and returns the bytes, or None
            where there are none.
    """

    def answer(request: Request) -> Reply:
        path = request.target.removeprefix("/")
        if not request.target.startswith("/") or not _known(path):
            return _absent()
        if request.method != "GET":
            return Reply(405, PLAIN, b"a log is only read here\n", (("Allow", "GET, HEAD"),))
        data = read(path)
        if data is None:
            return _absent()
        if path == CHECKPOINT:
            return Reply(200, PLAIN, data, (("Cache-Control", "no-cache"),))
        return Reply(200, BYTES, data, (("Cache-Control", "public, max-age=31536000, immutable"),))

    return answer


def serve(
    read: Read,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    limits: Limits | None = None,
    report: Report | None = None,
) -> Listener:
    """Return a listener that shows a log once it is started.

    Args:
        read: as for `log_answers`.
        host: interface to listen on.
        port: its port, 0 for any that is free.
        limits: how much to bear.
        report: told one line for each answer.

    Raises:
        OSError: if the port cannot be taken.
    """
    return Listener(log_answers(read), host, port, limits=limits, report=report)


def read_folder(folder: Path) -> Read:
    """Return what reads the files of a folder, and follows no link below it.

    What it returns raises OSError for a file that is there and cannot be read, is no plain file, or is larger than
    any tile, bundle or checkpoint.
    """

    def read(path: str) -> bytes | None:
        *parents, name = path.split("/")
        if not all(part and part not in {".", ".."} for part in (*parents, name)):
            return None
        try:
            descriptor = _open(folder, parents, name)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise OSError(errno.EFBIG, "the file is larger than any part of a log", path)
        return data

    return read


def _open(folder: Path, parents: list[str], name: str) -> int:
    """Return a descriptor of a file, reached step by step."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            inner = os.open(part, _FOLDER, dir_fd=place)
            os.close(place)
            place = inner
        return os.open(name, _FILE, dir_fd=place)
    finally:
        os.close(place)


def _known(path: str) -> bool:
    if path == CHECKPOINT:
        return True
    try:
        parse_path(path)
    except TilePathError:
        return False
    return True


def _absent() -> Reply:
    # Tiles come to be: nobody may remember that one was missing.
    return Reply(404, PLAIN, b"the log has no such part\n", (("Cache-Control", "no-store"),))
