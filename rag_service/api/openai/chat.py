"""Chat completions."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.access import OWNER
from rag_service.api.event_stream import EventStreamResponse, unless_disconnected
from rag_service.api.openai.chat_messages import converted
from rag_service.api.openai.chat_request import ChatCompletionRequest
from rag_service.api.openai.chat_wire import ChatWire
from rag_service.api.openai.fields import pictures_of, pool_of
from rag_service.chat_desk import ChatDesk, Message
from rkllm_providers.chat import ChatMessage

router = APIRouter()


@router.post("/chat/completions", response_model=None)
async def create_chat_completion(request: Request, body: ChatCompletionRequest) -> Response:
    """Answer a conversation, whole or as server-sent events.

    Sources in it are read first, and the background tasks of Open WebUI answered as they are set.
    """
    (raw, messages), options = await _read(request, body), body.options()
    client = await pool_of(request).client_for(body.model, messages)
    desk: ChatDesk = request.app.state.desk
    opened = await desk.open(
        raw,
        messages,
        options,
        client,
        request.headers,
        stream=body.stream,
        convert=converted,
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
    await wire.prepare()
    return JSONResponse(wire.whole(result), headers=headers)


@router.post("/chat/completions/input_tokens", response_model=None)
async def count_input_tokens(request: Request, body: ChatCompletionRequest) -> Response:
    """Count the prompt of a conversation, whether it fits or not; the body is that of a chat completion."""
    (_, messages), options = await _read(request, body), body.options()
    client = await pool_of(request).client_for(body.model, messages)
    count = await asyncio.to_thread(client.count_tokens, messages, options)
    told: dict[str, Any] = {"object": "chat.completion.input_tokens", "input_tokens": count}
    # What a picture takes is known once the model has seen one.
    is_known = client.engine.picture_tokens is not None or not any(message.pictures for message in messages)
    if not client.card.takes_tokens or not is_known:
        told["estimated"] = True
    return JSONResponse(told, headers=body.headers())


async def _read(request: Request, body: ChatCompletionRequest) -> tuple[list[Message], list[ChatMessage]]:
    """The conversation as it came, but for its pictures, which are read; and as chat types."""
    raw: list[Message] = [message.model_dump(exclude_none=True) for message in body.messages]
    if not any(message.has_pictures for message in body.messages):
        return raw, body.chat_messages()
    raw = await pictures_of(request).read(raw)
    return raw, converted(raw)
