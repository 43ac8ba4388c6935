"""What an engine's thread does: it has the worker carry out one run after the other, and keeps the time limits."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rkllm_providers.chat.prompt_types import PicturePrompt
from rkllm_providers.engine import frames
from rkllm_providers.engine.frames import Frame, FrameKind
from rkllm_providers.engine.inbox import Inbox
from rkllm_providers.engine.kept_states import KeptStates
from rkllm_providers.engine.ledger import CacheUse
from rkllm_providers.engine.limits import deadline_of, own_deadline, room_of, sampling_warnings, timeout_of
from rkllm_providers.engine.loading import EngineHost, LoadedWorker, LoadSink
from rkllm_providers.engine.loop_reader import LoopReader
from rkllm_providers.engine.queue import RunQueue
from rkllm_providers.engine.residency import Residency
from rkllm_providers.engine.run import (
    Order,
    PrefillProgress,
    Run,
    RunItem,
    RunRequest,
    RunState,
    RuntimeInfo,
    order_frame,
    run_end,
    token_items,
)
from rkllm_providers.engine.stay import Stay
from rkllm_providers.engine.steps import Steps
from rkllm_providers.engine.streams import AsyncStream, NoStream
from rkllm_providers.engine.texts_ahead import TextsAhead
from rkllm_providers.engine.worker_link import LOOP_CHECK_SECONDS, reported_error
from rkllm_providers.errors import EngineClosed, GenerationError, RKLLMError, WorkerCrashed

logger = logging.getLogger(__name__)

_KEPT_SECONDS: Final = 2.0


class WorkLoop:
    """Belongs to the engine's thread, but for ``queue.reserve`` and what is only read."""

    def __init__(self, host: EngineHost, residency: Residency, inbox: Inbox, ids: Iterator[int]) -> None:
        self.queue = RunQueue(host.limits.queue, host.limits.bulk_queue)
        self.pinned: RunRequest | None = None
        self.picture_tokens: int | None = None
        self._warming: Run | None = None
        self.stay = Stay(host.spec, host.limits, residency, self.queue, host, self._seat_settled)
        self._host: Final = host
        self._inbox: Final = inbox
        self._ids: Final = ids
        self._worker = LoadedWorker(host, inbox, self.stay, self._fail_all)
        limits = host.limits
        self._states = KeptStates(limits.kept_states, host.spec.name, host.spec.model_path, host.ledger)
        self._steps = Steps(host.ledger, self._states, limits.prefill_chunk, ids)
        self._current: Run | None = None
        self._ahead = TextsAhead(self.queue)
        # A run that may be continued keeps its turn for a moment: others would take the KV cache from it.
        self._kept: Run | None = None
        self._kept_until = 0.0
        self._abort_deadline: float | None = None
        self._next_deadline: float | None = None

    @property
    def info(self) -> RuntimeInfo | None:
        """What runs the model; ``None`` until it is loaded."""
        return self._worker.info

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, while there is one."""
        link = self._worker.link
        return link.pid if link is not None else None

    @property
    def worker_deaths(self) -> int:
        """Worker processes that died or were killed so far."""
        return self._worker.deaths

    @property
    def is_occupied(self) -> bool:
        """Whether a run is under way, or has just ended and may be continued."""
        return self._current is not None or self._kept is not None or len(self._ahead) > 0

    # What callers ask, done on this thread ------------------------------------------------------

    def cancel(self, run: Run) -> None:
        """Stop a run that waits or is under way."""
        self.let_go(run)
        if run is self._current:
            self._abort_current()
        elif run in self._ahead:
            self._skip(run)
        else:
            self.queue.remove(run)
            run.state = RunState.ENDED

    def abort(self, run: Run) -> None:
        """End a run that is under way."""
        if run is self._current:
            self._abort_current()

    def let_go(self, run: Run) -> None:
        """A run is not continued."""
        if run is self._kept:
            self._kept = None

    def load(self, sink: LoadSink) -> None:
        """Load the model if it is not loaded."""
        self._worker.load(sink)

    def leave_soon(self) -> None:
        """Unload the model after the run that is under way."""
        if self._worker.link is not None:
            self.stay.leave_soon(loading=not self._worker.is_ready)

    # One turn -----------------------------------------------------------------------------------

    def turn(self) -> None:
        """Wait for something to happen, and act on it."""
        try:
            self._turn()
        except Exception as error:
            # A fault of ours must cost the requests it met, not the model for good.
            logger.exception("%s: the engine failed", self._host.spec.name)
            self._recover(error)

    def _turn(self) -> None:
        ready = self._inbox.wait(self._seconds_to_deadline())
        only_tokens = bool(ready) and self._receive()
        if only_tokens and self._inbox.is_empty and not self._is_late():
            # The hot path: straight back to waiting, so that the thread that was just woken finds the
            # interpreter lock free.
            return
        self._inbox.work()
        self._enforce_limits()
        while self._dispatch():
            continue
        self._next_deadline = min(self._deadlines(), default=None)

    def _is_late(self) -> bool:
        return self._next_deadline is not None and time.monotonic() >= self._next_deadline

    def _recover(self, error: Exception) -> None:
        self._drop_worker(kill=True)
        failure = GenerationError(f"The engine of {self._host.spec.name} failed ({type(error).__name__}: {error}).")
        run, self._current = self._current, None
        if run is not None:
            self._deliver_error(run, copy.copy(failure))
        self._fail_all(failure)

    # Runs ---------------------------------------------------------------------------------------

    def _dispatch(self) -> bool:
        """Start the next run if the worker is free, or the worker if there is none.

        Returns whether to look again at once.
        """
        run, worker = self.queue.first(), self._worker
        if self._current is not None:
            return False
        if self._kept is not None:
            continued = run is not None and run.request.continues
            if not continued and time.monotonic() < self._kept_until:
                return False
            self._kept = None
        if worker.is_ready and self.stay.is_over(run):
            logger.info("%s: unloaded", self._host.spec.name)
            self._drop_worker(kill=False)
            if self._warming is not None:
                self.queue.remove(self._warming)  # nobody waits for it, so it loads no model
                self._warming = None
            return True
        if run is None:
            if not worker.has_askers:
                self.stay.withdraw()
            return False
        if worker.link is None:
            worker.start(run.request.sampling)
            return False
        return worker.is_ready and self._begin(run)

    def _begin(self, run: Run) -> bool:
        """Start a run; whether to look for another one at once."""
        self.queue.remove(run)
        try:
            room_of(run.request, self._host.plan, self.info)
        except RKLLMError as error:
            self._deliver_error(run, error)
            return True
        run.attempts += 1
        run.state = RunState.RUNNING
        run.started_at = run.ordered_at = time.monotonic()
        self._current = run
        self._abort_deadline = None
        self.stay.note_start(run)
        if self._order(run, self._steps.begin(run, self._host.plan.context_length)):
            self._send_mates(run)
            return False
        # The worker died between two runs. This one never reached it, and gets another chance.
        self._current = None
        self._worker_lost()
        if run.attempts > 1:
            self._deliver_error(run, WorkerCrashed(f"The worker process of {self._host.spec.name} died twice."))
        else:
            self.queue.put_back(run)
        return True

    def _send_mates(self, first: Run) -> None:
        """Give the worker the rest of the micro-batch that a run begins."""
        link = self._worker.link
        for run in self._ahead.mates(first):
            try:
                room = room_of(run.request, self._host.plan, self.info)
            except RKLLMError as error:
                self._deliver_error(run, error)
                continue
            if link is None or not link.send(order_frame(Order(run.id), run, room)):
                self.queue.put_back(run)  # the lost worker is met where its socket is read
                return
            self._ahead.append(run)

    def _begin_sent(self) -> None:
        """The worker goes on with the next run that it was sent, if there is one."""
        run = self._ahead.next()
        if run is None:
            return
        self._current = run
        run.started_at = run.ordered_at = time.monotonic()
        self._steps.begin(run, self._host.plan.context_length)
        self.stay.note_start(run)
        if run.cancelled:
            self._abort_deadline = run.started_at + self._host.limits.abort_seconds

    def _skip(self, run: Run) -> None:
        """Nobody waits for a run any more that the worker was sent and has not begun."""
        link = self._worker.link
        if link is not None:
            link.send(frames.pack_abort(run.id))

    def _order(self, run: Run, order: Order) -> bool:
        """Have the worker do something for the current run; ``False`` if it is lost."""
        link = self._worker.link
        if link is None:
            return False
        link.note_run()  # before the worker can print anything about it
        run.ordered_at = time.monotonic()
        room = room_of(run.request, self._host.plan, self.info)
        if not link.send(order_frame(order, run, room, link.known_pictures)):
            return False
        if not order.is_step and run.request.rows is None and isinstance(run.stream, AsyncStream):
            link.lend(run.id, run.stream, self._socket_returned)
        return True

    def _abort_current(self) -> None:
        link, order = self._worker.link, self._steps.order
        if self._current is not None and order is not None and link is not None and self._abort_deadline is None:
            self._abort_deadline = time.monotonic() + self._host.limits.abort_seconds
            link.reclaim()
            if not link.send(frames.pack_abort(order.id)):
                self._worker_lost()

    def _run_done(self, content: dict[str, Any]) -> None:
        run, order = self._current, self._steps.order
        if run is None or order is None or content["run"] != order.id:
            raise RuntimeError(f"The worker ended run {content['run']}, which is not under way.")
        self._note_pictures(run, content)
        keeping = self._steps.is_keeping
        lines = self._worker.lines_to_mark() if content["error"] is not None else []
        use = self._steps.note_end(run, content)
        if order.prompt is not None:
            if not run.cancelled and self._abort_deadline is None and (keeping or content["error"] is None):
                self._go_on(run, None if keeping else PrefillProgress(len(order.prompt), order.n_prompt))
                return
            content = self._steps.rest_of(run, content)
            use = CacheUse(None, False, None) if keeping else use
        self._current = None
        self._abort_deadline = None
        run.state = RunState.ENDED
        self.queue.note_duration(time.monotonic() - run.started_at)
        self._begin_sent()
        self.stay.note_end()
        if run.cancelled:
            return
        if content["error"] is not None:
            end: RunItem = reported_error(content, lines, GenerationError)
        else:
            warnings = sampling_warnings(run.request.sampling, self._worker.sampling, self.info)
            end = run_end(run, content, use, warnings)
            if run.request.may_continue:
                self._kept, self._kept_until = run, time.monotonic() + _KEPT_SECONDS
        self._put(run, [end])

    def _note_pictures(self, run: Run, content: dict[str, Any]) -> None:
        if self._worker.link is not None:
            self._worker.link.known_pictures = frozenset(content["known_pictures"])
        prompt, seen = run.request.prompt, content["pictures"]
        if isinstance(prompt, PicturePrompt) and seen is not None:
            self.picture_tokens = seen["picture_tokens"] // len(prompt.pictures)

    def _go_on(self, run: Run, progress: PrefillProgress | None) -> None:
        """After a step: on with the run, unless somebody goes before it."""
        if progress is not None:
            self._put(run, [progress])
        if run.cancelled or (self.queue.has_before(run.request.priority) and not run.request.continues):
            run.attempts = 0
            self.queue.put_back(run)
            self._current = None
        elif not self._order(run, self._steps.next(run)):
            self._worker_lost()

    def _put(self, run: Run, items: Sequence[RunItem]) -> None:
        if not run.stream.put(list(items)) and not run.cancelled:
            # The loop that waited for it is closed: nobody will ever read the rest.
            run.cancelled = True
            self.cancel(run)

    def _deliver_error(self, run: Run, error: RKLLMError) -> None:
        run.state = RunState.ENDED
        if not run.cancelled:
            run.stream.put([error])

    # The worker's frames ------------------------------------------------------------------------

    def _receive(self) -> bool:
        """Read from the worker; whether there was nothing but tokens."""
        link = self._worker.link
        if link is None:
            return False
        received = link.receive()
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
                # Not ``run``, which may have ended among these frames.
                if self._current is not None and self._current.id == frame.run_id:
                    self._current.vector = frame.body
            elif frame.kind == FrameKind.READY:
                self._loaded(frames.unpack_json(frame.body))
            elif frame.kind == FrameKind.FAILED:
                self._worker.note_failed(frames.unpack_json(frame.body))
        return not others

    def _socket_returned(self, reader: LoopReader, received: Sequence[Frame], closed: bool) -> None:
        """A loop met something that is not a token. Called on that loop."""
        self._host.post(lambda: self._take_returned(reader, received, closed))

    def _take_returned(self, reader: LoopReader, received: Sequence[Frame], closed: bool) -> None:
        link = self._worker.link
        if link is None or not link.was_returned(reader):
            return
        if closed:
            self._worker_lost()
        else:
            self._handle(received)

    def _loaded(self, content: dict[str, Any]) -> None:
        info = self._worker.note_ready(content)
        self._states.open(info.version, f"{info.context_length} {info.emulated}")
        now = time.monotonic()
        for run in self.queue:
            run.load_ms = (now - max(self._worker.begun_at, run.submitted_at)) * 1000
        self._worker.tell(info)
        if self.pinned is not None and not self.queue.waiting:
            self._warming = Run(next(self._ids), self.pinned, NoStream())
            self.queue.append(self._warming)

    def _worker_lost(self) -> None:
        """The worker's socket closed without our asking."""
        end = self._worker.note_death()
        if end is None:
            return
        self._abort_deadline = None
        self._ahead.put_back()
        run, self._current = self._current, None
        if run is None:
            return
        self._steps.note_lost()
        how, lines = end
        message = (
            f"The worker process that ran {self._host.spec.name} {how} during this request. "
            f"The next request starts a new one."
        )
        self._deliver_error(run, WorkerCrashed(message, lines))

    def _drop_worker(self, *, kill: bool) -> None:
        self._abort_deadline = None
        self._ahead.put_back()
        self._worker.drop(kill=kill)

    def _seat_settled(self, refusal: RKLLMError | None) -> None:
        if refusal is not None:
            self._fail_all(refusal)
        elif self.queue.first() is None and not self._worker.has_askers:
            self.stay.give_up()  # nobody waits for the model any more
        else:
            self._worker.start(self._worker.sampling)

    def _fail_all(self, error: RKLLMError) -> None:
        """A load failed: it fails everybody who waited for it, so that none waits in vain."""
        self._worker.tell(error)
        for run in list(self.queue):
            self.queue.remove(run)
            # Each caller raises an error of its own, with its own traceback.
            self._deliver_error(run, copy.copy(error))

    # Time limits --------------------------------------------------------------------------------

    def _deadline_of(self, run: Run) -> float:
        # While the model loads, the limit on loading is the one that counts.
        begun = self._worker.ready_at if self._worker.is_ready else None
        return deadline_of(run, self._host.limits, 0.0 if self.stay.is_waiting else begun, self._heard_at())

    def _heard_at(self) -> float:
        link = self._worker.link
        return link.heard_at if link is not None else 0.0

    def _deadlines(self) -> list[float]:
        worker = self._worker
        deadlines = [self._deadline_of(run) for run in self.queue]
        deadlines += [end for run in self._ahead if (end := own_deadline(run)) is not None]
        if worker.is_ready and self._current is None and not deadlines:
            deadlines += self.stay.idle_until
        if worker.has_askers:
            deadlines += self.stay.patience
        if self._kept is not None:
            deadlines.append(self._kept_until)
        if self._abort_deadline is not None:
            deadlines.append(self._abort_deadline)
        elif self._current is not None:
            deadlines.append(self._deadline_of(self._current))
        if worker.link is not None and worker.link.is_lent:
            deadlines.append(time.monotonic() + LOOP_CHECK_SECONDS)
        if worker.deadline is not None:
            deadlines.append(worker.deadline)
        return deadlines

    def _seconds_to_deadline(self) -> float | None:
        return None if self._next_deadline is None else max(0.0, self._next_deadline - time.monotonic())

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        self._worker.enforce_deadline(now)
        for run in [run for run in self.queue if now >= self._deadline_of(run)]:
            self.queue.remove(run)
            self._deliver_error(run, timeout_of(run, self._host.limits, self._host.spec.name, 0.0, now))
        for run in [run for run in self._ahead if (end := own_deadline(run)) is not None and now >= end]:
            run.stream.put([timeout_of(run, self._host.limits, self._host.spec.name, 0.0, now)])
            run.cancelled = True
            self._skip(run)
        overdue = self.stay.overdue()
        if overdue is not None:
            self._worker.tell(overdue)
        if self._worker.link is not None:
            self._worker.link.reclaim_if_unread()
        if self._current is not None:
            self._enforce_limits_of(self._current, now)

    def _enforce_limits_of(self, run: Run, now: float) -> None:
        limits, name = self._host.limits, self._host.spec.name
        if self._abort_deadline is not None:
            if now < self._abort_deadline:
                return
            logger.error("%s: a run did not end after its abort; the worker is replaced", name)
            self._drop_worker(kill=True)
            self._steps.note_lost()
            self._current = None
            seconds = limits.abort_seconds
            self._deliver_error(
                run,
                GenerationError(f"The run did not end within {seconds:.0f} s of its abort; its worker was replaced."),
            )
        elif now >= self._deadline_of(run):
            # The caller is freed now, the worker when the library has ended the run. Aborting comes first:
            # it stops a loop that reads the tokens itself, and nothing may follow the error.
            error = timeout_of(run, limits, name, self._heard_at(), now)
            self._abort_current()
            if not run.cancelled:
                run.stream.put([error])
                run.cancelled = True

    # The end ------------------------------------------------------------------------------------

    def shut_down(self) -> None:
        """End all requests and the worker."""
        # A loop that reads tokens itself is stopped by this, so that nothing follows the error.
        self._drop_worker(kill=False)
        self._inbox.work()
        self.stay.withdraw()
        self.stay.give_up()
        closed = EngineClosed(f"The engine of {self._host.spec.name} was closed.")
        run, self._current = self._current, None
        if run is not None:
            self._deliver_error(run, copy.copy(closed))
        self._fail_all(closed)
        self._states.close()  # last, for to delete gigabytes may take a while

    def forget(self) -> None:
        """Let go of everything in a forked child."""
        self._worker.forget()
        self.stay.forget()
        self._states.forget()
