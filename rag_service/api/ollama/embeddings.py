"""Vectors in the forms of the Ollama API."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.api.ollama.any_type import AnyTypeRoute
from rag_service.api.ollama.generation import OllamaRequest
from rag_service.api.openai.embeddings import EmbeddingRequest, embed_texts
from rag_service.api.openai.fields import pool_of
from rag_service.api.wire_lists import WireList
from rag_service.lexical import EMBEDDING_ID

router = APIRouter(route_class=AnyTypeRoute)


class OllamaEmbed(OllamaRequest):
    """The body of ``POST /api/embed``. What is too long is cut unless ``truncate`` is false."""

    input: str | WireList[str]
    truncate: bool | None = None
    dimensions: int | None = None


class OllamaEmbedding(OllamaRequest):
    """The body of ``POST /api/embeddings``, the older way for one text."""

    prompt: str


@router.post("/api/embed", response_model=None)
async def create_embeddings(request: Request, body: OllamaEmbed) -> Response:
    """The vectors of texts."""
    began = time.monotonic_ns()
    truncate = body.truncate
    if truncate is None:
        truncate = await _can_cut(request, body.model_name)
    asked = EmbeddingRequest(model=body.model_name, input=body.input, truncate=truncate, dimensions=body.dimensions)
    embedded = await embed_texts(request, asked)
    told = {
        "model": body.model or embedded.model,
        "embeddings": embedded.vectors.tolist(),
        "total_duration": time.monotonic_ns() - began,
        "load_duration": 0,
        "prompt_eval_count": embedded.n_tokens,
    }
    return JSONResponse(told, headers=body.headers())


@router.post("/api/embeddings", response_model=None)
async def create_embedding(request: Request, body: OllamaEmbedding) -> Response:
    """The vector of one text."""
    name = body.model_name
    asked = EmbeddingRequest(model=name, input=body.prompt, truncate=await _can_cut(request, name))
    embedded = await embed_texts(request, asked)
    return JSONResponse({"embedding": embedded.vectors[0].tolist()}, headers=body.headers())


async def _can_cut(request: Request, model: str | None) -> bool:
    """Whether a text can be cut to a model's window: not without the model's tokenizer."""
    if model is not None and model.lower() == EMBEDDING_ID:
        return False
    return (await pool_of(request).client(model)).card.guard is not None
