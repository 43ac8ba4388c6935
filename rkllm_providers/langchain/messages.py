"""LangChain messages to chat types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages import ChatMessage as LangChainChatMessage

from rkllm_providers.chat import ChatMessage, Role, ToolCall
from rkllm_providers.errors import InvalidRequest

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "SystemMessageChunk": "system",
    "developer": "system",
    "human": "user",
    "HumanMessageChunk": "user",
    "user": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "assistant": "assistant",
    "tool": "tool",
    "ToolMessageChunk": "tool",
    "function": "tool",
}
# Kinds of content block, and the key of their text (langchain_core.messages.content; Anthropic's for histories
# that another model began).
_TEXT_BLOCKS: Final = {"text": "text", "text-plain": "text"}
_REASONING_BLOCKS: Final = {"reasoning": "reasoning", "thinking": "thinking"}
# These stand in the message's own lists of calls too.
_CALL_BLOCKS: Final = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use"})
_PICTURE_BLOCKS: Final = frozenset({"image", "image_url"})


def to_chat_messages(messages: Sequence[BaseMessage]) -> list[ChatMessage]:
    """Translate messages; the originals are not touched.

    Raises:
        InvalidRequest: A role or a kind of content that is not supported.
    """
    return [_chat_message(message) for message in messages]


def _chat_message(message: BaseMessage) -> ChatMessage:
    kind = message.role if isinstance(message, LangChainChatMessage) else message.type
    role = _ROLES.get(kind)
    if role is None:
        raise InvalidRequest(f"Messages of type {kind!r} are not supported.", "messages")
    text = "".join(_texts(message, _TEXT_BLOCKS))
    if isinstance(message, AIMessage):
        calls, unreadable = _calls(message)
        return ChatMessage(role, text + unreadable, message.name, _reasoning(message), calls)
    if isinstance(message, ToolMessage):
        if message.status == "error" and not text.lower().startswith("error"):
            text = f"Error: {text}"
        return ChatMessage(role, text, message.name, tool_call_id=message.tool_call_id)
    return ChatMessage(role, text, message.name)


def _texts(message: BaseMessage, kinds: dict[str, str]) -> Iterator[str]:
    """The texts of the blocks of these kinds; a string is all text."""
    if isinstance(message.content, str):
        if kinds is _TEXT_BLOCKS:
            yield message.content
        return
    for block in message.content:
        if isinstance(block, str):
            if kinds is _TEXT_BLOCKS:
                yield block
            continue
        kind = block.get("type")
        if kind in kinds:
            yield str(block.get(kinds[kind]) or "")
        elif kind not in _TEXT_BLOCKS and not (isinstance(message, AIMessage) and _is_answers_own(kind)):
            raise InvalidRequest(_unsupported(kind), "messages")


def _is_answers_own(kind: Any) -> bool:
    return kind in _REASONING_BLOCKS or kind in _CALL_BLOCKS


def _unsupported(kind: Any) -> str:
    if kind in _PICTURE_BLOCKS:
        return f"Pictures in messages (content of type {kind!r}) are not supported yet: send text only."
    return f"Content of type {kind!r} is not supported: send text."


def _reasoning(message: AIMessage) -> str | None:
    kept = message.additional_kwargs.get("reasoning_content")
    return kept if isinstance(kept, str) and kept else "".join(_texts(message, _REASONING_BLOCKS)) or None


def _calls(message: AIMessage) -> tuple[tuple[ToolCall, ...], str]:
    """The calls of an answer; those that could not be read and have no name are text, as the model wrote them."""
    calls = [
        ToolCall(call.get("id") or "", call["name"], json.dumps(call["args"], ensure_ascii=False))
        for call in message.tool_calls
    ]
    unreadable = ""
    for broken in message.invalid_tool_calls:
        name, arguments = broken.get("name"), broken.get("args") or ""
        if name:
            calls.append(ToolCall(broken.get("id") or "", name, arguments))
        else:
            unreadable += arguments
    return tuple(calls), unreadable
