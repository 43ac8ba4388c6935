"""Content blocks of streamed answers.

langchain-core numbers reasoning and text blocks 0, 1, … as they follow each other in a stream, while pieces of tool
calls keep the number of their call, from 0 too; blocks of one number are merged. An answer that thinks, or writes,
and then calls a tool would lose one of them. Here the numbers of calls get names of their own.
"""

from __future__ import annotations

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.block_translators import register_translator
from langchain_core.messages.content import ContentBlock

from rkllm_providers.langchain.answers import PROVIDER


def register_content_blocks() -> None:
    """Have langchain-core read the content blocks of our messages so."""
    register_translator(PROVIDER, _whole, _piece)


def _whole(message: AIMessage) -> list[ContentBlock]:
    # LangChain's own way is right for whole messages, and is taken on this error.
    raise NotImplementedError


def _piece(chunk: AIMessageChunk) -> list[ContentBlock]:
    plain = chunk.model_copy(update={"response_metadata": {}})
    blocks = plain.content_blocks
    for block in blocks:
        if block["type"] == "tool_call_chunk" and isinstance(number := block.get("index"), int):
            block["index"] = f"lc_tc_{number}"
    return blocks
