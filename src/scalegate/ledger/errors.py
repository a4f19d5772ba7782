"""What can be wrong with a store."""

from __future__ import annotations


class StoreError(Exception):
    """A store that cannot be used now; the message says why."""


class StoreMissingError(StoreError):
    """There is no store where one was looked for."""


class StoreExistsError(StoreError):
    """There is a store already where one was to be made."""


class StoreDamagedError(StoreError):
    """What the store holds is not what was recorded: do not trust it."""


class StoreMovedError(StoreError):
    """Somebody recorded an entry since the history was read; read it again."""


class KeyMissingError(StoreError):
    """What is to be recorded needs a signature, and the private key for it is not here."""


class NotAdmittedEntryError(StoreError):
    """The log does not admit what is to be recorded: its author may not say it, or it does not follow."""
