"""Connections with bounds: on their number, the size of a request's head, and the time a request takes to arrive.

uvicorn's own protocol waits without end for a head or a body that never comes.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rag_service.errors import invalid_request
from rag_service.settings import ServiceSettings

_REASONS: Final = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class BoundedProtocol(HttpToolsProtocol):
    """One connection. ``bounded_protocol`` makes the class that has a service's settings."""

    settings: ServiceSettings
    _expected: Literal["head", "body"] | None = None
    _head_bytes = 0
    _bytes_before_end = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        limit = self.settings.connection_limit
        if len(self.connections) > limit:
            self._refuse(
                503, "too_many_connections", f"{limit} connections are open already, which is the most there may be."
            )
            return
        self._expect("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._expect(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = self._bytes_before_end = 0
        self._expect("head")

    def on_url(self, url: bytes) -> None:
        """A part of its address."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)  # the colon, the blank and the line's end

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._expect("body")
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it has arrived."""
        self._expect(None)
        if not self.transport.is_closing():
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._expected == "head":
            # The parser does not tell of a header before it is whole, and one may never end.
            self._bytes_before_end += len(data)
            self._check_head(self._bytes_before_end)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        if not self.transport.is_closing():
            self._refuse(400, "invalid_http", msg)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        self._check_head(self._head_bytes)

    def _check_head(self, size: int) -> None:
        limit = self.settings.header_limit
        if size > limit and not self.transport.is_closing():
            self._refuse(431, "head_too_large", f"The request's address and headers are larger than {limit} bytes.")

    def _expect(self, what: Literal["head", "body"] | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._expected = what
        if what is not None:
            seconds = self.settings.header_seconds if what == "head" else self.settings.body_seconds
            self._deadline = self.loop.call_later(seconds, self._be_late, what, seconds)

    def _be_late(self, what: Literal["head", "body"], seconds: float) -> None:
        self._deadline = None
        cycle = self.cycle
        if self.transport.is_closing():
            return
        if what == "head" and cycle is not None and not cycle.response_complete:
            self._expect("head")  # the request before it is still being answered
        elif what == "body" and cycle is not None and cycle.response_started:
            self.transport.close()  # it was refused without its body
        else:
            self._refuse(408, "request_timeout", f"The request's {what} did not arrive within {seconds:g} s.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = json.dumps(invalid_request(message, status=status, code=code).body()).encode()
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def bounded_protocol(settings: ServiceSettings) -> type[asyncio.Protocol]:
    """The protocol of a service with these settings."""
    namespace: dict[str, Any] = {"settings": settings}
    return type("ServiceProtocol", (BoundedProtocol,), namespace)
