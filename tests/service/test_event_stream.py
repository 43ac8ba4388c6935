"""Streams of answers: an answer is closed however its stream ends."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from rag_service.api.event_stream import EventStreamResponse
from rag_service.api.ollama.wire import OllamaWire
from rag_service.metrics import Metrics
from rag_service.ready_answer import ReadyAnswer
from rkllm_providers.chat import ChatEvent, TextDelta


class Failing(ReadyAnswer):
    """Gives some text, and fails in a way that nobody foresaw."""

    def __init__(self, *, gives: int) -> None:
        super().__init__([])
        self._gives = gives
        self.closed = False

    async def __anext__(self) -> list[ChatEvent]:
        self._gives -= 1
        if self._gives < 0:
            raise LookupError("unforeseen")
        return [TextDelta("a")]

    def close(self) -> None:
        self.closed = True


async def play(answer: ReadyAnswer, send: Any) -> None:
    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    response = EventStreamResponse(OllamaWire("m", "chat"), {})
    response.answer = answer
    app = SimpleNamespace(state=SimpleNamespace(metrics=Metrics()))
    await response({"type": "http", "path": "/api/chat", "app": app}, receive, send)


@pytest.mark.parametrize("gives", [0, 1])
async def test_an_answer_that_fails_unforeseen_is_closed(gives: int) -> None:
    async def send(message: Any) -> None:
        """Takes all."""

    answer = Failing(gives=gives)
    with pytest.raises(LookupError):
        await play(answer, send)
    assert answer.closed


async def test_an_answer_whose_connection_fails_is_closed() -> None:
    async def send(message: Any) -> None:
        raise OSError("the connection is gone")

    answer = Failing(gives=1)
    with pytest.raises(OSError, match="connection is gone"):
        await play(answer, send)
    assert answer.closed
