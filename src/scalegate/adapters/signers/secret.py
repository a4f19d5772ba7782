"""Where passphrases and PINs come from: the environment, a file that it names, or whoever sits at the terminal.

Never from the arguments of a command, which every user of the machine can read, and never into a message.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from scalegate.adapters.signers import SignerError

PASSPHRASE = "SCALEGATE_PASSPHRASE"  # noqa: S105 - the name of a variable
PIN = "SCALEGATE_PIN"
# What a new passphrase needs at least, in bytes. Nothing here can tell a good one from a bad one of this length.
MIN_NEW = 12
MAX_SECRET = 1_024
_FILE = "_FILE"

# What it is for, and whether it is to be typed twice, being new.
Ask: TypeAlias = Callable[[str, bool], str]


@dataclass(frozen=True, slots=True)
class Secrets:
    """Asks for passphrases and PINs, each when it is needed.

    Attributes:
        environ: The environment.
        ask: Asks whoever sits at the terminal; None where nobody does.
    """

    environ: Mapping[str, str] = field(repr=False)
    ask: Ask | None = field(default=None, repr=False)

    def passphrase(self, name: str) -> bytes:
        """Return the passphrase of a key that exists.

        Raises:
            SignerError: if there is none, or it cannot be read.
        """
        return self._get(PASSPHRASE, f"passphrase of the key `{name:.80}`", new=False)

    def new_passphrase(self, name: str) -> bytes:
        """Return a passphrase for a key that is being made.

        Raises:
            SignerError: if there is none, it cannot be read, or it is short.
        """
        found = self._get(PASSPHRASE, f"passphrase for the new key `{name:.80}`", new=True)
        if len(found) < MIN_NEW:
            raise SignerError(
                "usage",
                "passphrase-short",
                f"the passphrase is shorter than {MIN_NEW} bytes",
                "take several random words; `--unprotected` keeps the key without a passphrase",
            )
        return found

    def pin(self, token: str) -> str:
        """Return the PIN of a token.

        Raises:
            SignerError: if there is none, or it is no text.
        """
        found = self._get(PIN, f"PIN of the token of `{token:.80}`", new=False)
        try:
            return found.decode()
        except UnicodeDecodeError:
            raise SignerError("usage", "pin-unfit", "the PIN is not UTF-8") from None

    def _get(self, variable: str, what: str, *, new: bool) -> bytes:
        here, path = self.environ.get(variable, ""), self.environ.get(variable + _FILE, "")
        if here and path:
            raise SignerError(
                "usage", "secret-twice", f"both {variable} and {variable}{_FILE} are set", "unset one of them"
            )
        if here:
            found = os.fsencode(here)
        elif path:
            found = _read(path, variable + _FILE)
        elif self.ask is not None:
            found = self.ask(what, new).encode(errors="surrogateescape")
        else:
            raise SignerError(
                "usage",
                "secret-missing",
                f"the {what} is needed, and there is no terminal to ask at",
                f"set {variable}, or {variable}{_FILE} to the path of a file that only you can read",
            )
        if not 0 < len(found) <= MAX_SECRET or b"\0" in found:
            raise SignerError(
                "usage", "secret-unfit", f"the {what} must have 1 to {MAX_SECRET} bytes, none of them zero"
            )
        return found


def _read(path: str, variable: str) -> bytes:
    """Return what is in a file, without the newline that editors put at its end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise SignerError("usage", "secret-unread", f"the file that {variable} names is not read: {reason}") from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise SignerError("usage", "secret-unread", f"{variable} does not name a file")
        if about.st_uid not in (0, os.geteuid()):
            raise SignerError(
                "untrusted",
                "secret-foreign",
                f"the file that {variable} names belongs to somebody else, who knows what is in it",
                "make one of your own, with another secret",
            )
        if about.st_mode & 0o077:
            raise SignerError(
                "untrusted",
                "secret-exposed",
                f"the file that {variable} names can be read or written by others",
                "`chmod 600` on it, and take another secret if somebody may have read it",
            )
        return file.read(MAX_SECRET + 2).removesuffix(b"\n").removesuffix(b"\r")
