"""One model at work: a queue of requests in front of a worker process.

Every engine has one thread that owns the worker: it starts it, sends it frames, reads its tokens
and keeps the time limits. Callers, on whatever thread or event loop, only put something into the
engine's inbox and wake that thread, so nothing here ever blocks an event loop.
"""

from __future__ import annotations

import copy
import itertools
import logging
import os
import select
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from rkllm_providers.chat.prompt import TextPrompt
from rkllm_providers.chat.types import Sampling
from rkllm_providers.chat.volatile import VolatileSystem
from rkllm_providers.engine import frames
from rkllm_providers.engine.frames import Frame, FrameKind
from rkllm_providers.engine.ledger import CacheLedger, CacheUse
from rkllm_providers.engine.limits import deadline_of, room_of, sampling_warnings, timeout_of
from rkllm_providers.engine.load_plan import LoadPlan
from rkllm_providers.engine.loop_reader import LoopReader
from rkllm_providers.engine.queue import RunQueue
from rkllm_providers.engine.residency import Residency
from rkllm_providers.engine.run import (
    EngineLimits,
    LoadSpec,
    Run,
    RunDone,
    RunItem,
    RunRequest,
    RunState,
    RuntimeInfo,
    Stream,
    run_frame,
    token_items,
)
from rkllm_providers.engine.stay import NOT_ALONE, Stay
from rkllm_providers.engine.streams import AsyncStream
from rkllm_providers.engine.worker_link import LOOP_CHECK_SECONDS, WorkerLink, reported_error
from rkllm_providers.errors import (
    EngineClosed,
    GenerationError,
    ModelLoadError,
    RKLLMError,
    WorkerCrashed,
)

logger = logging.getLogger(__name__)

_KEPT_SECONDS: Final = 2.0
_LONGEST_POLL_SECONDS: Final = 3600.0  # more overflows epoll's milliseconds

LoadSink = Callable[[RuntimeInfo | RKLLMError], None]


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
        self.plan = LoadPlan(spec)
        self.ledger = CacheLedger(spec.name, spec.model_path)
        self.volatile = VolatileSystem()
        # Re-entrant: the garbage collector may close an abandoned stream, and so cancel its run, while
        # this very thread holds the lock.
        self._lock = threading.RLock()
        self._inbox: deque[Callable[[], None]] = deque()
        self._ids = itertools.count(1)
        self._closed = False
        self._why_closed = "was closed; open the model again to use it"
        self._retiring = False
        self._thread: threading.Thread | None = None
        self._wake_fd = -1
        self._info: RuntimeInfo | None = None
        # The rest belongs to the engine's thread.
        self._queue = RunQueue(self.limits.queue, self.limits.bulk_queue)
        self._stay = Stay(spec, self.limits, residency or Residency(), self._queue, self, self._seat_settled)
        self._current: Run | None = None
        # A run that may be continued keeps its turn for a moment: others would take the KV cache from it.
        self._kept: Run | None = None
        self._kept_until = 0.0
        self._worker: WorkerLink | None = None
        self._ready = False
        self._ready_at = 0.0
        self._load_started = 0.0
        self._load_sampling = Sampling()
        self._load_sinks: list[LoadSink] = []
        self._abort_deadline: float | None = None
        self._next_deadline: float | None = None
        self._poll: select.epoll | None = None
        _engines.add(self)

    # What callers use -----------------------------------------------------------------------

    def submit(self, request: RunRequest, stream: Stream) -> Run:
        """Queue a run. Its items arrive at ``stream``, ending with a ``RunDone`` or an error.

        Raises:
            QueueFull: The bound on waiting requests is reached.
            EngineClosed: The engine was closed.
        """
        run = Run(next(self._ids), request, stream)
        with self._lock:
            if not request.continues or self._closed:
                self._check_open()
            self._queue.reserve(run)
            try:
                self._post(lambda: self._enqueue(run))
            except RuntimeError:  # no thread could be started
                self._queue.unreserve(run)
                raise
        return run

    def cancel(self, run: Run) -> None:
        """Stop a run. Its stream gets nothing any more; the next run starts when this one has ended."""
        run.cancelled = True
        with self._lock:
            if not self._closed:
                self._post(lambda: self._cancel(run))

    def abort(self, run: Run) -> None:
        """End a run that is under way; its stream gets its ``RunDone`` as if it had ended by itself."""
        with self._lock:
            if not self._closed:
                self._post(lambda: self._abort_current() if run is self._current else None)

    def settle(self, run: Run) -> None:
        """Say that a run which might have been continued is not: the next may begin."""
        with self._lock:
            if not self._closed:
                self._post(lambda: self._let_go(run))

    def load(self, sink: LoadSink) -> None:
        """Load the model if it is not loaded; ``sink`` is called on the engine's thread."""
        with self._lock:
            self._check_open()
            self._post(lambda: self._load_for(sink))

    @property
    def info(self) -> RuntimeInfo | None:
        """What runs the model; ``None`` until it is loaded."""
        return self._info

    @property
    def waiting(self) -> int:
        """Number of requests in the queue, not counting the one that runs."""
        return self._queue.waiting

    def position(self, run: Run) -> int | None:
        """How many requests are answered before a waiting one; ``None`` if it does not wait."""
        with self._lock:
            if run.state is not RunState.QUEUED:
                return None
            place = self._queue.position(run)
            # What was submitted and not seen yet waits behind all that was.
            return len(self._queue) if place is None else place

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, while there is one."""
        worker = self._worker
        return worker.pid if worker is not None else None

    @property
    def is_busy(self) -> bool:
        """Whether a request runs or waits, or is between two of its runs."""
        return self._current is not None or self._kept is not None or self._queue.waiting > 0

    @property
    def last_used(self) -> float:
        """When the last run ended, in seconds since the epoch; when the engine was made, before the first."""
        return time.time() - (time.monotonic() - self._stay.used_at)

    @property
    def memory(self) -> int:
        """Bytes that the loaded model takes, estimated or measured, whichever is more; 0 when it is not loaded."""
        return self._stay.memory

    @property
    def memory_domain(self) -> int | None:
        """The NPU memory domain of a model that is loaded on an NPU."""
        seat = self._stay.seat
        return seat.place.domain_id if seat is not None and seat.place is not None else None

    def unload(self) -> None:
        """End the worker, after the run that is under way; the next request loads the model again."""
        with self._lock:
            if self._thread is not None and not self._closed:
                self._post(self._leave_soon)

    def post(self, action: Callable[[], None]) -> bool:
        """Have the engine's thread do something; ``False`` if the engine is closed."""
        with self._lock:
            if self._closed:
                return False
            self._post(action)
            return True

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def close(self, seconds: float = 8.0) -> None:
        """End all requests and the worker; may be called twice. Waits for it at most so many seconds."""
        with self._lock:
            thread = self._thread
            if not self._closed:
                self._closed = True
                if thread is not None:
                    self._wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def retire(self) -> None:
        """Take no more requests, and close once those there are have been answered."""
        with self._lock:
            self._retiring = True
            if self._thread is None:
                self._closed = True
            elif not self._closed:
                self._wake()

    # Inbox ----------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed or self._retiring:
            raise EngineClosed(f"The engine of {self.spec.name} {self._why_closed}.")

    def _post(self, action: Callable[[], None]) -> None:
        """Have the engine's thread do something. Called under the lock."""
        if self._thread is None:
            self._start_thread()
        self._inbox.append(action)
        self._wake()

    def _start_thread(self) -> None:
        wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        thread = threading.Thread(target=self._main, name=f"rkllm-{self.spec.name}", daemon=True)
        self._wake_fd = wake_fd
        self._poll = select.epoll()
        self._poll.register(wake_fd, select.EPOLLIN)
        try:
            thread.start()
        except RuntimeError:
            self._poll.close()
            os.close(wake_fd)
            self._wake_fd = -1
            raise
        self._thread = thread

    def _wake(self) -> None:
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    def close_after_fork(self) -> None:
        """Let go of everything in a forked child: the worker and its socket are the parent's."""
        self._lock = threading.RLock()
        self._closed = True
        self._why_closed = "belongs to the process this one was forked from; open the model again in this one"
        worker, poll, wake_fd = self._worker, self._poll, self._wake_fd
        self._worker = self._thread = self._poll = None
        self._wake_fd = -1
        self._inbox.clear()
        self._stay.forget()
        if worker is not None:
            worker.disown()
        if poll is not None:
            poll.close()
        if wake_fd >= 0:
            os.close(wake_fd)

    # The engine's thread ----------------------------------------------------------------------

    def _main(self) -> None:
        try:
            while not self._closed:
                try:
                    self._turn()
                except Exception as error:
                    # A fault of ours must cost the requests it met, not the model for good.
                    logger.exception("%s: the engine failed", self.spec.name)
                    self._recover(error)
        finally:
            self._shut_down()

    def _turn(self) -> None:
        """Wait for something to happen, and act on it."""
        if self._poll is None:
            return
        ready = self._poll.poll(self._seconds_to_deadline())
        only_tokens = len(ready) == 1 and ready[0][0] != self._wake_fd and self._receive()
        if only_tokens and not self._inbox and not self._is_late():
            # The hot path: straight back to waiting, so that the thread that was just woken finds the
            # interpreter lock free.
            return
        for fd, _ in ready:
            if fd == self._wake_fd:
                os.eventfd_read(fd)
            elif len(ready) > 1:
                self._receive()
        while self._inbox:
            self._inbox.popleft()()
        self._enforce_limits()
        while self._dispatch():
            continue
        self._next_deadline = min(self._deadlines(), default=None)
        if self._retiring and self._current is None and self._kept is None and not self._queue.waiting:
            with self._lock:
                self._closed = not self._queue.waiting

    def _is_late(self) -> bool:
        return self._next_deadline is not None and time.monotonic() >= self._next_deadline

    def _recover(self, error: Exception) -> None:
        self._drop_worker(kill=True)
        failure = GenerationError(f"The engine of {self.spec.name} failed ({type(error).__name__}: {error}).")
        run, self._current = self._current, None
        if run is not None:
            self._deliver_error(run, copy.copy(failure))
        self._fail_all(failure)

    def _enqueue(self, run: Run) -> None:
        with self._lock:
            self._queue.unreserve(run)
            self._queue.append(run)

    def _cancel(self, run: Run) -> None:
        self._let_go(run)
        if run is self._current:
            self._abort_current()
        else:
            self._queue.remove(run)
            run.state = RunState.ENDED

    def _abort_current(self) -> None:
        if self._current is not None and self._worker is not None and self._abort_deadline is None:
            self._abort_deadline = time.monotonic() + self.limits.abort_seconds
            self._worker.reclaim()
            self._send(frames.pack_abort(self._current.id))

    def _dispatch(self) -> bool:
        """Start the next run if the worker is free, or the worker if there is none.

        Returns whether to look again at once.
        """
        run = self._queue.first()
        if self._current is not None:
            return False
        if self._kept is not None:
            continued = run is not None and run.request.continues
            if not continued and time.monotonic() < self._kept_until:
                return False
            self._kept = None
        if self._ready and self._stay.is_over(run):
            logger.info("%s: unloaded", self.spec.name)
            self._drop_worker(kill=False)
            return True
        if run is None:
            if not self._load_sinks:
                self._stay.withdraw()
            return False
        if self._worker is None:
            self._start_worker(run.request.sampling)
            return False
        if not self._ready:
            return False
        try:
            max_tokens = room_of(run.request, self.plan, self._info)
        except RKLLMError as error:
            self._queue.remove(run)
            self._deliver_error(run, error)
            return True
        run.attempts += 1
        self._worker.note_run()  # before the worker can print anything about it
        if not self._worker.send(run_frame(run, max_tokens)):
            # The worker died between two runs. This one never reached it, and gets another chance.
            self._worker_lost()
            if run.attempts > 1:
                self._queue.remove(run)
                self._deliver_error(run, WorkerCrashed(f"The worker process of {self.spec.name} died twice."))
            return True
        self._queue.remove(run)
        run.state = RunState.RUNNING
        run.started_at = time.monotonic()
        self._current = run
        self._abort_deadline = None
        self._stay.note_start(run)
        if isinstance(run.stream, AsyncStream):
            self._worker.lend(run.id, run.stream, self._socket_returned)
        return False

    def _socket_returned(self, reader: LoopReader, received: Sequence[Frame], closed: bool) -> None:
        """A loop met something that is not a token. Called on that loop."""
        with self._lock:
            if not self._closed:
                self._post(lambda: self._take_returned(reader, received, closed))

    def _take_returned(self, reader: LoopReader, received: Sequence[Frame], closed: bool) -> None:
        if self._worker is None or not self._worker.was_returned(reader):
            return
        if closed:
            self._worker_lost()
        else:
            self._handle(received)

    def _load_for(self, sink: LoadSink) -> None:
        if self._info is not None and self._ready:
            sink(self._info)
            return
        self._load_sinks.append(sink)
        if self._worker is None:
            self._start_worker(self.spec.sampling)

    def _tell_loaders(self, outcome: RuntimeInfo | RKLLMError) -> None:
        sinks, self._load_sinks = self._load_sinks, []
        for sink in sinks:
            sink(outcome)

    def _leave_soon(self) -> None:
        if self._worker is not None:
            self._stay.leave_soon(loading=not self._ready)

    def _seat_settled(self, refusal: RKLLMError | None) -> None:
        if refusal is not None:
            self._fail_all(refusal)
        elif self._queue.first() is None and not self._load_sinks:
            self._stay.give_up()  # nobody waits for the model any more
        else:
            self._start_worker(self._load_sampling)

    def _start_worker(self, sampling: Sampling) -> None:
        """Start a worker, if there is room for it; else its start follows when there is."""
        if self._poll is None or self._closed:
            return
        if self._stay.seat is None:
            if self._stay.claim():
                self._load_sampling = sampling
            return
        self._load_started = time.monotonic()
        self._load_sampling = sampling
        self._ready = False
        try:
            self._worker = WorkerLink(self.spec.name, self._poll, self._stay.inherited)
        except ModelLoadError as error:
            self._stay.give_up()
            self._fail_all(error)
            return
        self._send(frames.pack_json(FrameKind.LOAD, self.plan.order(sampling) | self._stay.order()))

    def _send(self, frame: bytes) -> None:
        if self._worker is not None and not self._worker.send(frame):
            self._worker_lost()

    def _receive(self) -> bool:
        """Read from the worker; whether there was nothing but tokens."""
        if self._worker is None:
            return False
        received = self._worker.receive()
        if received is None:
            self._worker_lost()
            return False
        return self._handle(received)

    def _handle(self, received: Sequence[Frame]) -> bool:
        """Act on frames; whether there was nothing but tokens."""
        run = self._current
        items, others = token_items(received, run.id if run is not None and not run.cancelled else -1)
        if items and run is not None:
            self._put(run, items)
        for frame in others:
            if frame.kind == FrameKind.DONE:
                self._run_done(frames.unpack_json(frame.body))
            elif frame.kind == FrameKind.VECTOR:
                if run is not None and run.id == frame.run_id:
                    run.vector = frame.body
            elif frame.kind == FrameKind.READY:
                self._loaded(frames.unpack_json(frame.body))
            elif frame.kind == FrameKind.FAILED:
                self._load_failed(frames.unpack_json(frame.body))
        return not others

    def _put(self, run: Run, items: Sequence[RunItem]) -> None:
        if not run.stream.put(list(items)) and not run.cancelled:
            # The loop that waited for it is closed: nobody will ever read the rest.
            run.cancelled = True
            self._cancel(run)

    def _loaded(self, content: dict[str, Any]) -> None:
        self._ready = True
        self._ready_at = time.monotonic()
        if self._worker is not None:
            self._worker.note_mark()
        self._info = info = RuntimeInfo(**content)
        self.ledger.open(info.version)
        self._stay.note_loaded(info.version)
        logger.info(
            "%s: loaded in %.0f ms on runtime %s%s",
            self.spec.name,
            info.load_ms,
            info.version,
            " (emulator)" if info.emulated else "",
        )
        now = time.monotonic()
        for run in self._queue:
            run.load_ms = (now - max(self._load_started, run.submitted_at)) * 1000
        self._tell_loaders(info)

    def _load_failed(self, content: dict[str, Any]) -> None:
        lines = self._lines_to_new_mark()
        self._drop_worker(kill=False)
        if content["error"] == NOT_ALONE:
            self._stay.note_version(content["version"])
            self._start_worker(self._load_sampling)
        elif self.plan.revise(content, lines):
            # In a new process: a second load after a failed one crashed in some runtimes.
            self._start_worker(self._load_sampling)
        else:
            self._fail_all(reported_error(content, lines, ModelLoadError))

    def _lines_to_new_mark(self) -> list[str]:
        """What the library said of a failure: the worker marks the end of it in its output."""
        if self._worker is None:
            return []
        self._worker.note_mark()
        return self._worker.lines_to_mark()

    def _run_done(self, content: dict[str, Any]) -> None:
        run, self._current = self._current, None
        self._abort_deadline = None
        if run is None or content["run"] != run.id:
            raise RuntimeError(f"The worker ended run {content['run']}, which is not under way.")
        run.state = RunState.ENDED
        self._queue.note_duration(time.monotonic() - run.started_at)
        self._stay.note_end()
        lines = self._lines_to_new_mark() if content["error"] is not None else []
        cache = self._note_cache(run, content)
        if run.cancelled:
            return
        if content["error"] is not None:
            end: RunItem = reported_error(content, lines, GenerationError)
        else:
            waited = (run.started_at - run.submitted_at) * 1000
            end = RunDone(
                n_tokens=content["n_tokens"],
                max_tokens=content["max_tokens"],
                queue_ms=max(0.0, waited - run.load_ms),
                load_ms=run.load_ms,
                prefill_ms=content["prefill_ms"],
                decode_ms=content["decode_ms"],
                prefill_tokens=content["prefill_tokens"],
                kv_size=content["kv_size"],
                warnings=sampling_warnings(run.request.sampling, self._load_sampling, self._info),
                cached_tokens=cache.cached_tokens,
                cached_estimated=cache.estimated,
                broke_at=cache.broke_at,
                last_token=content["generated"][-1] if content["generated"] else None,
                vector=run.vector,
            )
            if run.request.may_continue:
                self._kept, self._kept_until = run, time.monotonic() + _KEPT_SECONDS
        self._put(run, [end])

    def _let_go(self, run: Run) -> None:
        if run is self._kept:
            self._kept = None

    def _note_cache(self, run: Run, content: dict[str, Any]) -> CacheUse:
        prompt = run.request.prompt
        if content["cache_cleared"]:
            self.ledger.clear()
        if not content["started"]:
            return CacheUse(None, False, None)
        if isinstance(prompt, TextPrompt) or content["error"] is not None or not content["generated"]:
            self.ledger.forget()
            return CacheUse(None, False, None)
        return self.ledger.note_run(prompt, content["generated"], content["prefill_tokens"])

    def _worker_lost(self) -> None:
        """The worker's socket closed without our asking."""
        worker = self._worker
        if worker is None:
            return
        how, lines = worker.describe_end()
        was_ready = self._ready
        self._drop_worker(kill=True)
        logger.error("%s: the worker process (pid %d) %s", self.spec.name, worker.pid, how)
        run, self._current = self._current, None
        if not was_ready:
            self._fail_all(ModelLoadError(f"The worker process that loaded {self.spec.name} {how}.", lines))
        if run is None:
            return
        self._deliver_error(
            run,
            WorkerCrashed(
                f"The worker process that ran {self.spec.name} {how} during this request. "
                f"The next request starts a new one.",
                lines,
            ),
        )

    def _drop_worker(self, *, kill: bool) -> None:
        worker, self._worker = self._worker, None
        self._ready = False
        self._info = None
        self._abort_deadline = None
        if worker is not None:
            worker.close(kill=kill)
            self._stay.give_up()

    def _fail_all(self, error: RKLLMError) -> None:
        """A load failed: it fails everybody who waited for it, so that none waits in vain."""
        self._tell_loaders(error)
        for run in list(self._queue):
            self._queue.remove(run)
            # Each caller raises an error of its own, with its own traceback.
            self._deliver_error(run, copy.copy(error))

    def _deliver_error(self, run: Run, error: RKLLMError) -> None:
        run.state = RunState.ENDED
        if not run.cancelled:
            run.stream.put([error])

    # Time limits ------------------------------------------------------------------------------

    def _deadline_of(self, run: Run) -> float:
        # While the model loads, the limit on loading is the one that counts.
        begun = self._ready_at if self._ready else None
        return deadline_of(run, self.limits, 0.0 if self._stay.is_waiting else begun, self._heard_at())

    def _heard_at(self) -> float:
        return self._worker.heard_at if self._worker is not None else 0.0

    def _deadlines(self) -> list[float]:
        deadlines = [self._deadline_of(run) for run in self._queue]
        if self._ready and self._current is None and not deadlines:
            deadlines += self._stay.idle_until
        if self._load_sinks:
            deadlines += self._stay.patience
        if self._kept is not None:
            deadlines.append(self._kept_until)
        if self._abort_deadline is not None:
            deadlines.append(self._abort_deadline)
        elif self._current is not None:
            deadlines.append(self._deadline_of(self._current))
        if self._worker is not None and self._worker.is_lent:
            deadlines.append(time.monotonic() + LOOP_CHECK_SECONDS)
        if self._worker is not None and not self._ready:
            deadlines.append(self._load_started + self.limits.load_seconds)
        return deadlines

    def _seconds_to_deadline(self) -> float | None:
        if self._next_deadline is None:
            return None
        return min(max(0.0, self._next_deadline - time.monotonic()), _LONGEST_POLL_SECONDS)

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        if self._worker is not None and not self._ready and now >= self._load_started + self.limits.load_seconds:
            lines = self._worker.last_lines()
            self._drop_worker(kill=True)
            self._fail_all(
                ModelLoadError(f"Loading {self.spec.name} took longer than {self.limits.load_seconds:.0f} s.", lines)
            )
        for run in [run for run in self._queue if now >= self._deadline_of(run)]:
            self._queue.remove(run)
            self._deliver_error(run, timeout_of(run, self.limits, self.spec.name, 0.0, now))
        overdue = self._stay.overdue()
        if overdue is not None:
            self._tell_loaders(overdue)
        if self._worker is not None:
            self._worker.reclaim_if_unread()
        current = self._current
        if current is None:
            return
        if self._abort_deadline is not None:
            if now >= self._abort_deadline:
                logger.error("%s: a run did not end after its abort; the worker is replaced", self.spec.name)
                self._drop_worker(kill=True)
                self._current = None
                self._deliver_error(
                    current,
                    GenerationError(
                        f"The run did not end within {self.limits.abort_seconds:.0f} s of its abort; its worker "
                        f"was replaced."
                    ),
                )
        elif now >= self._deadline_of(current):
            # The caller is freed now, the worker when the library has ended the run. Aborting comes first:
            # it stops a loop that reads the tokens itself, and nothing may follow the error.
            error = timeout_of(current, self.limits, self.spec.name, self._heard_at(), now)
            self._abort_current()
            if not current.cancelled:
                current.stream.put([error])
                current.cancelled = True

    # The end ----------------------------------------------------------------------------------

    def _shut_down(self) -> None:
        with self._lock:
            self._closed = True
        # A loop that reads tokens itself is stopped by this, so that nothing follows the error.
        self._drop_worker(kill=False)
        while self._inbox:
            self._inbox.popleft()()
        self._stay.withdraw()
        self._stay.give_up()
        closed = EngineClosed(f"The engine of {self.spec.name} was closed.")
        run, self._current = self._current, None
        if run is not None:
            self._deliver_error(run, copy.copy(closed))
        self._fail_all(closed)
        with self._lock:
            poll, wake_fd = self._poll, self._wake_fd
            self._poll, self._wake_fd = None, -1
        if poll is not None:
            poll.close()
        if wake_fd >= 0:
            os.close(wake_fd)


def _close_engines_after_fork() -> None:
    for engine in list(_engines):
        engine.close_after_fork()


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
os.register_at_fork(after_in_child=_close_engines_after_fork)
