"""Chats in the forms of other APIs: on their way to a model they are what the OpenAI API would have sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from rag_service.access import OWNER
from rag_service.api.cited_answer import CitedAnswer
from rag_service.api.openai.chat_messages import converted
from rag_service.api.openai.fields import pictures_of, pool_of
from rag_service.chat_desk import ChatDesk, Message
from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.engine import ModelClient

RawMessage = dict[str, Any]
"""A message as the OpenAI API has it."""


@dataclass(frozen=True, slots=True)
class AskedChat:
    """A conversation and the model that answers it: ``raw`` are its messages, ``messages`` the same as chat types."""

    client: ModelClient
    raw: Sequence[Message]
    messages: list[ChatMessage]


async def ask_chat(request: Request, model: str | None, raw: Sequence[RawMessage]) -> AskedChat:
    """Read a conversation's pictures, and find the model for it; with pictures, one that sees.

    Raises:
        RKLLMError: It holds something that is not supported, or there is no such model.
    """
    read = await pictures_of(request).read(raw)
    messages = converted(read)
    return AskedChat(await pool_of(request).client_for(model, messages), read, messages)


async def open_chat(
    request: Request, chat: AskedChat, options: GenerateOptions, *, stream: bool
) -> tuple[CitedAnswer, Mapping[str, str]]:
    """Open the answer to a chat the way that chat completions are; headers say what was done besides.

    ``messages`` are what ``read_chat`` makes of ``raw``.

    Raises:
        RKLLMError: It is refused.
    """
    desk: ChatDesk = request.app.state.desk
    caller = request.scope.get(OWNER) or ""
    opened = await desk.open(
        chat.raw,
        chat.messages,
        options,
        chat.client,
        request.headers,
        stream=stream,
        convert=converted,
        caller=caller,
    )
    return CitedAnswer(opened), opened.headers


def picture_part(media_type: str, data: str) -> RawMessage:
    """A picture that was sent as base64, as a part of a message's content."""
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}


def picture_at(url: str) -> RawMessage:
    """A picture that is somewhere else, as a part of a message's content."""
    return {"type": "image_url", "image_url": {"url": url}}


def text_part(text: str) -> RawMessage:
    """A text, as a part of a message's content."""
    return {"type": "text", "text": text}


def content_of(parts: Sequence[RawMessage]) -> str | list[RawMessage]:
    """A message's content: text alone, or texts and pictures in their order; neighbouring texts become one."""
    joined: list[RawMessage] = []
    for part in parts:
        if part["type"] == "text" and joined and joined[-1]["type"] == "text":
            part = text_part(f"{joined.pop()['text']}\n{part['text']}")
        joined.append(part)
    if any(part["type"] != "text" for part in joined):
        return joined
    return joined[0]["text"] if joined else ""
