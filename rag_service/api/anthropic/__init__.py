"""The Messages API of Anthropic (https://docs.claude.com/en/api/messages), over the same chats as the other forms."""

from __future__ import annotations

from rag_service.api.anthropic.messages import router

__all__ = ["router"]
