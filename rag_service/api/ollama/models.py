"""Models in the forms of the Ollama API: which there are, what is known of one, which are loaded."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from rag_service.api.ollama.any_type import AnyTypeRoute
from rag_service.api.ollama.generation import OllamaRequest
from rag_service.api.openai.fields import lexical_of, pool_of
from rag_service.lexical import EMBEDDING_ID
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import UnsupportedFeature
from rkllm_providers.models import ModelEntry

router = APIRouter(route_class=AnyTypeRoute)

API_VERSION: Final = "0.12.0"
"""The version of Ollama whose API this is; clients ask for it to know what they may send."""

# What Ollama calls the abilities of a model.
_CAPABILITIES: Final[Mapping[str, str]] = {
    "embedding": "embedding",
    "vision": "vision",
    "tools": "tools",
    "thinking": "thinking",
}
_NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


class ShowRequest(OllamaRequest):
    """The body of ``POST /api/show``."""


@router.api_route("/", methods=["GET", "HEAD"], response_model=None, include_in_schema=False)
async def tell_presence() -> Response:
    """What clients ask for to see that something answers, in the words that some look for."""
    return PlainTextResponse("Ollama is running")


@router.get("/api/version", response_model=None)
async def get_version() -> Response:
    """The version of the API."""
    return JSONResponse({"version": API_VERSION})


@router.get("/api/tags", response_model=None)
async def list_models(request: Request) -> Response:
    """All models that can be asked."""
    entries = await pool_of(request).entries()
    models = await asyncio.to_thread(lambda: [_listed(entry) for entry in entries])
    if lexical_of(request).embeds:
        models.append(_lexical())
    return JSONResponse({"models": models})


@router.get("/api/ps", response_model=None)
async def list_loaded(request: Request) -> Response:
    """The models that are loaded."""
    clients = pool_of(request).loaded()
    models = await asyncio.to_thread(lambda: [_loaded(client) for client in clients])
    return JSONResponse({"models": models})


@router.post("/api/show", response_model=None)
async def show_model(request: Request, body: ShowRequest) -> Response:
    """What is known of a model."""
    pool = pool_of(request)
    client = await pool.client(body.model_name)
    card = client.card
    family = card.family.name if card.family is not None else "rkllm"
    abilities = [told for name, told in _CAPABILITIES.items() if getattr(card.capabilities, name)]
    told = {
        "modelfile": "",
        "parameters": "\n".join(f"{name} {value:g}" for name, value in card.sampling.items()),
        "template": card.template.source if card.template is not None else "",
        "details": _details(card.entry, family),
        "model_info": {
            "general.architecture": family,
            "general.basename": card.entry.id,
            f"{family}.context_length": card.context_length,
        },
        "capabilities": abilities if card.capabilities.embedding else ["completion", *abilities],
        "modified_at": _time(card.entry.modified_ns / 1e9),
    }
    return JSONResponse(told, headers=body.headers())


@router.post("/api/pull", response_model=None, include_in_schema=False)
async def pull_model(request: Request, body: ShowRequest) -> Response:
    """Nothing is fetched; a client that makes sure that a model is there is told so if it is.

    Raises:
        ModelNotFound: It is not.
    """
    if (body.model_name or "").lower() != EMBEDDING_ID:
        await pool_of(request).entry(body.model_name)
    return JSONResponse({"status": "success"}, headers=body.headers())


@router.post("/api/create", response_model=None, include_in_schema=False)
@router.post("/api/copy", response_model=None, include_in_schema=False)
@router.post("/api/push", response_model=None, include_in_schema=False)
@router.delete("/api/delete", response_model=None, include_in_schema=False)
async def change_models() -> Response:
    """Models are files in a folder, which no request changes.

    Raises:
        UnsupportedFeature: Always.
    """
    raise UnsupportedFeature("Models are files in the models folder of the service, and are changed there.")


def _listed(entry: ModelEntry) -> dict[str, Any]:
    try:
        size = entry.path.stat().st_size
    except OSError:
        size = 0  # it was taken away meanwhile
    return {
        "name": entry.id,
        "model": entry.id,
        "modified_at": _time(entry.modified_ns / 1e9),
        "size": size,
        "digest": _digest(f"{entry.id}\n{entry.modified_ns}\n{size}"),
        "details": _details(entry, ""),
    }


def _loaded(client: ModelClient) -> dict[str, Any]:
    told = _listed(client.card.entry)
    told.pop("modified_at")
    expires = client.engine.expires_at
    memory = client.engine.memory
    return told | {
        "size": memory,
        # The memory of a board is the NPU's too.
        "size_vram": memory,
        "expires_at": _NEVER.isoformat() if expires is None else _time(expires),
        "context_length": client.card.context_length,
    }


def _lexical() -> dict[str, Any]:
    return {
        "name": EMBEDDING_ID,
        "model": EMBEDDING_ID,
        "modified_at": _time(0),
        "size": 0,
        "digest": _digest(EMBEDDING_ID),
        "details": {"format": "hashed words, no model", "family": "lexical", "families": ["lexical"]},
    }


def _details(entry: ModelEntry, family: str) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": entry.format.value,
        "family": family,
        "families": [family] if family else None,
        "parameter_size": "",
        "quantization_level": "",
    }


def _digest(what: str) -> str:
    """A name for a version of a model: its gigabytes are not read for it."""
    return hashlib.sha256(what.encode()).hexdigest()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
