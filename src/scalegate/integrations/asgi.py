"""A door in front of a model: it answers only while the permit of its deployment stands (ASGI, extra `guard`).

`Guard` is a proxy in front of an upstream that speaks as OpenAI does, `GuardMiddleware` the same door inside a server
in Python. Without a valid permit, on a hold, and on every failure of its own, each request gets 503 with the code
`scalegate_hold`; answers on their way are cut off. `/scalegate/standing` says how it stands.

A permit is for a system: weights, safeguards and scaffold. A guard sees requests, and none of these: which weights the
upstream has behind its URL, it cannot know, and `/scalegate/standing` says so under `not_checked`. Whoever reaches the
upstream around the guard is not held: let nobody else connect to it.

    app = Guard(Service(Path("orion.permit"), "acme.trust"), Upstream("http://127.0.0.1:8000"), callers=callers)
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scalegate.enforce.callers import Caller, Callers
from scalegate.enforce.service import Endpoint, Offer, ServiceLease, endpoint_of, judge, judge_body
from scalegate.integrations.asgi_request import (
    HOLD,
    SCAFFOLD,
    App,
    Counted,
    GoneError,
    Head,
    Limits,
    Message,
    Receive,
    RefusedError,
    Scope,
    Send,
    error_body,
    read_body,
    read_head,
    read_object,
    send_json,
)
from scalegate.integrations.serving import Service, Standing

if TYPE_CHECKING:
    from scalegate.integrations.upstream import Upstream

STANDING: Final = "/scalegate/standing"
_EVERY: Final = 0.25
_PATIENCE: Final = 1.5
_CUT_SECONDS: Final = 1.0
_EVENTS: Final = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be answered.

    Attributes:
        scope: of ASGI, without what is between the caller and the guard.
        head: the same, read.
        endpoint: what is asked for.
        lease: what it is answered under.
        caller: who asks; None for somebody whom nobody named.
        body: the whole of it; None where it is handed on as it comes.
    """

    scope: Scope
    head: Head
    endpoint: Endpoint
    lease: ServiceLease
    caller: Caller | None
    body: bytes | None


Onward = Callable[[Admitted, Receive, Send], Awaitable[None]]


class _Reply:
    """Sends an answer until it is cut off."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = self.events = self.over = self.cut = False
        self.counted: Counted | None = None

    async def __call__(self, message: Message) -> None:
        # What a server makes of a body that was refused half way is not its answer.
        if self.cut or (self.counted is not None and self.counted.refusal is not None):
            raise GoneError("the answer was cut off")
        if message["type"] == "http.response.start":
            self.started = True
            kinds = [value for name, value in message.get("headers", ()) if bytes(name).lower() == b"content-type"]
            self.events = any(bytes(value).lower().startswith(_EVENTS) for value in kinds)
        elif message["type"] == "http.response.body":
            self.over = not message.get("more_body", False)
        await self._send(message)

    async def end(self, status: int, code: str, words: str, hint: str = "") -> None:
        """Send an error; into a stream of events as its last one. Any other answer that has begun is left broken."""
        self.cut = True
        if self.over:
            return
        body = error_body(status, code, words, hint)
        if not self.started:
            await send_json(self._send, status, body)
        elif self.events:
            await self._send({"type": "http.response.body", "body": b"\n\ndata: " + body + b"\n\n"})


class _Door:
    """What `Guard` and `GuardMiddleware` have in common: who gets in, and who is cut off."""

    def __init__(self, service: Service, callers: Callers | None, offer: Offer | None, limits: Limits | None) -> None:
        self._service = service
        self._callers, self._offer, self._limits = callers or Callers(), offer or Offer(), limits or Limits()
        self._flights: set[asyncio.Future[Standing]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._looking: asyncio.Future[Standing] | None = None

    # ------------------------------------------------------------ watching

    async def open(self) -> None:
        """Begin to watch in the loop that runs now."""
        if self._watching is not None and not self._watching.done():
            return
        self._watching = asyncio.create_task(self._watch())
        self._looking = None
        await asyncio.to_thread(self._service.begin)
        await self._look()

    async def close(self) -> None:
        """Cut off everybody, and end the service."""
        if self._watching is not None:
            self._watching.cancel()
        self._cut(Standing(None, "over", "the service has ended"))
        await asyncio.to_thread(self._service.close)

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
                standing = self._service.stands()
            except Exception as error:  # noqa: BLE001 - whatever went wrong, it is a hold
                standing = Standing(None, "guard-failed", f"the guard failed: {type(error).__name__}")
            if standing.lease is None:
                self._cut(standing)
            await asyncio.sleep(_EVERY)

    def _cut(self, standing: Standing) -> None:
        for flight in self._flights:
            if not flight.done():
                flight.set_result(standing)

    async def _look(self) -> None:
        """Have the permit looked at, and wait a moment for it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._service.look))
        await asyncio.wait({self._looking}, timeout=_PATIENCE)

    async def _now(self) -> Standing:
        await self.open()
        standing = self._service.stands()
        if standing.code in ("permit-changed", "not-begun"):
            await self._look()
            standing = self._service.stands()
        return standing

    # ------------------------------------------------------------ answering

    async def answer(self, scope: Scope, receive: Receive, send: Send, onward: Onward) -> None:
        """Answer one request: what `onward` makes of it, or why nothing does."""
        reply = _Reply(send)
        try:
            await self._answer(scope, receive, reply, onward)
        except RefusedError as error:
            await reply.end(error.status, error.code, error.words)
        except GoneError:
            reply.cut = True
        except Exception as error:  # noqa: BLE001 - no failure lets anything through
            self._service.tell(f"a request failed: {type(error).__name__}: {error}"[:300])
            await reply.end(503, "guard-failed", "the guard failed")

    async def _answer(self, scope: Scope, receive: Receive, reply: _Reply, onward: Onward) -> None:
        standing = await self._now()
        if scope["path"] == STANDING and scope["method"] in ("GET", "HEAD"):
            body = json.dumps(self._service.facts()).encode()
            status = 200 if standing.lease is not None else 503
            await send_json(reply, status, body, head=scope["method"] == "HEAD")
            return
        if standing.lease is None:
            await reply.end(503, standing.code, standing.words, standing.hint)
            return
        admitted = await self._admit(standing.lease, scope, receive)
        if admitted.body is None:
            receive = reply.counted = Counted(receive, admitted.head, self._limits)
        flight: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        self._flights.add(flight)
        work = asyncio.ensure_future(onward(admitted, receive, reply))
        either: set[asyncio.Future[Any]] = {work, flight}
        try:
            # It may have been held while the body came, and before anybody could cut this flight off.
            held = self._service.stands()
            if held.lease is None and held.code != "permit-changed":
                self._cut(held)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if flight.done():
                await self._break_off(work, reply, flight.result())
            else:
                _check_ended(work, reply.counted)
        finally:
            self._flights.discard(flight)
            work.cancel()

    async def _break_off(self, work: asyncio.Future[None], reply: _Reply, standing: Standing) -> None:
        reply.cut = True
        work.cancel()
        await asyncio.wait({work}, timeout=_CUT_SECONDS)
        if work.done() and not work.cancelled():
            work.exception()
        # A client that does not read would keep the end of its answer from being sent.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CUT_SECONDS):
                await reply.end(503, standing.code, standing.words, standing.hint)

    async def _admit(self, lease: ServiceLease, scope: Scope, receive: Receive) -> Admitted:
        head = read_head(scope)
        caller = self._callers.find(head.token) if head.token is not None else None
        asked = head.asked_by(caller)
        verdict = judge(lease, self._offer, asked, self._service.now)
        endpoint = endpoint_of(asked)
        if not verdict.allowed or endpoint is None:
            raise RefusedError.of(verdict)
        data: bytes | None = None
        if endpoint.body != "bytes":
            data = await read_body(receive, head, self._limits)
            body = await read_object(data, head, endpoint.body, self._limits)
            verdict = judge_body(lease, self._offer, endpoint, body) if endpoint.body != "none" else verdict
            if not verdict.allowed:
                raise RefusedError.of(verdict)
        return Admitted(_inner(scope, caller, lease), head, endpoint, lease, caller, data)


def _check_ended(work: asyncio.Future[None], counted: Counted | None) -> None:
    """Raise what went wrong in an answer that has ended."""
    if work.cancelled():
        raise GoneError("the answer was given up")
    error = work.exception()
    if counted is not None and counted.refusal is not None:
        raise counted.refusal from error
    if error is not None:
        raise error


def _inner(scope: Scope, caller: Caller | None, lease: ServiceLease) -> Scope:
    """Return what a server behind the door gets to see: not the token, and no way around what is looked at here."""
    hidden = {b"authorization", b"upgrade", b"http2-settings", SCAFFOLD.encode()}
    headers = [(name, value) for name, value in scope["headers"] if bytes(name).lower() not in hidden]
    told = {"caller": caller.name if caller is not None else "", "decision": lease.decision}
    return {**scope, "headers": headers, "extensions": {}, "scalegate": told}


class _Doorway(ABC):
    """An ASGI app behind the door; what becomes of a request that was admitted is for those below to say."""

    def __init__(self, service: Service, callers: Callers | None, offer: Offer | None, limits: Limits | None) -> None:
        self._door = _Door(service, callers, offer, limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI says."""
        if scope["type"] == "http":
            await self._door.answer(scope, receive, send, self._onward)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await _refuse_socket(scope, receive, send)

    @abstractmethod
    async def _onward(self, admitted: Admitted, receive: Receive, send: Send) -> None:
        """Answer a request that was admitted."""

    @abstractmethod
    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the door when the server starts, and close it when it ends."""


class GuardMiddleware(_Doorway):
    """The door inside a server in Python: `app.add_middleware(GuardMiddleware, service=..., callers=...)`.

    It has to be the outermost one. The permit has one process: run one worker.
    """

    def __init__(
        self,
        app: App,
        service: Service,
        *,
        callers: Callers | None = None,
        offer: Offer | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Stand in front of an app.

        Args:
            app: what answers.
            service: the permit.
            callers: who may ask; without them nobody but those that `offer` lets in.
            offer: how the operator offers what the permit is for.
            limits: how much to bear.
        """
        super().__init__(service, callers, offer, limits)
        self._app = app

    async def _onward(self, admitted: Admitted, receive: Receive, send: Send) -> None:
        left = admitted.body

        async def replay() -> Message:
            nonlocal left
            if left is None:
                return await receive()
            body, left = left, None
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(admitted.scope, replay, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._door.open()
            if message["type"].startswith("lifespan.shutdown."):
                await self._door.close()
            await send(message)

        await self._app(scope, receive, told)


class Guard(_Doorway):
    """The door as a proxy in front of an upstream."""

    def __init__(
        self,
        service: Service,
        upstream: Upstream,
        *,
        callers: Callers | None = None,
        offer: Offer | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Stand in front of an upstream.

        Args:
            service: the permit.
            upstream: what answers.
            callers: who may ask; without them nobody but those that `offer` lets in.
            offer: how the operator offers what the permit is for.
            limits: how much to bear.
        """
        super().__init__(service, callers, offer, limits)
        self._upstream = upstream

    async def _onward(self, admitted: Admitted, receive: Receive, send: Send) -> None:
        await self._upstream.forward(admitted.head, admitted.body, admitted.lease.decision, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing of it is asked
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._door.open()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._door.close()
                await self._upstream.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Close a socket before it opens.

    Raises:
        ValueError: for a scope of another kind, which ASGI wants to hear of.
    """
    if scope["type"] != "websocket":
        raise ValueError(f"the scope `{scope['type']}` is not served: {HOLD}")
    message: Any = await receive()
    if message["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": 1008, "reason": HOLD})
