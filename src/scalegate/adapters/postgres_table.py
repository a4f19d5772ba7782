"""The leaves of a log in PostgreSQL: one writer at a time, and nobody waits for the disk while he has the lock.

Waiting for the disk under a lock would give one commit for each of its turns to all writers together. So a writer
commits twice. The first transaction takes an advisory lock, reads the tail, adds leaves and the signed checkpoint, and
commits without waiting (`synchronous_commit = off`): the rows can be seen, the lock is free, and the next writer goes
on. The second holds no lock and only puts a message into the write-ahead log (`pg_logical_emit_message`) with
`synchronous_commit` on: it returns once the log is on the disk up to there. PostgreSQL merges such waits of many
sessions into one.

Why nothing that was acknowledged is lost: the write-ahead log is one sequence, on the disk up to some place and not
beyond it. An entry's commit stands before the message behind it, and those of all entries before it still earlier,
because their writers had let go of the lock. So a crash takes back the end of the log, never a part in between, and
never anything with a durable message behind it.

Nor does anybody see what a crash can take back: who reads entries that he does not know to be durable emits such a
message before he returns them (`settle`). What was once returned and is not there later was therefore removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from scalegate.adapters.postgres_schema import LOCK
from scalegate.ledger.errors import StoreError
from scalegate.ledger.log import Rows

# Each of these is one message: every further one would wake the server once more while the lock is held. So they are
# written with their values in them, which are integers of ours and hex; no setting gives these another meaning.
# Whatever the database has as default: a snapshot from before the lock would not show the entries that it waited for.
_BEGIN_ALONE: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = off;"
    f" SELECT pg_advisory_xact_lock({LOCK}); "
)
_BEGIN_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
_READ: Final = (
    "SELECT idx, leaf FROM scalegate.entries WHERE idx >= {start} ORDER BY idx; SELECT note FROM scalegate.head"
)
_FLUSH: Final = "SELECT pg_logical_emit_message(true, 'scalegate', '')"
_ADD: Final = "INSERT INTO scalegate.entries VALUES "
_REPLACE: Final = (
    "INSERT INTO scalegate.head VALUES (1, decode('{note}', 'hex'))"
    " ON CONFLICT (one) DO UPDATE SET note = excluded.note"
)
_LEAVES: Final = "SELECT leaf FROM scalegate.entries ORDER BY idx"


class PostgresTable:
    """A `Table` of `ledger.log` over one connection, which has to be in autocommit mode."""

    def __init__(self, db: psycopg.Connection[Any], kept: tuple[int, bytes] = (0, b"")) -> None:
        """Keep the connection.

        Args:
            db: the connection.
            kept: a note that this process knows to be durable, and how many entries it has: the log has to contain
                them from now on.
        """
        self._db = db
        self._alone = False
        self._durable = 0
        self._seen = 0
        self._note = b""
        self.kept = kept

    def read(self, start: int) -> Rows:
        """Return the leaves from `start` on, and the note over all of them, as of one moment."""
        read = _READ.format(start=int(start))
        if self._db.info.transaction_status is TransactionStatus.IDLE:
            read = _BEGIN_ALONE + read if self._alone else f"{_BEGIN_READ}{read}; COMMIT"
        results = [found.fetchall() for found in self._db.execute(read.encode()).results() if found.description]
        leaves, head = results[-2:]
        self._note = head[0][0] if head else b""
        self._seen = start + len(leaves)
        # Whoever has its entries already has held them against it.
        size, kept = self.kept
        return Rows(start, leaves, self._note, (kept if start < size else self._note) or None)

    def leaves(self) -> list[bytes]:
        """Return every leaf, unchecked."""
        rows = self._db.execute(_LEAVES, binary=True).fetchall()
        self._seen = len(rows)
        return [leaf for (leaf,) in rows]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers out from the first reading inside on."""
        self._alone = True
        try:
            yield
        finally:
            self._alone = False
            if self._db.info.transaction_status is not TransactionStatus.IDLE:
                # Where the connection is gone, so is the transaction.
                with suppress(psycopg.Error):
                    self._db.execute("ROLLBACK")

    def write(self, start: int, leaves: Sequence[bytes], note: bytes) -> None:
        """Add leaves and replace the note, let other writers go on, and return once it is durable."""
        if self._db.info.transaction_status is not TransactionStatus.INTRANS:
            raise StoreError("nobody writes without having read under the lock: nothing was recorded")
        rows = ", ".join(f"({index}, decode('{leaf.hex()}', 'hex'))" for index, leaf in enumerate(leaves, int(start)))
        message = f"{_ADD}{rows}; {_REPLACE.format(note=note.hex())}; COMMIT; {_FLUSH}"
        done = [found.statusmessage for found in self._db.execute(message.encode()).results()]
        if "COMMIT" not in done:
            raise StoreError("the database did not commit: nothing was recorded; try again")
        self._durable = self._seen = start + len(leaves)

    def publish(self, note: bytes) -> None:
        """Remember the note: from now on the log has to contain it."""
        self.kept = (self._seen, note)

    def settle(self) -> None:
        """Return once everything that was read is durable."""
        if self._seen > self._durable:
            # A server that follows another replays only what is on the disk there.
            (follows,) = self._db.execute("SELECT pg_is_in_recovery()").fetchone() or (False,)
            if not follows:
                self._db.execute(_FLUSH)
            self._durable = self._seen

    def confirm(self) -> None:
        """Remember the note that was read last: it was verified, and its entries are durable."""
        if self._note:
            self.kept = (self._seen, self._note)
