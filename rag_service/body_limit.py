"""A bound on request bodies, checked before anything reads them."""

from __future__ import annotations

from typing import Final

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_service.errors import invalid_request

_LENGTH: Final = b"content-length"


class BodyLimit:
    """ASGI middleware that answers 413 to a body of more than ``limit`` bytes, announced or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == _LENGTH), b"0")
        if announced.isdigit() and int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        received = 0
        too_large = answered = False

        async def counting() -> Message:
            nonlocal received, too_large
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                too_large = True
                return {"type": "http.disconnect"}
            return message

        async def sending(message: Message) -> None:
            nonlocal answered
            if too_large and not answered:
                return  # what the application makes of the cut body is not the reason
            answered = True
            await send(message)

        await self._app(scope, counting, sending)
        if too_large and not answered:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = (
            f"The request body is larger than {self._limit} bytes, the most that is taken. Send fewer or smaller "
            "pictures, or less text; RKLLM_BODY_LIMIT sets the limit."
        )
        answer = invalid_request(message, status=413, code="body_too_large")
        response = JSONResponse(answer.body(scope["path"]), answer.status, {"Connection": "close"})
        await response(scope, receive, send)
