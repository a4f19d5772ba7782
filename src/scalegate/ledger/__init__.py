"""Floor 2: a log that nobody can rewrite unnoticed, and documents beside it by digest.

Entries are signed by whom they name, and stand in an RFC 6962 tree whose heads the log signs and witnesses cosign.
`standing` has the rules of what is admitted; `log` reads and writes over a table of leaves, `store` over SQLite in a
folder. Whoever changes this room can lose, reorder or forge what was recorded. Whoever has the keys of the log and of
the gate can still not change what others signed, nor what witnesses have seen.
"""

from scalegate.ledger.codec import CodecError, decode_event, encode_event
from scalegate.ledger.errors import (
    KeyMissingError,
    NotAdmittedEntryError,
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
    StoreMovedError,
)
from scalegate.ledger.log import Ask, Keys
from scalegate.ledger.store import LocalStore

__all__ = [
    "Ask",
    "CodecError",
    "KeyMissingError",
    "Keys",
    "LocalStore",
    "NotAdmittedEntryError",
    "StoreDamagedError",
    "StoreError",
    "StoreExistsError",
    "StoreMissingError",
    "StoreMovedError",
    "decode_event",
    "encode_event",
]
