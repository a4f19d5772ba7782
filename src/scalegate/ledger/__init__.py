"""Floor 2: the history on disk: canonical records, a hash chain, and logs beside it by digest.

Whoever changes this room can lose or reorder what was recorded; entries are unsigned, so that
someone who may write the whole directory can replace it by another consistent one. Whoever only
edits, drops or truncates entries is noticed, and everything holds.
"""

from scalegate.ledger.codec import CodecError, decode_event, encode_event
from scalegate.ledger.store import (
    LocalStore,
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
    StoreMovedError,
)

__all__ = [
    "CodecError",
    "LocalStore",
    "StoreDamagedError",
    "StoreError",
    "StoreExistsError",
    "StoreMissingError",
    "StoreMovedError",
    "decode_event",
    "encode_event",
]
