"""Embeddings."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from numpy.typing import NDArray
from pydantic import Field

from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import WireRequest, lexical_of, pool_of, within
from rag_service.api.openai.token_texts import all_texts
from rag_service.api.wire_lists import WireList
from rag_service.lexical import EMBEDDING_ID
from rag_service.retrieval.lexical_vectors import DIMENSIONS
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import InvalidRequest

router = APIRouter()


class EmbeddingRequest(WireRequest):
    """The body of ``POST /v1/embeddings``. ``timeout`` is in seconds, for all texts together."""

    model: str | None = None
    input: str | WireList[int] | WireList[str] | WireList[WireList[int]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    kind: Literal["query", "document"] | None = None
    instruction: str | None = None
    truncate: bool = False
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    def inputs(self) -> list[str | Sequence[int]]:
        """The texts, some of them perhaps as tokens."""
        if isinstance(self.input, str):
            return [self.input]
        if self.input and isinstance(self.input[0], int):
            return [[token for token in self.input if isinstance(token, int)]]
        return [item for item in self.input if not isinstance(item, int)]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of texts, float32 ``[n_texts, n_dimensions]``, and what made them of how many tokens."""

    model: str
    vectors: NDArray[np.float32]
    n_tokens: int


@router.post("/embeddings", response_model=None)
async def create_embeddings(request: Request, body: EmbeddingRequest) -> Response:
    """The vectors of texts. They wait behind every chat."""
    body.check_refused()
    embedded = await embed_texts(request, body)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, body.encoding_format)}
        for index, vector in enumerate(embedded.vectors)
    ]
    told = {
        "object": "list",
        "data": data,
        "model": embedded.model,
        "usage": {"prompt_tokens": embedded.n_tokens, "total_tokens": embedded.n_tokens},
    }
    return JSONResponse(told, headers=body.headers())


async def embed_texts(request: Request, body: EmbeddingRequest) -> Embedded:
    """What the body asks for, by a model or without one.

    Raises:
        RKLLMError: It is refused, or fails.
    """
    if body.model is not None and body.model.lower() == EMBEDDING_ID:
        return await unless_disconnected(request, within(body.timeout, _embed_words(request, body)), EMBEDDING_ID)
    client = await pool_of(request).client(body.model)
    _check_capability(client, lexical_of(request).embeds)
    texts = await all_texts(client, body.inputs(), "input")
    work = client.aembed(
        texts,
        kind=body.kind,
        instruction=body.instruction,
        dimensions=body.dimensions,
        truncate=body.truncate,
        timeout=body.timeout,
    )
    result = await unless_disconnected(request, work, client.card.entry.id)
    return Embedded(client.card.entry.id, result.vectors, result.prompt_tokens)


async def _embed_words(request: Request, body: EmbeddingRequest) -> Embedded:
    if body.dimensions not in (None, DIMENSIONS):
        raise InvalidRequest(
            f"{EMBEDDING_ID} has {DIMENSIONS} dimensions, and fewer of them would say nothing: leave dimensions out.",
            "dimensions",
        )
    if body.instruction is not None:
        raise InvalidRequest(f"{EMBEDDING_ID} is no model, and takes no instruction.", "instruction")
    texts = [text for text in body.inputs() if isinstance(text, str)]
    if len(texts) < len(body.inputs()):
        raise InvalidRequest(f"{EMBEDDING_ID} has no tokens: send texts.", "input")
    result = await lexical_of(request).embed(texts)
    return Embedded(EMBEDDING_ID, result.vectors, result.n_terms)


def _encoded(vector: NDArray[np.float32], encoding: Literal["float", "base64"]) -> Any:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
    return vector.tolist()


def _check_capability(client: ModelClient, lexical: bool) -> None:
    entry, capabilities = client.card.entry, client.card.capabilities
    if not capabilities.embedding:
        raise InvalidRequest(
            f"{entry.id} is not known to be an embedding model. Ask a model for embeddings, put the files of the "
            f'original model beside this one, or write capabilities = ["embedding"] into {entry.path.stem}.toml '
            f"beside it. Without any such model, {_instead(lexical)}.",
            "model",
        )


def _instead(lexical: bool) -> str:
    if lexical:
        return f"{EMBEDDING_ID} embeds by the words of a text"
    return f"RKLLM_LEXICAL_EMBEDDING=true offers {EMBEDDING_ID}, which embeds by the words of a text"
