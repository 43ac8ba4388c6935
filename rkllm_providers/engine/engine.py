"""One model at work: a queue of requests in front of a worker process.

Every engine has one thread that owns the worker (see ``work_loop``). Callers, on whatever thread or event loop,
only put something into the engine's inbox and wake that thread, so nothing here ever blocks an event loop.
"""

from __future__ import annotations

import itertools
import os
import time
import weakref
from collections.abc import Callable

from rkllm_providers.chat.types import Priority
from rkllm_providers.chat.volatile import VolatileSystem
from rkllm_providers.engine.inbox import Inbox
from rkllm_providers.engine.ledger import CacheLedger
from rkllm_providers.engine.load_plan import LoadPlan
from rkllm_providers.engine.loading import LoadSink
from rkllm_providers.engine.residency import Residency
from rkllm_providers.engine.run import EngineLimits, LoadSpec, Run, RunRequest, RunState, RuntimeInfo, Stream
from rkllm_providers.engine.work_loop import WorkLoop
from rkllm_providers.errors import EngineClosed


class Engine:
    """A model that is loaded on its first request and runs requests in the order they came.

    Thread-safe. Creating one does no I/O.
    """

    def __init__(
        self, spec: LoadSpec, limits: EngineLimits | None = None, residency: Residency | None = None
    ) -> None:
        """``residency`` is shared with the engines that this one must get along with."""
        self.spec = spec
        self.limits = limits or EngineLimits()
        self.plan = LoadPlan(spec, self.limits)
        self.ledger = CacheLedger(spec.name, spec.model_path)
        self.volatile = VolatileSystem()
        self._ids = itertools.count(1)
        self._closed = False
        self._why_closed = "was closed; open the model again to use it"
        self._retiring = False
        self._inbox = Inbox(f"rkllm-{spec.name}", self._main)
        self._work = WorkLoop(self, residency or Residency(), self._inbox, self._ids)
        _engines.add(self)

    # What callers use -----------------------------------------------------------------------

    def submit(self, request: RunRequest, stream: Stream) -> Run:
        """Queue a run. Its items arrive at ``stream``, ending with a ``RunDone`` or an error.

        Raises:
            QueueFull: The bound on waiting requests is reached.
            EngineClosed: The engine was closed.
        """
        run = Run(next(self._ids), request, stream)
        with self._inbox.lock:
            if not request.continues or self._closed:
                self._check_open()
            self._work.queue.reserve(run)
            try:
                self._inbox.put(lambda: self._enqueue(run))
            except (OSError, RuntimeError):  # no thread could be started
                self._work.queue.unreserve(run)
                raise
        return run

    def cancel(self, run: Run) -> None:
        """Stop a run. Its stream gets nothing any more; the next run starts when this one has ended."""
        run.cancelled = True
        self.post(lambda: self._work.cancel(run))

    def abort(self, run: Run) -> None:
        """End a run that is under way; its stream gets its ``RunDone`` as if it had ended by itself."""
        self.post(lambda: self._work.abort(run))

    def settle(self, run: Run) -> None:
        """Say that a run which might have been continued is not: the next may begin."""
        self.post(lambda: self._work.let_go(run))

    def load(self, sink: LoadSink) -> None:
        """Load the model if it is not loaded; ``sink`` is called on the engine's thread."""
        with self._inbox.lock:
            self._check_open()
            self._inbox.put(lambda: self._work.load(sink))

    def pin(self, request: RunRequest) -> None:
        """Have this run whenever the model was loaded and nobody waits, so that its prompt is in the KV cache."""
        self._work.pinned = request

    @property
    def info(self) -> RuntimeInfo | None:
        """What runs the model; ``None`` until it is loaded."""
        return self._work.info

    @property
    def picture_tokens(self) -> int | None:
        """The tokens that one picture takes; ``None`` until one was read."""
        return self._work.picture_tokens

    @property
    def waiting(self) -> int:
        """Number of requests in the queue, not counting the one that runs."""
        return self._work.queue.waiting

    def check_room(self, priority: Priority) -> None:
        """See whether another request may wait, before anything is done for it. ``submit`` has the last word.

        Raises:
            QueueFull: As many wait as may.
        """
        with self._inbox.lock:
            self._work.queue.check_room(priority)

    def position(self, run: Run) -> int | None:
        """How many requests are answered before a waiting one; ``None`` if it does not wait."""
        with self._inbox.lock:
            if run.state is not RunState.QUEUED:
                return None
            place = self._work.queue.position(run)
            # What was submitted and not seen yet waits behind all that was.
            return len(self._work.queue) if place is None else place

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, while there is one."""
        return self._work.worker_pid

    @property
    def worker_deaths(self) -> int:
        """Worker processes that died or were killed so far."""
        return self._work.worker_deaths

    @property
    def is_busy(self) -> bool:
        """Whether a request runs or waits, or is between two of its runs."""
        return self._work.is_occupied or self._work.queue.waiting > 0

    @property
    def last_used(self) -> float:
        """When the last run ended, in seconds since the epoch; when the engine was made, before the first."""
        return time.time() - (time.monotonic() - self._work.stay.used_at)

    @property
    def memory(self) -> int:
        """Bytes that the loaded model takes, estimated or measured, whichever is more; 0 when it is not loaded."""
        return self._work.stay.memory

    @property
    def memory_domain(self) -> int | None:
        """The NPU memory domain of a model that is loaded on an NPU."""
        seat = self._work.stay.seat
        return seat.place.domain_id if seat is not None and seat.place is not None else None

    @property
    def expires_at(self) -> float | None:
        """When the model is unloaded if nobody asks it, in seconds since the epoch; ``None`` for never."""
        until = self._work.stay.idle_until
        return time.time() + until[0] - time.monotonic() if until else None

    def unload(self) -> None:
        """End the worker, after the run that is under way; the next request loads the model again."""
        if self._inbox.thread is not None:
            self.post(self._work.leave_soon)

    def post(self, action: Callable[[], None]) -> bool:
        """Have the engine's thread do something; ``False`` if the engine is closed."""
        with self._inbox.lock:
            if self._closed:
                return False
            self._inbox.put(action)
            return True

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def close(self, seconds: float = 8.0) -> None:
        """End all requests and the worker; may be called twice. Waits for it at most so many seconds."""
        with self._inbox.lock:
            if not self._closed:
                self._closed = True
                self._inbox.wake()
        self._inbox.join(seconds)

    def retire(self) -> None:
        """Take no more requests, and close once those there are have been answered."""
        with self._inbox.lock:
            self._retiring = True
            if self._inbox.thread is None:
                self._closed = True
            elif not self._closed:
                self._inbox.wake()

    def close_after_fork(self) -> None:
        """Let go of everything in a forked child: the worker and its socket are the parent's."""
        self._closed = True
        self._why_closed = "belongs to the process this one was forked from; open the model again in this one"
        self._inbox.forget()
        self._work.forget()

    # The engine's thread ----------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed or self._retiring:
            raise EngineClosed(f"The engine of {self.spec.name} {self._why_closed}.")

    def _enqueue(self, run: Run) -> None:
        with self._inbox.lock:
            self._work.queue.unreserve(run)
            self._work.queue.append(run)

    def _main(self) -> None:
        try:
            while not self._closed:
                self._work.turn()
                if self._retiring and not self.is_busy:
                    with self._inbox.lock:
                        self._closed = not self._work.queue.waiting
        finally:
            with self._inbox.lock:
                self._closed = True
            self._work.shut_down()
            self._inbox.close()


def _close_engines_after_fork() -> None:
    for engine in list(_engines):
        engine.close_after_fork()


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
os.register_at_fork(after_in_child=_close_engines_after_fork)
