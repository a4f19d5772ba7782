"""Logs that a bundle holds sealed for auditors: opened with a key, and from then on like any other document.

    sealed/HEX      a document by its digest, sealed for its recipients (`scalegate.ledger.sealed`)

What is opened has the digest that the ledger names, or is not used. It is kept in a folder of the caller, who removes
it: the text of a log is not left behind by an audit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from scalegate.audit.bundle import Bundle, BundleError
from scalegate.ledger.sealed import NotRecipientError, OpeningKey, SealError, SealUnavailableError, open_stream

FOLDER = "sealed/"


class SealedError(KeyError):
    """A document that is in the bundle, but sealed, and no key at hand opens it; the message says why."""


class Unsealed(Bundle):
    """A bundle whose sealed documents can be had as well."""

    def __init__(self, bundle: Bundle, keys: Sequence[OpeningKey], scratch: Path) -> None:
        """Look into a bundle with keys.

        Args:
            bundle: the bundle, whose names were looked at before.
            keys: private keys of recipients; none opens nothing.
            scratch: an empty folder that nobody else can read.
        """
        vars(self).update(vars(bundle))  # what was looked at once is not looked at again
        self._keys = keys
        self._scratch = scratch

    def locate(self, digest: str) -> Path:
        """Return the path of the bytes of a digest, which was recomputed.

        Raises:
            KeyError: if they are not in the bundle.
            SealedError: if they are there, and cannot be opened.
            BundleError: if what stands there has another digest, or was changed.
        """
        try:
            return super().locate(digest)
        except KeyError:
            name = sealed_name(digest)
            if name not in self.files:
                raise
        path = self._scratch / name.removeprefix(FOLDER)
        if not path.exists():
            self._open(name, digest, path)
        return path

    def _open(self, name: str, digest: str, path: Path) -> None:
        """Write the plain bytes of a sealed document to a path, whole or not at all."""
        draft = path.with_suffix(".part")
        try:
            for key in self._keys:
                try:
                    with _reader(self.folder / name) as source, draft.open("wb") as target:
                        open_stream(source, target, key, digest)
                except NotRecipientError:
                    continue
                draft.replace(path)
                return
        except SealUnavailableError as error:
            raise SealedError(f"{digest} is sealed: {error}") from error
        except SealError as error:
            raise BundleError(f"{name}: {error}") from error
        except OSError as error:
            raise BundleError(f"{name} cannot be opened: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)
        raise SealedError(f"{digest} is sealed in the bundle, and no key that was given opens it")


def sealed_name(digest: str) -> str:
    """Return where a sealed document stands in a bundle."""
    return f"{FOLDER}{digest.removeprefix('sha256:')}"


def _reader(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
