"""An upstream behind the guard: requests handed on with what they need and nothing more (extra `guard`: httpx).

Of a caller's headers only those of a short list go on, so that neither its token nor anything that another server
might take for an order gets there. Redirects are not followed and not handed back: they would lead around the guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx

from scalegate.integrations.asgi_request import GoneError, Head, Receive, RefusedError, Send, check_upstream

FORWARDED: Final = ("accept", "content-type", "idempotency-key", "openai-beta", "traceparent", "x-request-id")
RETURNED: Final = frozenset(
    {"cache-control", "content-encoding", "content-length", "content-type", "openai-processing-ms", "openai-version",
     "retry-after", "x-request-id"}
)  # fmt: skip
DECISION: Final = b"x-scalegate-decision"
_CONNECTIONS: Final = 1_024
_TIMES: Final = httpx.Timeout(connect=10.0, read=600.0, write=60.0, pool=10.0)
# What the upstream says of the key that the guard has there is between the two of them.
_OF_KEYS: Final = frozenset({401, 403, 407})


class Upstream:
    """A server that speaks as OpenAI does."""

    def __init__(self, url: str, key: str = "", *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Keep its address; nothing is connected yet.

        Args:
            url: its scheme, host, port, and the path before `/v1`.
            key: the bearer token for it; empty for none.
            transport: what connects, by default the network.

        Raises:
            ValueError: if the address is none.
        """
        self._url, self._key, self._transport = check_upstream(url), key, transport
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def forward(self, head: Head, body: bytes | None, decision: str, receive: Receive, send: Send) -> None:
        """Hand a request on, and its answer back as it comes.

        Args:
            head: the request.
            body: the whole of its body; None where it comes from `receive`.
            decision: digest of the permit, which is put into the answer.
            receive: gives the rest of the body, and says when the client has gone.
            send: takes the answer.

        Raises:
            RefusedError: if the upstream cannot be reached, or answers what may not be handed back.
            GoneError: if the client has gone.
        """
        sent = asyncio.Event()
        work = asyncio.ensure_future(self._exchange(head, body, decision, receive, send, sent))
        gone = asyncio.ensure_future(_gone(receive, sent))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise GoneError("the client has gone")
            await work
        except httpx.HTTPError as error:
            raise RefusedError(
                503, "upstream-unreachable", f"the upstream does not answer: {type(error).__name__}"
            ) from error
        finally:
            work.cancel()
            gone.cancel()
            await asyncio.wait({work, gone}, timeout=1.0)

    async def _exchange(
        self, head: Head, body: bytes | None, decision: str, receive: Receive, send: Send, sent: asyncio.Event
    ) -> None:
        content = _pieces(receive, sent) if body is None else body
        if body is not None:
            sent.set()
        request = self._open().build_request(
            head.method, self._url + head.path + (f"?{head.query}" if head.query else ""), content=content or None,
            headers=self._headers(head, streamed=body is None),
        )  # fmt: skip
        response = await self._open().send(request, stream=True)
        try:
            _check(response.status_code)
            headers = [(name, value) for name, value in response.headers.raw if _returned(name)]
            headers.append((DECISION, decision.encode()))
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            async for piece in response.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await response.aclose()

    def _headers(self, head: Head, *, streamed: bool) -> dict[str, str]:
        headers = {name: head.headers[name] for name in FORWARDED if name in head.headers}
        headers["accept-encoding"] = "identity"
        headers["user-agent"] = "scalegate-guard"
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        if streamed and head.length is not None:
            headers["content-length"] = str(head.length)
        return headers

    def _open(self) -> httpx.AsyncClient:
        """Return the client of the loop that runs now."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # `trust_env`: no proxy, and no password of ~/.netrc, comes from the surroundings.
            self._client = httpx.AsyncClient(
                follow_redirects=False,
                limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=64),
                timeout=_TIMES,
                transport=self._transport,
                trust_env=False,
            )
            self._loop = loop
        return self._client


def _check(status: int) -> None:
    """Refuse answers that may not be handed back.

    Raises:
        RefusedError: for a redirect, or what concerns the key of the guard.
    """
    if status in _OF_KEYS:
        raise RefusedError(503, "upstream-refused", f"the upstream refuses the guard: {status}")
    if not (200 <= status < 300 or 400 <= status < 600):
        raise RefusedError(503, "upstream-redirects", f"the upstream answers {status}, which would lead elsewhere")


def _returned(name: bytes) -> bool:
    text = name.decode("latin-1").lower()
    return text in RETURNED or text.startswith("x-ratelimit-")


async def _pieces(receive: Receive, sent: asyncio.Event) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)
    sent.set()


async def _gone(receive: Receive, sent: asyncio.Event) -> None:
    """Return once the client has gone, after its body came."""
    await sent.wait()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
