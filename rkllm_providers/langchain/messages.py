"""LangChain messages to chat types, and chat events to LangChain messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages import ChatMessage as LangChainChatMessage
from langchain_core.messages.ai import UsageMetadata

from rkllm_providers.chat import ChatEvent, ChatMessage, ChatResult, Finish, ReasoningDelta, Role, TextDelta
from rkllm_providers.errors import InvalidRequest

PROVIDER: Final = "rkllm"
_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "assistant": "assistant",
    "tool": "tool",
}


def to_chat_messages(messages: Sequence[BaseMessage]) -> list[ChatMessage]:
    """Translate messages; the originals are not touched.

    Raises:
        InvalidRequest: A role or a kind of content that is not supported.
    """
    return [ChatMessage(_role(message), _text(message), message.name) for message in messages]


def _role(message: BaseMessage) -> Role:
    kind = message.role if isinstance(message, LangChainChatMessage) else message.type
    role = _ROLES.get(kind)
    if role is None:
        raise InvalidRequest(f"Messages of type {kind!r} are not supported.", "messages")
    if isinstance(message, AIMessage) and message.tool_calls:
        raise InvalidRequest("Tool calls in the history are not supported yet.", "messages")
    return role


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    parts: list[str] = []
    for block in message.content:
        if isinstance(block, str):
            parts.append(block)
        elif block.get("type") == "text":
            parts.append(str(block.get("text", "")))
        else:
            raise InvalidRequest(f"Content of type {block.get('type')!r} is not supported yet.", "messages")
    return "".join(parts)


def chunk_of(event: ChatEvent) -> AIMessageChunk:
    """A piece of the answer. Reasoning is where LangChain looks for it."""
    if isinstance(event, ReasoningDelta):
        return AIMessageChunk(content="", additional_kwargs={"reasoning_content": event.text})
    return AIMessageChunk(content=event.text if isinstance(event, TextDelta) else "")


def last_chunk(finish: Finish, model: str) -> AIMessageChunk:
    """The end of the answer: everything that may be said once only is on this chunk."""
    return AIMessageChunk(
        content="",
        usage_metadata=_usage(finish),
        response_metadata=_metadata(finish, model),
        chunk_position="last",
    )


def whole_message(result: ChatResult, model: str) -> AIMessage:
    """The answer in one piece."""
    finish = result.finish
    return AIMessage(
        content=result.text,
        additional_kwargs={"reasoning_content": result.reasoning} if result.reasoning else {},
        usage_metadata=_usage(finish),
        response_metadata=_metadata(finish, model),
    )


def _usage(finish: Finish) -> UsageMetadata:
    usage = finish.usage
    return UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        input_token_details={"cache_read": usage.cached_tokens},
        output_token_details={"reasoning": usage.reasoning_tokens},
    )


def _metadata(finish: Finish, model: str) -> dict[str, Any]:
    timings = finish.timings
    metadata: dict[str, Any] = {
        "model_name": model,
        "model_provider": PROVIDER,
        "finish_reason": finish.reason,
        "timings": {
            "queue_ms": timings.queue_ms,
            "load_ms": timings.load_ms,
            "prefill_ms": timings.prefill_ms,
            "decode_ms": timings.decode_ms,
        },
    }
    if finish.usage.estimated:
        metadata["usage_estimated"] = True
    if finish.warnings:
        metadata["warnings"] = list(finish.warnings)
    return metadata
