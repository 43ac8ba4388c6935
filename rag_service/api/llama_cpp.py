"""Loading and unloading models, as llama.cpp's server has it: what Open WebUI asks of such a connection.

Under ``/v1`` a load is answered when it is done; on the root, as llama.cpp does, when it has begun.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field

from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import WireRequest, pool_of
from rag_service.errors import first_line
from rag_service.pool import ModelPool
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import QueueFull, RKLLMError

logger = logging.getLogger(__name__)
router = APIRouter()

_LOOK_SECONDS: Final = 0.25
_QUIET_LOOKS: Final = 40
"""After so many looks that showed nothing new a comment is sent."""
_MOST_WATCHERS: Final = 32
_RETRY_SECONDS: Final = 30.0


class LoadRequest(WireRequest):
    """A model to load; with ``wait`` the answer comes when it is loaded."""

    model: str = Field(min_length=1)
    wait: bool | None = None


class UnloadRequest(WireRequest):
    """A model to unload; without one, all."""

    model: str | None = None


@router.post("/v1/models/load", response_model=None)
async def load_model(request: Request, body: LoadRequest) -> Response:
    """Load a model, and answer when it is loaded."""
    return await _load(request, body, wait=body.wait is not False)


@router.post("/models/load", response_model=None, include_in_schema=False)
async def begin_load(request: Request, body: LoadRequest) -> Response:
    """Begin to load a model."""
    return await _load(request, body, wait=body.wait is True)


@router.post("/v1/models/select", response_model=None)
@router.post("/models/select", response_model=None, include_in_schema=False)
async def select_model(request: Request, body: LoadRequest) -> Response:
    """Load a model, and have it answer requests that name none."""
    pool = pool_of(request)
    return _loaded(body, await unless_disconnected(request, pool.select(body.model)))


@router.post("/v1/models/unload", response_model=None)
@router.post("/models/unload", response_model=None, include_in_schema=False)
async def unload_model(request: Request, body: UnloadRequest | None = None) -> Response:
    """Give a model's memory back after its current run; without a model, that of all."""
    pool = pool_of(request)
    if body is None or body.model is None:
        unloaded = await pool.unload_all()
    else:
        entry = await pool.entry(body.model)
        unloaded = [entry.id] if await pool.unload(entry.id) else []
    return JSONResponse({"success": True, "unloaded": unloaded}, headers=body.headers() if body is not None else None)


@router.get("/v1/models/sse", response_model=None, include_in_schema=False)
@router.get("/models/sse", response_model=None)
async def watch_models(request: Request) -> Response:
    """Changes of what is loaded, as server-sent events; first, what is loaded now."""
    state = request.app.state
    if state.watchers >= _MOST_WATCHERS:
        raise QueueFull(state.watchers, _MOST_WATCHERS, _RETRY_SECONDS)
    return StreamingResponse(
        _changes(request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _changes(request: Request) -> AsyncIterator[bytes]:
    """Events until the client leaves, or the service ends."""
    pool, state = pool_of(request), request.app.state
    known: dict[str, str] = {}
    state.watchers += 1
    try:
        yield b": models\n\n"
        quiet = 0
        while not pool.closed:
            now: dict[str, str] = dict(pool.statuses())
            now |= {model: "unloaded" for model in known if model not in now}
            changed = {model: status for model, status in now.items() if known.get(model, "unloaded") != status}
            known = now
            quiet = 0 if changed else quiet + 1
            if changed:
                yield "".join(_event(model, status) for model, status in changed.items()).encode()
            elif quiet % _QUIET_LOOKS == 0:
                yield b": keep-alive\n\n"
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        state.watchers -= 1


def _event(model: str, status: str) -> str:
    return f"data: {json.dumps({'model': model, 'event': 'status_change', 'data': {'status': status}})}\n\n"


async def _load(request: Request, body: LoadRequest, *, wait: bool) -> Response:
    pool = pool_of(request)
    entry = await pool.entry(body.model)
    if wait:
        return _loaded(body, await unless_disconnected(request, pool.load(entry.id)))
    loads: set[asyncio.Task[None]] = request.app.state.loads
    if not any(task.get_name() == entry.id for task in loads):
        task = asyncio.create_task(_load_behind(pool, entry.id), name=entry.id)
        loads.add(task)
        task.add_done_callback(loads.discard)
    return JSONResponse({"success": True}, headers=body.headers())


async def _load_behind(pool: ModelPool, model: str) -> None:
    try:
        await pool.load(model)
    except RKLLMError as error:
        logger.warning("%s could not be loaded: %s", model, first_line(error))


def _loaded(body: LoadRequest, client: ModelClient) -> Response:
    info = client.engine.info
    told: dict[str, Any] = {"success": True, "model": client.card.entry.id, "status": {"value": "loaded"}}
    if info is not None:
        told["load_ms"] = round(info.load_ms, 3)
    return JSONResponse(told, headers=body.headers())
