"""An HTTP/1.1 listener that gives strangers little to work with.

It knows GET, HEAD and POST, bodies with a stated length, and nothing else: no chunks, no upgrades, no names of files.
What was sent is never repeated, neither to the client nor to the operator. Connections, their lines, bodies and
times are limited. There is no TLS here: listen on the loopback interface, and put a server that has it in front.
"""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from scalegate.ledger.errors import StoreError

MAX_HEAD: Final = 1 << 14
MAX_BODY: Final = 1 << 16
MAX_CONNECTIONS: Final = 64
IDLE_SECONDS: Final = 10.0
REQUEST_SECONDS: Final = 20.0
PLAIN: Final = "text/plain; charset=utf-8"
_POLL_SECONDS = 0.05
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: GET (HEAD is answered as GET, without the body) or POST, the raw target, and the body."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Answers: TypeAlias = Callable[[Request], Reply]
Report: TypeAlias = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a listener bears.

    Attributes:
        body: Bytes of a body.
        connections: How many at a time; more are closed at once.
        idle: Seconds between two bytes.
        request: Seconds from the first wait for a request to the end of its answer.
    """

    body: int = MAX_BODY
    connections: int = MAX_CONNECTIONS
    idle: float = IDLE_SECONDS
    request: float = REQUEST_SECONDS


class Listener:
    """Answers over HTTP, each connection in a thread of its own. Use as a context manager, or call `close`."""

    def __init__(
        self,
        answers: Answers,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: Limits | None = None,
        report: Report | None = None,
    ) -> None:
        """Take a port; nothing is answered before `start` or `serve_forever`.

        Args:
            answers: what answers; an exception of it is answered with 500 and no reason.
            host: interface to listen on.
            port: its port, 0 for any that is free.
            limits: how much to bear.
            report: told one line for each answer, and the kind of each failure; nothing that a client sent.

        Raises:
            OSError: if the port cannot be taken.
        """
        self._server = _server(host, port, _Context(answers, limits or Limits(), report or _keep_quiet))
        self._thread: threading.Thread | None = None
        self._served = False

    @property
    def url(self) -> str:
        """Where it listens, as `http://127.0.0.1:8080`."""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def serve_forever(self) -> None:
        """Answer until another thread calls `close`, or an exception, such as that of control-C, comes."""
        self._served = True
        self._server.serve_forever(_POLL_SECONDS)

    def start(self) -> None:
        """Answer in a thread of its own."""
        self._served = True
        self._thread = threading.Thread(target=self.serve_forever, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, finish those that were read, and give the port back."""
        if self._served:
            self._server.shutdown()
        if self._thread is not None:
            self._thread.join()
        self._server.stop_reading()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Context:
    answers: Answers
    limits: Limits
    report: Report
    opened: dict[socket.socket, float] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    # Closing waits for the threads, whose clients hear no more of a request that was not read.
    daemon_threads = False
    block_on_close = True
    request_queue_size = MAX_CONNECTIONS
    context: _Context

    def server_bind(self) -> None:
        # Not that of HTTPServer, which asks the domain name system who it is.
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - types of the library
        if len(self.context.opened) >= self.context.limits.connections:
            self.context.report("a connection was closed: too many are open")
            self.shutdown_request(request)
            return
        self.context.opened[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        self.context.opened.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        # Called a few times each second: a client that sends a byte now and then is never idle.
        before = time.monotonic() - self.context.limits.request
        for connection, since in list(self.context.opened.items()):
            if since < before:
                _shut(connection, socket.SHUT_RDWR)

    def stop_reading(self) -> None:
        for connection in list(self.context.opened):
            _shut(connection, socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        self.context.report("a connection broke off")


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "scalegate"
    sys_version = ""
    # Otherwise errors about half a request line would be sent without any headers.
    default_request_version = "HTTP/1.0"
    # For what is no request at all, and answered before the library has set these.
    command = ""
    request_version = protocol_version
    # Head and body are two writes, and the second would wait for the first to be acknowledged.
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.context.limits.idle)
        self.rfile = self._head = _Head(self.rfile)

    def handle_one_request(self) -> None:
        self._head.left = MAX_HEAD
        if self.connection in self.server.context.opened:
            self.server.context.opened[self.connection] = time.monotonic()
        try:
            super().handle_one_request()
        except _HeadTooLongError:
            self.send_error(431)

    def _answer(self) -> None:
        refused = self._refused()
        if refused:
            self.send_error(refused)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if len(body) < int(self.headers.get("Content-Length", "0")):
            self.close_connection = True
            return
        method = "GET" if self.command == "HEAD" else self.command
        # The library's own `path` is not quite what was sent: it has lost a slash of two.
        target = self.requestline.split()[1]
        try:
            reply = self.server.context.answers(Request(method, target, body))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client hears nothing of it
            # Others may quote what was sent.
            about = f": {error}" if isinstance(error, StoreError | OSError) else ""
            self.server.context.report(f"{type(error).__name__}{about}")
            reply = _plain(500)
        self._send(reply)

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - names of the library

    def _refused(self) -> int:
        """Return the status of a request that is not read to its end, or 0."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers:
            return 501
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            return 400
        if self.command == "POST" and not lengths:
            return 411
        if lengths and int(lengths[0]) > (self.server.context.limits.body if self.command == "POST" else 0):
            return 413
        return 0

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in (
            ("Content-Type", reply.content_type),
            ("Content-Length", str(len(reply.body))),
            ("X-Content-Type-Options", "nosniff"),
            *reply.headers,
        ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def handle_expect_100(self) -> bool:
        refused = self._refused()
        if refused:
            self.send_error(refused)
            return False
        return super().handle_expect_100()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        # The library would repeat what was sent. What follows on the connection cannot be told from a body.
        self.close_connection = True
        self._send(_plain(405 if code == 501 and self.command not in {"GET", "HEAD", "POST"} else code))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        self.server.context.report(f"{self.client_address[0]} {int(code)}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401, ARG002
        # What the library has to say besides: that a client was too slow.
        self.server.context.report(f"{self.client_address[0]} gave no whole request")


class _HeadTooLongError(Exception):
    pass


class _Head(io.BufferedIOBase):
    """A stream whose lines together are limited."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401
        self._stream = stream
        self.left = MAX_HEAD

    def readline(self, size: int | None = -1, /) -> bytes:
        line: bytes = self._stream.readline(min(self.left + 1, size if size and size > 0 else MAX_HEAD))
        self.left -= len(line)
        if self.left < 0:
            raise _HeadTooLongError
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes = self._stream.read(size)
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def _server(host: str, port: int, context: _Context) -> _Server:
    server = (_Server6 if ":" in host else _Server)((host, port), _Handler)
    server.context = context
    return server


def _plain(status: int) -> Reply:
    return Reply(status, PLAIN, f"{responses.get(status, 'refused')}\n".encode())


def _shut(connection: socket.socket, how: int) -> None:
    with suppress(OSError):
        connection.shutdown(how)


def _keep_quiet(_line: str) -> None:
    return
