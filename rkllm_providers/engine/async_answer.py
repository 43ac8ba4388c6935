"""A request of a coroutine under way: its events as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rkllm_providers.chat import ChatEvent, ChatResult
from rkllm_providers.engine.answer import Answer
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.language_model import collect
from rkllm_providers.engine.preparing import CHECKING, RENDERING
from rkllm_providers.engine.run import PrefillProgress, PromptFormChanged
from rkllm_providers.engine.streams import AsyncStream
from rkllm_providers.errors import GenerationError, RequestCancelled


class AsyncAnswer:
    """A submitted request of a coroutine: iterate for batches of events, or collect it.

    A batch is everything that has arrived at once, so that a fast model costs few steps of the loop.
    """

    def __init__(self, engine: Engine, answer: Answer, make_anew: Callable[[], Answer]) -> None:
        self._engine = engine
        self._answer = answer
        self._make_anew: Callable[[], Answer] | None = make_anew
        self._closed = False
        self._items = AsyncStream()
        self._run = self._engine.submit(answer.request, self._items)

    @property
    def progress(self) -> PrefillProgress | None:
        """How far the prompt is read, where that happens in pieces."""
        return self._answer.progress

    @property
    def position(self) -> int | None:
        """How many requests are answered before this one; ``None`` if it does not wait for others."""
        return self._engine.position(self._run)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[ChatEvent]:
        if self._answer.finished:
            raise StopAsyncIteration
        try:
            while True:
                try:
                    self._answer.check()
                    if self._answer.wants_check:
                        events = await CHECKING.run(self._answer.check_output)
                    else:
                        events = self._answer.feed(await self._items.get())
                except PromptFormChanged:
                    await self._render_anew()
                    continue
                if self._answer.wants_abort:
                    self._engine.abort(self._run)
                if self._answer.next_request is not None:
                    if self._closed:
                        raise RequestCancelled("The answer was closed.")
                    self._run = self._engine.submit(self._answer.next_request, self._items)
                elif self._answer.gives_up_its_turn:
                    self._engine.settle(self._run)
                if events:
                    return events
        except BaseException:
            self.close()
            raise

    async def _render_anew(self) -> None:
        """Loading showed that the model takes prompts in another form: that happens once."""
        make, self._make_anew = self._make_anew, None
        if make is None:
            raise GenerationError("The form of the model's prompts changed twice.")
        answer = await RENDERING.run(make)
        if self._closed:
            raise RequestCancelled("The answer was closed while its request was prepared.")
        self._answer = answer
        self._items = AsyncStream()
        self._run = self._engine.submit(self._answer.request, self._items)

    async def collect(self) -> ChatResult:
        """The whole answer. Cancelling the waiting task aborts the run."""
        collected: list[ChatEvent] = []
        async for events in self:
            collected += events
        return collect(collected)

    def close(self) -> None:
        """Abort the run if it is still under way."""
        self._closed = True
        if not self._answer.finished:
            self._answer.finished = True
            self._engine.cancel(self._run)
        elif self._answer.gives_up_its_turn:
            self._engine.settle(self._run)  # it ended with an error: the next request need not wait for more of it
