"""The answer to a chat request, whoever gives it: a model, the cache, or nobody that would take time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Self

from rag_service.grounding import Grounded
from rag_service.openwebui.task_table import TaskKind
from rag_service.ready_answer import ReadyAnswer
from rkllm_providers.chat import ChatEvent, ChatResult, Finish
from rkllm_providers.engine import AsyncAnswer, collect
from rkllm_providers.errors import RequestCancelled

Begin = Callable[[], Awaitable[tuple[AsyncAnswer, Grounded]]]
"""Reads the sources of a chat, and opens the model's answer."""

Keep = Callable[[ChatResult | None, Grounded | None], None]
"""Is told the whole answer when it is complete; ``None`` for one that ended before."""


@dataclass(frozen=True, slots=True)
class About:
    """Who answers a request, and why.

    ``task`` is the background task that it is. ``age_seconds`` says how long ago an answer of the cache was given.
    """

    by: Literal["model", "instant", "cache", "search"] = "model"
    task: TaskKind | None = None
    age_seconds: float | None = None


class ChatAnswer:
    """An answer under way; iterate for its events, as of an ``AsyncAnswer``.

    The sources of a chat are read when its first events are asked for: that takes long, and whoever waits can be
    told so meanwhile. ``grounded`` is what the answer rests on, ``None`` for a chat without sources and until they
    are read; ``sources`` is how many there are.
    """

    def __init__(
        self,
        given: AsyncAnswer | ReadyAnswer | Begin,
        about: About | None = None,
        *,
        grounded: Grounded | None = None,
        sources: int = 0,
        keep: Keep | None = None,
    ) -> None:
        """``given`` is an answer, or how to begin one with sources; ``keep`` is told what was answered."""
        self.about = about or About()
        self.grounded = grounded
        self.sources = sources
        self._begin: Begin | None = given if not isinstance(given, AsyncAnswer | ReadyAnswer) else None
        self._inner = given if isinstance(given, AsyncAnswer | ReadyAnswer) else None
        self._keep = keep
        self._seen: list[ChatEvent] = []
        self._closed = False

    @property
    def reads_sources(self) -> bool:
        """Whether its sources are being read, so that no model was asked yet."""
        return self._inner is None

    @property
    def position(self) -> int | None:
        """How many requests the model answers before this one; ``None`` if it does not wait for others."""
        return None if self._inner is None else self._inner.position

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many tokens of the prompt are read, and of how many, where that is known."""
        return None if self._inner is None else self._inner.progress

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[ChatEvent]:
        inner = self._inner or await self._begun()
        events = await anext(inner)
        if self._keep is not None:
            self._seen += events
            if isinstance(events[-1], Finish):
                self._tell(collect(self._seen))
        return events

    async def collect(self) -> ChatResult:
        """The whole answer. Cancelling the waiting task aborts the run."""
        collected: list[ChatEvent] = []
        try:
            async for events in self:
                collected += events
        finally:
            self.close()
        return collect(collected)

    def close(self) -> None:
        """Abort the run if it is still under way."""
        self._closed = True
        if self._inner is not None:
            self._inner.close()
        if self._seen:
            self._tell(None)

    async def _begun(self) -> AsyncAnswer | ReadyAnswer:
        if self._begin is None:
            raise StopAsyncIteration
        self._inner, self.grounded = await self._begin()
        if self._closed:
            self._inner.close()
            raise RequestCancelled("The answer was closed while its sources were read.")
        return self._inner

    def _tell(self, result: ChatResult | None) -> None:
        keep, self._keep = self._keep, None
        if keep is not None:
            keep(result, self.grounded)
