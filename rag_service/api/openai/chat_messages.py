"""Messages of the OpenAI chat API, and how they become those that all floors share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import ChatMessage, Content, Role, ToolCall
from rkllm_providers.chat.openai_forms import read_image_url
from rkllm_providers.chat.pictures import joined
from rkllm_providers.errors import InvalidRequest

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


class ContentPart(BaseModel):
    """A part of a message's content."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | dict[str, Any] | None = None


class CalledFunction(BaseModel):
    """What a tool call of the history called; ``arguments`` as text, or as the object that it is."""

    name: str
    arguments: str | dict[str, Any] = ""


class RequestToolCall(BaseModel):
    """A tool call of the history."""

    id: str = ""
    type: str = "function"
    function: CalledFunction | None = None


class RequestMessage(BaseModel):
    """A message of the request."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | WireList[ContentPart] | None = None
    name: str | None = None
    reasoning_content: str | None = None
    tool_calls: WireList[RequestToolCall] | None = None
    tool_call_id: str | None = None

    @property
    def has_pictures(self) -> bool:
        """Whether a part of it is a picture."""
        return isinstance(self.content, list) and any(part.type == "image_url" for part in self.content)


def to_chat_messages(messages: Sequence[RequestMessage]) -> list[ChatMessage]:
    """The conversation as chat types.

    The result of a tool gets the name of the tool whose call it answers, where it has none of its own; an empty
    name says that it is to have none.

    Raises:
        InvalidRequest: It holds something that is not supported.
    """
    called: dict[str, str] = {}
    converted: list[ChatMessage] = []
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if message.content is None and message.role != "assistant":
            raise InvalidRequest(
                f"{where}.content is missing; only a message of the assistant may have none.", f"{where}.content"
            )
        calls = _tool_calls(where, message)
        called |= {call.id: call.name for call in calls}
        name = message.name
        if name is None and message.role == "tool":
            name = called.get(message.tool_call_id or "")
        converted.append(
            ChatMessage(
                _ROLES[message.role],
                _content(where, message.content),
                name or None,
                message.reasoning_content if message.role == "assistant" else None,
                calls,
                message.tool_call_id if message.role == "tool" else None,
            )
        )
    return converted


def converted(raw: Sequence[Mapping[str, Any]]) -> list[ChatMessage]:
    """Raw messages as chat types.

    Raises:
        InvalidRequest: They hold something that is not supported.
    """
    return to_chat_messages([RequestMessage.model_validate(message) for message in raw])


def _tool_calls(where: str, message: RequestMessage) -> tuple[ToolCall, ...]:
    if not message.tool_calls:
        if (message.model_extra or {}).get("function_call") is not None:
            raise InvalidRequest(f"{where}.function_call: send tool_calls instead.", f"{where}.function_call")
        return ()
    if message.role != "assistant":
        raise InvalidRequest(f"{where}: only the assistant calls tools.", f"{where}.tool_calls")
    calls: list[ToolCall] = []
    for number, call in enumerate(message.tool_calls):
        if call.type != "function" or call.function is None:
            raise InvalidRequest(
                f"{where}.tool_calls[{number}] is no call of a function; only these are supported.",
                f"{where}.tool_calls[{number}].type",
            )
        arguments = call.function.arguments
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        calls.append(ToolCall(call.id, call.function.name, text))
    return tuple(calls)


def _content(where: str, content: str | list[ContentPart] | None) -> Content:
    if content is None or isinstance(content, str):
        return content or ""
    return joined("", *(_part(f"{where}.content[{number}]", part) for number, part in enumerate(content)))


def _part(where: str, part: ContentPart) -> Content:
    if part.type == "image_url":
        return (read_image_url(part.image_url, f"{where}.image_url"),)
    if part.type not in ("text", "refusal"):
        raise InvalidRequest(f"{where}: content of type {part.type!r} is not supported yet.", where)
    return part.text or part.refusal or ""
