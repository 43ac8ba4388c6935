"""Chat events to LangChain messages: whole, and in chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json

from rkllm_providers.chat import (
    ChatEvent,
    ChatResult,
    Finish,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from rkllm_providers.errors import InvalidOutput

PROVIDER: Final = "rkllm"
INVALID_OUTPUT: Final = "invalid_output"
"""Key in ``response_metadata``: what is wrong with an answer that was to be JSON and is kept all the same."""

# One of these leaves no way to complete the beginning of a JSON object, wherever it is broken off: in a string
# (the first quote may follow a backslash, or close it), in a list, or in an object.
_BREAKS: Final = tuple(quotes + bracket for quotes in ("", '"', '""') for bracket in "]}")


def whole_message(result: ChatResult, model: str) -> AIMessage:
    """The answer in one piece."""
    return AIMessage(
        content=result.text,
        additional_kwargs={"reasoning_content": result.reasoning} if result.reasoning else {},
        tool_calls=[
            tool_call(name=call.name, args=json.loads(call.arguments), id=call.id) for call in result.tool_calls
        ],
        invalid_tool_calls=[
            invalid_tool_call(name=None, args=call.text, id=None, error=call.problem)
            for call in result.invalid_tool_calls
        ],
        usage_metadata=usage_metadata(result.finish),
        response_metadata={
            "model_provider": PROVIDER,
            **finish_metadata(result.finish, model, [call.problem for call in result.invalid_tool_calls]),
        },
    )


def kept_message(error: InvalidOutput, model: str) -> AIMessage:
    """An answer that is not the JSON it was to be."""
    metadata = {"model_provider": PROVIDER, "model_name": model, INVALID_OUTPUT: error.problem}
    return AIMessage(content=error.text, response_metadata=metadata)


class ChunkWriter:
    """Makes the chunks of one streamed answer.

    What may be said once only (usage, finish reason, names) is on the last chunk: strings are joined and numbers
    added where chunks are merged. The provider's name is on each, since it chooses how content blocks are read.
    A chunk has reasoning, or text, or one piece of one call.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._arguments: dict[int, str] = {}
        self._problems: list[str] = []

    def chunk(self, event: ChatEvent) -> ChatGenerationChunk:
        """The chunk that says what an event says."""
        if isinstance(event, TextDelta):
            return _chunk(AIMessageChunk(content=event.text, response_metadata={"model_provider": PROVIDER}))
        if isinstance(event, ReasoningDelta):
            return self._said(additional_kwargs={"reasoning_content": event.text})
        if isinstance(event, ToolCallDelta):
            self._arguments[event.index] = self._arguments.get(event.index, "") + event.arguments
            return self._call(event.name, event.arguments, event.id, event.index)
        if isinstance(event, InvalidToolCall):
            return self._broken(event)
        return self._last(usage_metadata(event), finish_metadata(event, self._model, self._problems))

    def kept(self, error: InvalidOutput) -> list[ChatGenerationChunk]:
        """The chunks of an answer that is not the JSON it was to be."""
        metadata = {"model_name": self._model, INVALID_OUTPUT: error.problem}
        return [self.chunk(TextDelta(error.text)), self._last(None, metadata)]

    def _broken(self, call: InvalidToolCall) -> ChatGenerationChunk:
        """Chunks cannot be taken back, so the call's arguments are made such that they cannot be read."""
        self._problems.append(call.problem)
        if call.index is not None and call.index in self._arguments:
            said = self._arguments[call.index]
            return self._call(None, unreadable(said)[len(said) :], None, call.index)
        return self._call(None, unreadable(call.text), None, -len(self._problems))

    def _call(self, name: str | None, arguments: str, call_id: str | None, index: int) -> ChatGenerationChunk:
        return self._said(tool_call_chunks=[tool_call_chunk(name=name, args=arguments, id=call_id, index=index)])

    def _said(self, **parts: Any) -> ChatGenerationChunk:
        return _chunk(AIMessageChunk(content="", response_metadata={"model_provider": PROVIDER}, **parts))

    def _last(self, usage: UsageMetadata | None, metadata: dict[str, Any]) -> ChatGenerationChunk:
        return _chunk(
            AIMessageChunk(
                content="",
                usage_metadata=usage,
                response_metadata={"model_provider": PROVIDER, **metadata},
                chunk_position="last",
            )
        )


def unreadable(arguments: str) -> str:
    """Arguments that nobody takes for a JSON object; LangChain completes those that are only cut off."""
    if arguments and not isinstance(_completed(arguments), dict):
        return arguments
    return next(broken for end in _BREAKS if not isinstance(_completed(broken := arguments + end), dict))


def usage_metadata(finish: Finish) -> UsageMetadata:
    """Token counts; the input has what came from the KV cache in it."""
    usage = finish.usage
    return UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        input_token_details={"cache_read": usage.cached_tokens},
        output_token_details={"reasoning": usage.reasoning_tokens},
    )


def finish_metadata(finish: Finish, model: str, problems: Sequence[str] = ()) -> dict[str, Any]:
    """How an answer ended; ``problems`` are those of calls that could not be read."""
    timings, usage = finish.timings, finish.usage
    spent: dict[str, Any] = {
        "queue_ms": timings.queue_ms,
        "load_ms": timings.load_ms,
        "prefill_ms": timings.prefill_ms,
        "decode_ms": timings.decode_ms,
    }
    if finish.tokens_per_second is not None:
        spent["tokens_per_second"] = finish.tokens_per_second
    if timings.prefix_break is not None:
        spent["prefix_break"] = list(timings.prefix_break)
    if timings.encode_ms > 0:
        spent |= {"encoded_pictures": timings.encoded_pictures, "encode_ms": timings.encode_ms}
    metadata: dict[str, Any] = {"model_name": model, "finish_reason": finish.reason, "timings": spent}
    if usage.estimated:
        metadata["usage_estimated"] = True
    told = [*finish.warnings, *(f"A tool call could not be read: {problem}" for problem in problems)]
    if told:
        metadata["warnings"] = told
    return metadata


def _chunk(message: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message)


def _completed(text: str) -> Any:
    """What LangChain reads in arguments that may be cut off; ``None`` where it reads nothing."""
    try:
        return parse_partial_json(text)
    except (ValueError, RecursionError):
        return None
