"""How long an engine's worker stays: its seat, and every reason to give it up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from rkllm_providers.durations import FOREVER
from rkllm_providers.engine.memory import resident_bytes, words
from rkllm_providers.engine.queue import RunQueue
from rkllm_providers.engine.residency import Residency, Seat
from rkllm_providers.engine.run import EngineLimits, LoadSpec, Run
from rkllm_providers.errors import RequestTimeout, RKLLMError

logger = logging.getLogger(__name__)

NOT_ALONE: Final = "NotAlone"
"""What a worker reports whose runtime takes one model at a time, where another one is loaded."""


# A request of several runs sends the next when the one before has ended. However short the time that a model is
# to stay loaded, it is not loaded anew for each of them.
_BETWEEN_RUNS_SECONDS: Final = 0.25


class Host(Protocol):
    """What is asked of the engine. Called on any thread."""

    @property
    def worker_pid(self) -> int | None:
        """Process id of its worker."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether it has requests."""
        ...

    def post(self, action: Callable[[], None]) -> bool:
        """Have its thread do something; ``False`` if it is closed."""
        ...


class Stay:
    """One engine's seat among the models that are loaded.

    Belongs to the engine's thread, but for what the residency calls.
    """

    def __init__(
        self,
        spec: LoadSpec,
        limits: EngineLimits,
        residency: Residency,
        queue: RunQueue,
        host: Host,
        settled: Callable[[RKLLMError | None], None],
    ) -> None:
        """``settled`` is called on the engine's thread when it got a seat, or with why it gets none."""
        self.spec = spec
        self.seat: Seat | None = None
        self.used_at = time.monotonic()
        self._limits = limits
        self._residency = residency
        self._queue = queue
        self._host = host
        self._settled = settled
        self._keep_alive = limits.keep_alive
        self._waiting_since: float | None = None
        # The newest run that is still answered before the worker ends.
        self._last_run: int | None = None
        self._last_before_vacating: int | None = None

    # For the residency: on any thread -----------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Process id of the worker."""
        return self._host.worker_pid

    @property
    def is_busy(self) -> bool:
        """Whether there are requests, or a load is under way."""
        seat = self.seat
        return self._host.is_busy or (seat is not None and not seat.is_ready)

    def answer(self, outcome: Seat | RKLLMError) -> None:
        """The claim is settled."""
        if not self._host.post(lambda: self._take(outcome)) and isinstance(outcome, Seat):
            self._residency.release(outcome)

    def reconsider(self) -> None:
        """Somebody waits for this seat, or waits no more."""
        self._host.post(self._note_vacating)

    # For the engine: on its thread --------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """Whether a seat was asked for and not given yet."""
        return self._waiting_since is not None

    @property
    def memory(self) -> int:
        """Bytes the loaded model takes; 0 when it is not loaded."""
        seat = self.seat
        return seat.memory if seat is not None else 0

    @property
    def inherited(self) -> tuple[int, ...]:
        """Descriptors that the worker must hold."""
        return self.seat.inherited if self.seat is not None else ()

    def order(self) -> dict[str, Any]:
        """What the worker must know of its seat."""
        return self.seat.order() if self.seat is not None else {}

    def claim(self) -> bool:
        """Ask for a seat; ``False`` if that was done before."""
        if self.is_waiting:
            return False
        self._waiting_since = time.monotonic()
        self._residency.claim(self)
        return True

    def withdraw(self) -> None:
        """Nobody needs the seat any more that is waited for."""
        if self.is_waiting and self._residency.withdraw(self):
            self._waiting_since = None

    def give_up(self) -> None:
        """The worker has ended."""
        seat, self.seat = self.seat, None
        self._last_run = self._last_before_vacating = None
        if seat is not None:
            self._residency.release(seat)

    def forget(self) -> None:
        """Let go of everything in a forked child."""
        self.seat = self._waiting_since = None

    def note_loaded(self, version: str) -> None:
        """The model is loaded."""
        self.used_at = time.monotonic()
        if self.seat is not None:
            self._residency.note_loaded(self.seat, version)

    def note_version(self, version: str) -> None:
        """A worker did not load, but found out what the library is."""
        self._residency.note_version(self.spec, version)

    def note_start(self, run: Run) -> None:
        """A run begins: it may say how long the model stays from now on."""
        wanted = run.request.keep_alive
        if wanted is not None:
            self._keep_alive = wanted if wanted >= 0 else FOREVER

    def note_end(self) -> None:
        """A run has ended."""
        self.used_at = time.monotonic()
        limit = self._limits.worker_memory
        if limit is not None and (size := resident_bytes(self.pid)) > limit:
            logger.warning(
                "%s: the worker takes %s, its limit is %s; it is replaced", self.spec.name, words(size), words(limit)
            )
            self.leave_after(self._newest_run())
        if not self._host.is_busy:
            self._residency.note_idle()

    def leave_soon(self, *, loading: bool) -> None:
        """Unload after the current run; what a load was begun for is answered first."""
        self.leave_after(self._newest_run() if loading else 0)

    def leave_after(self, run_id: int) -> None:
        """Unload once no run up to this one waits."""
        self._last_run = run_id if self._last_run is None else min(run_id, self._last_run)

    def is_over(self, first: Run | None) -> bool:
        """Whether a loaded engine without a current run must unload; ``first`` is the one it would start."""
        if first is not None and first.request.continues:
            return False  # its answer is under way
        for last in (self._last_run, self._last_before_vacating):
            if last is not None and (first is None or first.id > last):
                return True
        return first is None and time.monotonic() >= self._idle_end

    @property
    def idle_until(self) -> list[float]:
        """When a loaded engine without requests must unload, if ever."""
        return [self._idle_end] if self._keep_alive < FOREVER else []

    @property
    def _idle_end(self) -> float:
        return self.used_at + max(self._keep_alive, _BETWEEN_RUNS_SECONDS)

    @property
    def patience(self) -> list[float]:
        """When those who only asked for the model to be loaded have waited long enough for room."""
        return [] if self._waiting_since is None else [self._waiting_since + self._limits.queue_seconds]

    def overdue(self) -> RequestTimeout | None:
        """What those are told then."""
        since, limit = self._waiting_since, self._limits.queue_seconds
        if since is None or time.monotonic() < since + limit:
            return None
        return RequestTimeout(
            f"{self.spec.name} could not be loaded within {limit:.1f} s: the models that must be unloaded for it "
            f"are busy. Try again later, or allow a longer time.",
            "queue",
            limit,
        )

    def _take(self, outcome: Seat | RKLLMError) -> None:
        self._waiting_since = None
        if isinstance(outcome, Seat):
            self.seat = outcome
            self._note_vacating()
            self._settled(None)
        else:
            self._settled(outcome)

    def _note_vacating(self) -> None:
        seat = self.seat
        if seat is None or not seat.leaving:
            self._last_before_vacating = None
        elif self._last_before_vacating is None:
            self._last_before_vacating = self._newest_run()

    def _newest_run(self) -> int:
        return max((run.id for run in self._queue), default=0)
