"""The tool calls of a whole answer, put together from its events."""

from __future__ import annotations

from collections.abc import Iterable

from rkllm_providers.chat.types import ChatEvent, InvalidToolCall, ToolCall, ToolCallDelta


def collect_tool_calls(events: Iterable[ChatEvent]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The calls whose deltas are among ``events``, in order, and those that turned out not to be any."""
    heads: dict[int, tuple[str, str]] = {}
    arguments: dict[int, list[str]] = {}
    invalid: list[InvalidToolCall] = []
    for event in events:
        if isinstance(event, ToolCallDelta):
            if event.id is not None and event.name is not None:
                heads[event.index] = event.id, event.name
            arguments.setdefault(event.index, []).append(event.arguments)
        elif isinstance(event, InvalidToolCall):
            invalid.append(event)
    broken = {call.index for call in invalid}
    calls = [
        ToolCall(call_id, name, "".join(arguments[index]))
        for index, (call_id, name) in sorted(heads.items())
        if index not in broken
    ]
    return calls, invalid
