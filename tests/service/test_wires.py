"""Tool calls in the streams of the other APIs, from events of which no model is needed."""

from __future__ import annotations

import json
from typing import Any

from rag_service.api.anthropic.wire import MessageWire
from rag_service.api.ollama.wire import OllamaWire
from rag_service.ready_answer import ReadyAnswer
from rkllm_providers.chat import ChatEvent, InvalidToolCall, ToolCallDelta

FIRST: list[ChatEvent] = [ToolCallDelta(0, "call_a", "look"), ToolCallDelta(0, arguments='{"at": "a"}')]
SECOND: list[ChatEvent] = [ToolCallDelta(1, "call_b", "look"), ToolCallDelta(1, arguments='{"at": "b"}')]


async def ended(events: list[ChatEvent]) -> list[ChatEvent]:
    """The events of an answer, and its end."""
    return await anext(ReadyAnswer(events, "tool_calls"))


def blocks(stream: bytes) -> list[dict[str, Any]]:
    data = [line.removeprefix("data: ") for line in stream.decode().splitlines() if line.startswith("data: ")]
    told = [json.loads(line) for line in data]
    return [event["content_block"] for event in told if event["type"] == "content_block_start"]


async def test_each_call_of_an_ollama_stream_has_its_own_number() -> None:
    stream = OllamaWire("m", "chat").encode(await ended([*FIRST, *SECOND]))
    told = [json.loads(line)["message"].get("tool_calls", []) for line in stream.splitlines()]
    calls = [call["function"] for line in told for call in line]
    assert [(call["index"], call["arguments"]["at"]) for call in calls] == [(0, "a"), (1, "b")]


async def test_a_second_call_that_cannot_be_read_leaves_the_first() -> None:
    broken = InvalidToolCall("<broken>", "it does not end", index=1)
    for one_call_only in (True, False):
        wire = MessageWire("m", shows_thinking=False, one_call_only=one_call_only)
        told = blocks(wire.encode(await ended([*FIRST, SECOND[0], broken])))
        assert [block["id"] for block in told if block["type"] == "tool_use"] == ["call_a"]
