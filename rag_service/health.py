"""Whether the service is well: for people, for machines that restart it, and for Prometheus."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from rag_service.access import OWNER, Access
from rag_service.errors import ErrorAnswer
from rag_service.metrics import Metrics
from rag_service.pool import ModelPool

router = APIRouter()
_RETRY_SECONDS = 2


@router.get("/health")
@router.get("/v1/health", include_in_schema=False)
async def health(request: Request) -> dict[str, Any]:
    """Whether the service answers, and what it does now. Looks at nothing but memory, so that nothing holds it up.

    Where the service has keys, who shows none is told the status alone.
    """
    state = request.app.state
    access: Access = state.access
    told: dict[str, Any] = {"status": "ok"}
    if access.needs_key and request.scope.get(OWNER) is None:
        return told
    pool: ModelPool = state.pool
    metrics: Metrics = state.metrics
    current = pool.current_model
    return told | {
        "current_model": current,
        "model_loaded": current is not None,
        "vl_model": pool.vision_model,
        "active_request": metrics.oldest_request,
        "models_available": len(pool.known),
    }


@router.get("/ready", response_model=None)
async def ready(request: Request) -> Response:
    """Whether requests are answered at once: 503 while the first model is loaded, and at the service's end."""
    pool: ModelPool = request.app.state.pool
    problem: str | None = request.app.state.not_ready
    if pool.closed:
        problem = "The service is shutting down."
    if problem is None:
        return JSONResponse({"status": "ready"})
    answer = ErrorAnswer(503, "server_error", "not_ready", problem, retry_after=_RETRY_SECONDS)
    return JSONResponse(answer.body(), answer.status, answer.headers())


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Figures in Prometheus's text format. On a thread: the kernel's files are read for them."""
    figures: Metrics = request.app.state.metrics
    return Response(figures.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
