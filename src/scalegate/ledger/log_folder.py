"""The files of a log in a folder that somebody else may have made, read without following any link.

Whoever made the folder can leave files out or fill them with anything, which `scalegate.ledger.mirror` notices. He
cannot make a reader open what is outside, wait for a pipe, or take in a file that is larger than any of a log.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from scalegate.ledger.tiles import MAX_ENTRY, TILE_WIDTH

# Of the largest entry bundle: 256 entries, each after two bytes with its length.
MAX_FILE = TILE_WIDTH * (MAX_ENTRY + 2)
# What opening says of a link, of a file where a folder has to be, of a pipe or socket, and of a name too long.
_NOT_A_FILE = {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENAMETOOLONG}


class MirrorError(ValueError):
    """A log whose files are not what its checkpoint says.

    Attributes:
        path: Path of the file at fault, under the prefix of the log.
    """

    def __init__(self, path: str, message: str) -> None:
        """Take the path, and what is wrong with the file."""
        super().__init__(f"{path}: {message}")
        self.path = path


class FileShapeError(MirrorError):
    """A file that is cut short, too long, malformed, a link, or none that can be read."""


class LogFolder:
    """The files of a log in a folder. No link is followed, so that a folder from somebody else shows only itself."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Path) -> None:
        """Look at a folder; nothing is read yet."""
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none.

        Raises:
            FileShapeError: if the path leaves the folder, something on it is a link, or it ends at no ordinary file or
                at one larger than any file of a log.
            OSError: if the file cannot be read.
        """
        parts = path.split("/")
        if any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise FileShapeError(path, "a path of a log has no empty, `.` or `..` elements")
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for place, part in enumerate(parts, 1):
                # Not blocking: a pipe that somebody put there would wait for a writer.
                kind = os.O_NONBLOCK if place == len(parts) else os.O_DIRECTORY
                inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            return _read_whole(descriptor, path)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                raise FileShapeError(path, "there is a link, or something else that is no file of a log") from error
            raise
        finally:
            os.close(descriptor)

    def paths(self) -> Iterator[str]:
        """Yield the paths of everything in the folder that is no folder, links included.

        Raises:
            OSError: if a folder cannot be listed.
        """
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            with os.scandir(self._folder / prefix) as listed:
                for item in listed:
                    path = f"{prefix}{item.name}"
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(f"{path}/")
                    else:
                        yield path


def _read_whole(descriptor: int, path: str) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise FileShapeError(path, "there is a folder, or something else that is no file of a log")
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise FileShapeError(path, f"it is longer than {MAX_FILE} bytes, which no file of a log is")
    return data
