"""Requests of ASGI, read so that no other server could read them differently: one length, one path, one model.

No server and no framework is imported here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from scalegate.enforce.callers import Caller
from scalegate.enforce.service import Asked, Body, Verdict
from scalegate.ledger.dsse import DsseError, read_json

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

SCAFFOLD: Final = "x-scalegate-scaffold"
HOLD: Final = "scalegate_hold"
JSON: Final = b"application/json"
# Reading more than this is left to a thread.
_SMALL: Final = 1 << 18
_SINGLE: Final = frozenset(
    {
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "upgrade",
        SCAFFOLD,
    }
)
_LENGTH: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_JSON_TYPE: Final = re.compile(r'application/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?', re.ASCII | re.IGNORECASE)


class RefusedError(Exception):
    """A request that is answered with an error, and goes no further.

    Attributes:
        status: of HTTP.
        code, words: why.
    """

    def __init__(self, status: int, code: str, words: str) -> None:
        """Keep all three."""
        super().__init__(words)
        self.status = status
        self.code = code
        self.words = words

    @classmethod
    def of(cls, verdict: Verdict) -> RefusedError:
        """Return the error of a verdict."""
        return cls(verdict.status, verdict.code, verdict.words)


class GoneError(OSError):
    """The client has gone, or has been cut off."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a guard bears.

    Attributes:
        body: bytes of a body.
        seconds: until a body that is read as a whole has come.
    """

    body: int = 32 << 20
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body.

    Attributes:
        method, path, query: as they were sent.
        headers: by lower-case name; of several with one name, the last.
        token: what was shown as a bearer token; None for nothing.
        scaffold: what was named as the scaffold; empty for nothing.
        length: what the body was said to have, in bytes; None where that was not said.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    token: bytes | None
    scaffold: str
    length: int | None

    def asked_by(self, caller: Caller | None) -> Asked:
        """Return what is asked, and by whom."""
        return Asked(self.method, self.path, self.query, caller, self.scaffold)


def read_head(scope: Scope) -> Head:
    """Return the head of a request.

    Raises:
        RefusedError: if it could be read in more than one way.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = bytes(raw_name).decode("latin-1").lower()
        if name in headers and name in _SINGLE:
            raise RefusedError(400, "head-unclear", f"the header `{name}` stands there more than once")
        headers[name] = bytes(raw_value).decode("latin-1").strip()
    _check_framing(headers)
    if headers.get("upgrade", "h2c").lower() != "h2c":
        raise RefusedError(400, "upgrade-refused", "sockets are not looked into, and therefore not opened")
    scaffold = headers.get(SCAFFOLD, "")
    return Head(
        method=scope["method"],
        path=_path(scope),
        query=bytes(scope.get("query_string", b"")).decode("latin-1"),
        headers=headers,
        token=_token(headers.get("authorization", "")),
        scaffold=scaffold,
        length=int(headers["content-length"]) if "content-length" in headers else None,
    )


def _check_framing(headers: Mapping[str, str]) -> None:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if length is not None and (coding is not None or _LENGTH.fullmatch(length) is None):
        raise RefusedError(400, "framing-unclear", "where the body ends could be read in more than one way")
    if coding is not None and coding.lower() != "chunked":
        raise RefusedError(400, "framing-unclear", "a body comes with its length, or in chunks")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "body-encoded", "what is packed cannot be looked into")


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    raw = scope.get("raw_path")
    if raw is not None and bytes(raw).decode("latin-1") != path:
        raise RefusedError(400, "path-unclear", "the path could be read in more than one way")
    return path


def _token(value: str) -> bytes | None:
    scheme, _, token = value.partition(" ")
    return token.strip().encode("latin-1") if scheme.lower() == "bearer" and token.strip() else None


# ---------------------------------------------------------------- bodies


async def read_body(receive: Receive, head: Head, limits: Limits) -> bytes:
    """Return a whole body.

    Raises:
        RefusedError: if it is too long, or does not come.
        GoneError: if the client has gone.
    """
    counted = Counted(receive, head, limits)
    parts = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            while not counted.over:
                message = await counted()
                parts += message.get("body", b"")
    except TimeoutError as error:
        raise RefusedError(408, "body-late", f"the body did not come within {limits.seconds:g} seconds") from error
    return bytes(parts)


class Counted:
    """Hands on what a client sends, up to a limit.

    Attributes:
        over: whether the body has ended.
        refusal: why no more of it is handed on; None while it may be.
    """

    def __init__(self, receive: Receive, head: Head, limits: Limits) -> None:
        """Refuse what says itself that it is too long.

        Raises:
            RefusedError: for such a body.
        """
        self._receive, self._limit, self._count = receive, limits.body, 0
        self.over = False
        self.refusal: RefusedError | None = None
        if head.length is not None and head.length > limits.body:
            raise self._too_long()

    async def __call__(self) -> Message:
        """Return the next piece.

        Raises:
            RefusedError: if there is more than the limit.
            GoneError: if the client has gone before the end.
        """
        message = await self._receive()
        if message["type"] == "http.disconnect":
            if not self.over:
                raise GoneError("the client has gone")
            return message
        self._count += len(message.get("body", b""))
        self.over = not message.get("more_body", False)
        if self._count > self._limit:
            raise self._too_long()
        return message

    def _too_long(self) -> RefusedError:
        self.refusal = RefusedError(413, "body-long", f"the body has more than {self._limit} bytes")
        return self.refusal


async def read_object(data: bytes, head: Head, kind: Body, limits: Limits) -> object:
    """Return the JSON in a body; None where there is no body.

    Raises:
        RefusedError: if it is said to be something else, or is not JSON that every reader understands in the same way.
    """
    if not data and kind != "json":
        return None
    if kind == "none":
        raise RefusedError(400, "body-unclear", "there is no body to this request")
    if _JSON_TYPE.fullmatch(head.headers.get("content-type", "")) is None:
        raise RefusedError(415, "body-unclear", "the body is JSON in UTF-8, and its content type says so")
    try:
        if len(data) <= _SMALL:
            return read_json(data, limits.body)
        return await asyncio.to_thread(read_json, data, limits.body)
    except DsseError as error:
        raise RefusedError(400, "body-unclear", f"{error}"[:300]) from error


# ---------------------------------------------------------------- answers


def error_body(status: int, code: str, words: str, hint: str = "") -> bytes:
    """Return an error in the form of OpenAI; a hold has one code, and its reason beside it."""
    held = status == 503
    error = {
        "message": f"HOLD {words} [{code}]" + (f"; {hint}" if hint else "") if held else words,
        "type": HOLD if held else "invalid_request_error",
        "param": None,
        "code": HOLD if held else code,
    }
    return json.dumps({"error": {**error, "reason": code} if held else error}).encode()


async def send_json(send: Send, status: int, body: bytes, *, head: bool = False) -> None:
    """Send a whole answer in JSON that nobody keeps."""
    headers = [
        (b"content-type", JSON),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 503:
        # Clients of OpenAI ask again twice, unless they are told not to.
        headers.append((b"x-should-retry", b"false"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def check_upstream(url: str) -> str:
    """Return the address of an upstream, without a slash at its end.

    Raises:
        ValueError: if it is none, or has more than scheme, host, port and path.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"`{url:.200}` is no address such as http://127.0.0.1:8000")
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise ValueError("the address of the upstream has a scheme, a host, a port and a path, and nothing else")
    if parts.port == 0 or "//" in parts.path or ".." in parts.path or "%" in parts.path:
        raise ValueError(f"`{url:.200}` has a port or path that leads nowhere")
    return url.rstrip("/")
