"""Answers of the Messages API: content blocks one after the other, whole or as server-sent events."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from rag_service.api.event_stream import EventStreamResponse, EventWire
from rag_service.api.openai.answer_wire import dump_json
from rag_service.api.whole_calls import WholeCalls
from rag_service.errors import ANTHROPIC_PATHS, answer_for
from rkllm_providers.chat import (
    ChatEvent,
    ChatResult,
    Finish,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from rkllm_providers.chat.types import Usage
from rkllm_providers.errors import RKLLMError

_PING: Final = 'event: ping\ndata: {"type":"ping"}\n\n'


class MessageStreamResponse(EventStreamResponse):
    """Server-sent events that are kept alive as this API does it."""

    def keep_alive(self) -> bytes:
        """An event that says nothing."""
        return _PING.encode()


class MessageWire(EventWire):
    """Encodes one answer.

    Blocks of a stream begin and end one after the other; what is open is closed where something else begins.
    """

    def __init__(self, model: str, *, shows_thinking: bool, one_call_only: bool) -> None:
        """``shows_thinking`` tells of it; ``one_call_only`` leaves out every tool call but the first."""
        self._id = f"msg_{uuid.uuid4().hex}"
        self._model = model
        self._shows_thinking = shows_thinking
        self._one_call_only = one_call_only
        self._calls = WholeCalls()
        self._index = -1
        self._open = ""

    @property
    def model(self) -> str:
        """The id of the model that was asked."""
        return self._model

    def opening(self) -> bytes:
        """The message without content; the prompt is counted when it was read, so its tokens come at the end."""
        start = {"type": "message_start", "message": self._message([], None, None, _usage(Usage(0, 0, 0)))}
        return (_event(start) + _PING).encode()

    def encode(self, events: list[ChatEvent]) -> bytes:
        """The events of blocks; an answer's end also closes the stream."""
        parts: list[str] = []
        for event in events:
            if isinstance(event, TextDelta):
                parts += self._add("text", {"text": ""}, {"type": "text_delta", "text": event.text})
            elif isinstance(event, ReasoningDelta):
                if self._shows_thinking:
                    delta = {"type": "thinking_delta", "thinking": event.text}
                    parts += self._add("thinking", {"thinking": "", "signature": ""}, delta)
            elif isinstance(event, ToolCallDelta):
                if not self._leaves_out(event.index):
                    parts += self._told(self._calls.take(event))
            elif isinstance(event, InvalidToolCall):
                if event.index is not None and not self._leaves_out(event.index):
                    self._calls.drop()
                parts += self._add("text", {"text": ""}, {"type": "text_delta", "text": event.text})
            else:
                parts += self._end(event)
        return "".join(parts).encode()

    def failure(self, error: RKLLMError) -> bytes:
        """An error in the middle of a stream."""
        return _event(answer_for(error).body(ANTHROPIC_PATHS[0])).encode()

    def whole(self, result: ChatResult) -> dict[str, Any]:
        """An answer that is not streamed. The text of calls that cannot be read is part of its text."""
        content: list[dict[str, Any]] = []
        if result.reasoning and self._shows_thinking:
            content.append({"type": "thinking", "thinking": result.reasoning, "signature": ""})
        text = result.text + "".join(call.text for call in result.invalid_tool_calls)
        if text:
            content.append({"type": "text", "text": text})
        calls = result.tool_calls[:1] if self._one_call_only else result.tool_calls
        content += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments or "{}")}
            for call in calls
        ]
        finish = result.finish
        return self._message(content, _reason(finish), finish.stop, _usage(finish.usage))

    def _leaves_out(self, index: int) -> bool:
        return self._one_call_only and index > 0

    def _told(self, call: ToolCall | None) -> list[str]:
        """A call, which is told in one piece: nothing that was told could be taken back."""
        if call is None:
            return []
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": call.arguments or "{}"}
        return [*self._begin(call.id, block), self._delta(delta)]

    def _add(self, kind: str, empty: dict[str, Any], delta: dict[str, Any]) -> list[str]:
        """More of a block of this kind, which is begun if it is not the one that is open."""
        parts = [] if self._open == kind else self._begin(kind, {"type": kind, **empty})
        return [*parts, self._delta(delta)]

    def _begin(self, name: str, block: dict[str, Any]) -> list[str]:
        closed = self._close()
        self._index += 1
        self._open = name
        return [*closed, _event({"type": "content_block_start", "index": self._index, "content_block": block})]

    def _delta(self, delta: dict[str, Any]) -> str:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> list[str]:
        was_open, self._open = self._open, ""
        return [_event({"type": "content_block_stop", "index": self._index})] if was_open else []

    def _end(self, finish: Finish) -> list[str]:
        delta = {"stop_reason": _reason(finish), "stop_sequence": finish.stop}
        told = {"type": "message_delta", "delta": delta, "usage": _usage(finish.usage)}
        return [*self._told(self._calls.finish()), *self._close(), _event(told), _event({"type": "message_stop"})]

    def _message(
        self, content: list[dict[str, Any]], reason: str | None, stop: str | None, usage: dict[str, int]
    ) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": stop,
            "usage": usage,
        }


def _event(content: dict[str, Any]) -> str:
    return f"event: {content['type']}\ndata: {dump_json(content)}\n\n"


def _reason(finish: Finish) -> str:
    if finish.reason == "length":
        return "max_tokens"
    if finish.reason == "tool_calls":
        return "tool_use"
    return "end_turn" if finish.stop is None else "stop_sequence"


def _usage(usage: Usage) -> dict[str, int]:
    """The counts of an answer: in this API what was cached is no part of the input."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    }
