"""Answers that take no model, in the form of those that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

from rkllm_providers.chat import ChatEvent, ChatResult, Finish, ReasoningDelta, TextDelta, ToolCallDelta
from rkllm_providers.chat.types import FinishReason, Timings, Usage

_NOTHING: Final = Usage(0, 0, 0)
_NO_TIME: Final = Timings(0.0, 0.0, 0.0, 0.0)


class ReadyAnswer:
    """An answer that is known already; iterate for its events, as of an ``AsyncAnswer``."""

    progress = None
    position = None

    def __init__(
        self, events: Sequence[ChatEvent], reason: FinishReason = "stop", warnings: tuple[str, ...] = ()
    ) -> None:
        self._events: list[ChatEvent] | None = [*events, Finish(reason, _NOTHING, _NO_TIME, warnings)]

    @classmethod
    def of_text(cls, text: str) -> ReadyAnswer:
        """An answer of text."""
        return cls([TextDelta(text)] if text else [])

    @classmethod
    def of_result(cls, result: ChatResult) -> ReadyAnswer:
        """An answer that was given before: its reasoning and its text, but not what they cost then."""
        events: list[ChatEvent] = [ReasoningDelta(result.reasoning)] if result.reasoning else []
        events += [TextDelta(result.text)] if result.text else []
        return cls(events, result.finish.reason, result.finish.warnings)

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

    def close(self) -> None:
        """There is nothing under way that could be stopped."""
