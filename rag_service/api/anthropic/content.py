"""Messages of the Messages API, and how they become those of the OpenAI API.

What a user sends may be results of tools and new text in one message; these are messages of their own elsewhere.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag_service.api.chats import RawMessage, content_of, picture_at, picture_part, text_part
from rag_service.api.wire_lists import WireList
from rkllm_providers.errors import InvalidRequest

_OPEN = ConfigDict(extra="allow")
_ERROR = "Error: "


class Source(BaseModel):
    """Where a picture or a document is: in the request, as base64 or text, or elsewhere."""

    model_config = _OPEN

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""


class Block(BaseModel):
    """A piece of a message's content; which fields count, ``type`` says."""

    model_config = _OPEN

    type: str
    text: str = ""
    thinking: str = ""
    title: str | None = None
    source: Source | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Any] = Field(default_factory=dict)
    tool_use_id: str = ""
    is_error: bool | None = None
    content: str | WireList[Block] | None = None


class Message(BaseModel):
    """A message of the conversation."""

    model_config = _OPEN

    role: Literal["user", "assistant"]
    content: str | WireList[Block]

    def raw(self, where: str) -> list[RawMessage]:
        """The message as the OpenAI API has it; ``where`` names it in errors.

        Raises:
            InvalidRequest: It holds something that is not supported.
        """
        if isinstance(self.content, str):
            return [{"role": self.role, "content": self.content}]
        return _said(self.content, where) if self.role == "assistant" else _asked(self.content, where)


def text_of(blocks: str | list[Block], where: str) -> str:
    """The text of content that holds nothing else.

    Raises:
        InvalidRequest: It does.
    """
    if isinstance(blocks, str):
        return blocks
    for number, block in enumerate(blocks):
        if block.type != "text":
            raise _unsupported(block, f"{where}[{number}]")
    return "\n".join(block.text for block in blocks)


def _said(blocks: list[Block], where: str) -> list[RawMessage]:
    """A turn of the assistant."""
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[RawMessage] = []
    for number, block in enumerate(blocks):
        if block.type == "text":
            texts.append(block.text)
        elif block.type == "thinking":
            thoughts.append(block.thinking)
        elif block.type == "tool_use":
            calls.append({"id": block.id, "function": {"name": block.name, "arguments": block.input}})
        elif block.type != "redacted_thinking":  # nobody here can read that
            raise _unsupported(block, f"{where}.content[{number}]")
    message: RawMessage = {"role": "assistant", "content": "\n".join(texts)}
    if thoughts:
        message["reasoning_content"] = "\n".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return [message]


def _asked(blocks: list[Block], where: str) -> list[RawMessage]:
    """A turn of the user: results of tools, and what is said besides, in their order."""
    messages: list[RawMessage] = []
    parts: list[RawMessage] = []

    def flush() -> None:
        if parts:
            messages.append({"role": "user", "content": content_of(parts)})
            parts.clear()

    for number, block in enumerate(blocks):
        place = f"{where}.content[{number}]"
        if block.type == "tool_result":
            flush()
            messages.append(_result(block, place))
        else:
            parts.append(_part(block, place))
    flush()
    return messages or [{"role": "user", "content": ""}]


def _result(block: Block, where: str) -> RawMessage:
    inner = [Block(type="text", text=block.content)] if isinstance(block.content, str) else block.content or []
    parts = [_part(part, f"{where}.content[{number}]") for number, part in enumerate(inner)]
    if block.is_error:
        first = parts.pop(0)["text"] if parts and parts[0]["type"] == "text" else ""
        parts.insert(0, text_part(_ERROR + first))
    return {"role": "tool", "tool_call_id": block.tool_use_id, "content": content_of(parts)}


def _part(block: Block, where: str) -> RawMessage:
    """What is said or shown, as a part of a message's content."""
    if block.type == "image":
        return _picture(block, where)
    if block.type == "document":
        return text_part(_document(block, where))
    if block.type == "text":
        return text_part(block.text)
    raise _unsupported(block, where)


def _picture(block: Block, where: str) -> RawMessage:
    source = block.source
    if source is not None and source.type == "url" and source.url:
        return picture_at(source.url)
    if source is None or source.type != "base64":
        raise InvalidRequest(f"{where} is a picture elsewhere; send it in the request, as base64.", where)
    return picture_part(source.media_type, source.data)


def _document(block: Block, where: str) -> str:
    source = block.source
    if source is None or source.type != "text":
        kind = source.media_type or source.type if source is not None else "nothing"
        raise InvalidRequest(f"{where} is a document as {kind}; only documents of plain text are read.", where)
    return f"{block.title}\n{source.data}" if block.title else source.data


def _unsupported(block: Block, where: str) -> InvalidRequest:
    return InvalidRequest(f"{where}: content of type {block.type[:60]!r} is not supported here.", where)
