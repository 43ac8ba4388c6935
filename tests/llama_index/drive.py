"""The eight methods of a model, driven in one way."""

from __future__ import annotations

import json
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ThinkingBlock, ToolCallBlock
from llama_index.core.tools import FunctionTool

from rkllm_providers.llama_index import RKLLM

CHATS = ("chat", "achat", "stream_chat", "astream_chat")
COMPLETIONS = ("complete", "acomplete", "stream_complete", "astream_complete")
METHODS = CHATS + COMPLETIONS


def get_weather(city: str, days: int = 1) -> str:
    """The weather of a city."""
    return "17"


def get_time(city: str) -> str:
    """The time in a city."""
    return "noon"


def tools() -> list[Any]:
    """Both as LlamaIndex has them."""
    return [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(get_time)]


async def ask(llm: RKLLM, method: str, text: str, **arguments: Any) -> list[Any]:
    """All items of an answer; a whole answer is one."""
    asked: Any = text if method in COMPLETIONS else [ChatMessage(role="user", content=text)]
    answer = getattr(llm, method)(asked, **arguments)
    if method.startswith("astream"):
        return [item async for item in await answer]
    if method.startswith("stream"):
        return list(answer)
    return [await answer if method.startswith("a") else answer]


def said(item: Any) -> str:
    """The text of a chat's or a completion's answer."""
    return str(item.message.content or "") if hasattr(item, "message") else str(item.text)


def thought(item: Any) -> str:
    """Its thinking."""
    if not hasattr(item, "message"):
        return str(item.additional_kwargs.get("thinking", ""))
    return "".join(block.content or "" for block in item.message.blocks if isinstance(block, ThinkingBlock))


def called(item: Any) -> list[tuple[str, Any]]:
    """Its tool calls."""
    blocks = [block for block in item.message.blocks if isinstance(block, ToolCallBlock)]
    return [(block.tool_name, block.tool_kwargs) for block in blocks]


def timeless(item: Any) -> dict[str, Any]:
    """What must be equal whichever way an answer was asked for: all but times, ids and the newest piece."""
    raw = {name: value for name, value in item.raw.items() if name != "timings"}
    seen = {"text": said(item), "thinking": thought(item), "raw": raw}
    if hasattr(item, "message"):
        seen["calls"] = called(item)
    # Reuse of the KV cache depends on what ran before.
    raw = json.loads(json.dumps(seen))
    del raw["raw"]["usage"]["prompt_tokens_details"]
    return dict(raw)
