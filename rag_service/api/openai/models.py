"""The models that can be asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from rag_service.api.openai.fields import lexical_of, pool_of
from rag_service.lexical import EMBEDDING_ID
from rag_service.pool import ModelPool, ModelState
from rag_service.retrieval.lexical_vectors import DIMENSIONS
from rkllm_providers.models import ModelEntry

router = APIRouter()


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    """All models of the models folder; what is known of one is left out while it is still being read."""
    pool = pool_of(request)
    entries = await pool.entries()
    states = await pool.states(entries)
    told = [_model_object(pool, entry, states.get(entry.id)) for entry in entries]
    if lexical_of(request).embeds:
        told.append(_lexical_object())
    return {"object": "list", "data": told}


@router.get("/models/{model:path}")
async def get_model(request: Request, model: str) -> dict[str, Any]:
    """One model."""
    if model.lower() == EMBEDDING_ID and lexical_of(request).embeds:
        return _lexical_object()
    pool = pool_of(request)
    entry = await pool.entry(model)
    return _model_object(pool, entry, await pool.state(entry))


def _lexical_object() -> dict[str, Any]:
    """What embeds by words where models do by meaning: there is no file, and nothing to load."""
    return {
        "id": EMBEDDING_ID,
        "object": "model",
        "created": 0,
        "owned_by": "rkllm",
        "name": "Lexical embedding (hashed words, no model)",
        "description": "Vectors of the words in a text. Texts are near each other where they share words; it knows "
        "nothing of what words mean.",
        "aliases": [],
        "status": {"value": "loaded"},
        "dimensions": DIMENSIONS,
        "capabilities": ["embedding"],
    }


def _model_object(pool: ModelPool, entry: ModelEntry, state: ModelState | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": entry.id,
        "object": "model",
        "created": entry.modified_ns // 10**9,
        "owned_by": "rkllm",
        "aliases": list(entry.aliases),
        "status": {"value": pool.status(entry.id)},
    }
    if state is not None:
        facts = state.facts
        told["context_length"] = facts.context_length
        told["counts_tokens"] = facts.counts_tokens
        told["forces_tool_calls"] = facts.forces_tool_calls
        told["capabilities"] = [name for name, has in asdict(facts.capabilities).items() if has]
    return told
