"""A job's key: Ed25519, in a file that only its owner reads. Whoever has it is the job, until its permit ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nacl.signing import SigningKey

from scalegate.core.ports import SignatureAlgorithm
from scalegate.ledger.files import write_durably
from scalegate.ledger.signatures import PublicKey

KEY_SUFFIX = ".key"
_FIRST = "scalegate job key v1\n"
_SIZE = len(_FIRST) + 64 + 1


class JobKeyError(ValueError):
    """A file that is no job's key, or one that others can read; the message says why."""


class JobKey:
    """Signs what a job reports."""

    def __init__(self, seed: bytes) -> None:
        """Keep the key of a seed of 32 bytes."""
        self._key = SigningKey(seed)
        self.key = PublicKey("ed25519", bytes(self._key.verify_key))

    def __repr__(self) -> str:
        return f"JobKey({self.key.digest})"

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.key.public

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """Always Ed25519."""
        return "ed25519"

    def sign(self, message: bytes) -> bytes:
        """Return an Ed25519 signature (RFC 8032)."""
        return bytes(self._key.sign(message).signature)

    @classmethod
    def create(cls, path: Path) -> JobKey:
        """Make a key and write it, readable by its owner alone.

        Raises:
            JobKeyError: if the file exists, or cannot be written.
        """
        seed = os.urandom(32)
        _write(path, seed)
        return cls(seed)

    @classmethod
    def read(cls, path: Path) -> JobKey:
        """Return the key in a file.

        Raises:
            JobKeyError: if it cannot be read, is none, or others than its owner could read it.
        """
        try:
            facts = path.stat()
        except OSError as error:
            raise JobKeyError(f"the job's key `{path}` cannot be read: {error.strerror}") from error
        try:
            text = path.read_text(encoding="ascii") if facts.st_size == _SIZE else ""
            seed = bytes.fromhex(text.removeprefix(_FIRST))
        except OSError as error:
            raise JobKeyError(f"the job's key `{path}` cannot be read: {error.strerror}") from error
        except ValueError:
            text, seed = "", b""
        if text != f"{_FIRST}{seed.hex()}\n" or len(seed) != 32:
            raise JobKeyError(f"`{path}` is no key of a job")
        if stat.S_IMODE(facts.st_mode) & 0o077:
            raise JobKeyError(f"`{path}` can be read by others: `chmod 600` it, and ask for a new permit if they did")
        return cls(seed)

    def copy_to(self, path: Path) -> None:
        """Write the key once more, beside the next permit of the same job; nothing where it stands there already.

        Raises:
            JobKeyError: if another key stands there, or the file cannot be written.
        """
        if path.exists():
            if JobKey.read(path).key != self.key:
                raise JobKeyError(f"`{path}` is the key of another job")
            return
        _write(path, bytes(self._key))


def _write(path: Path, seed: bytes) -> None:
    if path.exists():
        raise JobKeyError(f"`{path}` exists, and no key is written over another one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, f"{_FIRST}{seed.hex()}\n".encode(), mode=0o600)
    except OSError as error:
        raise JobKeyError(f"the job's key `{path}` cannot be written: {error.strerror}") from error
