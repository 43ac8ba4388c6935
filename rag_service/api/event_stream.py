"""Server-sent events, and answers that end when their client goes away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol, Self, TypeVar

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from rag_service.errors import first_line, response_for
from rag_service.metrics import Metrics
from rkllm_providers.chat import ChatEvent, ChatResult, Finish
from rkllm_providers.errors import RequestCancelled, RKLLMError

logger = logging.getLogger(__name__)

# An error within this time gets a status of its own; after it the stream is opened, so that
# neither clients nor proxies take a long prefill for a dead server.
_STATUS_SECONDS: Final = 5.0
_KEEP_ALIVE_SECONDS: Final = 10.0
_KEEP_ALIVE: Final = b": keep-alive\n\n"
# Clients that show what is going on are told sooner, and then whenever there is something new.
_NEWS_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.5

T = TypeVar("T")


class StreamedAnswer(Protocol):
    """An answer under way, in batches of events."""

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many tokens of the prompt are read, and of how many, where that is known."""
        ...

    def __aiter__(self) -> Self:
        """Itself."""
        ...

    async def __anext__(self) -> list[ChatEvent]:
        """The next events."""
        ...

    def close(self) -> None:
        """Abort the run if it is still under way."""
        ...


class EventWire(Protocol):
    """How a wire format writes an answer as server-sent events. One that tells no news may inherit that."""

    @property
    def model(self) -> str:
        """The id of the model that was asked."""
        ...

    def opening(self) -> bytes:
        """What comes before the first event."""
        ...

    @property
    def tells_news(self) -> bool:
        """Whether the client is told what is going on before the first event."""
        return False

    def news(self) -> bytes:
        """What is going on, if that is something new; nothing once there were events."""
        return b""

    async def prepare(self) -> None:
        """Make ready what takes long to put together. Is awaited once, when the first events are there."""
        return

    def encode(self, events: list[ChatEvent]) -> bytes:
        """Events, and the end of the stream with the last."""
        ...

    def failure(self, error: RKLLMError) -> bytes:
        """An error after the stream was opened."""
        ...


class EventStreamResponse(Response):
    """Streams an answer, and aborts its run when the client disconnects.

    ``answer`` is set once everything that can fail before has not.
    """

    media_type = "text/event-stream"
    answer: StreamedAnswer

    def __init__(self, wire: EventWire, headers: Mapping[str, str]) -> None:
        super().__init__(
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **headers},
        )
        del self.headers["content-length"]
        self._wire = wire
        self._pieces_sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        metrics: Metrics = scope["app"].state.metrics
        sending = asyncio.create_task(self._send_all(scope, receive, send))
        watching = asyncio.create_task(_disconnected(receive))
        try:
            with metrics.answering():
                await asyncio.wait((sending, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not sending.done():
                metrics.note_cancelled(self._wire.model)
            watching.cancel()
            if not sending.done():
                sending.cancel()
            try:
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
            finally:
                self.answer.close()

    async def _send_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        metrics: Metrics = scope["app"].state.metrics
        first = asyncio.ensure_future(anext(self.answer))
        try:
            patience = min(_NEWS_SECONDS, _STATUS_SECONDS) if self._wire.tells_news else _STATUS_SECONDS
            await asyncio.wait((first,), timeout=patience)
            if first.done() and isinstance(error := first.exception(), RKLLMError):
                metrics.note_failed(self._wire.model)
                await response_for(error, scope["path"])(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_body(send, self._wire.opening())
            keeping = asyncio.create_task(self._keep_alive(send))
            try:
                while self._wire.tells_news and not first.done():
                    if news := self._wire.news():
                        await self._send_body(send, news)
                    await asyncio.wait((first,), timeout=_LOOK_SECONDS)
                events = await first
                await self._wire.prepare()
                await self._send_body(send, self._wire.encode(events))
                async for events in self.answer:
                    await self._send_body(send, self._wire.encode(events))
                if isinstance(events[-1], Finish):
                    metrics.note_finish(events[-1], self._wire.model)
            except RKLLMError as error:
                metrics.note_failed(self._wire.model)
                logger.warning("an answer failed after its stream was opened: %s", first_line(error))
                await self._send_body(send, self._wire.failure(error))
            finally:
                keeping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeping
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if not first.done():
                first.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await first

    def keep_alive(self) -> bytes:
        """What says that the connection is well while there is nothing to say: a comment."""
        progress = self.answer.progress
        return _KEEP_ALIVE if progress is None else b": %d of %d prompt tokens read\n\n" % progress

    async def _keep_alive(self, send: Send) -> None:
        """Send something whenever nothing else was sent for a while: in a prefill, or in a call that is withheld."""
        while True:
            before = self._pieces_sent
            await asyncio.sleep(_KEEP_ALIVE_SECONDS)
            if self._pieces_sent == before:
                await self._send_body(send, self.keep_alive())

    async def _send_body(self, send: Send, body: bytes) -> None:
        self._pieces_sent += 1
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, T], model: str | None = None) -> T:
    """Do ``work`` for a client, and cancel it if the client goes away. Its end is counted for ``model``, if any.

    Raises:
        RequestCancelled: It went away.
    """
    metrics: Metrics = request.app.state.metrics
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_disconnected(request.receive))
    try:
        with metrics.answering():
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            if working.exception() is not None and model is not None:
                metrics.note_failed(model)
            result = working.result()
            if isinstance(result, ChatResult) and model is not None:
                metrics.note_finish(result.finish, model)
            return result
        if model is not None:
            metrics.note_cancelled(model)
        raise RequestCancelled("The client closed its connection before the answer was complete.")
    finally:
        watching.cancel()
        if not working.done():
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working


async def _disconnected(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        continue
