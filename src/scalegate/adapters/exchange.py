"""One HTTP request with a deadline for the whole of it: over verified TLS, or without leaving the machine.

Whoever is asked, and who sits between, can refuse or delay an answer for a stated time and not longer, and sends no
more than was allowed. Redirections are not followed, and no proxy is asked.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_PRINTED = re.compile(r"[\x21-\x7e]+", re.ASCII)


class AddressError(ValueError):
    """A URL that nothing is asked over; the message says why."""


class ExchangeError(Exception):
    """No whole answer; the message says why, and holds nothing that the other side sent."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go: host, port, and what stands before every path."""

    tls: bool
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Response:
    """Status, content type, and at most as many bytes of the body as were asked for, and one.

    Attributes:
        cut: whether the connection ended before all that was announced had come.
    """

    status: int
    kind: str
    body: bytes
    cut: bool


def address_of(url: str) -> Address:
    """Return the address of a URL prefix.

    Raises:
        AddressError: for anything but https:// with a host and a path, or http:// to this very machine.
    """
    try:
        if not _PRINTED.fullmatch(url):
            raise ValueError("it is empty, or has spaces or other characters that no URL has")  # noqa: TRY301
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(f"it is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise AddressError("it is no https:// address of a host and a path")
    if parts.query or parts.fragment:
        raise AddressError("it has a query or a fragment, and is the prefix of paths")
    tls = parts.scheme == "https"
    if not tls and not is_loopback(parts.hostname):
        raise AddressError("what is asked leaves this machine over https:// only")
    return Address(tls, parts.hostname, port or (443 if tls else 80), parts.path.rstrip("/"))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def exchange(
    address: Address,
    method: str,
    path: str,
    *,
    timeout: float,
    limit: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send one request on a connection of its own, and return the answer.

    Args:
        address: whom to ask.
        method: `GET` or `POST`.
        path: what stands behind the path of the address.
        timeout: seconds that it may take once there is a connection; that may take as long, twice for TLS.
        limit: how many bytes of the body are read; one more tells that there are more.
        body: what is sent.
        headers: what is sent before it.

    Raises:
        ExchangeError: if there is no whole answer in time.
    """
    connection = _connection(address, timeout)
    late = threading.Event()
    connected: list[socket.socket] = []

    def stop() -> None:
        late.set()
        for found in connected:
            with suppress(OSError):
                # Not the method of the TLS socket, whose state belongs to the thread that reads from it.
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    try:
        connection.connect()
        connected.append(connection.sock)
        if late.is_set():
            raise TimeoutError("it took too long to connect")
        connection.request(method, f"{address.path}{path}", body, dict(headers or {}))
        with connection.getresponse() as response:
            data = response.read(limit + 1)
            found = Response(response.status, response.headers.get("Content-Type", ""), data, bool(response.length))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ExchangeError(_reason(error, timeout, late=late.is_set())) from error
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise ExchangeError(_late(timeout))
    return found


def _connection(address: Address, timeout: float) -> http.client.HTTPConnection:
    if address.tls:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(address.host, address.port, timeout=timeout)


def _reason(error: Exception, timeout: float, *, late: bool) -> str:
    if late or isinstance(error, TimeoutError):
        return _late(timeout)
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # The text of these errors can be what the other side sent.
    return f"the answer is no HTTP ({type(error).__name__})"


def _late(timeout: float) -> str:
    return f"no whole answer in {timeout:g} seconds"
