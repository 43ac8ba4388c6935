"""Ranking of documents by how well they answer a query, in the form that Cohere and Jina have in common."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from rag_service.api.event_stream import unless_disconnected
from rag_service.api.openai.fields import WireRequest, pool_of
from rkllm_providers.chat.conversation import encodable

router = APIRouter()


class DocumentObject(BaseModel):
    """A document that is not a bare text."""

    text: str


class RerankRequest(WireRequest):
    """The body of ``POST /v1/rerank``. ``timeout`` is in seconds, for all documents together."""

    model: str | None = None
    query: str
    documents: list[str | DocumentObject]
    top_n: int | None = None
    return_documents: bool = False
    instruction: str | None = None
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)


@router.post("/rerank", response_model=None)
async def create_ranking(request: Request, body: RerankRequest) -> Response:
    """Rank documents, the best first. It waits behind every chat."""
    body.check_refused()
    client = await pool_of(request).client(body.model)
    texts = [encodable(item if isinstance(item, str) else item.text) for item in body.documents]
    work = client.arerank(body.query, texts, instruction=body.instruction, top_n=body.top_n, timeout=body.timeout)
    scores = await unless_disconnected(request, work)
    results: list[dict[str, Any]] = []
    for one in scores:
        result: dict[str, Any] = {"index": one.index, "relevance_score": one.score}
        if body.return_documents:
            result["document"] = {"text": texts[one.index]}
        results.append(result)
    told = {"id": f"rerank-{uuid.uuid4().hex}", "model": client.card.entry.id, "results": results}
    return JSONResponse(told, headers=body.headers())
