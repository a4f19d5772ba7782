"""The book: a store and a clock, and the rules for reading and writing them together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from scalegate.app.places import refusal_of
from scalegate.app.refusal import RefusalError
from scalegate.core.events import Entry, Event, History
from scalegate.core.ports import Clock
from scalegate.gate import Force, in_force
from scalegate.gate.records import Records, index
from scalegate.ledger.errors import StoreError, StoreMovedError
from scalegate.ledger.log import Ask
from scalegate.ledger.standing import Standing

# So many other writers in a row mean that something is wrong; each try reads the history anew.
ATTEMPTS = 50
# Where statements wait that somebody signed elsewhere, in the folder of the store.
INBOX = "inbox"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}", re.ASCII)
MAX_SPEAKER = 200
MAX_WORDS = 4_000


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something, in which role. The log admits it with his signature, in a role that the trust file gives."""

    name: str
    role: str


class Page:
    """The history at one moment: what an event is checked against before it is recorded."""

    def __init__(self, history: History, now: int) -> None:
        """Keep the history and the time it is read at."""
        self.history = history
        self.now = now

    @cached_property
    def records(self) -> Records:
        """The history, indexed as the gate sees it."""
        return index(self.history.entries, self.now)

    @cached_property
    def speakers(self) -> frozenset[str]:
        """Everybody who ever said something here."""
        said = (getattr(entry.event, "by", "") for entry in self.history.entries)
        return frozenset(name for name in said if name)

    @cached_property
    def force(self) -> Force:
        """The policies that bind, as the gate sees it."""
        return in_force(self.history.entries, self.now)


class Shelf(Protocol):
    """A store as the use cases need it: that of a folder, or one that signs into a file (`app.signing`)."""

    @property
    def folder(self) -> Path:
        """Where it is, or where on this machine things are kept beside it."""
        ...

    def history(self) -> History:
        """Return every entry."""
        ...

    def standing(self) -> Standing:
        """Return the log as it stands."""
        ...

    def append(self, event: Event, at: int, *, after: str | None = None) -> Entry:
        """Record an event."""
        ...

    def commit(self, asks: Sequence[Ask]) -> list[Entry | StoreError]:
        """Record a group."""
        ...

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return a signed checkpoint."""
        ...

    def head(self) -> bytes:
        """Return the signed checkpoint over everything."""
        ...

    def leaves(self) -> list[bytes]:
        """Return the bytes of every leaf."""
        ...

    def put_blob(self, data: bytes) -> str:
        """Keep some bytes, and return their digest."""
        ...

    def put_file(self, source: Path) -> str:
        """Keep a file, and return its digest."""
        ...

    def locate_blob(self, digest: str) -> Path:
        """Return the path of the bytes of a digest."""
        ...

    def get_blob(self, digest: str) -> bytes:
        """Return the bytes of a digest."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Book:
    """A store and a clock."""

    def __init__(self, store: Shelf, clock: Clock) -> None:
        """Keep both."""
        self.store = store
        self.clock = clock

    def read(self) -> History:
        """Return the history, with its fault where it has one.

        Raises:
            RefusalError: if it cannot be read at all.
        """
        try:
            return self.store.history()
        except StoreError as error:
            raise refusal_of(error) from error

    def now(self, history: History) -> int:
        """Return the time: the clock's, and never before the last entry."""
        now = self.clock.now()
        return max(now, history.entries[-1].at) if history.entries else now

    def page(self) -> Page:
        """Return the history as it is now.

        Raises:
            RefusalError: if it cannot be read, or is not complete.
        """
        history = self.read()
        if history.fault:
            raise RefusalError(
                "untrusted",
                "history-fault",
                f"the history is not complete: {history.fault}",
                "nothing is recorded on a history that lost or changed entries",
            )
        return Page(history, self.now(history))

    def record(self, prepare: Callable[[Page], Event]) -> Entry:
        """Record the event that `prepare` makes of the history as it is when it is recorded.

        `prepare` is called again when another writer was faster, so that its checks hold on the
        history that the event follows.

        Raises:
            RefusalError: as `prepare` does, or if the event cannot be recorded.
        """
        for _ in range(ATTEMPTS):
            page = self.page()
            event = prepare(page)
            try:
                return self.store.append(event, page.now, after=page.history.head)
            except StoreMovedError:
                continue
            except StoreError as error:
                raise refusal_of(error) from error
        raise RefusalError("store", "store-busy", "other writers were faster many times in a row")

    def keep(self, data: bytes) -> str:
        """Keep some bytes beside the history, and return their digest.

        Raises:
            RefusalError: if they cannot be written.
        """
        try:
            return self.store.put_blob(data)
        except StoreError as error:
            raise refusal_of(error) from error


def check_name(what: str, text: str) -> str:
    """Return a name that is fit to refer to something in every renderer and shell.

    Raises:
        RefusalError: for any other text.
    """
    if _NAME.fullmatch(text) is None:
        raise RefusalError(
            "usage",
            "name-unfit",
            f"`{text:.80}` cannot be the name of a {what}",
            "names start with a letter or digit; letters, digits and . _ : / @ + - follow",
        )
    return text


def check_words(what: str, text: str, limit: int = MAX_WORDS) -> str:
    """Return one line of words that can be shown as they are.

    Raises:
        RefusalError: if the text is empty, long, or holds characters that are not drawn.
    """
    if not text.strip() or len(text) > limit or not text.isprintable():
        raise RefusalError(
            "usage",
            "words-unfit",
            f"the {what} must be one line of printable text, at most {limit} characters",
        )
    return text
