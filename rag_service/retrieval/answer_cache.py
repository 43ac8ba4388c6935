"""Answers given before, for requests that are the same in everything. Off unless it is given a time to keep them."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar

AnswerT = TypeVar("AnswerT")

# Histories that were answered, each a digest: about 3 MB.
MOST_HISTORIES: Final = 20_000


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """Everything that determines an answer.

    ``messages`` are roles and texts, the sources of the newest turn included; ``chat`` names the chat they belong to,
    ``None`` where the client does not say. ``options`` are the model's settings, as JSON has them; whatever else
    determines the answer (the model's file, its template, what was retrieved) belongs there too. ``repeatable`` says
    that the same request would be answered the same again, because nothing is drawn at random.
    """

    api_key: str
    model: str
    messages: Sequence[tuple[str, str]]
    options: Mapping[str, Any] = field(default_factory=dict)
    chat: str | None = None
    tools: bool = False
    pictures: bool = False
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class CachedAnswer(Generic[AnswerT]):
    """An answer of the cache, and how long ago it was given."""

    answer: AnswerT
    age_seconds: float
    cached: Literal[True] = True


@dataclass(frozen=True, slots=True)
class _Entry(Generic[AnswerT]):
    answer: AnswerT
    size: int
    stored: float


class AnswerCache(Generic[AnswerT]):
    """Answers in memory, each for ``seconds``, together at most ``size`` bytes; the least used go first.

    With ``seconds=0``, the default, nothing is kept. An answer is given to the same API key only, and to nobody who
    asks again in a chat where that history was answered already: who regenerates wants another answer. Where a
    request names no chat, that cannot be told, and only ``repeatable`` ones are served. The newest ``histories`` are
    remembered for this. Requests with tools or pictures are neither kept nor served. Safe to use from several
    threads. ``clock`` gives seconds that never go back.
    """

    def __init__(
        self,
        seconds: float = 0.0,
        size: int = 16 * 1024 * 1024,
        *,
        histories: int = MOST_HISTORIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if seconds < 0 or size < 0 or histories < 1:
            raise ValueError(
                f"a cache needs seconds >= 0, size >= 0 and histories >= 1, not {seconds}, {size} and {histories}"
            )
        self._seconds: Final = seconds
        self._size: Final = size
        self._histories: Final = histories
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._entries: Final[OrderedDict[bytes, _Entry[AnswerT]]] = OrderedDict()
        self._answered: Final[OrderedDict[bytes, None]] = OrderedDict()
        self._used = 0

    @property
    def enabled(self) -> bool:
        """Whether anything is kept at all."""
        return self._seconds > 0 and self._size > 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    @property
    def used(self) -> int:
        """The bytes of the answers that are kept."""
        with self._lock:
            return self._used

    def get(self, request: CacheRequest) -> CachedAnswer[AnswerT] | None:
        """The answer to the same request; ``None`` where there is none, or where another one is wanted.

        The history counts as answered in its chat from then on.
        """
        if not self._takes(request):
            return None
        key, history = _request_key(request), _history_key(request)
        with self._lock:
            self._drop_old()
            entry = self._entries.get(key)
            if entry is None or (history is not None and history in self._answered):
                return None
            self._entries.move_to_end(key)
            self._remember(history)
            return CachedAnswer(entry.answer, self._clock() - entry.stored)

    def put(self, request: CacheRequest, answer: AnswerT, size: int) -> None:
        """Keep an answer of ``size`` bytes; one larger than the whole cache is not kept.

        The history counts as answered in its chat, kept or not.
        """
        if size < 0:
            raise ValueError(f"an answer has no size of {size} bytes")
        if not self.enabled:
            return
        history = _history_key(request)
        with self._lock:
            self._remember(history)
            if not self._takes(request) or size > self._size:
                return
            key = _request_key(request)
            self._drop(key)
            self._drop_old()
            self._entries[key] = _Entry(answer, size, self._clock())
            self._used += size
            while self._used > self._size:
                self._drop(next(iter(self._entries)))

    def note_answered(self, request: CacheRequest) -> None:
        """The history counts as answered in its chat: of its answer, nothing can be kept."""
        if not self.enabled:
            return
        history = _history_key(request)
        with self._lock:
            self._remember(history)

    def clear(self) -> None:
        """Forget all answers; which histories were answered is kept."""
        with self._lock:
            self._entries.clear()
            self._used = 0

    def _takes(self, request: CacheRequest) -> bool:
        if not self.enabled or request.tools or request.pictures:
            return False
        return request.chat is not None or request.repeatable

    def _remember(self, history: bytes | None) -> None:
        if history is None:
            return
        self._answered[history] = None
        self._answered.move_to_end(history)
        if len(self._answered) > self._histories:
            self._answered.popitem(last=False)

    def _drop_old(self) -> None:
        oldest = self._clock() - self._seconds
        for key in [key for key, entry in self._entries.items() if entry.stored <= oldest]:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used -= entry.size


def _request_key(request: CacheRequest) -> bytes:
    return _digest("request", request.api_key, request.model, list(request.messages), dict(request.options))


def _history_key(request: CacheRequest) -> bytes | None:
    """The history of a chat, whatever model or settings it was answered with; ``None`` without a chat."""
    if request.chat is None:
        return None
    return _digest("history", request.api_key, request.chat, list(request.messages))


def _digest(*parts: object) -> bytes:
    # JSON tells where a part ends; the key itself is not kept. A lone surrogate is no error here.
    written = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(written.encode("ascii"), digest_size=20).digest()
