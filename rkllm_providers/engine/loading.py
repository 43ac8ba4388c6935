"""The worker of one engine: wanted, loading, ready, gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from rkllm_providers.chat.types import Sampling
from rkllm_providers.engine import frames
from rkllm_providers.engine.frames import FrameKind
from rkllm_providers.engine.inbox import Inbox
from rkllm_providers.engine.ledger import CacheLedger
from rkllm_providers.engine.load_plan import LoadPlan
from rkllm_providers.engine.run import EngineLimits, LoadSpec, RuntimeInfo
from rkllm_providers.engine.stay import NOT_ALONE, Host, Stay
from rkllm_providers.engine.worker_link import WorkerLink, reported_error
from rkllm_providers.errors import ModelLoadError, RKLLMError

logger = logging.getLogger(__name__)

LoadSink = Callable[[RuntimeInfo | RKLLMError], None]


class EngineHost(Host, Protocol):
    """The engine, as its thread sees it."""

    spec: LoadSpec
    limits: EngineLimits
    plan: LoadPlan
    ledger: CacheLedger

    @property
    def closed(self) -> bool:
        """Whether its end has begun."""
        ...


class LoadedWorker:
    """Belongs to the engine's thread; others may read its properties."""

    def __init__(self, host: EngineHost, inbox: Inbox, stay: Stay, fail: Callable[[RKLLMError], None]) -> None:
        """``fail`` ends all requests that wait for the model."""
        self.link: WorkerLink | None = None
        self.is_ready = False
        self.ready_at = 0.0
        self.begun_at = 0.0
        self.sampling = Sampling()
        self.info: RuntimeInfo | None = None
        self.deaths = 0
        self._host: Final = host
        self._inbox: Final = inbox
        self._stay: Final = stay
        self._fail: Final = fail
        self._sinks: list[LoadSink] = []

    @property
    def has_askers(self) -> bool:
        """Whether somebody waits only for the model to be loaded."""
        return bool(self._sinks)

    def load(self, sink: LoadSink) -> None:
        """Load the model if it is not; ``sink`` gets what came of it."""
        if self.info is not None and self.is_ready:
            sink(self.info)
            return
        self._sinks.append(sink)
        if self.link is None:
            self.start(self._host.spec.sampling)

    def tell(self, outcome: RuntimeInfo | RKLLMError) -> None:
        """Say what came of the load to those who asked for it."""
        sinks, self._sinks = self._sinks, []
        for sink in sinks:
            sink(outcome)

    def start(self, sampling: Sampling) -> None:
        """Start a worker, if there is room for it; else its start follows when there is."""
        if self._inbox.poll is None or self._host.closed:
            return
        if self._stay.seat is None:
            if self._stay.claim():
                self.sampling = sampling
            return
        self.begun_at = time.monotonic()
        self.sampling = sampling
        self.is_ready = False
        try:
            self.link = WorkerLink(self._host.spec.name, self._inbox.poll, self._stay.inherited)
        except ModelLoadError as error:
            self._stay.give_up()
            self._fail(error)
            return
        order = self._host.plan.order(sampling) | self._stay.order()
        if not self.link.send(frames.pack_json(FrameKind.LOAD, order)):
            self.note_death()

    def note_ready(self, content: dict[str, Any]) -> RuntimeInfo:
        """The worker has loaded the model."""
        self.is_ready = True
        self.ready_at = time.monotonic()
        if self.link is not None:
            self.link.note_mark()
        self.info = info = RuntimeInfo(**content)
        self._host.ledger.open(info.version)
        self._stay.note_loaded(info.version)
        logger.info(
            "%s: loaded in %.0f ms on runtime %s%s",
            self._host.spec.name,
            info.load_ms,
            info.version,
            " (emulator)" if info.emulated else "",
        )
        return info

    def note_failed(self, content: dict[str, Any]) -> None:
        """The worker could not load the model."""
        lines = self.lines_to_mark()
        self.drop(kill=False)
        if content["error"] == NOT_ALONE:
            self._stay.note_version(content["version"])
            self.start(self.sampling)
        elif self._host.plan.revise(content, lines):
            # In a new process: a second load after a failed one crashed in some runtimes.
            self.start(self.sampling)
        else:
            self._fail(reported_error(content, lines, ModelLoadError))

    def note_death(self) -> tuple[str, list[str]] | None:
        """The worker is gone without our asking: how it went, and its last lines. A load that it began has failed."""
        link = self.link
        if link is None:
            return None
        how, lines = link.describe_end()
        was_ready = self.is_ready
        self.drop(kill=True)
        name = self._host.spec.name
        logger.error("%s: the worker process (pid %d) %s", name, link.pid, how)
        if not was_ready:
            self._fail(ModelLoadError(f"The worker process that loaded {name} {how}.", lines))
        return how, lines

    def lines_to_mark(self) -> list[str]:
        """What the library said of a failure: the worker marks the end of it in its output."""
        if self.link is None:
            return []
        self.link.note_mark()
        return self.link.lines_to_mark()

    @property
    def deadline(self) -> float | None:
        """When a load that is under way has taken too long."""
        if self.link is None or self.is_ready:
            return None
        return self.begun_at + self._host.limits.load_seconds

    def enforce_deadline(self, now: float) -> None:
        """End a load that took too long."""
        deadline = self.deadline
        if self.link is None or deadline is None or now < deadline:
            return
        lines = self.link.last_lines()
        self.drop(kill=True)
        seconds = self._host.limits.load_seconds
        self._fail(ModelLoadError(f"Loading {self._host.spec.name} took longer than {seconds:.0f} s.", lines))

    def drop(self, *, kill: bool) -> None:
        """End the worker."""
        link, self.link = self.link, None
        self.is_ready = False
        self.info = None
        if link is not None:
            self.deaths += kill
            link.close(kill=kill)
            self._stay.give_up()

    def forget(self) -> None:
        """Let go of the worker in a forked child: it is the parent's."""
        link, self.link = self.link, None
        if link is not None:
            link.disown()
