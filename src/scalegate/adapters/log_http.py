"""Reads the files of a log over HTTP (C2SP tlog-tiles).

Who serves the log, and who sits between, can refuse or delay a file, for a stated time and not longer, or send
something else: what is read is checked against a signed checkpoint by whoever asked. Redirections are not followed,
and nothing larger than a part of a log is taken in.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from scalegate.adapters.witness_http import is_loopback
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
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise LogUnreachableError(f"`{url:.200}` is no URL: {error}") from error
        printed = url.isascii() and url.isprintable() and " " not in url
        if not printed or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise LogUnreachableError(f"`{url:.200}` is no https:// address of a host and a path")
        if parts.query or parts.fragment:
            raise LogUnreachableError(f"`{url:.200}` has a query or fragment, and the prefix of a log has none")
        self._tls = parts.scheme == "https"
        if not self._tls and not is_loopback(parts.hostname):
            raise LogUnreachableError(f"a log is read over https://, or on this machine, and not from `{url:.200}`")
        self._host = parts.hostname
        self._port = port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        self._timeout = timeout

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file of the log, or None where there is none.

        Raises:
            LogUnreachableError: if it could not be read whole and in time.
        """
        connection = self._connection()
        late = threading.Event()
        connected: list[socket.socket] = []

        def stop() -> None:
            late.set()
            for found in connected:
                with suppress(OSError):
                    # Not the method of the TLS socket, whose state belongs to the thread that reads from it.
                    socket.socket.shutdown(found, socket.SHUT_RDWR)

        timer = threading.Timer(self._timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            connection.connect()
            connected.append(connection.sock)
            if late.is_set():
                raise TimeoutError
            connection.request("GET", f"{self._path}/{path}", headers={"Accept-Encoding": "identity"})
            with connection.getresponse() as response:
                status = response.status
                data = response.read(MAX_FILE + 1) if status == 200 else b""
                left = response.length if status == 200 else 0
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            if late.is_set():
                reason = f"no whole answer in {self._timeout:g} seconds"
            raise LogUnreachableError(f"{path} cannot be read: {reason}") from error
        finally:
            timer.cancel()
            connection.close()
        if status == 404:
            return None
        if status != 200:
            raise LogUnreachableError(f"{path} cannot be read: the server answered with status {status}")
        if late.is_set() or left:
            why = f"no whole answer in {self._timeout:g} seconds" if late.is_set() else "it was cut short"
            raise LogUnreachableError(f"{path} cannot be read: {why}")
        if len(data) > MAX_FILE:
            raise LogUnreachableError(f"{path} is longer than {MAX_FILE} bytes, which no file of a log is")
        return data

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
