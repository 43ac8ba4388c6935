"""Embeddings."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from numpy.typing import NDArray
from pydantic import Field

from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import WireRequest, pool_of
from rag_service.api.openai.token_texts import all_texts
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import InvalidRequest

router = APIRouter()


class EmbeddingRequest(WireRequest):
    """The body of ``POST /v1/embeddings``. ``timeout`` is in seconds, for all texts together."""

    model: str | None = None
    input: str | list[int] | list[str] | list[list[int]]
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


@router.post("/embeddings", response_model=None)
async def create_embeddings(request: Request, body: EmbeddingRequest) -> Response:
    """The vectors of texts. They wait behind every chat."""
    body.check_refused()
    client = await pool_of(request).client(body.model)
    _check_capability(client)
    texts = await all_texts(client, body.inputs(), "input")
    work = client.aembed(
        texts,
        kind=body.kind,
        instruction=body.instruction,
        dimensions=body.dimensions,
        truncate=body.truncate,
        timeout=body.timeout,
    )
    result = await unless_disconnected(request, work)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, body.encoding_format)}
        for index, vector in enumerate(result.vectors)
    ]
    told = {
        "object": "list",
        "data": data,
        "model": client.card.entry.id,
        "usage": {"prompt_tokens": result.prompt_tokens, "total_tokens": result.prompt_tokens},
    }
    return JSONResponse(told, headers=body.headers())


def _encoded(vector: NDArray[np.float32], encoding: Literal["float", "base64"]) -> Any:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
    return vector.tolist()


def _check_capability(client: ModelClient) -> None:
    entry, capabilities = client.card.entry, client.card.capabilities
    if not capabilities.embedding:
        raise InvalidRequest(
            f"{entry.id} is not known to be an embedding model. Ask a model for embeddings, put the files of the "
            f'original model beside this one, or write capabilities = ["embedding"] into {entry.path.stem}.toml '
            f"beside it.",
            "model",
        )
