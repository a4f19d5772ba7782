"""A directory that holds everything: the log as tiles, and its documents by digest. Somebody else may have made it.

    checkpoint, tile/...        the log, in the layout of C2SP tlog-tiles
    blobs/sha256/AB/...         logs of evaluations, item orders, decisions, by digest
    redacted/RUN-ENTRY.jsonl    scores of a run whose log is not handed over
    sealed/, openings/          logs encrypted for an auditor, and samples shown to him
    derived/, attestations/     what follows from the rest, for other verifiers
    trust                       the trust file in force, as the log has it; whoever verifies brings his own

Nothing in it is believed: no link is followed, no document is used before its digest was recomputed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from scalegate.ledger.log_folder import LogFolder

CHUNK = 1 << 20
DOCUMENTS = "blobs/sha256"
MAX_FILES = 5_000_000
# Of a document that is read into memory: orders and policies; logs of evaluations are read as files.
MAX_DOCUMENT = 1 << 28
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


class BundleError(ValueError):
    """A directory that is no bundle, or one that is not to be opened; the message says why."""


class Bundle:
    """The directory."""

    def __init__(self, folder: Path) -> None:
        """Look at every name in the directory, once.

        Raises:
            BundleError: if there is none, or it holds a link, a device, a pipe, or a name that is not UTF-8.
        """
        self.folder = folder
        if not folder.is_dir():
            raise BundleError(f"`{folder}` is no directory")
        try:
            self.files = frozenset(_files(folder, ""))
        except OSError as error:
            raise BundleError(f"`{folder}` cannot be read: {error.strerror}") from error
        self.log = LogFolder(folder)
        self._good: set[str] = set()

    def blob(self, digest: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            KeyError: if they are not in the bundle.
            BundleError: if what stands there has another digest.
        """
        path = self.locate(digest)
        try:
            if path.stat().st_size > MAX_DOCUMENT:
                raise BundleError(f"{digest} is larger than any document that is read whole")
            return path.read_bytes()
        except OSError as error:
            raise BundleError(f"{digest} cannot be read: {error.strerror}") from error

    def locate(self, digest: str) -> Path:
        """Return the path of the bytes of a digest, which was recomputed.

        Raises:
            KeyError: if they are not in the bundle.
            BundleError: if what stands there has another digest.
        """
        match = _DIGEST.fullmatch(digest)
        name = f"{DOCUMENTS}/{match[1][:2]}/{match[1]}" if match else ""
        if match is None or name not in self.files:
            raise KeyError(digest)
        path = self.folder / name
        running = hashlib.sha256()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                while chunk := file.read(CHUNK):
                    running.update(chunk)
        except OSError as error:
            raise BundleError(f"{name} cannot be read: {error.strerror}") from error
        if running.hexdigest() != match[1]:
            raise BundleError(f"{name} does not have the digest that is its name")
        self._good.add(name)
        return path

    def unread(self) -> list[str]:
        """Return the digests of the documents that nobody located so far, sorted; others than digests are no names."""
        return [f"sha256:{name.rpartition('/')[2]}" for name in self.named(f"{DOCUMENTS}/") if name not in self._good]

    def named(self, prefix: str) -> list[str]:
        """Return the names under a prefix, sorted."""
        return sorted(name for name in self.files if name.startswith(prefix))


def _files(folder: Path, prefix: str) -> Iterator[str]:
    count = 0
    waiting = [prefix]
    while waiting:
        place = waiting.pop()
        with os.scandir(folder / place) as listed:
            for item in listed:
                count += 1
                name = f"{place}{item.name}"
                if count > MAX_FILES:
                    raise BundleError(f"the directory has more than {MAX_FILES} names")
                try:
                    name.encode("utf-8")
                except UnicodeEncodeError:
                    raise BundleError(f"a name in the directory is not UTF-8: {name!a}") from None
                mode = item.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    waiting.append(f"{name}/")
                elif stat.S_ISREG(mode):
                    yield name
                else:
                    raise BundleError(f"{name!a} is a link or a special file: a bundle has neither")
