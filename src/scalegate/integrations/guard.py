"""A guard on a socket (extra `guard`: httpx and uvicorn): HTTP/1.1 only, one process, no sockets of the web."""

from __future__ import annotations

import socket

import uvicorn

from scalegate.integrations.asgi_request import App

# How long a stop waits for answers on their way.
_GRACE_SECONDS = 5


def serve(app: App, listener: socket.socket) -> None:
    """Answer on a socket that listens, until interrupted."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
