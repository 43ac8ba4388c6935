"""The data of a streamed answer to chat events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rkllm_providers.chat.types import (
    ChatEvent,
    Finish,
    FinishReason,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    Timings,
    ToolCallDelta,
    Usage,
)
from rkllm_providers.errors import GenerationError, RKLLMError
from rkllm_providers.remote.error_details import rebuild_error

_END: Final = "[DONE]"
_REASONS: Final[Mapping[object, FinishReason]] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}


class AnswerReader:
    """Reads the chunks of one answer, of a chat or of a text.

    ``finished`` says that its ``Finish`` was given out; ``context_length`` is then the window of the model as it is
    loaded, in tokens, where the service told it.
    """

    def __init__(self, where: str) -> None:
        """``where`` names the service in errors."""
        self._where = where
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self._timings = Timings(0, 0, 0, 0)
        self._warnings: tuple[str, ...] = ()
        self._stop: str | None = None
        self.context_length: int | None = None
        self.finished = False

    def feed(self, payload: str) -> list[ChatEvent]:
        """The events of one chunk.

        Raises:
            RKLLMError: The service tells of an error.
            GenerationError: What it sent is no chunk of an answer.
        """
        if payload == _END:
            return self._end()
        try:
            return self._read(payload)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise GenerationError(
                f"{self._where} sent what is no part of an answer ({type(error).__name__}: {error})."
            ) from error

    def _read(self, payload: str) -> list[ChatEvent]:
        chunk = json.loads(payload)
        if "error" in chunk:
            raise error_of(chunk, f"{self._where} ended the answer with an error.")
        if chunk.get("usage") is not None:
            self._usage = _usage(chunk["usage"])
        if chunk.get("timings") is not None:
            self._timings = _timings(chunk["timings"])
        if not chunk["choices"]:
            return []
        choice = chunk["choices"][0]
        if choice.get("finish_reason") is not None:
            self._note_end(chunk, choice["finish_reason"])
        if "text" in choice:
            return [TextDelta(_text(choice["text"]))] if choice["text"] else []
        return _events(choice["delta"])

    def _note_end(self, chunk: Mapping[str, Any], reason: object) -> None:
        if reason not in _REASONS:
            raise ValueError(f"finish_reason is {reason!r}")
        self._reason = _REASONS[reason]
        self._warnings = tuple(_text(warning) for warning in chunk.get("warnings") or ())
        stop = chunk.get("stop_sequence")
        self._stop = None if stop is None else _text(stop)
        length = chunk.get("context_length")
        self.context_length = None if length is None else int(length)

    def _end(self) -> list[ChatEvent]:
        if self._reason is None or self._usage is None:
            raise GenerationError(f"{self._where} ended the answer without saying how.")
        self.finished = True
        return [Finish(self._reason, self._usage, self._timings, self._warnings, self._stop)]


def error_of(body: object, otherwise: str) -> RKLLMError:
    """The error that a service's body tells of, as the class it was; ``otherwise`` says what happened at least."""
    told = body.get("error") if isinstance(body, dict) else None
    if not isinstance(told, dict):
        return GenerationError(otherwise)
    message = told.get("message")
    shown = message if isinstance(message, str) and message else otherwise
    return rebuild_error(told.get("detail"), shown) or GenerationError(shown)


def _events(delta: Mapping[str, Any]) -> list[ChatEvent]:
    events: list[ChatEvent] = []
    if delta.get("reasoning_content"):
        events.append(ReasoningDelta(_text(delta["reasoning_content"])))
    invalid = delta.get("invalid_tool_call")
    if invalid is not None:
        # Its text is content as well, for clients that know nothing of this.
        index = invalid["index"]
        events.append(InvalidToolCall(_text(invalid["text"]), _text(invalid["problem"]), index))
    elif delta.get("content"):
        events.append(TextDelta(_text(delta["content"])))
    for call in delta.get("tool_calls") or ():
        function = call["function"]
        events.append(
            ToolCallDelta(int(call["index"]), call.get("id"), function.get("name"), _text(function["arguments"]))
        )
    return events


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {type(value).__name__}")
    return value


def _usage(told: Mapping[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=int(told["prompt_tokens"]),
        completion_tokens=int(told["completion_tokens"]),
        cached_tokens=int((told.get("prompt_tokens_details") or {}).get("cached_tokens") or 0),
        estimated=bool(told.get("estimated", False)),
        reasoning_tokens=int((told.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0),
        cached_estimated=bool(told.get("cached_estimated", False)),
    )


def _timings(told: Mapping[str, Any]) -> Timings:
    broke = told.get("prefix_break")
    return Timings(
        queue_ms=float(told.get("queue_ms", 0)),
        load_ms=float(told.get("load_ms", 0)),
        prefill_ms=float(told.get("prefill_ms", 0)),
        decode_ms=float(told.get("decode_ms", 0)),
        prefix_break=None if broke is None else (int(broke["message"]), int(broke["token"])),
        encoded_pictures=int(told.get("encoded_pictures", 0)),
        encode_ms=float(told.get("encode_ms", 0)),
    )
