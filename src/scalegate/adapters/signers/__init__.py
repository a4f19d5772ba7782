"""Private keys behind the `Signer` port: in files, in an ssh-agent, and in tokens that speak PKCS#11.

A signer of this package refuses rather than signs with another key than the one it was made for: what it signs is
checked with the public key that everybody else has.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

SignerFault: TypeAlias = Literal["usage", "malformed", "refused", "untrusted"]


class SignerError(Exception):
    """A private key that cannot be used now. No text of it ever holds a secret.

    Attributes:
        kind: `usage` blames what was asked for or left out; `malformed` a file; `refused` says that whoever keeps the
            key does not sign; `untrusted` that others may have the key, or that it is another one.
        code: stable identifier such as `key-exposed`.
        message: one sentence, lower-case, no final period, user text in backticks.
        hint: what to do next (may be empty).
    """

    def __init__(self, kind: SignerFault, code: str, message: str, hint: str = "") -> None:
        """Keep what there is to say."""
        super().__init__(message)
        self.kind: SignerFault = kind
        self.code = code
        self.message = message
        self.hint = hint
