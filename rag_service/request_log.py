"""What is noted of every request: its id, a line in the log, its count; and the answer where nothing else helps."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Final

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_service.access import OWNER
from rag_service.errors import ErrorAnswer
from rag_service.logs import request_id
from rag_service.metrics import Metrics

logger = logging.getLogger(__name__)

ID_HEADER: Final = "X-Request-Id"
_ID_NAME: Final = b"x-request-id"
_SANE: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_UNKNOWN_ROUTE: Final = "(none)"
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
# Asked every few seconds by machines: a line for each would be all there is in the log.
_QUIET: Final = frozenset({"/health", "/ready", "/metrics"})


class RequestLog:
    """ASGI middleware around all others."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = _id_of(scope)
        token = request_id.set(named)
        began = time.monotonic()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (_ID_NAME, named.encode())]}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            logger.error("a request failed in a way that nobody foresaw", exc_info=error)
            if not status:
                answer = internal_error(error)
                await JSONResponse(answer.body(scope["path"]), answer.status)(scope, receive, sending)
        finally:
            self._note(scope, status, time.monotonic() - began)
            request_id.reset(token)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The path itself may hold what somebody wrote; the route is ours.
        path = getattr(scope.get("route"), "path", None)
        route = path.removeprefix("/v1") if isinstance(path, str) else _UNKNOWN_ROUTE
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.note_request(method, route, status)
        level = logging.DEBUG if route in _QUIET and status < 400 else logging.INFO
        if logger.isEnabledFor(level):
            owner = scope.get(OWNER)
            logger.log(
                level,
                "%s %s %s in %.0f ms%s",
                method,
                route,
                status or "left",
                seconds * 1000,
                f" for {owner}" if owner is not None else "",
            )


def internal_error(error: Exception) -> ErrorAnswer:
    """The answer to a request that met a fault of ours: nothing of its inside."""
    message = f"The service failed on this request ({type(error).__name__}); its log says where."
    return ErrorAnswer(500, "server_error", "internal_error", message)


def _id_of(scope: Scope) -> str:
    """The id that a client gave its request, where it is fit to be written into a log; else a new one."""
    given: bytes | None = next((value for name, value in scope["headers"] if name == _ID_NAME), None)
    return given.decode() if given is not None and _SANE.fullmatch(given) else uuid.uuid4().hex
