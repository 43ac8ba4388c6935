"""Chats in the forms of other APIs: on their way to a model they are what the OpenAI API would have sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from rag_service.access import OWNER
from rag_service.api.cited_answer import CitedAnswer
from rag_service.api.openai.chat_messages import RequestMessage, to_chat_messages
from rag_service.chat_desk import ChatDesk
from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.engine import ModelClient

RawMessage = dict[str, Any]
"""A message as the OpenAI API has it."""


def converted(raw: Sequence[Mapping[str, Any]]) -> list[ChatMessage]:
    """Messages as chat types.

    Raises:
        InvalidRequest: They hold something that is not supported.
    """
    return to_chat_messages([RequestMessage.model_validate(message) for message in raw])


async def read_chat(raw: Sequence[RawMessage]) -> list[ChatMessage]:
    """Messages as chat types; megabytes of pictures are not read on the loop.

    Raises:
        InvalidRequest: They hold something that is not supported.
    """
    has_parts = any(not isinstance(message["content"], str) for message in raw)
    return await asyncio.to_thread(converted, raw) if has_parts else converted(raw)


async def open_chat(
    request: Request,
    client: ModelClient,
    raw: Sequence[RawMessage],
    messages: list[ChatMessage],
    options: GenerateOptions,
    *,
    stream: bool,
) -> tuple[CitedAnswer, Mapping[str, str]]:
    """Open the answer to a chat the way that chat completions are; headers say what was done besides.

    ``messages`` are what ``read_chat`` makes of ``raw``.

    Raises:
        RKLLMError: It is refused.
    """
    desk: ChatDesk = request.app.state.desk
    caller = request.scope.get(OWNER) or ""
    opened = await desk.open(
        raw, messages, options, client, request.headers, stream=stream, convert=converted, caller=caller
    )
    return CitedAnswer(opened), opened.headers


def picture_part(media_type: str, data: str) -> RawMessage:
    """A picture that was sent as base64, as a part of a message's content."""
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}


def content_of(text: str, pictures: Sequence[RawMessage]) -> str | list[RawMessage]:
    """A message's content: its text alone, or with pictures before it."""
    return [*pictures, {"type": "text", "text": text}] if pictures else text
