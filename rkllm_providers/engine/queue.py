"""The runs that wait for a model, first come first served, and the bound on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from rkllm_providers.engine.run import Run, RunState
from rkllm_providers.errors import QueueFull


class RunQueue:
    """Runs in the order they came. Belongs to the engine's thread, but for ``reserve``.

    A run is counted from the moment it is submitted, before the engine's thread has seen it, so that
    the bound holds for callers on any thread.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._runs: deque[Run] = deque()
        self._reserved = 0
        self._run_seconds = 1.0  # a moving average, for Retry-After

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    @property
    def waiting(self) -> int:
        """Number of runs that wait, those not seen by the engine's thread yet included."""
        return len(self._runs) + self._reserved

    def reserve(self) -> None:
        """Keep a place for a run. Called under the engine's lock.

        Raises:
            QueueFull: The bound is reached.
        """
        waiting = self.waiting
        if waiting >= self._bound:
            raise QueueFull(waiting, self._bound, max(1.0, self._run_seconds * (waiting + 1)))
        self._reserved += 1

    def unreserve(self) -> None:
        """Give a kept place back. Called under the engine's lock."""
        self._reserved -= 1

    def append(self, run: Run) -> None:
        """Take a run in at its place."""
        if not run.cancelled:
            self._runs.append(run)

    def first(self) -> Run | None:
        """The next run; cancelled ones are dropped."""
        while self._runs and self._runs[0].cancelled:
            self._runs.popleft().state = RunState.ENDED
        return self._runs[0] if self._runs else None

    def remove(self, run: Run) -> None:
        """Take a run out, if it is in."""
        if run in self._runs:
            self._runs.remove(run)

    def note_duration(self, seconds: float) -> None:
        """Learn how long runs take."""
        self._run_seconds += 0.2 * (seconds - self._run_seconds)
