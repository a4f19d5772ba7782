"""The local store: a directory with the log, its signed head, and documents beside it.

`ledger.db` is SQLite (write-ahead log, every commit synced): one row for each leaf, and the signed checkpoint over all
of them, written in the same transaction. `checkpoint` repeats that note after each commit, so that an older copy of the
database, or one without its newest entries, is noticed. `blobs/sha256/ab/...` keeps bytes by digest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from scalegate.core.events import Entry, Event, History
from scalegate.core.log_events import TrustAdopted
from scalegate.ledger import blobs
from scalegate.ledger.errors import (
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
)
from scalegate.ledger.files import sync_folder, write_durably
from scalegate.ledger.log import Ask, Keys, Log, NoKeys, Rows
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import Trust

DATABASE: Final = "ledger.db"
HEAD: Final = "checkpoint"
APPLICATION_ID: Final = 0x5347_4C31  # "SGL1"
USER_VERSION: Final = 2
# How long to wait for another writer.
WAIT_SECONDS: Final = 20

# The schema is compared word for word on every open: a dropped trigger is a fault.
_SCHEMA: Final = {
    "entries": "CREATE TABLE entries (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)",
    "entries_never_change": (
        "CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries"
        " BEGIN SELECT RAISE(ABORT, 'entries never change'); END"
    ),
    "entries_are_never_deleted": (
        "CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries"
        " BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END"
    ),
    # Also what stands in the way of INSERT OR REPLACE, which fires no delete trigger.
    "entries_are_consecutive": (
        "CREATE TRIGGER entries_are_consecutive BEFORE INSERT ON entries"
        " WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM entries)"
        " BEGIN SELECT RAISE(ABORT, 'entries are consecutive'); END"
    ),
    "head": "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), note BLOB NOT NULL)",
}


class LocalStore:
    """An implementation of `core.ports.Store` over one directory.

    Use as a context manager, or call `close`. Several processes may hold one directory open;
    writers wait for each other.
    """

    def __init__(self, folder: Path, keys: Keys | None = None, *, wait: float = WAIT_SECONDS) -> None:
        """Open the store in `folder`.

        Args:
            folder: the directory that `create` made.
            keys: the private keys at hand; without them the store can only be read.
            wait: seconds to wait for another writer.

        Raises:
            StoreMissingError: if there is no store, or one that was never finished.
            StoreDamagedError: if the database is not one of ours, or was changed.
            StoreError: if it cannot be opened.
        """
        self.folder = folder
        path = folder / DATABASE
        if not path.is_file():
            raise StoreMissingError(f"there is no store in `{folder}`")
        with _explained():
            self._db = _connect(path, wait)
        try:
            with _explained():
                _check_identity(self._db, folder)
                self._db.execute("PRAGMA synchronous=FULL")
        except BaseException:
            self._db.close()
            raise
        self._log = Log(_SqliteTable(self._db, folder), keys or NoKeys())

    @classmethod
    def create(cls, folder: Path, trust: Trust, keys: Keys, at: int) -> LocalStore:
        """Make a store in `folder` whose log begins with a trust file, or finish making one, and open it.

        Raises:
            StoreExistsError: if a store is there already.
            StoreError: if the directory cannot be written, or a key that signs the first entry is not at hand.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _explained():
                _make_schema(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise StoreError(f"cannot make a store in `{folder}`: {error.strerror}") from error
        store = cls(folder, keys)
        try:
            store.begin(trust, at)
        except BaseException:
            store.close()
            raise
        return store

    def begin(self, trust: Trust, at: int) -> None:
        """Record the first entry.

        Raises:
            StoreExistsError: if there is one.
            StoreError: if it cannot be recorded.
        """
        history = self.history()
        if history.entries or history.fault:
            raise StoreExistsError(f"there is a store in `{self.folder}` already")
        self.append(TrustAdopted(trust.digest, trust.text), at, after="")

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()

    def history(self) -> History:
        """Return every entry, in order.

        What is wrong is put into `fault`, with the entries before it: nothing is left out silently.

        Raises:
            StoreError: if the database cannot be read at all.
        """
        with _explained():
            return self._log.history()

    def append(self, event: Event, at: int, *, after: str | None = None) -> Entry:
        """Sign an event and record it durably. Once this returned, no crash loses it.

        Args:
            event: what happened.
            at: when, in seconds since 1970; the last entry's time where that is later.
            after: the head that the event was made on; None for any.

        Raises:
            StoreMovedError: if the head is no longer `after`; nothing was recorded.
            StoreDamagedError: if the history does not agree with its signed head.
            KeyMissingError: if the private key of whom the event names, or of the log, is not at hand.
            NotAdmittedEntryError: if he may not say this.
            StoreError: if the event cannot be recorded.
        """
        found = self.commit([Ask(event, at, after)])[0]
        if isinstance(found, StoreError):
            raise found
        return found

    def commit(self, asks: Sequence[Ask]) -> list[Entry | StoreError]:
        """Record a group durably, as `Log.commit` does.

        Raises:
            StoreDamagedError: if the history does not agree with its signed head.
            StoreError: if nothing can be recorded.
        """
        try:
            with _explained():
                return self._log.commit(asks)
        except OSError as error:
            raise StoreError(f"cannot write in `{self.folder}`: {error.strerror}") from error

    def standing(self) -> Standing:
        """Return the log as it stands, keys and counters included.

        Raises:
            StoreDamagedError: if the history does not agree with its signed head.
            StoreError: if the database cannot be read.
        """
        with _explained():
            return self._log.standing()

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return a signed checkpoint, over the first `size` entries or all.

        Raises:
            StoreError: if there is none, or the log's key is not at hand.
        """
        with _explained():
            return self._log.checkpoint(size)

    def head(self) -> bytes:
        """Return the signed checkpoint over everything, as it was written.

        Raises:
            StoreDamagedError: if the history does not agree with it.
        """
        with _explained():
            return self._log.head()

    def leaves(self) -> list[bytes]:
        """Return the bytes of every leaf, in order, unchecked.

        Raises:
            StoreError: if the database cannot be read.
        """
        with _explained():
            return [leaf for _, leaf in self._db.execute(_ROWS, (0,))]

    def put_blob(self, data: bytes) -> str:
        """Keep some bytes durably under their digest, and return it.

        Raises:
            StoreError: if they cannot be written.
        """
        try:
            return blobs.put(self.folder, data)
        except OSError as error:
            raise StoreError(f"cannot write in `{self.folder}`: {error.strerror}") from error

    def put_file(self, source: Path) -> str:
        """Keep a copy of a file, of any size, durably under its digest, and return that.

        Raises:
            OSError: if the file cannot be read, or is no plain file.
        """
        return blobs.put_file(self.folder, source)

    def locate_blob(self, digest: str) -> Path:
        """Return the path of the bytes of a digest, for readers of large files.

        Raises:
            KeyError: if they are not there.
        """
        return blobs.locate(self.folder, digest)

    def get_blob(self, digest: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            KeyError: if they are not there.
            StoreDamagedError: if what is there has another digest.
        """
        return blobs.get(self.folder, digest)


_ROWS: Final = "SELECT idx, leaf FROM entries WHERE idx >= ? ORDER BY idx"


class _SqliteTable:
    """The leaves in SQLite; a `Table` of `ledger.log`."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._folder = folder

    def read(self, start: int) -> Rows:
        # The file first: a writer that is faster than this makes it older than the rows, which is no fault.
        published = self._published()
        alone = self._db.in_transaction
        if not alone:
            self._db.execute("BEGIN")
        try:
            leaves = self._db.execute(_ROWS, (start,)).fetchall()
            row = self._db.execute("SELECT note FROM head").fetchone()
        finally:
            if not alone:
                self._db.execute("COMMIT")
        for index, leaf in leaves:
            if not isinstance(leaf, bytes):
                raise StoreDamagedError(f"entry {index} has no leaf")
        note = row[0] if row else b""
        return Rows(start, leaves, note if isinstance(note, bytes) else b"", published)

    @contextmanager
    def alone(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def write(self, start: int, leaves: Sequence[bytes], note: bytes) -> None:
        self._db.executemany("INSERT INTO entries (idx, leaf) VALUES (?, ?)", enumerate(leaves, start))
        self._db.execute("INSERT INTO head VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET note = excluded.note", (note,))
        self._db.execute("COMMIT")

    def publish(self, note: bytes) -> None:
        # It is recorded, whatever happens to the file: the next writer writes a newer one.
        with suppress(OSError):
            write_durably(self._folder / HEAD, note, named=False)

    def _published(self) -> bytes | None:
        try:
            return (self._folder / HEAD).read_bytes()
        except OSError:
            return None


def _connect(path: Path, wait: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None)
    db.execute("PRAGMA trusted_schema=OFF")
    return db


def _make_schema(folder: Path) -> None:
    """Make the tables in one transaction, unless they are there."""
    path = folder / DATABASE
    path.touch()
    db = _connect(path, WAIT_SECONDS)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            return
        for statement in _SCHEMA.values():
            db.execute(statement)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={USER_VERSION}")
        db.execute("COMMIT")
    finally:
        db.close()


def _check_identity(db: sqlite3.Connection, folder: Path) -> None:
    schema = {str(name): str(sql) for name, sql in db.execute("SELECT name, sql FROM sqlite_schema")}
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if not schema and application == 0:
        raise StoreMissingError(f"the store in `{folder}` was never finished")
    if application != APPLICATION_ID:
        raise StoreDamagedError(f"`{folder / DATABASE}` is not a ledger of scalegate")
    if version != USER_VERSION:
        raise StoreError(f"the ledger has version {version}, and this program reads {USER_VERSION}")
    if schema != _SCHEMA:
        raise StoreDamagedError("the tables or guards of the ledger were changed")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors of SQLite into errors of the store."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"the ledger cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreDamagedError(f"the ledger is damaged: {error}") from error
