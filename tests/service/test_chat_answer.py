"""Answers at the desk: what they tell who keeps them, and what closing them does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rag_service.chat_answer import ChatAnswer
from rag_service.ready_answer import ReadyAnswer
from rkllm_providers.chat import ChatEvent, ChatResult, Finish, TextDelta
from rkllm_providers.errors import RequestCancelled


class InPieces(ReadyAnswer):
    """Gives its text in two batches, and then ends."""

    def __init__(self) -> None:
        super().__init__([TextDelta("a"), TextDelta("b")])
        self.closed = False
        assert self._events is not None
        self._left: list[list[ChatEvent]] = [self._events[:1], self._events[1:]]

    async def __anext__(self) -> list[ChatEvent]:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)

    def close(self) -> None:
        self.closed = True


def kept() -> tuple[list[ChatResult | None], Any]:
    told: list[ChatResult | None] = []
    return told, lambda result, grounded: told.append(result)


async def test_a_whole_answer_is_kept_once() -> None:
    told, keep = kept()
    answer = ChatAnswer(InPieces(), keep=keep)
    assert (await answer.collect()).text == "ab"
    answer.close()
    assert [result and result.text for result in told] == ["ab"]


async def test_an_answer_that_was_stopped_is_only_noted() -> None:
    told, keep = kept()
    answer = ChatAnswer(InPieces(), keep=keep)
    await anext(answer)
    answer.close()
    assert told == [None]


async def test_one_that_never_began_is_not_even_noted() -> None:
    told, keep = kept()
    inner = InPieces()
    ChatAnswer(inner, keep=keep).close()
    assert told == []
    assert inner.closed


async def test_closing_while_sources_are_read_aborts_what_comes_of_it() -> None:
    reading, inner = asyncio.Event(), InPieces()

    async def begin() -> Any:
        await reading.wait()
        return inner, None

    answer = ChatAnswer(begin, sources=2)
    first = asyncio.ensure_future(anext(answer))
    await asyncio.sleep(0)
    assert (answer.reads_sources, answer.position, answer.progress) == (True, None, None)
    answer.close()
    reading.set()
    with pytest.raises(RequestCancelled):
        await first
    assert inner.closed
    assert not answer.reads_sources


async def test_sources_are_read_once() -> None:
    begun: list[int] = []

    async def begin() -> Any:
        begun.append(1)
        return InPieces(), None

    events = [event async for batch in ChatAnswer(begin) for event in batch]
    assert isinstance(events[-1], Finish)
    assert begun == [1]
