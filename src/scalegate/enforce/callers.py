"""Who may ask a service: names behind digests of bearer tokens, each with the scaffold it is bound to, if any.

A file has one caller on each line, `SHA256-HEX NAME [SCAFFOLD]`; empty lines and those that begin with `#` say nothing.
Whoever reads it learns no token. That a caller belongs into the context of a permit is the word of who wrote the file.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

MAX_CALLERS: Final = 1 << 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,99}", re.ASCII)
_FORM: Final = "a line is `SHA256-HEX NAME`, or `SHA256-HEX NAME SCAFFOLD`"


class CallersError(ValueError):
    """A file that names no callers; the message says on which line, and why."""

    def __init__(self, line: int, why: str) -> None:
        """Keep both; the line is 0 where the whole file is at fault."""
        super().__init__(f"line {line}: {why}" if line else why)
        self.line = line


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask.

    Attributes:
        name: for the operator.
        scaffold: the only one that this caller has; empty where each request names its own.
    """

    name: str
    scaffold: str = ""


@dataclass(frozen=True, slots=True)
class Callers:
    """All who may ask, each with the digest of a token."""

    tokens: tuple[tuple[str, Caller], ...] = ()

    def find(self, token: bytes) -> Caller | None:
        """Return whose token it is; None for nobody's. How long that takes says nothing about any of the tokens."""
        shown = sha256(token).hexdigest()
        found = None
        for mark, caller in self.tokens:
            if hmac.compare_digest(mark, shown):
                found = caller
        return found


def parse_callers(text: str) -> Callers:
    """Return the callers that a file names.

    Raises:
        CallersError: for a line of another form, a token twice, or a file that names nobody.
    """
    found: dict[str, Caller] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) not in (2, 3):
            raise CallersError(number, f"it has {len(words)} words: {_FORM}")
        if _DIGEST.fullmatch(words[0]) is None:
            raise CallersError(
                number,
                "it does not begin with 64 lower-case hexadecimal digits, the SHA-256 of a token: "
                "`printf %s TOKEN | sha256sum`",
            )
        if not all(map(_NAME.fullmatch, words[1:])):
            raise CallersError(
                number, "a name is at most 100 letters, digits and `._@:+-`, and begins with one of both"
            )
        if words[0] in found:
            raise CallersError(number, f"the token is that of `{found[words[0]].name}` already")
        found[words[0]] = Caller(*words[1:])
    if not found:
        raise CallersError(0, f"it names nobody: {_FORM}")
    return Callers(tuple(found.items()))
