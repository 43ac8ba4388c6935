"""Chat events to LlamaIndex responses: one assembly for whole answers and for streams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from rkllm_providers.chat import (
    ChatEvent,
    ChatResult,
    Finish,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    collect_tool_calls,
)

THINKING_DELTA = "thinking_delta"
"""Where LlamaIndex's agents look for the newest thinking, in ``additional_kwargs``."""


class AnswerAssembly:
    """Puts the events of one answer together.

    Thinking is a ``ThinkingBlock``, all text one ``TextBlock``, and each tool call a ``ToolCallBlock``, which is
    there once the answer is whole: agents act on whatever call they see. A call that cannot be read is part of the
    text, as the model wrote it, and named in ``raw`` and in the message's ``additional_kwargs``.
    """

    def __init__(self, model: str, *, parallel_calls: bool = True) -> None:
        """``parallel_calls``: whether more than the first tool call of the answer is kept."""
        self._model = model
        self._parallel_calls = parallel_calls
        self._text = ""
        self._reasoning = ""
        self._tool_events: list[ChatEvent] = []

    def take(self, event: ChatEvent) -> ChatResponse | None:
        """The answer so far with what ``event`` adds to it; ``None`` where it adds nothing yet."""
        if isinstance(event, TextDelta):
            self._text += event.text
            return ChatResponse(message=self._message(), delta=event.text)
        if isinstance(event, ReasoningDelta):
            self._reasoning += event.text
            return ChatResponse(message=self._message(), delta="", additional_kwargs={THINKING_DELTA: event.text})
        if isinstance(event, Finish):
            calls, invalid = collect_tool_calls(self._tool_events)
            return self._last(calls, invalid, event)
        if isinstance(event, ToolCallDelta | InvalidToolCall):
            self._tool_events.append(event)
        return None

    def whole(self, result: ChatResult) -> ChatResponse:
        """A whole answer: what the last item of its stream would be, without a delta."""
        self._text, self._reasoning = result.text, result.reasoning
        response = self._last(result.tool_calls, result.invalid_tool_calls, result.finish)
        response.delta = None
        return response

    def _last(self, calls: Sequence[ToolCall], invalid: Sequence[InvalidToolCall], finish: Finish) -> ChatResponse:
        raw = raw_of(finish, self._model)
        if not self._parallel_calls and len(calls) > 1:
            left_out = ", ".join(call.name for call in calls[1:])
            raw.setdefault("warnings", []).append(f"One tool call was allowed; those of {left_out} were left out.")
            calls = calls[:1]
        broken = [{"text": call.text, "problem": call.problem} for call in invalid]
        added = "".join(call.text for call in invalid)
        self._text += added
        message = self._message(calls, finish.usage.reasoning_tokens)
        if broken:
            raw["invalid_tool_calls"] = broken
            message.additional_kwargs["invalid_tool_calls"] = broken
        return ChatResponse(message=message, delta=added, raw=raw)

    def _message(self, calls: Sequence[ToolCall] = (), reasoning_tokens: int | None = None) -> ChatMessage:
        blocks: list[ContentBlock] = []
        if self._reasoning:
            blocks.append(ThinkingBlock(content=self._reasoning, num_tokens=reasoning_tokens))
        if self._text or not calls:
            blocks.append(TextBlock(text=self._text))
        blocks += [
            ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=json.loads(call.arguments))
            for call in calls
        ]
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def to_completion(response: ChatResponse) -> CompletionResponse:
    """The same answer as a completion: its text; thinking is in ``additional_kwargs``."""
    message = response.message
    additional = {**message.additional_kwargs, **response.additional_kwargs}
    thinking = [block.content for block in message.blocks if isinstance(block, ThinkingBlock)]
    if thinking:
        additional["thinking"] = thinking[0]
    return CompletionResponse(
        text=message.content or "", delta=response.delta, raw=response.raw, additional_kwargs=additional
    )


def raw_of(finish: Finish, model: str) -> dict[str, Any]:
    """What is known of an answer at its end: how it ended, its tokens (in OpenAI's names) and its times.

    Times are in milliseconds. ``tokens_per_second`` is of the tokens after the first; ``None`` where there is none.
    """
    usage, timings = finish.usage, finish.timings
    raw: dict[str, Any] = {
        "model": model,
        "finish_reason": finish.reason,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        },
        "timings": {
            "queue_ms": timings.queue_ms,
            "load_ms": timings.load_ms,
            "prefill_ms": timings.prefill_ms,
            "decode_ms": timings.decode_ms,
            "tokens_per_second": finish.tokens_per_second,
            "prefix_break": timings.prefix_break,
        },
    }
    if timings.encode_ms > 0:
        raw["timings"] |= {"encoded_pictures": timings.encoded_pictures, "encode_ms": timings.encode_ms}
    if usage.estimated:
        raw["usage_estimated"] = True
    if finish.warnings:
        raw["warnings"] = list(finish.warnings)
    return raw
