"""The OpenAI API: models and chat completions."""

from __future__ import annotations

import json
import time
import uuid
from json.encoder import encode_basestring
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.api.event_stream import EventStreamResponse, unless_disconnected
from rag_service.api.openai_types import ChatCompletionRequest
from rag_service.errors import answer_for
from rag_service.pool import ModelPool
from rkllm_providers.chat import ChatEvent, ChatResult, Finish, ReasoningDelta, TextDelta
from rkllm_providers.errors import RKLLMError
from rkllm_providers.models import ModelEntry

IGNORED_HEADER = "X-RKLLM-Ignored-Fields"

router = APIRouter()


def _pool(request: Request) -> ModelPool:
    pool: ModelPool = request.app.state.pool
    return pool


@router.get("/v1/models")
async def list_models(request: Request) -> dict[str, Any]:
    """All models of the models folder."""
    return {"object": "list", "data": [_model_object(entry) for entry in await _pool(request).entries()]}


@router.get("/v1/models/{model}")
async def get_model(request: Request, model: str) -> dict[str, Any]:
    """One model."""
    return _model_object(await _pool(request).entry(model))


def _model_object(entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "object": "model",
        "created": entry.modified_ns // 10**9,
        "owned_by": "rkllm",
    }


@router.post("/v1/chat/completions", response_model=None)
async def create_chat_completion(request: Request, body: ChatCompletionRequest) -> Response:
    """Answer a conversation, whole or as server-sent events."""
    messages, options = body.chat_messages(), body.options()
    client = await _pool(request).client(body.model)
    wire = _ChatWire(
        client.card.entry.id,
        include_usage=body.stream_options is not None and body.stream_options.include_usage,
    )
    ignored = body.ignored_fields()
    headers = {IGNORED_HEADER: ",".join(ignored)} if ignored else {}
    if body.stream:
        response = EventStreamResponse(wire, headers)
        response.answer = await client.aopen(messages, options)
        return response
    answer = await client.aopen(messages, options)
    result = await unless_disconnected(request, answer.collect())
    return JSONResponse(wire.whole(result), headers=headers)


class _ChatWire:
    """Encodes one answer. A streamed one has the same id and time in every chunk."""

    def __init__(self, model: str, *, include_usage: bool) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = model
        self._include_usage = include_usage
        usage = ',"usage":null' if include_usage else ""
        # Most of a chunk is the same for every token: it is encoded once.
        head = self._dumps({**self._head("chat.completion.chunk")})[:-1] + usage + ',"choices":[{"index":0,"delta":'
        self._before_text = f'data: {head}{{"content":'
        self._before_reasoning = f'data: {head}{{"reasoning_content":'
        self._after_text = '},"finish_reason":null}]}\n\n'
        self._head_text = f"data: {head}"

    def opening(self) -> bytes:
        """The first chunk, which names the role."""
        return (self._head_text + '{"role":"assistant","content":""},"finish_reason":null}]}\n\n').encode()

    def encode(self, events: list[ChatEvent]) -> bytes:
        """One chunk per event; an answer's end also closes the stream."""
        before, after = self._before_text, self._after_text
        parts: list[str] = []
        for event in events:
            if isinstance(event, TextDelta):
                parts.append(before + encode_basestring(event.text) + after)
            elif isinstance(event, ReasoningDelta):
                parts.append(self._before_reasoning + encode_basestring(event.text) + after)
            elif isinstance(event, Finish):
                parts.append(self._closing(event))
        return "".join(parts).encode()

    def failure(self, error: RKLLMError) -> bytes:
        """An error in the middle of a stream."""
        return f"data: {self._dumps(answer_for(error).body())}\n\ndata: [DONE]\n\n".encode()

    def whole(self, result: ChatResult) -> dict[str, Any]:
        """A non-streamed answer."""
        finish = result.finish
        message = {"role": "assistant", "content": result.text}
        if result.reasoning:
            message["reasoning_content"] = result.reasoning
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish.reason}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            **self._extras(finish),
            "usage": _usage(finish),
        }

    def _closing(self, finish: Finish) -> str:
        choice = f'{{}},"finish_reason":"{finish.reason}"}}]'
        extras = self._dumps(self._extras(finish))
        text = f"{self._head_text}{choice},{extras[1:]}\n\n"
        if self._include_usage:
            last = {**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(finish)}
            text += f"data: {self._dumps(last)}\n\n"
        return text + "data: [DONE]\n\n"

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}

    def _extras(self, finish: Finish) -> dict[str, Any]:
        timings = finish.timings
        extras: dict[str, Any] = {
            "timings": {
                "queue_ms": round(timings.queue_ms, 3),
                "load_ms": round(timings.load_ms, 3),
                "prefill_ms": round(timings.prefill_ms, 3),
                "decode_ms": round(timings.decode_ms, 3),
            }
        }
        if finish.warnings:
            extras["warnings"] = list(finish.warnings)
        return extras

    @staticmethod
    def _dumps(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _usage(finish: Finish) -> dict[str, Any]:
    usage = finish.usage
    counts: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    if usage.estimated:
        counts["estimated"] = True
    return counts
