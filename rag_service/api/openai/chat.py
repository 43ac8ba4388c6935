"""Chat completions."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.api.event_stream import EventStreamResponse, unless_disconnected
from rag_service.api.openai.chat_request import ChatCompletionRequest
from rag_service.api.openai.chat_wire import ChatWire
from rag_service.api.openai.fields import pool_of

router = APIRouter()


@router.post("/chat/completions", response_model=None)
async def create_chat_completion(request: Request, body: ChatCompletionRequest) -> Response:
    """Answer a conversation, whole or as server-sent events."""
    messages, options = body.chat_messages(), body.options()
    client = await pool_of(request).client(body.model)
    wire = ChatWire(client, include_usage=body.include_usage, one_call_only=body.one_call_only)
    headers = body.headers()
    if body.stream:
        response = EventStreamResponse(wire, headers)
        response.answer = await client.aopen(messages, options)
        return response
    answer = await client.aopen(messages, options)
    result = await unless_disconnected(request, answer.collect())
    return JSONResponse(wire.whole(result), headers=headers)


@router.post("/chat/completions/input_tokens", response_model=None)
async def count_input_tokens(request: Request, body: ChatCompletionRequest) -> Response:
    """Count the prompt of a conversation, whether it fits or not; the body is that of a chat completion."""
    messages, options = body.chat_messages(), body.options()
    client = await pool_of(request).client(body.model)
    count = await asyncio.to_thread(client.count_tokens, messages, options)
    told: dict[str, Any] = {"object": "chat.completion.input_tokens", "input_tokens": count}
    if not client.card.takes_tokens:
        told["estimated"] = True
    return JSONResponse(told, headers=body.headers())
