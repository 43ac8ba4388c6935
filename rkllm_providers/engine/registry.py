"""One engine per model in a process, however many objects talk to it.

Front ends ask for a client and give it back; the engine lives while somebody holds one.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path

from rkllm_providers.chat import Sampling
from rkllm_providers.engine.client import ModelClient
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.environment import environment_limits
from rkllm_providers.engine.load_plan import CHECK_TEXT
from rkllm_providers.engine.memory import parse_budget
from rkllm_providers.engine.npu import shared_npu
from rkllm_providers.engine.picture_encoder import EncoderPlan
from rkllm_providers.engine.residency import Residency
from rkllm_providers.engine.run import EngineLimits, LoadSpec
from rkllm_providers.models import Catalog, ModelCard, ModelEntry, ModelFormat, PromptForm, read_card


class EngineRegistry:
    """Reference-counted engines by what they load. Thread-safe."""

    def __init__(self, residency: Residency | None = None) -> None:
        """``residency`` decides who may be loaded; without one, ``RKLLM_MEMORY_BUDGET`` says what it has."""
        self._lock = threading.Lock()
        self._residency = residency
        self._engines: dict[LoadSpec, tuple[Engine, int]] = {}
        self._retired: list[Engine] = []
        self._cards: dict[Path, ModelCard] = {}
        _registries.add(self)

    def acquire(
        self,
        entry: ModelEntry,
        *,
        context_length: int | None = None,
        library: str | None = None,
        runtime_version: str | None = None,
        limits: EngineLimits | None = None,
    ) -> ModelClient:
        """A client for a model. Reads the model's head, so keep it off event loops.

        ``context_length`` lowers the context window; the model's own is the most. ``limits`` count
        for the first caller only, and are those of the environment where none are given. Give the client back
        with ``release``.

        Raises:
            ModelLoadError: The model file is broken.
            InvalidRequest: A setting in the environment cannot be read.
        """
        card = self.card(entry)
        context = card.context_length
        if context_length is not None:
            # What a file does not say is not known to be less than what is asked; the library checks.
            context = min(context_length, context) if card.knows_context else context_length
        spec = _load_spec(card, context, library, runtime_version)
        if context != card.context_length:
            card = card.with_context(context)
        with self._lock:
            engine, holders = self._engines.get(spec, (None, 0))
            if engine is None or engine.closed:
                limits = limits or environment_limits()
                if card.keep_alive is not None:
                    limits = replace(limits, keep_alive=card.keep_alive)
                engine, holders = Engine(spec, limits, self._shared_residency()), 0
            self._engines[spec] = (engine, holders + 1)
        return ModelClient(card, engine, self.release)

    def release(self, client: ModelClient) -> None:
        """Give a client back, once; the last one closes the engine."""
        spec = client.engine.spec
        with self._lock:
            engine, holders = self._engines.get(spec, (client.engine, 0))
            if engine is not client.engine:
                return
            if holders > 1:
                self._engines[spec] = (engine, holders - 1)
                return
            self._engines.pop(spec, None)
        engine.close()

    def retire(self, client: ModelClient) -> None:
        """Give up an engine whose model file was replaced; it closes when it has answered everybody."""
        with self._lock:
            if self._engines.get(client.engine.spec, (None, 0))[0] is client.engine:
                del self._engines[client.engine.spec]
            self._retired = [engine for engine in self._retired if not engine.closed]
            self._retired.append(client.engine)
        client.engine.retire()

    def unload(self, client: ModelClient) -> None:
        """Give a model's memory back, after the run that is under way; the next request loads it again."""
        client.engine.unload()

    def announce(self, base_url: str | None) -> None:
        """Say where this process serves its models, for those who find the NPU taken by it."""
        shared_npu().announce(base_url)

    def card(self, entry: ModelEntry) -> ModelCard:
        """A model's card, read once for as long as its file does not change."""
        with self._lock:
            card = self._cards.get(entry.path)
        if card is None or card.entry != entry:
            card = read_card(entry)
            with self._lock:
                self._cards[entry.path] = card
        return card

    def close(self, seconds: float = 8.0) -> None:
        """Close all engines, whoever holds them. Waits for them at most so many seconds."""
        deadline = time.monotonic() + seconds
        with self._lock:
            engines = [*self._retired, *(engine for engine, _ in self._engines.values())]
            self._engines.clear()
        for engine in engines:
            engine.close(0)  # all of them begin to close
        for engine in engines:
            engine.close(max(0.0, deadline - time.monotonic()))

    def _shared_residency(self) -> Residency:
        if self._residency is None:
            self._residency = Residency(parse_budget(os.environ.get("RKLLM_MEMORY_BUDGET") or "auto"))
        return self._residency

    def forget_lock(self) -> None:
        """Be usable in a forked child, whichever thread of the parent was at work here."""
        self._lock = threading.Lock()


def _load_spec(card: ModelCard, context_length: int, library: str | None, runtime_version: str | None) -> LoadSpec:
    entry, form = card.entry, card.prompt_form
    spec = LoadSpec(
        name=entry.id,
        model_path=entry.path,
        emulated=entry.format.runs_on_emulator,
        context_length=context_length,
        modified_ns=entry.modified_ns,
        library=library,
        runtime_version=runtime_version,
        form=form,
        fallback_form=card.without_tokenizer().prompt_form,
        end_tokens=card.end_tokens,
        sampling=Sampling().over(card.sampling),
        plain_text=card.capabilities.embedding or card.capabilities.reranking,
        domain_id=card.base_domain_id,
        vision=_encoder_plan(card),
    )
    if form is not PromptForm.TOKENS or card.guard is None or entry.format is ModelFormat.SCRIPT:
        # A script's tokenizer and the one that runs it are made of the same lines.
        return spec
    ours = len(card.guard.encode(card.guard.mark(CHECK_TEXT)))
    return replace(spec, check_text=CHECK_TEXT, check_tokens=ours)


def _encoder_plan(card: ModelCard) -> EncoderPlan | None:
    vision = card.vision
    if vision is None or vision.family is None:
        return None
    markers = vision.family.markers
    return EncoderPlan(
        vision.encoder,
        markers.start,
        markers.end,
        markers.content,
        several_since=vision.family.several_images,
        width=vision.width,
        height=vision.height,
        emulated=card.entry.format.runs_on_emulator,
        n_cores=vision.n_cores,
        decoder=card.entry.path if card.entry.format is ModelFormat.GGUF else None,
        modified_ns=_modified_ns(vision.encoder),
    )


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # it went meanwhile; who loads it says so


def _forget_locks_after_fork() -> None:
    for registry in list(_registries):
        registry.forget_lock()


_registries: weakref.WeakSet[EngineRegistry] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forget_locks_after_fork)
_shared = EngineRegistry()
atexit.register(_shared.close)


def shared_registry() -> EngineRegistry:
    """The registry of this process."""
    return _shared


def open_model(
    model: str | Path,
    *,
    models_dir: str | Path | None = None,
    context_length: int | None = None,
    library: str | None = None,
    runtime_version: str | None = None,
) -> ModelClient:
    """A client for a model by its id or path, sharing its engine with everybody in this process.

    Raises:
        ModelNotFound: There is no such model.
        ModelLoadError: The model file is broken.
    """
    entry = Catalog(models_dir).find(model)
    return shared_registry().acquire(
        entry, context_length=context_length, library=library, runtime_version=runtime_version
    )
