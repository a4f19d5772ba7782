"""The local store: a directory with a hash-chained history and the logs beside it.

`ledger.db` is SQLite (write-ahead log, every commit synced), one row per entry. `head` repeats
how many entries there are and the digest of the last one; it is written after each commit, so
that an older copy of the database, or one without its newest entries, is noticed.
`blobs/sha256/ab/...` keeps bytes by digest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from scalegate.core.canonical import canonical_bytes, digest_bytes
from scalegate.core.events import Entry, Event, History
from scalegate.ledger import blobs
from scalegate.ledger.codec import CodecError, Record, decode_record, encode_record
from scalegate.ledger.errors import (
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreMissingError,
    StoreMovedError,
)
from scalegate.ledger.files import sync_folder, write_durably

__all__ = [
    "LocalStore",
    "StoreDamagedError",
    "StoreError",
    "StoreExistsError",
    "StoreMissingError",
    "StoreMovedError",
]

DATABASE: Final = "ledger.db"
HEAD: Final = "head"
APPLICATION_ID: Final = 0x5347_4C31  # "SGL1"
USER_VERSION: Final = 1
WAIT_SECONDS: Final = 20

# The schema is compared word for word on every open: a dropped trigger is a fault.
_SCHEMA: Final = {
    "entries": (
        "CREATE TABLE entries (idx INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
        " previous TEXT NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL)"
    ),
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
}

Row = tuple[object, object, object, object, object]
_ROWS: Final = "SELECT idx, at, previous, digest, body FROM entries ORDER BY idx"
_LAST: Final = "SELECT idx, at, previous, digest, body FROM entries ORDER BY idx DESC LIMIT 1"


class LocalStore:
    """An implementation of `core.ports.Store` over one directory.

    Use as a context manager, or call `close`. Several processes may hold one directory open;
    writers wait for each other.
    """

    def __init__(self, folder: Path, *, wait: float = WAIT_SECONDS) -> None:
        """Open the store in `folder`.

        Args:
            folder: the directory that `create` made.
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

    @classmethod
    def create(cls, folder: Path) -> LocalStore:
        """Make an empty store in `folder`, or finish making one, and open it.

        Raises:
            StoreExistsError: if a store is there already.
            StoreError: if the directory cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _explained():
                made = _make_schema(folder)
            if made:
                _write_head(folder, 0, "")
            sync_folder(folder.parent)
        except OSError as error:
            raise StoreError(f"cannot make a store in `{folder}`: {error.strerror}") from error
        if not made:
            raise StoreExistsError(f"there is a store in `{folder}` already")
        return cls(folder)

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

        What breaks the chain is put into `fault`, with the entries before the break: nothing is
        left out silently.

        Raises:
            StoreError: if the database cannot be read at all.
        """
        with _explained():
            rows: list[Row] = self._db.execute(_ROWS).fetchall()
            entries, fault = _verify(rows)
            if not fault and _head_fault(self.folder, entries):
                # A writer may have been between its commit and its head: look again, alone.
                with self._alone():
                    rows = self._db.execute(_ROWS).fetchall()
                    entries, fault = _verify(rows)
                    fault = fault or _head_fault(self.folder, entries)
            return History(entries, fault)

    def append(self, event: Event, at: int, *, after: str | None = None) -> Entry:
        """Record an event durably. Once this returned, no crash loses it.

        Args:
            event: what happened.
            at: when, in seconds since 1970; the last entry's time where that is later.
            after: the head that the event was made on; None for any.

        Raises:
            StoreMovedError: if the head is no longer `after`; nothing was recorded.
            StoreDamagedError: if the end of the history does not agree with itself.
            StoreError: if the event cannot be recorded.
        """
        try:
            with _explained(), self._alone():
                last = self._last()
                head = last.digest if last else ""
                if after is not None and after != head:
                    raise StoreMovedError("another entry was recorded in the meantime")
                entry, body = _next_entry(last, event, at)
                self._db.execute(
                    "INSERT INTO entries (idx, at, previous, digest, body) VALUES (?, ?, ?, ?, ?)",
                    (entry.index, entry.at, entry.previous, entry.digest, body),
                )
                self._db.execute("COMMIT")
                # It is recorded now, whatever happens to the head: the next writer repairs that.
                with suppress(sqlite3.OperationalError, OSError), self._alone():
                    self._last()
        except OSError as error:
            raise StoreError(f"cannot write in `{self.folder}`: {error.strerror}") from error
        except CodecError as error:
            raise StoreError(str(error)) from error
        return entry

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

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other writers out; what was not committed inside is taken back."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _last(self) -> Entry | None:
        """Return the last entry, having brought `head` up to it; call it alone.

        `head` may be one entry behind, after a crash between commit and head, and never more.
        """
        rows: list[Row] = self._db.execute(_LAST).fetchall()
        (count,) = self._db.execute("SELECT count(*) FROM entries").fetchone()
        last = None
        if rows:
            last = _entry(rows[0])
            if last.index != count - 1:
                raise StoreDamagedError("entries are missing from the middle of the ledger")
        digest, before = (last.digest, last.previous) if last else ("", "")
        known = _read_head(self.folder)
        if known == (count, digest):
            return last
        behind = known is None if count == 0 else known == (count - 1, before)
        if not behind:
            raise StoreDamagedError(_disagreement(known, count))
        _write_head(self.folder, count, digest)
        return last


def _connect(path: Path, wait: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None)
    db.execute("PRAGMA trusted_schema=OFF")
    return db


def _make_schema(folder: Path) -> bool:
    """Make the tables in one transaction; False if they are there already."""
    path = folder / DATABASE
    path.touch()
    db = _connect(path, WAIT_SECONDS)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            return False
        for statement in _SCHEMA.values():
            db.execute(statement)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={USER_VERSION}")
        db.execute("COMMIT")
    finally:
        db.close()
    return True


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


def _next_entry(last: Entry | None, event: Event, at: int) -> tuple[Entry, bytes]:
    index = last.index + 1 if last else 0
    previous = last.digest if last else ""
    at = max(at, last.at) if last else at
    body = encode_record(Record(index, at, previous, event))
    return Entry(index, at, digest_bytes(body), previous, event), body


def _entry(row: Row) -> Entry:
    """Return a row as an entry, checked against itself.

    Raises:
        StoreDamagedError: if its columns, bytes and digest do not agree.
    """
    index, at, previous, digest, body = row
    if not isinstance(body, bytes):
        raise StoreDamagedError(f"entry {index} has no body")
    if digest_bytes(body) != digest:
        raise StoreDamagedError(f"entry {index} does not have the digest that stands beside it")
    try:
        record = decode_record(body)
    except CodecError as error:
        raise StoreDamagedError(f"entry {index}: {error}") from error
    if (record.index, record.at, record.previous) != (index, at, previous):
        raise StoreDamagedError(f"entry {index} stands in another place than it says")
    return Entry(record.index, record.at, str(digest), record.previous, record.event)


def _verify(rows: list[Row]) -> tuple[tuple[Entry, ...], str]:
    """Return the entries up to the first break of the chain, and what broke it."""
    entries: list[Entry] = []
    before, at = "", None
    for place, row in enumerate(rows):
        try:
            entry = _entry(row)
        except StoreDamagedError as error:
            return tuple(entries), str(error)
        fault = ""
        if entry.index != place:
            fault = f"entry {place} is missing"
        elif entry.previous != before:
            fault = f"entry {place} does not follow from the one before it"
        elif at is not None and entry.at < at:
            fault = f"entry {place} is older than the one before it"
        if fault:
            return tuple(entries), fault
        entries.append(entry)
        before, at = entry.digest, entry.at
    return tuple(entries), ""


def _read_head(folder: Path) -> tuple[int, str] | None:
    """Return count and digest as `head` has them; None where it is absent or unreadable."""
    try:
        value = json.loads((folder / HEAD).read_bytes())
    except (OSError, ValueError):
        return None
    match value:
        case {"count": int(count), "digest": str(digest)}:
            return count, digest
        case _:
            return None


def _write_head(folder: Path, count: int, digest: str) -> None:
    write_durably(folder / HEAD, canonical_bytes({"count": count, "digest": digest}) + b"\n")


def _head_fault(folder: Path, entries: tuple[Entry, ...]) -> str:
    known = _read_head(folder)
    count = len(entries)
    last = (entries[-1].digest, entries[-1].previous) if entries else ("", "")
    if known == (count, last[0]) or (count == 0 and known is None):
        return ""
    if count and known == (count - 1, last[1]):
        return ""
    return _disagreement(known, count)


def _disagreement(known: tuple[int, str] | None, count: int) -> str:
    if known is None:
        return f"the ledger has {count} entries and no readable head"
    if known[0] > count:
        return f"the head counts {known[0]} entries, and the ledger has {count}: the newest are gone"
    return f"the head counts {known[0]} entries, and the ledger has {count} others"


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors of SQLite into errors of the store."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"the ledger cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreDamagedError(f"the ledger is damaged: {error}") from error
