"""Micro-batches: texts that a worker is given together with the one under way, so that it never waits for the next.

A batch is bounded by its tokens as well as by its texts: whoever goes before bulk work waits for it, and not longer
than for one text of that length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from rkllm_providers.chat.prompt_types import TextPrompt
from rkllm_providers.engine.queue import RunQueue
from rkllm_providers.engine.run import Run, RunState

MOST_TEXTS: Final = 8
"""How many texts a worker is given at a time."""
MOST_TOKENS: Final = 512
"""How many tokens all of them may have."""


class TextsAhead:
    """The texts of a batch whose turn is still to come, in their order. Belongs to the engine's thread."""

    def __init__(self, queue: RunQueue) -> None:
        self._queue = queue
        self._runs: deque[Run] = deque()

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(tuple(self._runs))

    def mates(self, first: Run) -> Iterator[Run]:
        """The runs that can be sent with ``first``, taken out of the queue: those that come next."""
        if first.request.rows is None:
            return
        texts, tokens = 1, _size(first)
        while texts < MOST_TEXTS and (run := self._queue.first()) is not None:
            texts, tokens = texts + 1, tokens + _size(run)
            if run.request.rows is None or run.request.priority != first.request.priority or tokens > MOST_TOKENS:
                return
            self._queue.remove(run)
            yield run

    def append(self, run: Run) -> None:
        """A run was sent behind the others."""
        run.state = RunState.RUNNING
        self._runs.append(run)

    def next(self) -> Run | None:
        """The run that the worker does now, ``None`` behind the last."""
        return self._runs.popleft() if self._runs else None

    def put_back(self) -> None:
        """The worker is lost: they wait again, as they did."""
        while self._runs:
            run = self._runs.pop()
            if not run.cancelled:
                self._queue.put_back(run)


def _size(run: Run) -> int:
    prompt = run.request.prompt
    return prompt.bound if isinstance(prompt, TextPrompt) else len(prompt)
