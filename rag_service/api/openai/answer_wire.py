"""What chat completions and text completions say alike of an answer: its head, its usage, its times."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from abc import ABC, abstractmethod
from typing import Any, Final

from rag_service.api.event_stream import EventWire
from rag_service.errors import answer_for
from rkllm_providers import __version__
from rkllm_providers.chat import ChatResult, Finish
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import RKLLMError

_FINGERPRINT_CHARACTERS: Final = 12


def dump_json(value: Any) -> str:
    """JSON without blanks, and text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class AnswerWire(EventWire, ABC):
    """Encodes one answer. A streamed one has the same id and time in every chunk."""

    def __init__(self, client: ModelClient, prefix: str, kind: str, *, include_usage: bool) -> None:
        """``prefix`` begins the answer's id; ``kind`` is the ``object`` of a chunk."""
        self._client = client
        self._include_usage = include_usage
        self._about = {
            "id": f"{prefix}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": client.card.entry.id,
            "system_fingerprint": fingerprint(client),
        }
        self._kind = kind
        usage = ',"usage":null' if include_usage else ""
        # Most of a chunk is the same for every token: it is encoded once.
        self._chunk = f"data: {dump_json(self._head(kind))[:-1]}{usage}" + ',"choices":[{"index":0,'

    @property
    def model(self) -> str:
        """The id of the model that was asked."""
        return self._client.card.entry.id

    @abstractmethod
    def whole(self, result: ChatResult) -> dict[str, Any]:
        """An answer that is not streamed."""

    def failure(self, error: RKLLMError) -> bytes:
        """An error in the middle of a stream."""
        return f"data: {dump_json(answer_for(error).body())}\n\ndata: [DONE]\n\n".encode()

    def _head(self, kind: str) -> dict[str, Any]:
        return {"object": kind, **self._about}

    def _closing(self, choice: str, finish: Finish) -> str:
        """The last chunk, whose ``choice`` is encoded from behind its index on; then the usage, and the end.

        Timings stand beside the usage where there is one, as llama.cpp has it: they hold counts too, and Open WebUI
        adds up the counts of all chunks.
        """
        extras, timings = self._extras(finish), {"timings": timings_of(finish)}
        if not self._include_usage:
            return f"{self._chunk}{choice}}}],{dump_json({**timings, **extras})[1:]}\n\ndata: [DONE]\n\n"
        last = {**self._head(self._kind), "choices": [], "usage": usage_of(finish), **timings}
        return f"{self._chunk}{choice}}}],{dump_json(extras)[1:]}\n\ndata: {dump_json(last)}\n\ndata: [DONE]\n\n"

    def _complete(self, kind: str, choice: dict[str, Any], finish: Finish) -> dict[str, Any]:
        return {
            **self._head(kind),
            "choices": [{"index": 0, **choice}],
            "timings": timings_of(finish),
            **self._extras(finish),
            "usage": usage_of(finish),
        }

    def _extras(self, finish: Finish) -> dict[str, Any]:
        extras: dict[str, Any] = {"context_length": self._client.card.context_length}
        if finish.warnings:
            extras["warnings"] = list(finish.warnings)
        if finish.stop is not None:
            extras["stop_sequence"] = finish.stop
        return extras


def fingerprint(client: ModelClient) -> str:
    """A name for what answers: another where the package, the model's files or its window changed."""
    card = client.card
    what = f"{__version__}\n{card.entry.id}\n{card.entry.modified_ns}\n{card.context_length}"
    return f"fp_{hashlib.sha256(what.encode()).hexdigest()[:_FINGERPRINT_CHARACTERS]}"


def usage_of(finish: Finish) -> dict[str, Any]:
    """The counts of an answer."""
    usage = finish.usage
    counts: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    if usage.estimated:
        counts["estimated"] = True
    if usage.cached_estimated:
        counts["cached_estimated"] = True
    return counts


def timings_of(finish: Finish) -> dict[str, Any]:
    """Where the time went, in milliseconds, and llama.cpp's names for the same."""
    timings, usage = finish.timings, finish.usage
    told: dict[str, Any] = {
        "queue_ms": round(timings.queue_ms, 3),
        "load_ms": round(timings.load_ms, 3),
        "prefill_ms": round(timings.prefill_ms, 3),
        "decode_ms": round(timings.decode_ms, 3),
        "cache_n": usage.cached_tokens,
        **_rates("prompt", usage.prompt_tokens - usage.cached_tokens, timings.prefill_ms),
        **_rates("predicted", usage.completion_tokens, timings.decode_ms),
    }
    if timings.encode_ms > 0:
        told["encoded_pictures"] = timings.encoded_pictures
        told["encode_ms"] = round(timings.encode_ms, 3)
    if timings.prefix_break is not None:
        message, token = timings.prefix_break
        told["prefix_break"] = {"message": message, "token": token}
    return told


def _rates(name: str, count: int, milliseconds: float) -> dict[str, Any]:
    told: dict[str, Any] = {f"{name}_n": count, f"{name}_ms": round(milliseconds, 3)}
    if count > 0 and milliseconds > 0:
        told[f"{name}_per_token_ms"] = round(milliseconds / count, 3)
        told[f"{name}_per_second"] = round(1000 * count / milliseconds, 3)
    return told
