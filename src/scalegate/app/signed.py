"""How a command ends that signs and records nothing. A module of its own: every start of the program knows it."""

from __future__ import annotations

from pathlib import Path


class SignedElsewhereError(Exception):
    """What a command would have recorded is signed and in a file.

    Attributes:
        path: the file.
        digest: digest of the statement, which names its entry once it is one.
        author: who signed.
        number: which of his statements for the log it is.
        log: origin of the log.
    """

    def __init__(self, path: Path, digest: str, author: str, number: int, log: str) -> None:
        """Keep what there is to say."""
        super().__init__(f"statement {number} of {author} for the log {log} is signed and in {path}")
        self.path = path
        self.digest = digest
        self.author = author
        self.number = number
        self.log = log
