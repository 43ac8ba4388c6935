"""Answers of the Ollama API: JSON objects, one on each line of a stream, and one for a whole answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final, Literal

from rag_service.api.event_stream import EventStreamResponse, EventWire
from rag_service.api.openai.answer_wire import dump_json
from rag_service.api.whole_calls import WholeCalls
from rag_service.errors import answer_for
from rkllm_providers.chat import (
    ChatEvent,
    ChatResult,
    Finish,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from rkllm_providers.errors import RKLLMError
from rkllm_providers.remote.error_details import writable

LINES_TYPE: Final = "application/x-ndjson"
_NANOSECONDS: Final = 1_000_000  # in a millisecond

Kind = Literal["chat", "generate"]


class LineStreamResponse(EventStreamResponse):
    """A stream of JSON objects, one on each line."""

    media_type = LINES_TYPE

    def __init__(self, wire: OllamaWire, headers: dict[str, str]) -> None:
        super().__init__(wire, headers)
        self._lines = wire

    def keep_alive(self) -> bytes:
        """A piece without text: this format has no comments."""
        return self._lines.piece("").encode()


class OllamaWire(EventWire):
    """Encodes one answer to a chat or, where ``kind`` is ``generate``, to a prompt."""

    def __init__(self, model: str, kind: Kind, name: str | None = None) -> None:
        """``model`` is the id of the model that answers, ``name`` what the client calls it."""
        self._model = model
        self._name = name or model
        self._kind = kind
        self._calls = WholeCalls()
        self._n_told = 0

    @property
    def model(self) -> str:
        """The id of the model that was asked."""
        return self._model

    def opening(self) -> bytes:
        """Nothing comes before the first event."""
        return b""

    def encode(self, events: list[ChatEvent]) -> bytes:
        """One line per event; a tool call is told when it is complete."""
        lines: list[str] = []
        for event in events:
            if isinstance(event, TextDelta):
                lines.append(self.piece(event.text))
            elif isinstance(event, ReasoningDelta):
                lines.append(self.piece("", thinking=event.text))
            elif isinstance(event, ToolCallDelta):
                lines += self._told(self._calls.take(event))
            elif isinstance(event, InvalidToolCall):
                if event.index is not None:
                    self._calls.drop()
                lines.append(self.piece(event.text))
            else:
                lines += self._told(self._calls.finish())
                lines.append(self._line(self._message(""), done=True, **_counts(event)))
        return "".join(lines).encode()

    def failure(self, error: RKLLMError) -> bytes:
        """An error in the middle of a stream."""
        return f"{dump_json({'error': writable(answer_for(error).message)})}\n".encode()

    def whole(self, result: ChatResult) -> dict[str, Any]:
        """An answer that is not streamed."""
        text = result.text + "".join(call.text for call in result.invalid_tool_calls)
        message = self._message(text, result.reasoning, result.tool_calls)
        return {**self._head(), **message, "done": True, **_counts(result.finish)}

    def loaded(self, reason: Literal["load", "unload"]) -> dict[str, Any]:
        """The answer to a request that asks nothing, and so only loads a model or gives it back."""
        return {**self._head(), **self._message(""), "done": True, "done_reason": reason}

    def piece(self, text: str, *, thinking: str = "") -> str:
        """A line with more of the answer."""
        return self._line(self._message(text, thinking), done=False)

    def _told(self, call: ToolCall | None) -> list[str]:
        if call is None:
            return []
        message = self._message("", calls=(call,), first=self._n_told)
        self._n_told += 1
        return [self._line(message, done=False)]

    def _message(
        self, text: str, thinking: str = "", calls: tuple[ToolCall, ...] = (), first: int = 0
    ) -> dict[str, Any]:
        """What is said; ``first`` is the number of the first of its calls, by which clients tell them apart."""
        if self._kind == "generate":
            return {"response": text, **({"thinking": thinking} if thinking else {})}
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thinking:
            message["thinking"] = thinking
        if calls:
            message["tool_calls"] = [_call(number, call) for number, call in enumerate(calls, first)]
        return {"message": message}

    def _line(self, said: dict[str, Any], *, done: bool, **more: Any) -> str:
        return f"{dump_json({**self._head(), **said, 'done': done, **more})}\n"

    def _head(self) -> dict[str, Any]:
        return {"model": self._name, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}


def _call(number: int, call: ToolCall) -> dict[str, Any]:
    # Arguments are an object in this format; what is told as a call holds one.
    arguments = json.loads(call.arguments or "{}")
    return {"id": call.id, "function": {"index": number, "name": call.name, "arguments": arguments}}


def _counts(finish: Finish) -> dict[str, Any]:
    """Why it ended, the tokens, and where the time went, in nanoseconds."""
    timings, usage = finish.timings, finish.usage
    spent = {
        "total_duration": timings.queue_ms + timings.load_ms + timings.prefill_ms + timings.decode_ms,
        "load_duration": timings.load_ms,
        "prompt_eval_duration": timings.prefill_ms,
        "eval_duration": timings.decode_ms,
    }
    return {
        "done_reason": "length" if finish.reason == "length" else "stop",
        **{name: round(milliseconds * _NANOSECONDS) for name, milliseconds in spent.items()},
        "prompt_eval_count": usage.prompt_tokens,
        "eval_count": usage.completion_tokens,
    }
