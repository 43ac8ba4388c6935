"""Answers that take no model, in the form of those that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

from rkllm_providers.chat import ChatEvent, ChatResult, Finish, TextDelta, ToolCallDelta
from rkllm_providers.chat.types import FinishReason, Timings, Usage
from rkllm_providers.engine import collect

_NOTHING: Final = Usage(0, 0, 0)
_NO_TIME: Final = Timings(0.0, 0.0, 0.0, 0.0)


class ReadyAnswer:
    """An answer that is known already; iterate for its events, as of an ``AsyncAnswer``."""

    progress = None

    def __init__(self, events: Sequence[ChatEvent], reason: FinishReason = "stop") -> None:
        self._events: list[ChatEvent] | None = [*events, Finish(reason, _NOTHING, _NO_TIME)]

    @classmethod
    def of_text(cls, text: str) -> ReadyAnswer:
        """An answer of text."""
        return cls([TextDelta(text)] if text else [])

    @classmethod
    def of_call(cls, call_id: str, name: str, arguments: str) -> ReadyAnswer:
        """An answer that calls one tool; ``arguments`` is a JSON object as a string."""
        return cls([ToolCallDelta(0, call_id, name), ToolCallDelta(0, arguments=arguments)], "tool_calls")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[ChatEvent]:
        events, self._events = self._events, None
        if events is None:
            raise StopAsyncIteration
        return events

    async def collect(self) -> ChatResult:
        """The whole answer."""
        return collect(self._events or [])

    def close(self) -> None:
        """There is nothing under way that could be stopped."""
