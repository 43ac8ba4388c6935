"""The OpenAI API, and what llama.cpp and rerankers added to its family: one module for each wire format.

Every route is there under ``/v1`` and without it.
"""

from __future__ import annotations

from fastapi import APIRouter

from rag_service.api.openai import chat, completions, embeddings, models, rerank, tokens
from rag_service.api.openai.fields import IGNORED_HEADER

_routes = APIRouter()
for _module in (models, chat, completions, embeddings, rerank, tokens):
    _routes.include_router(_module.router)

router = APIRouter()
router.include_router(_routes, prefix="/v1")
router.include_router(_routes, include_in_schema=False)
router.add_api_route(
    "/rkllm_chat", chat.create_chat_completion, methods=["POST"], response_model=None, include_in_schema=False
)

__all__ = ["IGNORED_HEADER", "router"]
