"""One engine per model in a process, however many objects talk to it.

Front ends ask for a client and give it back; the engine lives while somebody holds one.
"""

from __future__ import annotations

import atexit
import threading
from dataclasses import replace
from pathlib import Path

from rkllm_providers.chat import Sampling
from rkllm_providers.engine.client import ModelClient
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.load_plan import CHECK_TEXT
from rkllm_providers.engine.run import EngineLimits, LoadSpec
from rkllm_providers.models import Catalog, ModelCard, ModelEntry, ModelFormat, PromptForm, read_card


class EngineRegistry:
    """Reference-counted engines by what they load. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: dict[LoadSpec, tuple[Engine, int]] = {}
        self._retired: list[Engine] = []
        self._cards: dict[Path, ModelCard] = {}

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
        for the first caller only. Give the client back with ``release``.

        Raises:
            ModelLoadError: The model file is broken.
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
            engine, holders = self._engines.get(spec) or (Engine(spec, limits), 0)
            if engine.closed:
                engine, holders = Engine(spec, limits), 0
            self._engines[spec] = (engine, holders + 1)
        return ModelClient(card, engine)

    def release(self, client: ModelClient) -> None:
        """Give a client back; the last one closes the engine."""
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

    def card(self, entry: ModelEntry) -> ModelCard:
        """A model's card, read once for as long as its file does not change."""
        with self._lock:
            card = self._cards.get(entry.path)
        if card is None or card.entry != entry:
            card = read_card(entry)
            with self._lock:
                self._cards[entry.path] = card
        return card

    def close(self) -> None:
        """Close all engines, whoever holds them."""
        with self._lock:
            engines = [*self._retired, *(engine for engine, _ in self._engines.values())]
            self._engines.clear()
        for engine in engines:
            engine.close(0)  # all of them begin to close
        for engine in engines:
            engine.close()


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
    )
    if form is not PromptForm.TOKENS or card.guard is None or entry.format is ModelFormat.SCRIPT:
        # A script's tokenizer and the one that runs it are made of the same lines.
        return spec
    ours = len(card.guard.encode(card.guard.mark(CHECK_TEXT)))
    return replace(spec, check_text=CHECK_TEXT, check_tokens=ours)


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
