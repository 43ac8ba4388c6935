"""LangChain messages to chat types."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages import ChatMessage as LangChainChatMessage

from rkllm_providers.chat import ChatMessage, Content, Role, ToolCall
from rkllm_providers.chat.pictures import joined
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain.pictures import PICTURE_BLOCKS, read_picture

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
_RESULT_BLOCK: Final = "tool_result"


def to_chat_messages(messages: Sequence[BaseMessage]) -> list[ChatMessage]:
    """Translate messages; the originals are not touched.

    Results of tools within a message of the user, as Anthropic has them, become messages of their own.

    Raises:
        InvalidRequest: A role or a kind of content that is not supported.
    """
    return [translated for message in messages for translated in _chat_messages(message)]


async def ato_chat_messages(messages: Sequence[BaseMessage]) -> list[ChatMessage]:
    """The asynchronous twin of ``to_chat_messages``: megabytes of pictures are not read on the loop."""
    if any(isinstance(message.content, list) for message in messages):
        return await asyncio.to_thread(to_chat_messages, messages)
    return to_chat_messages(messages)


def _chat_messages(message: BaseMessage) -> Iterator[ChatMessage]:
    if not isinstance(message, HumanMessage) or not any(_is_result(block) for block in message.content):
        yield _chat_message(message)
        return
    for is_result, blocks in groupby(message.content, _is_result):
        if is_result:
            yield from (_chat_message(_tool_message(block)) for block in blocks if isinstance(block, dict))
        else:
            yield _chat_message(message.model_copy(update={"content": list(blocks)}))


def _is_result(block: str | dict[str, Any]) -> bool:
    return isinstance(block, dict) and block.get("type") == _RESULT_BLOCK


def _tool_message(block: dict[str, Any]) -> ToolMessage:
    return ToolMessage(
        block.get("content") or "",
        tool_call_id=str(block.get("tool_use_id") or ""),
        status="error" if block.get("is_error") else "success",
    )


def _chat_message(message: BaseMessage) -> ChatMessage:
    kind = message.role if isinstance(message, LangChainChatMessage) else message.type
    role = _ROLES.get(kind)
    if role is None:
        raise InvalidRequest(f"Messages of type {kind!r} are not supported.", "messages")
    if isinstance(message, AIMessage):
        text = "".join(_texts(message, _TEXT_BLOCKS))
        calls, unreadable = _calls(message)
        return ChatMessage(role, text + unreadable, message.name, _reasoning(message), calls)
    content = message.content if isinstance(message.content, str) else joined(*map(_part, message.content))
    if isinstance(message, ToolMessage):
        said = ChatMessage(role, content, message.name, tool_call_id=message.tool_call_id)
        if message.status == "error" and not said.text.lower().startswith("error"):
            said = replace(said, content=joined("Error: ", content))
        return said
    return ChatMessage(role, content, message.name)


def _part(block: str | dict[str, Any]) -> Content:
    """A block of what the user, the system or a tool says."""
    if isinstance(block, str):
        return block
    kind = block.get("type")
    if kind in PICTURE_BLOCKS:
        return (read_picture(block),)
    if kind not in _TEXT_BLOCKS:
        raise InvalidRequest(_unsupported(kind), "messages")
    return str(block.get(_TEXT_BLOCKS[kind]) or "")


def _texts(message: AIMessage, kinds: dict[str, str]) -> Iterator[str]:
    """The texts of an answer's blocks of these kinds; a string is all text."""
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
        elif kind not in _TEXT_BLOCKS and not _is_answers_own(kind):
            raise InvalidRequest(_unsupported(kind), "messages")


def _is_answers_own(kind: Any) -> bool:
    return kind in _REASONING_BLOCKS or kind in _CALL_BLOCKS


def _unsupported(kind: Any) -> str:
    if kind in PICTURE_BLOCKS:
        return f"Pictures (content of type {kind!r}) belong into messages of the user, or into results of tools."
    return f"Content of type {kind!r} is not supported: send text, or pictures."


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
