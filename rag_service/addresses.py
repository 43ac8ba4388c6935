"""Where clients reach this service: told at its start, or seen from the first request."""

from __future__ import annotations

import socket
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_service.pool import ModelPool

# An address set aside for documentation (RFC 5737), which nobody has.
_ELSEWHERE: Final = ("192.0.2.1", 9)


def base_url(host: str, port: int) -> str:
    """Where a client on this machine reaches a service that listens there."""
    here = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{here}]:{port}/v1" if ":" in here else f"http://{here}:{port}/v1"


def lan_address() -> str:
    """The address by which other machines of the network reach this one; 127.0.0.1 where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # A datagram socket that is connected sends nothing: the system only chooses the way it would go.
            probe.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        host: str = probe.getsockname()[0]
        return host


class AddressFinder:
    """ASGI middleware that announces the address of the first request, where none was told at the start.

    A server that did not make its own socket, such as one of ``uvicorn --workers 2``, learns from a request where
    it listens. Other processes that find the NPU taken are told.
    """

    def __init__(self, app: ASGIApp, application: FastAPI) -> None:
        """``application`` is whose ``state.base_url`` is kept, and whose pool announces it."""
        self._app = app
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        state = self._application.state
        if state.base_url is None and scope["type"] == "http":
            url = _seen(scope.get("server"))
            pool: ModelPool | None = getattr(state, "pool", None)
            if url is not None and pool is not None:
                state.base_url = url
                pool.announce(url)
        await self._app(scope, receive, send)


def _seen(server: Any) -> str | None:
    """The base URL of an ASGI ``server``; a Unix socket, whose port is ``None``, has none."""
    host, port = server or (None, None)
    return base_url(host, port) if isinstance(host, str) and isinstance(port, int) else None
