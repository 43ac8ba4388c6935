"""The runs that wait for a model, by priority and then first come first served, and the bound on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rkllm_providers.chat.types import Priority
from rkllm_providers.engine.run import Run, RunState
from rkllm_providers.errors import QueueFull

_PRIORITIES: Final[tuple[Priority, ...]] = ("chat", "background", "bulk")


class RunQueue:
    """Runs in the order of their turns. Belongs to the engine's thread, but for ``reserve`` and ``position``.

    A run is counted from the moment it is submitted, before the engine's thread has seen it, so that
    the bound holds for callers on any thread. Bulk work has a bound of its own, which is larger: it comes
    in hundreds, and must not keep a chat out.
    """

    def __init__(self, bound: int, bulk_bound: int) -> None:
        self._bound = bound
        self._bulk_bound = bulk_bound
        self._runs: dict[Priority, deque[Run]] = {priority: deque() for priority in _PRIORITIES}
        self._reserved = 0
        self._reserved_bulk = 0
        self._run_seconds = 1.0  # a moving average, for Retry-After

    def __len__(self) -> int:
        return sum(map(len, self._runs.values()))

    def __iter__(self) -> Iterator[Run]:
        return chain.from_iterable(self._runs.values())

    @property
    def waiting(self) -> int:
        """Number of runs that wait, those not seen by the engine's thread yet included."""
        return len(self) + self._reserved + self._reserved_bulk

    def reserve(self, run: Run) -> None:
        """Keep a place for a run. Called under the engine's lock.

        Raises:
            QueueFull: The bound is reached.
        """
        if not (run.request.continues or run.request.admitted):
            self.check_room(run.request.priority)
        self._count_reserved(run, 1)

    def check_room(self, priority: Priority) -> None:
        """See whether another run may wait. Called under the engine's lock.

        Raises:
            QueueFull: The bound is reached.
        """
        waiting = len(self._runs["bulk"]) + self._reserved_bulk
        if priority != "bulk":
            waiting = self.waiting - waiting
        bound = self._bulk_bound if priority == "bulk" else self._bound
        if waiting >= bound:
            raise QueueFull(waiting, bound, max(1.0, self._run_seconds * (waiting + 1)))

    def unreserve(self, run: Run) -> None:
        """Give a kept place back. Called under the engine's lock."""
        self._count_reserved(run, -1)

    def append(self, run: Run) -> None:
        """Take a run in at its place."""
        if run.cancelled:
            return
        if run.request.continues:
            # Its request has had its turn, and the KV cache is full of it.
            self._runs["chat"].appendleft(run)
        else:
            self._runs[run.request.priority].append(run)

    def put_back(self, run: Run) -> None:
        """Have a run wait again, before all others of its priority."""
        run.note_put_back()
        self._runs["chat" if run.request.continues else run.request.priority].appendleft(run)

    def has_before(self, priority: Priority) -> bool:
        """Whether a run of a higher priority waits."""
        higher = _PRIORITIES[: _PRIORITIES.index(priority)]
        return any(not run.cancelled for name in higher for run in self._runs[name])

    def first(self) -> Run | None:
        """The next run; cancelled ones are dropped."""
        for runs in self._runs.values():
            while runs and runs[0].cancelled:
                runs.popleft().state = RunState.ENDED
            if runs:
                return runs[0]
        return None

    def position(self, run: Run) -> int | None:
        """How many runs come before a run that waits; ``None`` if it does not wait (any more)."""
        for _ in range(8):
            try:
                return next((number for number, waiting in enumerate(self) if waiting is run), None)
            except RuntimeError:  # the engine's thread changed the queue meanwhile
                continue
        return None

    def remove(self, run: Run) -> None:
        """Take a run out, if it is in."""
        for runs in self._runs.values():
            if run in runs:
                runs.remove(run)

    def note_duration(self, seconds: float) -> None:
        """Learn how long runs take."""
        self._run_seconds += 0.2 * (seconds - self._run_seconds)

    def _count_reserved(self, run: Run, change: int) -> None:
        if run.request.priority == "bulk":
            self._reserved_bulk += change
        else:
            self._reserved += change
