"""Where a run's items wait for their consumer: one stream for threads, one for event loops.

Both are bounded by the run itself, which delivers at most ``max_tokens`` items and one end.
"""

from __future__ import annotations

import asyncio
from queue import Empty, SimpleQueue

from rkllm_providers.engine.run import RunItem


class SyncStream:
    """Hands batches from the engine's thread to a blocking consumer."""

    loop = None

    def __init__(self) -> None:
        self._batches: SimpleQueue[list[RunItem]] = SimpleQueue()

    def put(self, batch: list[RunItem]) -> bool:
        """Add items. Called on the engine's thread."""
        self._batches.put(batch)
        return True

    def get(self, seconds: float) -> list[RunItem]:
        """The next batch.

        Raises:
            TimeoutError: None came in time.
        """
        try:
            return self._batches.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None


class AsyncStream:
    """Hands batches from the engine's thread to a coroutine.

    The loop is woken once for all that arrives before it looks, so a fast run costs one wake-up
    for many tokens.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._items: list[RunItem] = []
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False

    def put(self, batch: list[RunItem]) -> bool:
        """Add items; ``False`` if the loop is closed. Called on the engine's thread."""
        # One thread extends and one swaps the list; both are single bytecode-level operations on
        # the list object, and a swap that misses an extension is followed by another wake-up.
        self._items.extend(batch)
        if not self._woken:
            self._woken = True
            try:
                self.loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the loop is closed: its consumer is gone, and nobody waits
                self._items.clear()
                return False
        return True

    def put_on_loop(self, batch: list[RunItem]) -> None:
        """Add items. Called on the loop."""
        self._items.extend(batch)
        self._wake()

    def _wake(self) -> None:
        self._woken = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> list[RunItem]:
        """Everything that has arrived, at least one item."""
        while not self._items:
            self._waiter = self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        items = self._items[:]
        del self._items[: len(items)]
        return items


class NoStream:
    """Where the items of a run go that nobody waits for."""

    loop = None

    def put(self, batch: list[RunItem]) -> bool:
        """Drop items."""
        return True
