"""The order of evaluation items: a permutation that a seed fixes and anybody can redo."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from scalegate.core.canonical import digest


def seed_of(registration: str, mark: str) -> str:
    """Return what the order of a run is drawn with: digest of its registration, and of a cosignature made after it.

    Nobody knows the cosignature before the registration is in the log, and its witness gives one for each size of it.
    """
    return digest([registration, mark])


def shuffled(items: Iterable[str], seed: str) -> tuple[str, ...]:
    """Return distinct item ids in the order of the SHA-256 of `seed`, a line feed, and the id, both in UTF-8."""
    return tuple(sorted(set(items), key=lambda item: hashlib.sha256(f"{seed}\n{item}".encode()).digest()))
