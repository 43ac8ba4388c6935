"""Figures for Prometheus, in a registry of the service's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rag_service.logs import request_id
from rag_service.npu_readings import NPUReadings, read_npu
from rkllm_providers.chat import Finish

_WAITS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_SHARES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_MODEL: Final = ("model",)
_NO_MODEL: Final = "(none)"
_RATES: Final = (1, 2, 4, 6, 8, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 2000)


@dataclass(frozen=True, slots=True)
class ModelReadings:
    """What is known of an open model now: bytes it takes, and requests that wait."""

    model: str
    loaded: bool
    memory: int
    waiting: int


class ReadModels(Protocol):
    """Whoever has the models."""

    def readings(self) -> list[ModelReadings]:
        """Of every open model."""
        ...

    @property
    def worker_deaths(self) -> int:
        """Worker processes that ended without being asked to."""
        ...


class Metrics:
    """Counts what happens; what is to be read is read when somebody asks. Thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._models: dict[int, Collector] = {}
        self._under_way: dict[object, str] = {}
        self._requests = Counter(
            "rkllm_http_requests",
            "Requests by route and status; 0 is a client that left.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._answers = self._counter("answers", "Complete answers; (none) are those that took no model.")
        self._cancelled = self._counter("answers_cancelled", "Answers whose client went away.")
        self._failed = self._counter("answers_failed", "Answers that ended with an error.")
        self._prompt = self._counter("prompt_tokens", "Tokens of prompts, cached ones among them.")
        self._cached = self._counter("cached_tokens", "Tokens of prompts that the KV cache held.")
        self._prefilled = self._counter("prefill_tokens", "Tokens of prompts that had to be read.")
        self._completion = self._counter("completion_tokens", "Tokens generated.")
        self._queue = self._histogram("queue_seconds", "Wait for the model.", _WAITS)
        self._first = self._histogram(
            "time_to_first_token_seconds", "Queue, load and prefill: what passes before the first token.", _WAITS
        )
        self._prefill = self._histogram(
            "prefill_tokens_per_second", "Tokens read per second, without cached ones.", _RATES
        )
        self._reuse = self._histogram(
            "cached_prompt_ratio", "Share of a prompt that the KV cache held, 0 to 1.", _SHARES
        )
        self._decode = self._histogram("decode_tokens_per_second", "Tokens generated per second.", _RATES)

    def watch(self, models: ReadModels) -> None:
        """Tell of these models too."""
        self._models[id(models)] = collector = _ModelCollector(models)
        self.registry.register(collector)

    def forget(self, models: ReadModels) -> None:
        """Tell of them no more."""
        self.registry.unregister(self._models.pop(id(models)))

    def note_request(self, method: str, route: str, status: int) -> None:
        """A request has been answered."""
        self._requests.labels(method, route, str(status)).inc()

    def note_finish(self, finish: Finish, model: str) -> None:
        """An answer is complete; one without a prompt took no model, whichever was asked."""
        usage, timings = finish.usage, finish.timings
        if usage.prompt_tokens == 0:
            self._answers.labels(_NO_MODEL).inc()
            return
        read = usage.prompt_tokens - usage.cached_tokens
        self._answers.labels(model).inc()
        self._prompt.labels(model).inc(usage.prompt_tokens)
        self._cached.labels(model).inc(usage.cached_tokens)
        self._prefilled.labels(model).inc(max(0, read))
        self._completion.labels(model).inc(usage.completion_tokens)
        self._queue.labels(model).observe(timings.queue_ms / 1000)
        first_ms = timings.queue_ms + timings.load_ms + timings.encode_ms + timings.prefill_ms
        self._first.labels(model).observe(first_ms / 1000)
        self._reuse.labels(model).observe(usage.cached_tokens / usage.prompt_tokens)
        if read > 0 and timings.prefill_ms > 0:
            self._prefill.labels(model).observe(1000 * read / timings.prefill_ms)
        if usage.completion_tokens > 0 and timings.decode_ms > 0:
            self._decode.labels(model).observe(1000 * usage.completion_tokens / timings.decode_ms)

    def note_cancelled(self, model: str) -> None:
        """A client went away before its answer was complete."""
        self._cancelled.labels(model).inc()

    def note_failed(self, model: str) -> None:
        """An answer ended with an error."""
        self._failed.labels(model).inc()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a client waits for an answer."""
        mark = object()  # two requests may have been given one id by their clients
        self._under_way[mark] = request_id.get() or ""
        try:
            yield
        finally:
            del self._under_way[mark]

    @property
    def oldest_request(self) -> str | None:
        """The id of the request that has waited for its answer for longest; ``None`` if nobody waits."""
        return next(iter(self._under_way.values()), None)

    def text(self) -> bytes:
        """All figures in Prometheus's text format. Reads files: not for an event loop."""
        return generate_latest(self.registry)

    def _counter(self, name: str, what: str) -> Counter:
        return Counter(f"rkllm_{name}", what, _MODEL, registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"rkllm_{name}", what, _MODEL, registry=self.registry, buckets=buckets)


class _ModelCollector(Collector):
    """Figures that are read when they are asked for."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is differs from board to board."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
        loaded = GaugeMetricFamily("rkllm_model_loaded", "Whether a model is loaded.", labels=("model",))
        memory = GaugeMetricFamily("rkllm_model_memory_bytes", "Memory that a model takes.", labels=("model",))
        waiting = GaugeMetricFamily("rkllm_queue_length", "Requests that wait for a model.", labels=("model",))
        for one in self._models.readings():
            loaded.add_metric((one.model,), float(one.loaded))
            memory.add_metric((one.model,), one.memory)
            waiting.add_metric((one.model,), one.waiting)
        yield from (loaded, memory, waiting)
        yield CounterMetricFamily(
            "rkllm_worker_deaths", "Worker processes that died or were replaced.", value=self._models.worker_deaths
        )
        yield from _npu(read_npu())


def _npu(readings: NPUReadings) -> Iterator[Metric]:
    if readings.loads:
        load = GaugeMetricFamily("rkllm_npu_load_ratio", "Load of an NPU core, 0 to 1.", labels=("core",))
        for core, share in readings.loads.items():
            load.add_metric((core,), share)
        yield load
    if readings.frequency is not None:
        yield GaugeMetricFamily("rkllm_npu_frequency_hertz", "Frequency of the NPU.", value=readings.frequency)
    if readings.temperature is not None:
        yield GaugeMetricFamily(
            "rkllm_npu_temperature_celsius", "Temperature of the NPU.", value=readings.temperature
        )
