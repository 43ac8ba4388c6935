"""Ranking of documents by how well they answer a query, in the form that Cohere and Jina have in common."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import WireRequest, lexical_of, pool_of, within
from rag_service.api.wire_lists import WireList
from rag_service.lexical import RANKING_ID
from rkllm_providers.chat.conversation import encodable
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import InvalidRequest

router = APIRouter()


class DocumentObject(BaseModel):
    """A document that is not a bare text."""

    text: str


class RerankRequest(WireRequest):
    """The body of ``POST /v1/rerank``. ``timeout`` is in seconds, for all documents together."""

    model: str | None = None
    query: str
    documents: WireList[str | DocumentObject]
    top_n: int | None = None
    return_documents: bool = False
    instruction: str | None = None
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)


@router.post("/rerank", response_model=None)
async def create_ranking(request: Request, body: RerankRequest) -> Response:
    """Rank documents, the best first: by a model that was made for it, or else by their words (``bm25``).

    A model's ranking waits behind every chat.
    """
    body.check_refused()
    if body.top_n is not None and body.top_n < 1:
        raise InvalidRequest(f"top_n is {body.top_n}; at least 1 is needed.", "top_n")
    texts = [encodable(item if isinstance(item, str) else item.text) for item in body.documents]
    client = await _reranker(request, body.model)
    work = _rank_words(request, body, texts) if client is None else _rank(client, body, texts)
    model = RANKING_ID if client is None else client.card.entry.id
    scores = await unless_disconnected(request, work, model)
    results: list[dict[str, Any]] = []
    for index, score in scores[: body.top_n]:
        result: dict[str, Any] = {"index": index, "relevance_score": score}
        if body.return_documents:
            result["document"] = {"text": texts[index]}
        results.append(result)
    told = {"id": f"rerank-{uuid.uuid4().hex}", "model": model, "results": results}
    return JSONResponse(told, headers=body.headers())


async def _reranker(request: Request, model: str | None) -> ModelClient | None:
    """The model to rank by; ``None`` to do it without.

    A request that names a model which was not made for it gets what there is: only where some model was, it is
    refused. One that names none gets such a model if there is one.

    Raises:
        ModelNotFound: There is no model of that name.
        InvalidRequest: Another one is to be named.
    """
    if model is not None and model.lower() == RANKING_ID:
        return None
    pool = pool_of(request)
    if model is not None or pool.default is not None:
        client = await pool.client(model)
        if client.card.capabilities.reranking or (model is not None and client.card.reranking is not None):
            return client
    states = await pool.states(await pool.entries())
    rerankers = sorted(name for name, state in states.items() if state.facts.capabilities.reranking)
    if not rerankers:
        return None
    if model is not None:
        raise InvalidRequest(
            f"{model} is not known to be a reranking model. Ask {' or '.join(rerankers)}, or {RANKING_ID}, which "
            f"ranks by words.",
            "model",
        )
    return await pool.client(rerankers[0])


async def _rank(client: ModelClient, body: RerankRequest, texts: list[str]) -> list[tuple[int, float]]:
    scores = await client.arerank(body.query, texts, instruction=body.instruction, timeout=body.timeout)
    return [(one.index, one.score) for one in scores]


async def _rank_words(request: Request, body: RerankRequest, texts: list[str]) -> list[tuple[int, float]]:
    if body.instruction is not None:
        raise InvalidRequest(f"{RANKING_ID} is no model, and takes no instruction.", "instruction")
    return await within(body.timeout, lexical_of(request).rank(encodable(body.query), texts))
