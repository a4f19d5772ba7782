"""The store in PostgreSQL: the tables of the local store, for writers on several machines.

One database holds one log, in its schema `scalegate`. `postgres_table` explains how many writers share one disk, and
why a crash loses nothing that was acknowledged. Behind a connection that was lost the next call opens another, and
holds the log against what it was before: entries that were returned once and are gone are a fault. Between two
processes only witnesses notice a database that was set back, as they do for every other store.

Whoever owns the tables can delete everything, and can make nobody accept something else: entries are signed, and the
log's checkpoint over them. URLs name a server directly; a pool that gives each transaction another session does not do.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import psycopg

from scalegate.adapters.postgres_blobs import PostgresBlobs
from scalegate.adapters.postgres_errors import connecting, explained
from scalegate.adapters.postgres_schema import check_schema, make_schema
from scalegate.adapters.postgres_table import PostgresTable
from scalegate.core.events import Entry, Event, History
from scalegate.core.log_events import TrustAdopted
from scalegate.ledger.errors import StoreError, StoreExistsError
from scalegate.ledger.log import Ask, Keys, Log, NoKeys
from scalegate.ledger.standing import Standing
from scalegate.ledger.trust import Trust

# It warns of lost connections, each of which is an error of ours already.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

SCHEMES: Final = ("postgresql://", "postgres://")
# How long to wait for another writer, and how long one may keep the others waiting.
WAIT_SECONDS: Final = 20
IDLE_SECONDS: Final = 60

_SET: Final = "SELECT set_config(%s, %s, false)"
# A setting that waits for other machines as well stays as it is.
_WAIT_FOR_DISK: Final = (
    "SELECT set_config(name, 'on', false) FROM pg_settings WHERE name = 'synchronous_commit' AND setting = 'off'"
)

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class _Session:
    """A connection, and what was read over it."""

    db: psycopg.Connection[Any]
    table: PostgresTable
    log: Log
    blobs: PostgresBlobs

    def settled(self, work: Callable[[_Session], _Found]) -> _Found:
        """Return what `work` reads, all of it durable."""
        found = work(self)
        self.table.settle()
        return found


class PostgresStore:
    """An implementation of `core.ports.Store` over one database; the methods are those of `LocalStore`.

    Use as a context manager, or call `close`. For one thread at a time; every process opens its own.
    """

    def __init__(
        self, url: str, keys: Keys | None = None, *, wait: float = WAIT_SECONDS, folder: Path | None = None
    ) -> None:
        """Open the store of a database.

        Args:
            url: `postgresql://...`, as libpq reads it. A password is better kept out of it, in the file that PGPASSFILE
                names or in a service file: whoever is on the machine can read the arguments of a command.
            keys: the private keys at hand; without them the store can only be read.
            wait: seconds to wait for another writer.
            folder: where copies of documents are kept for readers of files; by default a folder that `close` removes.

        Raises:
            StoreMissingError: if the database has no store.
            StoreDamagedError: if its tables are not ours, or were changed.
            StoreError: if it cannot be used, or does not wait for its disk.
        """
        self._url = url
        self._keys = keys or NoKeys()
        self._wait = wait
        self._folder = folder
        self._own: tempfile.TemporaryDirectory[str] | None = None
        try:
            with explained():
                self._now = self._open((0, b""))
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, url: str, trust: Trust, keys: Keys, at: int) -> Self:
        """Make a store in a database whose log begins with a trust file, or finish making one, and open it.

        Raises:
            StoreExistsError: if a store is there already.
            StoreError: if tables cannot be made, or a key that signs the first entry is not at hand.
        """
        with explained(), _connect(url, WAIT_SECONDS) as db:
            make_schema(db)
        store = cls(url, keys)
        try:
            store._start(trust, at)
        except BaseException:
            store.close()
            raise
        return store

    def _start(self, trust: Trust, at: int) -> None:
        found = self.history()
        if found.entries or found.fault:
            raise StoreExistsError("there is a store in the database already")
        self.append(TrustAdopted(trust.digest, trust.text), at, after="")

    def close(self) -> None:
        """Let go of the database."""
        if hasattr(self, "_now"):
            self._now.db.close()
        if self._own is not None:
            self._own.cleanup()

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

    # ------------------------------------------------------------ the log

    def history(self) -> History:
        """Return every entry, in order, all of them durable.

        What is wrong is put into `fault`, with the entries before it: nothing is left out silently.

        Raises:
            StoreError: if the database cannot be read at all.
        """
        found = self._read(lambda now: now.log.history())
        if not found.fault:
            self._now.table.confirm()
        return found

    def append(self, event: Event, at: int, *, after: str | None = None) -> Entry:
        """Sign an event and record it durably, as `LocalStore.append` does. Once this returned, no crash loses it.

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
            StoreError: if nothing can be recorded. Where the connection was lost in the middle it may be recorded
                all the same: the log says so.
        """
        with explained():
            return self._connected().log.commit(asks)

    def standing(self) -> Standing:
        """Return the log as it stands, keys and counters included.

        Raises:
            StoreDamagedError: if the history does not agree with its signed head.
            StoreError: if the database cannot be read.
        """
        found = self._read(lambda now: now.log.standing())
        self._now.table.confirm()
        return found

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return a signed checkpoint, over the first `size` entries or all.

        Raises:
            StoreError: if there is none, or the log's key is not at hand.
        """
        return self._read(lambda now: now.log.checkpoint(size))

    def head(self) -> bytes:
        """Return the signed checkpoint over everything, as it was written.

        Raises:
            StoreDamagedError: if the history does not agree with it.
        """
        return self._read(lambda now: now.log.head())

    def leaves(self) -> list[bytes]:
        """Return the bytes of every leaf, in order, unchecked.

        Raises:
            StoreError: if the database cannot be read.
        """
        return self._read(lambda now: now.table.leaves())

    # ------------------------------------------------------------ documents

    @property
    def folder(self) -> Path:
        """The local folder for copies of documents, made on first use."""
        if self._folder is None:
            self._own = tempfile.TemporaryDirectory(prefix="scalegate-")
            self._folder = Path(self._own.name)
        return self._folder

    def put_blob(self, data: bytes) -> str:
        """Keep some bytes durably under their digest, and return it.

        Raises:
            StoreError: if they cannot be written.
        """
        return self._read(lambda now: now.blobs.put(data))

    def put_file(self, source: Path) -> str:
        """Keep a copy of a file, of any size, durably under its digest, and return that.

        Raises:
            OSError: if the file cannot be read, or is no plain file.
            StoreError: if it cannot be written.
        """
        return self._read(lambda now: now.blobs.put_file(source))

    def locate_blob(self, digest: str) -> Path:
        """Return the path of a copy of the bytes of a digest, for readers of large files.

        Raises:
            KeyError: if they are not there.
            StoreDamagedError: if what is there has another digest.
        """
        return self._read(lambda now: now.blobs.locate(digest))

    def get_blob(self, digest: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            KeyError: if they are not there.
            StoreDamagedError: if what is there has another digest.
        """
        return self._read(lambda now: now.blobs.get(digest))

    # ------------------------------------------------------------ connections

    def _open(self, kept: tuple[int, bytes]) -> _Session:
        db = _connect(self._url, self._wait)
        try:
            check_schema(db)
        except BaseException:
            db.close()
            raise
        table = PostgresTable(db, kept)
        return _Session(db, table, Log(table, self._keys), PostgresBlobs(db, lambda: self.folder))

    def _connected(self) -> _Session:
        """Open another connection where the last one was lost, and remember what the log was."""
        if self._now.db.closed:
            self._now = self._open(self._now.table.kept)
        return self._now

    def _read(self, work: Callable[[_Session], _Found]) -> _Found:
        """Return what `work` reads, all of it durable; once more where the connection was lost since the last call."""
        with explained():
            try:
                return self._connected().settled(work)
            except psycopg.OperationalError:
                if not self._now.db.closed:
                    raise
            return self._connected().settled(work)


def _connect(url: str, wait: float) -> psycopg.Connection[Any]:
    """Open a session whose settings do not depend on those of the database or its user.

    Raises:
        StoreError: if there is no connection, or the server does not wait for its disk.
    """
    with connecting():
        db = psycopg.connect(url, autocommit=True, client_encoding="UTF8", fallback_application_name="scalegate")
    try:
        settings = {
            "search_path": "pg_catalog",
            "lock_timeout": f"{max(int(wait * 1_000), 1)}ms",
            "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
            "default_transaction_read_only": "off",
            "standard_conforming_strings": "on",
        }
        for name, value in settings.items():
            db.execute(_SET, (name, value))
        db.execute(_WAIT_FOR_DISK)
        _check_disk(db)
    except BaseException:
        db.close()
        raise
    return db


def _check_disk(db: psycopg.Connection[Any]) -> None:
    (durable,) = db.execute("SELECT current_setting('fsync')").fetchone() or ("",)
    if durable != "on":
        raise StoreError("the server runs with `fsync = off`, and would lose entries in a crash: set it to on")
