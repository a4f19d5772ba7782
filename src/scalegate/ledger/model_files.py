"""The files of a model, each read once: the bytes that are hashed are the bytes that whoever asks gets to see.

Whatever could make two readers see different files is refused: links, special files, names that are not UTF-8.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from scalegate.ledger.model_signing import Resource

CHUNK: Final = 1 << 20
# What the reference tool leaves out by default, at the top of a model only.
LEFT_OUT: Final = frozenset({".git", ".gitattributes", ".github", ".gitignore"})
_PLAIN: Final = "a model's digest covers plain files only, so that every reader sees the same bytes"


class ModelFilesError(ValueError):
    """Files that are no model's, or that two readers could see differently.

    Attributes:
        readable: False where a file could not be read.
        message: what is wrong.
        hint: what would help.
    """

    def __init__(self, message: str, hint: str = "", *, readable: bool = True) -> None:
        """Keep all of it."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.readable = readable


def _nothing(_name: str, _chunk: bytes) -> None:
    return


def read_files(
    root: Path, see: Callable[[str, bytes], object] = _nothing, refused: frozenset[str] = LEFT_OUT
) -> tuple[Resource, ...]:
    """Return all files of a model with their SHA-256, in the order of their names.

    Args:
        root: a directory, or a single file, which is listed by its own name.
        see: gets name and bytes of each chunk that is hashed, in order.
        refused: names that must not stand at the top.

    Raises:
        ModelFilesError: if a file cannot be read, something in the directory is no plain file, or a name is refused.
    """
    try:
        mode = root.lstat().st_mode
        if stat.S_ISREG(mode):
            root.name.encode("utf-8")
            files = [(root.name, root)]
        elif stat.S_ISDIR(mode):
            files = sorted(_files(root, ""))
            for name, path in files:
                if name.split("/")[0] in refused:
                    raise _left_out(root, path)
        else:
            raise _unfit(root, "is no file and no directory")
        if not files:
            raise _unfit(root, "holds no files")
        return tuple(_hashed(name, path, see) for name, path in files)
    except OSError as error:
        raise ModelFilesError(f"cannot read `{error.filename}`: {error.strerror}", readable=False) from error
    except UnicodeEncodeError as error:
        raise _unfit(root, "holds a name that is not UTF-8") from error


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            name.encode("utf-8")
            if entry.is_symlink():
                raise _unfit(Path(entry.path), "is a link")
            if entry.is_dir():
                yield from _files(Path(entry.path), f"{name}/")
            elif entry.is_file():
                yield name, Path(entry.path)
            else:
                raise _unfit(Path(entry.path), "is no plain file")


def _hashed(name: str, path: Path, see: Callable[[str, bytes], object]) -> Resource:
    running = hashlib.sha256()
    # The link check and the reading are one step: a link put here in between is not followed.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            running.update(chunk)
            see(name, chunk)
    return Resource(name, "sha256", running.hexdigest())


def _unfit(path: Path, why: str) -> ModelFilesError:
    shown = ascii(str(path))[1:-1]
    return ModelFilesError(f"`{shown:.200}` {why}", _PLAIN)


def _left_out(root: Path, path: Path) -> ModelFilesError:
    name = path.relative_to(root).parts[0]
    return ModelFilesError(
        f"the model has `{name}` at its top, which tools that sign models leave out",
        f"move `{name}` out of the directory, or digest a copy without it: what no digest covers could be exchanged",
    )
