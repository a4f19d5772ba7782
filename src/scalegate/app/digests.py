"""Digests of models: one SHA-256 over a sorted manifest of all files, read as a stream.

The manifest is canonical JSON: a list of `{path, sha256, size}`, sorted by the bytes of the path.
Paths are relative, with `/`. Whatever could make two readers see different files is refused: links,
special files, names that are not UTF-8.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from scalegate.app.refusal import RefusalError
from scalegate.core.canonical import Plain, digest

CHUNK = 1 << 20


def digest_model(root: Path, progress: Callable[[int], object] = lambda _: None) -> str:
    """Return the digest of a model's files: `sha256:` over the manifest of `root`.

    Args:
        root: a directory, or a single file, which is a manifest of one.
        progress: called with the number of bytes of each chunk read.

    Raises:
        RefusalError: if a file cannot be read, or something in the directory is no plain file.
    """
    try:
        mode = root.lstat().st_mode
        if stat.S_ISREG(mode):
            files = [(root.name, root)]
        elif stat.S_ISDIR(mode):
            files = sorted(_files(root, ""), key=lambda item: item[0].encode())
        else:
            raise _unfit(root, "is no file and no directory")
        if not files:
            raise _unfit(root, "holds no files")
        manifest: list[Plain] = [_line(name, path, progress) for name, path in files]
    except OSError as error:
        raise RefusalError("usage", "model-unreadable", f"cannot read `{error.filename}`: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise _unfit(root, "holds a name that is not UTF-8") from error
    return digest(manifest)


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


def _line(name: str, path: Path, progress: Callable[[int], object]) -> Plain:
    size, running = 0, hashlib.sha256()
    # The link check and the reading are one step: a link put here in between is not followed.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            running.update(chunk)
            size += len(chunk)
            progress(len(chunk))
    return {"path": name, "sha256": running.hexdigest(), "size": size}


def _unfit(path: Path, why: str) -> RefusalError:
    shown = ascii(str(path))[1:-1]
    return RefusalError(
        "refused",
        "model-unfit",
        f"`{shown:.200}` {why}",
        "a model's digest covers plain files only, so that every reader sees the same bytes",
    )
