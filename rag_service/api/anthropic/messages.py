"""The routes of the Messages API."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.api.anthropic.forms import CountRequest, MessageRequest
from rag_service.api.anthropic.wire import MessageStreamResponse, MessageWire
from rag_service.api.chats import open_chat, read_chat
from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import pool_of

_routes = APIRouter()


@_routes.post("/messages", response_model=None)
async def create_message(request: Request, body: MessageRequest) -> Response:
    """Answer a conversation, whole or as server-sent events."""
    raw, options = body.raw_messages(), body.options()
    messages = await read_chat(raw)
    client = await pool_of(request).client_for(body.model, messages)
    answer, told = await open_chat(request, client, raw, messages, options, stream=body.stream)
    wire = MessageWire(client.card.entry.id, shows_thinking=body.wants_thinking, one_call_only=body.one_call_only)
    headers = {**body.headers(), **told}
    if body.stream:
        response = MessageStreamResponse(wire, headers)
        response.answer = answer
        return response
    result = await unless_disconnected(request, answer.collect(), wire.model)
    return JSONResponse(wire.whole(result), headers=headers)


@_routes.post("/messages/count_tokens", response_model=None)
async def count_tokens(request: Request, body: CountRequest) -> Response:
    """Count the prompt of a conversation, whether it fits or not."""
    messages, options = await read_chat(body.raw_messages()), body.options()
    client = await pool_of(request).client_for(body.model, messages)
    count = await asyncio.to_thread(client.count_tokens, messages, options)
    return JSONResponse({"input_tokens": count}, headers=body.headers())


router = APIRouter()
router.include_router(_routes, prefix="/v1")
router.include_router(_routes, include_in_schema=False)
