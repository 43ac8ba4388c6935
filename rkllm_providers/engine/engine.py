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
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from rkllm_providers.chat.types import Sampling
from rkllm_providers.engine import frames
from rkllm_providers.engine.frames import Frame, FrameKind
from rkllm_providers.engine.limits import deadline_of, timeout_of
from rkllm_providers.engine.loop_reader import LoopReader
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
)
from rkllm_providers.engine.streams import AsyncStream
from rkllm_providers.engine.worker_link import LOOP_CHECK_SECONDS, WorkerLink, reported_error
from rkllm_providers.errors import (
    EngineClosed,
    GenerationError,
    ModelLoadError,
    QueueFull,
    RKLLMError,
    WorkerCrashed,
)

logger = logging.getLogger(__name__)

_LONGEST_POLL_SECONDS: Final = 3600.0  # more overflows epoll's milliseconds
_TOKEN_KINDS: Final = (int(FrameKind.TOKEN), int(FrameKind.WAITING))


class Engine:
    """A model that is loaded on its first request and runs requests in the order they came.

    Thread-safe. Creating one does no I/O.
    """

    def __init__(self, spec: LoadSpec, limits: EngineLimits | None = None) -> None:
        self.spec = spec
        self.limits = limits or EngineLimits()
        self._lock = threading.Lock()
        self._inbox: deque[Callable[[], None]] = deque()
        self._ids = itertools.count(1)
        self._n_waiting = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._wake_fd = -1
        self._info: RuntimeInfo | None = None
        self._run_seconds = 1.0  # a moving average, for Retry-After
        # The rest belongs to the engine's thread.
        self._queue: deque[Run] = deque()
        self._current: Run | None = None
        self._worker: WorkerLink | None = None
        self._ready = False
        self._ready_at = 0.0
        self._load_started = 0.0
        self._load_sampling = Sampling()
        self._abort_deadline: float | None = None
        self._load_sinks: list[Callable[[RuntimeInfo | RKLLMError], None]] = []
        self._poll = select.epoll()
        self._next_deadline: float | None = None

    # What callers use -----------------------------------------------------------------------

    def submit(self, request: RunRequest, stream: Stream) -> Run:
        """Queue a run. Its items arrive at ``stream``, ending with a ``RunDone`` or an error.

        Raises:
            QueueFull: The bound on waiting requests is reached.
            EngineClosed: The engine was closed.
        """
        run = Run(next(self._ids), request, stream)
        with self._lock:
            self._check_open()
            if self._n_waiting >= self.limits.queue:
                retry = max(1.0, self._run_seconds * (self._n_waiting + 1))
                raise QueueFull(self._n_waiting, self.limits.queue, retry)
            self._n_waiting += 1
            self._post_locked(lambda: self._enqueue(run))
        return run

    def cancel(self, run: Run) -> None:
        """Stop a run. Its stream gets nothing any more; the next run starts when this one has ended."""
        run.cancelled = True
        with self._lock:
            if not self._closed:
                self._post_locked(lambda: self._cancel(run))

    def abort(self, run: Run) -> None:
        """End a run that is under way; its stream gets its ``RunDone`` as if it had ended by itself."""
        with self._lock:
            if not self._closed:
                self._post_locked(lambda: self._abort_current() if run is self._current else None)

    def load(self, sink: Callable[[RuntimeInfo | RKLLMError], None]) -> None:
        """Load the model if it is not loaded; ``sink`` is called on the engine's thread."""
        with self._lock:
            self._check_open()
            self._post_locked(lambda: self._load_for(sink))

    @property
    def info(self) -> RuntimeInfo | None:
        """What runs the model; ``None`` until it is loaded."""
        return self._info

    @property
    def waiting(self) -> int:
        """Number of requests in the queue, not counting the one that runs."""
        return self._n_waiting

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, while there is one."""
        worker = self._worker
        return worker.pid if worker is not None else None

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def close(self, seconds: float = 5.0) -> None:
        """End all requests and the worker. Returns when the worker is gone; may be called twice."""
        with self._lock:
            thread = self._thread
            if not self._closed:
                self._closed = True
                self._post_locked(lambda: None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    # Inbox ----------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise EngineClosed(f"The engine of {self.spec.name} was closed; open the model again to use it.")

    def _post_locked(self, action: Callable[[], None]) -> None:
        if self._thread is None:
            if self._closed:
                return
            self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._thread = threading.Thread(target=self._main, name=f"rkllm-{self.spec.name}", daemon=True)
            self._thread.start()
        self._inbox.append(action)
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    # The engine's thread ----------------------------------------------------------------------

    def _main(self) -> None:
        wake_fd = self._wake_fd
        self._poll.register(wake_fd, select.EPOLLIN)
        try:
            while not self._closed:
                ready = self._poll.poll(self._seconds_to_deadline())
                only_tokens = len(ready) == 1 and ready[0][0] != wake_fd and self._receive()
                if only_tokens and not self._inbox:
                    # The hot path: straight back to waiting, so that the loop that was just woken
                    # finds the interpreter lock free.
                    continue
                for fd, _ in ready:
                    if fd == wake_fd:
                        os.eventfd_read(wake_fd)
                    elif len(ready) > 1:
                        self._receive()
                while self._inbox:
                    self._inbox.popleft()()
                self._enforce_limits()
                self._dispatch()
                self._next_deadline = min(self._deadlines(), default=None)
        finally:
            self._shut_down()

    def _enqueue(self, run: Run) -> None:
        if not run.cancelled:
            self._queue.append(run)
            return
        self._left_queue()
        run.state = RunState.ENDED

    def _left_queue(self) -> None:
        with self._lock:
            self._n_waiting -= 1

    def _cancel(self, run: Run) -> None:
        if run is self._current:
            self._abort_current()
        elif run in self._queue:
            self._queue.remove(run)
            self._left_queue()
            run.state = RunState.ENDED

    def _abort_current(self) -> None:
        if self._current is not None and self._worker is not None and self._abort_deadline is None:
            self._abort_deadline = time.monotonic() + self.limits.abort_seconds
            self._worker.reclaim()
            self._send(frames.pack_abort(self._current.id))

    def _dispatch(self) -> None:
        """Start the next run if the worker is free, or the worker if there is none."""
        while self._queue and self._queue[0].cancelled:
            self._left_queue()
            self._queue.popleft().state = RunState.ENDED
        if self._current is not None or not self._queue:
            return
        if self._worker is None:
            self._start_worker(self._queue[0].request.sampling)
            return
        if not self._ready:
            return
        run = self._queue.popleft()
        self._left_queue()
        run.state = RunState.RUNNING
        run.started_at = time.monotonic()
        self._current = run
        self._abort_deadline = None
        request = run.request
        is_text = isinstance(request.prompt, str)
        order = {
            "run": run.id,
            "max_tokens": request.max_tokens,
            "sampling": asdict(request.sampling),
            "input": "text" if is_text else "tokens",
        }
        blob = request.prompt.encode() if isinstance(request.prompt, str) else request.prompt.tobytes()
        self._send(frames.pack_json(FrameKind.RUN, order, blob))
        if self._worker is not None and isinstance(run.stream, AsyncStream):
            self._worker.lend(run.id, run.stream, self._socket_returned)

    def _socket_returned(self, reader: LoopReader, received: Sequence[Frame], closed: bool) -> None:
        """A loop met something that is not a token. Called on that loop."""
        with self._lock:
            if not self._closed:
                self._post_locked(lambda: self._take_returned(reader, received, closed))

    def _take_returned(self, reader: LoopReader, received: Sequence[Frame], closed: bool) -> None:
        if self._worker is None or not self._worker.was_returned(reader):
            return
        if closed:
            self._worker_lost()
        else:
            self._handle(received)

    def _load_for(self, sink: Callable[[RuntimeInfo | RKLLMError], None]) -> None:
        if self._info is not None and self._ready:
            sink(self._info)
            return
        self._load_sinks.append(sink)
        if self._worker is None:
            self._start_worker(Sampling())

    def _start_worker(self, sampling: Sampling) -> None:
        self._load_started = time.monotonic()
        self._load_sampling = sampling
        self._ready = False
        try:
            self._worker = WorkerLink(self.spec.name, self._poll)
        except ModelLoadError as error:
            self._fail_all(error)
            return
        spec = self.spec
        self._send(
            frames.pack_json(
                FrameKind.LOAD,
                {
                    "model": str(spec.model_path),
                    "emulated": spec.emulated,
                    "library": spec.library,
                    "version": spec.runtime_version,
                    "context_length": spec.context_length,
                    "sampling": asdict(sampling),
                },
            )
        )

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
        only_tokens = True
        run = self._current
        current_id = run.id if run is not None and not run.cancelled else -1
        batch: list[RunItem] = []
        for frame in received:
            kind = frame.kind
            if kind in _TOKEN_KINDS:
                if frame.run_id == current_id:
                    batch.append((frame.token_id, frame.body if kind == _TOKEN_KINDS[0] else None))
                continue
            only_tokens = False
            if kind == FrameKind.DONE:
                self._run_done(frames.unpack_json(frame.body), batch)
                batch, current_id = [], -1
            elif kind == FrameKind.READY:
                self._loaded(frames.unpack_json(frame.body))
            elif kind == FrameKind.FAILED:
                self._load_failed(frames.unpack_json(frame.body))
        if batch and run is not None:
            run.stream.put(batch)
        return only_tokens

    def _loaded(self, content: dict[str, Any]) -> None:
        self._ready = True
        self._ready_at = time.monotonic()
        if self._worker is not None:
            self._worker.note_mark()
        self._info = info = RuntimeInfo(**content)
        logger.info(
            "%s: loaded in %.0f ms on runtime %s%s",
            self.spec.name,
            info.load_ms,
            info.version,
            " (emulator)" if info.emulated else "",
        )
        load_ms = (time.monotonic() - self._load_started) * 1000
        for run in self._queue:
            run.load_ms = load_ms
        sinks, self._load_sinks = self._load_sinks, []
        for sink in sinks:
            sink(info)

    def _load_failed(self, content: dict[str, Any]) -> None:
        error = reported_error(content, self._lines_to_new_mark(), ModelLoadError)
        self._drop_worker(kill=False)
        self._fail_all(error)

    def _lines_to_new_mark(self) -> list[str]:
        """What the library said of a failure: the worker marks the end of it in its output."""
        if self._worker is None:
            return []
        self._worker.note_mark()
        return self._worker.lines_to_mark()

    def _run_done(self, content: dict[str, Any], batch: list[RunItem]) -> None:
        run, self._current = self._current, None
        self._abort_deadline = None
        if run is None or content["run"] != run.id:
            raise RuntimeError(f"The worker ended run {content['run']}, which is not under way.")
        run.state = RunState.ENDED
        elapsed = time.monotonic() - run.started_at
        self._run_seconds += 0.2 * (elapsed - self._run_seconds)
        lines = self._lines_to_new_mark() if content["error"] is not None else []
        if run.cancelled:
            return
        if content["error"] is not None:
            batch.append(reported_error(content, lines, GenerationError))
        else:
            waited = (run.started_at - run.submitted_at) * 1000
            batch.append(
                RunDone(
                    n_tokens=content["n_tokens"],
                    queue_ms=max(0.0, waited - run.load_ms),
                    load_ms=run.load_ms,
                    prefill_ms=content["prefill_ms"],
                    decode_ms=content["decode_ms"],
                    prefill_tokens=content["prefill_tokens"],
                    kv_size=content["kv_size"],
                    warnings=self._warnings_for(run),
                )
            )
        run.stream.put(batch)

    def _warnings_for(self, run: Run) -> tuple[str, ...]:
        info = self._info
        wanted = run.request.sampling
        if info is None or info.per_run_sampling or wanted in (self._load_sampling, Sampling()):
            return ()
        names = ", ".join(
            name for name, value in asdict(wanted).items() if value not in (None, getattr(self._load_sampling, name))
        )
        return (
            f"Runtime {info.version} takes sampling parameters only when it loads a model, and this model is "
            f"loaded with others; not applied: {names}. Runtime 1.3.0 takes them per request.",
        )

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
        run.state = RunState.ENDED
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
        self._abort_deadline = None
        if worker is not None:
            worker.close(kill=kill)

    def _fail_all(self, error: RKLLMError) -> None:
        """A load failed: it fails everybody who waited for it, so that none waits in vain."""
        sinks, self._load_sinks = self._load_sinks, []
        for sink in sinks:
            sink(error)
        while self._queue:
            run = self._queue.popleft()
            self._left_queue()
            run.state = RunState.ENDED
            # Each caller raises an error of its own, with its own traceback.
            self._deliver_error(run, copy.copy(error))

    def _deliver_error(self, run: Run, error: RKLLMError) -> None:
        if not run.cancelled:
            run.stream.put([error])

    # Time limits ------------------------------------------------------------------------------

    def _deadline_of(self, run: Run) -> float:
        # While the model loads, the limit on loading is the one that counts.
        return deadline_of(run, self.limits, self._ready_at if self._ready else None)

    def _deadlines(self) -> list[float]:
        deadlines = [self._deadline_of(run) for run in self._queue]
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
            self._left_queue()
            self._deliver_error(run, timeout_of(run, self.limits, self.spec.name))
            run.state = RunState.ENDED
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
                current.state = RunState.ENDED
                self._deliver_error(
                    current,
                    GenerationError(
                        f"The run did not end within {self.limits.abort_seconds:.0f} s of its abort; its worker "
                        f"was replaced."
                    ),
                )
        elif now >= self._deadline_of(current):
            # The caller is freed now; the worker when the library has ended the run.
            self._deliver_error(current, timeout_of(current, self.limits, self.spec.name))
            current.cancelled = True
            self._abort_current()

    # The end ----------------------------------------------------------------------------------

    def _shut_down(self) -> None:
        with self._lock:
            self._closed = True
        while self._inbox:
            self._inbox.popleft()()
        closed = EngineClosed(f"The engine of {self.spec.name} was closed.")
        run, self._current = self._current, None
        self._fail_all(closed)
        if run is not None:
            run.state = RunState.ENDED
            self._deliver_error(run, closed)
        self._drop_worker(kill=False)
        self._poll.close()
        with self._lock:
            os.close(self._wake_fd)
            self._wake_fd = -1
