"""Ports: what the pure floors need from the world, as protocols that adapters implement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from scalegate.core.events import Entry, Event, History

SignatureAlgorithm: TypeAlias = Literal["ed25519", "ecdsa-p256", "ml-dsa-44"]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Return seconds since 1970 UTC."""
        ...


class Store(Protocol):
    """An append-only history with the logs beside it."""

    def history(self) -> History:
        """Return every entry; a history that is not complete carries its fault."""
        ...

    def append(self, event: Event, at: int, *, after: str | None = None) -> Entry:
        """Record an event durably and return its entry. Once this returned, no crash loses it.

        With `after` nothing is recorded, and an error raised, unless that is still the head.
        """
        ...

    def put_blob(self, data: bytes) -> str:
        """Keep some bytes durably under their digest, and return it."""
        ...

    def get_blob(self, digest: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            KeyError: if they are not there.
        """
        ...


class SeedSource(Protocol):
    """Draws the order of evaluation items, once everything else about a run is registered."""

    def seed(self, registration: str) -> tuple[str, str]:
        """Return a seed for a registration, given by its digest, and who chose it: `developer` for whoever registers.

        The seed must not be known before the registration is.
        """
        ...


class Signer(Protocol):
    """Signs with one private key, wherever that is kept."""

    @property
    def public(self) -> bytes:
        """Return the public key, in the one encoding that the ledger's verification takes for its algorithm."""
        ...

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """Return what the key is for."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return a signature of the message itself, not of a digest of it; for `ecdsa-p256` in DER."""
        ...


class Solver(Protocol):
    """Decides SMT-LIB 2.6 scripts: exact linear arithmetic over rationals and truth values."""

    @property
    def name(self) -> str:
        """Return the solver's name."""
        ...

    @property
    def version(self) -> str:
        """Return its version."""
        ...

    def run(self, script: str, after: Mapping[str, str], limit: int) -> str:
        """Return what it prints for a script, in `limit` milliseconds, and then for what follows a first word of it.

        The script ends with `(check-sat)`. What is run after it is listed by the word that this prints, such as `sat`.
        Never raises for what a script says: a solver that gives up prints `unknown`.
        """
        ...
