"""Runs on text, in the worker: how many tokens a prompt has, and what the runtime holds of a conversation.

Only the runtime can tokenise the text, so only it can say how much of the window is left; and no run may
outgrow the window, since the runtime would silently forget the beginning. Where the length in bytes does
not settle it, the prompt is run for a single token that nobody gets, and counted; the run proper then
reuses what was computed (runtime 1.2.0).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from rkllm_providers.errors import ContextLengthExceeded
from rkllm_providers.runtime import (
    Feature,
    ModelHandle,
    MultimodalInput,
    PromptInput,
    RuntimeEvent,
    TokenEvent,
)

# Shares of the window. A run that is to be continued cannot be counted beforehand without spoiling the
# history, so it is started only where so much is left in any case.
_ROOM_FOR_FIRST: Final = 2
_ROOM_FOR_NEXT: Final = 4
# Tokens that a runtime may put around a text: a beginning token; a template, which is counted where it can be.
_RAW_ALLOWANCE: Final = 8
_TEMPLATE_ALLOWANCE: Final = 1024
_COUNTED_ALLOWANCE: Final = 16
_TURN_ALLOWANCE: Final = 64  # a template's system text stands before the first turn only
_THINKING_END: Final = "</think>"
CUE: Final = "\n\nAssistant:"


@dataclass(frozen=True, slots=True)
class TextRun:
    """How a run is made: ``counting_ms`` and ``counted_tokens`` are what counting the prompt took."""

    content: PromptInput | MultimodalInput
    keep_history: bool
    limit: int
    bound: int
    counting_ms: float = 0.0
    counted_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Held:
    """The conversation in the runtime's history: its messages' fingerprint, the answer, the most tokens it has."""

    fingerprint: str
    answer: str
    size: int


class PromptCounter:
    """Counts the tokens of a prompt by running it."""

    def __init__(self, handle: ModelHandle) -> None:
        self._handle = handle

    def count(self, content: PromptInput | MultimodalInput, lora: str | None = None) -> tuple[int, int]:
        """The tokens of a prompt, and how many of them had to be computed.

        The run proper must have the same adapter: it reuses what this one computed.

        Raises:
            GenerationError: The library refuses the prompt.
        """
        handle = self._handle
        if not handle.library.supports(Feature.KV_CACHE_SIZE):
            # Twice the work, on runtimes that tell the number of tokens in no other way. Should one leave out
            # rows of what its cache holds, an empty one has all.
            if handle.library.supports(Feature.CLEAR_KV_CACHE):
                handle.clear_kv_cache()
            n_tokens = handle.hidden_states(content, lora=lora).shape[0]
            return n_tokens, n_tokens
        one = 1 if handle.library.supports(Feature.MAX_NEW_TOKENS_PER_RUN) else None
        result = handle.run(content, self._stop_at_first, max_new_tokens=one, lora=lora)
        # Whether the token that was sampled is in the cache is the runtime's secret: at worst one too many.
        return handle.kv_cache_size(), result.perf.prefill_tokens if result.perf else 0

    def _stop_at_first(self, event: RuntimeEvent) -> None:
        if isinstance(event, TokenEvent) and not self._handle.library.supports(Feature.MAX_NEW_TOKENS_PER_RUN):
            self._handle.abort()


class TextRuns:
    """Makes the runs of a model that takes text. ``raw``: as it is, and not as a user's turn."""

    def __init__(self, handle: ModelHandle, context_length: int, *, raw: bool) -> None:
        self._handle = handle
        self._context_length = context_length
        self._raw = raw
        self._counter = PromptCounter(handle)
        # Runtimes without a limit per run are stopped by an abort, which may come one token late.
        self.margin = 0 if handle.library.supports(Feature.MAX_NEW_TOKENS_PER_RUN) else 1
        self._held: _Held | None = None
        self._has_history = False
        self._allowance = _RAW_ALLOWANCE if raw else None

    def prepare(self, order: dict[str, Any], text: str, lora: str | None = None) -> TextRun:
        """How to run a prompt with an adapter, or without.

        Raises:
            ContextLengthExceeded: It leaves no room for an answer.
            GenerationError: The library refuses the prompt.
        """
        held, self._held = self._held, None
        newest = order["newest"]
        if held is not None and newest is not None and _continues(held, newest):
            bound = held.size + newest["bound"] + min(self._around(lora), _TURN_ALLOWANCE)
            if self._fits(bound, order["max_tokens"], _ROOM_FOR_NEXT):
                return TextRun(self._turn(order, newest["text"]), True, self._left(bound, order["max_tokens"]), bound)
        if self._has_history:
            self._handle.clear_kv_cache()
            self._has_history = False
        keeps = not self._raw and self._handle.library.supports(Feature.KEEP_HISTORY)
        if not self._handle.library.supports(Feature.CHAT_TEMPLATE) and newest is not None:
            text += CUE  # nothing else tells a model without a template whose turn it is
        bound = order["bound"] + self._around(lora)
        if keeps and self._fits(bound, order["max_tokens"], _ROOM_FOR_FIRST):
            # What runs before left is no part of this conversation.
            self._handle.clear_kv_cache()
            return TextRun(self._turn(order, text), True, self._left(bound, order["max_tokens"]), bound)
        return self._run_of(self._turn(order, text), bound, order["max_tokens"], lora)

    def _turn(self, order: dict[str, Any], text: str) -> PromptInput:
        thinks = bool(order["enable_thinking"]) and not self._raw and self._handle.library.supports(Feature.THINKING)
        return PromptInput(text, enable_thinking=thinks)

    def note_end(self, order: dict[str, Any], run: TextRun, answer: bytes, n_tokens: int, *, natural: bool) -> None:
        """Take account of a run that ended; ``natural`` is an end that the model chose."""
        self._has_history = run.keep_history
        if run.keep_history and natural:
            size = run.bound + n_tokens
            if self._handle.library.supports(Feature.KV_CACHE_SIZE):
                size = self._handle.kv_cache_size() + 1
            self._held = _Held(order["fingerprint"], answer.decode(errors="replace"), size)

    def forget(self) -> None:
        """Nothing is known of the history any more."""
        self._held = None
        self._has_history = self._handle.library.supports(Feature.KEEP_HISTORY)

    def counted(self, content: MultimodalInput, bound: int, wanted: int | None, lora: str | None) -> TextRun:
        """How to run a prompt that has at most ``bound`` tokens without those that the runtime puts around it.

        Raises:
            ContextLengthExceeded: It leaves no room for an answer.
            GenerationError: The library refuses the prompt.
        """
        return self._run_of(content, bound + self._around(lora), wanted, lora)

    def _run_of(
        self, content: PromptInput | MultimodalInput, bound: int, wanted: int | None, lora: str | None
    ) -> TextRun:
        if wanted is not None and bound + wanted + self.margin <= self._context_length:
            return TextRun(content, False, wanted, bound)
        started = time.monotonic()
        n_tokens, computed = self._counter.count(content, lora)
        room = self._context_length - n_tokens - self.margin
        if room < 1:
            raise ContextLengthExceeded(n_tokens, self._context_length)
        limit = room if wanted is None else min(room, wanted)
        return TextRun(content, False, limit, n_tokens, (time.monotonic() - started) * 1000, computed)

    def _around(self, lora: str | None) -> int:
        """The most tokens that the runtime puts around a text; counted by a run with the adapter, where it is."""
        if self._allowance is None:
            self._allowance = _TEMPLATE_ALLOWANCE
            if not self._handle.library.supports(Feature.CHAT_TEMPLATE):
                self._allowance = _RAW_ALLOWANCE
            elif self._handle.library.supports(Feature.KV_CACHE_SIZE):
                # A template's own text is the same around every turn.
                self._allowance = self._counter.count(PromptInput("a"), lora)[0] + _COUNTED_ALLOWANCE
        return self._allowance

    def _fits(self, bound: int, wanted: int | None, share: int) -> bool:
        least = self._context_length // share
        return bound + (least if wanted is None else min(least, wanted)) <= self._context_length

    def _left(self, bound: int, wanted: int | None) -> int:
        left = self._context_length - bound - self.margin
        return left if wanted is None else min(wanted, left)


def _continues(held: _Held, newest: dict[str, Any]) -> bool:
    """Whether a turn follows what the runtime holds; front ends drop the thinking of old answers."""
    if held.fingerprint != newest["before"]:
        return False
    said = newest["answer"].strip()
    return said in (held.answer.strip(), held.answer.rpartition(_THINKING_END)[2].strip())
