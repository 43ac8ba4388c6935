"""Tool calls of a stream, put together: in some formats a call is told when it is complete, or not at all."""

from __future__ import annotations

from rkllm_providers.chat import ToolCall, ToolCallDelta


class WholeCalls:
    """Collects the pieces of one call after the other."""

    def __init__(self) -> None:
        self._call: ToolCall | None = None

    def take(self, event: ToolCallDelta) -> ToolCall | None:
        """Take a piece; the call before it, which is complete where another begins."""
        call = self._call
        if event.id is None:
            if call is not None:
                self._call = ToolCall(call.id, call.name, call.arguments + event.arguments)
            return None
        self._call = ToolCall(event.id, event.name or "", event.arguments)
        return call

    def drop(self) -> None:
        """What was collected turned out to be no call."""
        self._call = None

    def finish(self) -> ToolCall | None:
        """The last call, once the answer has ended."""
        call, self._call = self._call, None
        return call
