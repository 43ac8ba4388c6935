"""LlamaIndex messages to chat types. The originals are not touched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    CachePoint,
    CitableBlock,
    CitationBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.base.llms.types import ChatMessage as LlamaIndexMessage

from rkllm_providers.chat import ChatMessage, Content, ImagePart, Role, ToolCall
from rkllm_providers.chat.pictures import joined
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index.pictures import read_picture

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_MEDIA: Final = frozenset({"video", "audio", "document"})


def to_chat_messages(messages: Sequence[LlamaIndexMessage]) -> list[ChatMessage]:
    """Translate a conversation.

    Several texts of one message are put on lines of their own, as LlamaIndex shows them; pictures keep their places,
    and are read: a file is, where a block names its path. Results of tools get the
    name of the tool whose call they answer.

    Raises:
        InvalidRequest: A message has content that is not supported.
    """
    translated: list[ChatMessage] = []
    names: dict[str, str] = {}
    for number, message in enumerate(messages):
        role = _ROLES[message.role.value]
        calls = tuple(_calls(message, number)) if role == "assistant" else ()
        names.update({call.id: call.name for call in calls})
        call_id = message.additional_kwargs.get("tool_call_id") if role == "tool" else None
        name = message.additional_kwargs.get("name") or names.get(str(call_id))
        translated.append(
            ChatMessage(
                role,
                _content(message.blocks, number),
                name=None if name is None else str(name),
                reasoning=_reasoning(message) if role == "assistant" else None,
                tool_calls=calls,
                tool_call_id=None if call_id is None else str(call_id),
            )
        )
    return translated


async def ato_chat_messages(messages: Sequence[LlamaIndexMessage]) -> list[ChatMessage]:
    """The asynchronous twin of ``to_chat_messages``: no picture is read on the loop."""
    if any(not isinstance(block, TextBlock) for message in messages for block in message.blocks):
        return await asyncio.to_thread(to_chat_messages, messages)
    return to_chat_messages(messages)


def _content(blocks: Iterable[Any], number: int) -> Content:
    """Texts that follow each other on lines of their own, and pictures in their places."""
    content: list[str | ImagePart] = []
    for part in _parts(blocks, number):
        if isinstance(part, str) and content and isinstance(content[-1], str):
            content[-1] = f"{content[-1]}\n{part}"
        else:
            content.append(part)
    return joined(*(part if isinstance(part, str) else (part,) for part in content))


def _parts(blocks: Iterable[Any], number: int) -> Iterator[str | ImagePart]:
    for block in blocks:
        if isinstance(block, TextBlock):
            yield block.text
        elif isinstance(block, ImageBlock):
            yield read_picture(block, f"Message {number} (counted from 0)")
        elif isinstance(block, CitableBlock):
            yield from _parts(block.content, number)
        elif isinstance(block, CitationBlock):
            yield from _parts([block.cited_content], number)
        elif not isinstance(block, ThinkingBlock | ToolCallBlock | CachePoint):
            raise _unsupported(block, number)


def _unsupported(block: Any, number: int) -> InvalidRequest:
    kind = getattr(block, "block_type", type(block).__name__)
    advice = "Send its text instead." if kind in _MEDIA else "Send text."
    return InvalidRequest(
        f"Message {number} (counted from 0) has content of the kind {kind!r}, which is not supported: models are "
        f"given text and pictures. {advice}",
        "messages",
    )


def _reasoning(message: LlamaIndexMessage) -> str | None:
    return "".join(block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)) or None


def _calls(message: LlamaIndexMessage, number: int) -> Iterable[ToolCall]:
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    for position, block in enumerate(blocks):
        yield ToolCall(
            block.tool_call_id or _made_id(number, position), block.tool_name, _arguments(block.tool_kwargs)
        )
    if not blocks:
        # Where other integrations, and histories stored by them, have their calls: in OpenAI's form.
        for position, call in enumerate(message.additional_kwargs.get("tool_calls") or ()):
            yield _stored_call(call, number, position)


def _stored_call(call: Any, number: int, position: int) -> ToolCall:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InvalidRequest(
            f"Message {number} (counted from 0) has a tool call in additional_kwargs that cannot be read: it must be "
            f"a dict with function.name and function.arguments.",
            "messages",
        )
    return ToolCall(
        str(call.get("id") or _made_id(number, position)),
        function["name"],
        _arguments(function.get("arguments") or {}),
    )


def _arguments(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _made_id(number: int, position: int) -> str:
    """An id for a call without one: nine letters and digits, which every family's template takes."""
    return f"c{number % 10**5:05d}{position % 10**3:03d}"
