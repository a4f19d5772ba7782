"""Reads the files of a log over HTTP (C2SP tlog-tiles).

Who serves the log, and who sits between, can refuse or delay a file, for a stated time and not longer, or send
something else: what is read is checked against a signed checkpoint by whoever asked. Redirections are not followed,
and nothing larger than a part of a log is taken in.
"""

from __future__ import annotations

from typing import Final

from scalegate.adapters.exchange import AddressError, ExchangeError, address_of, exchange
from scalegate.ledger.log_folder import MAX_FILE

TIMEOUT_SECONDS: Final = 20.0


class LogUnreachableError(Exception):
    """A log that cannot be read; the message names the file and says why."""


class LogClient:
    """Reads one log. Every file has a connection of its own."""

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Look at the address; nothing is sent.

        Args:
            url: prefix of the log: https, or http on this machine.
            timeout: seconds for each file.

        Raises:
            LogUnreachableError: if logs are not read from such an address.
        """
        try:
            self._address = address_of(url)
        except AddressError as error:
            raise LogUnreachableError(f"`{url:.200}` is no address of a log: {error}") from error
        self._timeout = timeout

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file of the log, or None where there is none.

        Raises:
            LogUnreachableError: if it could not be read whole and in time.
        """
        headers = {"Accept-Encoding": "identity"}
        try:
            found = exchange(self._address, "GET", f"/{path}", timeout=self._timeout, limit=MAX_FILE, headers=headers)
        except ExchangeError as error:
            raise LogUnreachableError(f"{path} cannot be read: {error}") from error
        if found.status == 404:
            return None
        if found.status != 200:
            raise LogUnreachableError(f"{path} cannot be read: the server answered with status {found.status}")
        if len(found.body) > MAX_FILE:
            raise LogUnreachableError(f"{path} is longer than {MAX_FILE} bytes, which no file of a log is")
        if found.cut:
            raise LogUnreachableError(f"{path} cannot be read: it was cut short")
        return found.body
