"""The Ollama API (https://docs.ollama.com/api): its forms, over the same chats, models and vectors as the others."""

from __future__ import annotations

from fastapi import APIRouter

from rag_service.api.ollama import chat, embeddings, models

router = APIRouter()
for _module in (chat, embeddings, models):
    router.include_router(_module.router)

__all__ = ["router"]
