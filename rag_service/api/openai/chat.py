"""Chat completions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.access import OWNER
from rag_service.api.event_stream import EventStreamResponse, unless_disconnected
from rag_service.api.openai.chat_messages import RequestMessage, to_chat_messages
from rag_service.api.openai.chat_request import ChatCompletionRequest
from rag_service.api.openai.chat_wire import ChatWire
from rag_service.api.openai.fields import pool_of
from rag_service.chat_desk import ChatDesk
from rkllm_providers.chat import ChatMessage

router = APIRouter()


@router.post("/chat/completions", response_model=None)
async def create_chat_completion(request: Request, body: ChatCompletionRequest) -> Response:
    """Answer a conversation, whole or as server-sent events.

    Sources in it are read first, and the background tasks of Open WebUI answered as they are set.
    """
    messages, options = await _read(body), body.options()
    client = await pool_of(request).client_for(body.model, messages)
    desk: ChatDesk = request.app.state.desk
    raw = [message.model_dump(exclude_none=True) for message in body.messages]
    opened = await desk.open(
        raw,
        messages,
        options,
        client,
        request.headers,
        stream=body.stream,
        convert=_converted,
        caller=request.scope.get(OWNER) or "",
    )
    wire = ChatWire(
        client,
        opened.answer,
        include_usage=body.include_usage,
        one_call_only=body.one_call_only,
        trace=body.wants_trace,
        news=desk.news(opened.answer, client, request.headers) if body.stream else None,
    )
    headers = {**body.headers(), **opened.headers}
    if body.stream:
        response = EventStreamResponse(wire, headers)
        response.answer = opened.answer
        return response
    result = await unless_disconnected(request, opened.answer.collect(), wire.model)
    return JSONResponse(wire.whole(result), headers=headers)


@router.post("/chat/completions/input_tokens", response_model=None)
async def count_input_tokens(request: Request, body: ChatCompletionRequest) -> Response:
    """Count the prompt of a conversation, whether it fits or not; the body is that of a chat completion."""
    messages, options = await _read(body), body.options()
    client = await pool_of(request).client_for(body.model, messages)
    count = await asyncio.to_thread(client.count_tokens, messages, options)
    told: dict[str, Any] = {"object": "chat.completion.input_tokens", "input_tokens": count}
    # What a picture takes is known once the model has seen one.
    is_known = client.engine.picture_tokens is not None or not any(message.pictures for message in messages)
    if not client.card.takes_tokens or not is_known:
        told["estimated"] = True
    return JSONResponse(told, headers=body.headers())


async def _read(body: ChatCompletionRequest) -> list[ChatMessage]:
    """The conversation; megabytes of pictures are not read on the loop."""
    if any(message.has_pictures for message in body.messages):
        return await asyncio.to_thread(body.chat_messages)
    return body.chat_messages()


def _converted(raw: Sequence[Mapping[str, Any]]) -> list[ChatMessage]:
    return to_chat_messages([RequestMessage.model_validate(message) for message in raw])
