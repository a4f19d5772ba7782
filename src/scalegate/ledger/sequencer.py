"""One thread that owns a store, and commits what others ask in groups: they share the wait for the disk.

An answer comes only after the commit that it is in. What the log does not admit fails alone; where the whole group
cannot be recorded, everybody in it is told so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Protocol, Self

from scalegate.core.events import Entry, Event, History
from scalegate.ledger.errors import StoreError
from scalegate.ledger.log import Ask

MOST: Final = 256
WAIT: Final = 0.01


class Recorder(Protocol):
    """What a sequencer needs of a store."""

    def commit(self, asks: Sequence[Ask]) -> list[Entry | StoreError]:
        """Record a group durably; what cannot be recorded is returned as its error, in its place."""
        ...

    def history(self) -> History:
        """Return every entry, in order."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


class Sequencer:
    """Commits in groups what any number of threads ask.

    Use as a context manager, or call `close`. The store is opened, used and closed by one thread of the sequencer's.
    """

    def __init__(self, open_store: Callable[[], Recorder], most: int = MOST, wait: float = WAIT) -> None:
        """Open the store.

        Args:
            open_store: opens it; called once, in the sequencer's thread.
            most: how many to commit in one group.
            wait: for how many seconds after the first of a group others are waited for.

        Raises:
            StoreError: if the store cannot be opened.
        """
        self._most = most
        self._wait = wait
        self._queue: SimpleQueue[tuple[Ask, Future[Entry]] | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, args=(open_store, opened), name="sequencer", daemon=True)
        self._thread.start()
        opened.result()

    def submit(self, ask: Ask) -> Future[Entry]:
        """Return what will be the entry of what is asked, once it is recorded; in the order of calls.

        The future raises what `LocalStore.append` does.

        Raises:
            StoreError: if the sequencer was closed.
        """
        future: Future[Entry] = Future()
        with self._gate:
            if self._closed:
                raise StoreError("the sequencer was closed, and records nothing any longer")
            self._queue.put((ask, future))
        return future

    def append(self, event: Event, at: int, *, after: str | None = None) -> Entry:
        """Record an event durably, in a group with what others ask meanwhile, as `LocalStore.append` does.

        Raises:
            StoreError: if the event cannot be recorded, with the kinds of `LocalStore.append`.
        """
        return self.submit(Ask(event, at, after)).result()

    def close(self) -> None:
        """Record what was asked before, and let go of the store."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        """Return the sequencer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the sequencer."""
        self.close()

    # ------------------------------------------------------------ the thread

    def _work(self, open_store: Callable[[], Recorder], opened: Future[None]) -> None:
        try:
            store = open_store()
            self._size = len(store.history().entries)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            opened.set_exception(error)
            return
        opened.set_result(None)
        try:
            while group := self._next_group():
                # Whoever canceled in time is left out, and nobody can cancel from here on.
                asked = [item for item in group if item[1].set_running_or_notify_cancel()]
                if asked:
                    self._commit(store, asked)
        finally:
            store.close()

    def _next_group(self) -> list[tuple[Ask, Future[Entry]]]:
        """Return what is to be committed next; nothing once the sequencer was closed."""
        first = self._queue.get()
        if first is None:
            return []
        group = [first]
        until = time.monotonic() + self._wait
        while len(group) < self._most:
            try:
                item = self._queue.get(timeout=max(until - time.monotonic(), 0))
            except Empty:
                break
            if item is None:
                # The last one there is: it ends the group, and with the next call the thread.
                self._queue.put(None)
                break
            group.append(item)
        return group

    def _commit(self, store: Recorder, asked: Sequence[tuple[Ask, Future[Entry]]]) -> None:
        """Commit a group, and tell everybody what came of it."""
        results: Sequence[Entry | BaseException]
        try:
            results = store.commit([ask for ask, _ in asked])
        except StoreError as error:
            results = [error] * len(asked)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            # A signer that failed, most likely: the others have nothing to do with it.
            if len(asked) > 1 and self._is_as_before(store):
                for item in asked:
                    self._commit(store, [item])
                return
            results = [error] * len(asked)
        for (_, future), result in zip(asked, results, strict=True):
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                self._size = result.index + 1
                future.set_result(result)

    def _is_as_before(self, store: Recorder) -> bool:
        """Whether nothing was recorded since this thread did, so that nothing is recorded twice."""
        try:
            return len(store.history().entries) == self._size
        except StoreError:
            return False
