"""The models a service answers with: found in its folder, opened when they are first asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rag_service.metrics import ModelReadings
from rag_service.settings import ServiceSettings
from rkllm_providers.engine import EngineRegistry, ModelClient, ModelFacts, Residency, RuntimeInfo
from rkllm_providers.errors import EngineClosed, InvalidRequest, RKLLMError
from rkllm_providers.models import Catalog, ModelEntry

logger = logging.getLogger(__name__)

# A vocabulary of 150,000 tokens takes a board seconds to read: a list of models does not wait for all of them.
_LIST_SECONDS: Final = 2.0
# A worker that does not end in this time is killed with the process, whose end closes its socket.
_CLOSE_SECONDS: Final = 2.5

ModelStatus = Literal["unloaded", "loading", "loaded"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is known of a model, and whether it is loaded now."""

    facts: ModelFacts
    loaded: bool


class ModelPool:
    """Clients by model id. For one event loop; files are read off it."""

    def __init__(self, settings: ServiceSettings, registry: EngineRegistry | None = None) -> None:
        self._settings = settings
        self._registry = registry or EngineRegistry(Residency(settings.memory_budget))
        self._catalog = Catalog(settings.models_dir)
        self._clients: dict[str, ModelClient] = {}
        self._opening = asyncio.Lock()
        self._default = settings.model
        self._closed = False
        self._reading: dict[str, asyncio.Task[ModelState]] = {}
        self._past_deaths = 0
        self.known: tuple[str, ...] = ()
        """Ids of the models there were when the folder was last looked at."""

    @property
    def closed(self) -> bool:
        """Whether the service ends."""
        return self._closed

    @property
    def default(self) -> str | None:
        """The model that answers requests that name none."""
        return self._default

    async def entries(self) -> list[ModelEntry]:
        """All models that can be asked."""
        entries = [entry for entry in await asyncio.to_thread(self._catalog.entries) if entry.problem is None]
        self.known = tuple(entry.id for entry in entries)
        return entries

    async def entry(self, model: str | None) -> ModelEntry:
        """The model with this id, or the service's own where none is named.

        Raises:
            InvalidRequest: None is named, and the service has no model of its own.
            ModelNotFound: There is no such model.
        """
        name = model or self._default
        if not name:
            raise InvalidRequest("The request names no model, and the service was started without one.", "model")
        return await asyncio.to_thread(self._catalog.get, name)

    async def client(self, model: str | None) -> ModelClient:
        """A client for a model, opened if it was not.

        Raises:
            InvalidRequest, ModelNotFound: As ``entry`` says.
            ModelLoadError: The model's file is broken.
        """
        if self._closed:
            raise EngineClosed("The service is shutting down.")
        # An id that is open needs no look at the folder; what an alias stands for can change there.
        opened = self._clients.get((model or self._default or "").lower())
        if opened is not None and not opened.engine.closed and opened.card.entry.is_unchanged():
            return opened
        entry = await self.entry(model)
        async with self._opening:
            client = self._usable(entry)
            if client is None:
                self._retire(entry.id)
                client = self._clients[entry.id] = await asyncio.to_thread(self._open, entry)
            return client

    def _retire(self, model: str) -> None:
        """Give up a model's client. Answers that are under way come from the old file, to their end."""
        client = self._clients.pop(model, None)
        if client is not None:
            self._past_deaths += client.engine.worker_deaths
            self._registry.retire(client)

    def _usable(self, entry: ModelEntry) -> ModelClient | None:
        """The open client of a model, unless its files were changed since, or its engine closed."""
        client = self._clients.get(entry.id)
        if client is None or client.engine.closed or client.card.entry != entry:
            return None
        return client

    async def state(self, entry: ModelEntry) -> ModelState:
        """What is known of a model. Reads its file's head, and loads nothing.

        Raises:
            ModelLoadError: The file is broken.
        """
        # Read first, and only then opened: opening is done one at a time, and others wait for it.
        await asyncio.to_thread(self._registry.card, entry)
        client = await self.client(entry.id)
        return ModelState(client.facts, client.engine.info is not None)

    async def states(self, entries: Iterable[ModelEntry]) -> dict[str, ModelState]:
        """What is known of models, by id, as far as it can be read in a moment; the rest is read meanwhile."""
        for entry in entries:
            if entry.id not in self._reading:
                self._reading[entry.id] = asyncio.create_task(self.state(entry))
        reading = dict(self._reading)
        if reading:
            await asyncio.wait(reading.values(), timeout=_LIST_SECONDS)
        known: dict[str, ModelState] = {}
        for model, task in reading.items():
            if not task.done():
                continue
            self._reading.pop(model, None)
            if task.cancelled():
                continue
            error = task.exception()
            if error is None:
                known[model] = task.result()
            elif isinstance(error, RKLLMError):
                logger.warning("%s cannot be read: %s", model, error)
            else:
                raise error
        return known

    async def preload(self) -> None:
        """Load the service's own model, so that the first request finds it loaded."""
        if self._settings.model is None:
            return
        client = await self.load(self._settings.model)
        if self._settings.warm_prompt is not None:
            await self._warm(client, self._settings.warm_prompt)

    async def load(self, model: str | None) -> ModelClient:
        """Load a model if it is not loaded; its client.

        Raises:
            InvalidRequest, ModelNotFound: As ``entry`` says.
            RKLLMError: It cannot be loaded.
        """
        client = await self.client(model)
        loop = asyncio.get_running_loop()
        loaded: asyncio.Future[RuntimeInfo] = loop.create_future()

        def settle(outcome: RuntimeInfo | RKLLMError) -> None:
            if loaded.done():
                return
            if isinstance(outcome, RKLLMError):
                loaded.set_exception(outcome)
            else:
                loaded.set_result(outcome)

        def report(outcome: RuntimeInfo | RKLLMError) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the service has ended meanwhile
                loop.call_soon_threadsafe(settle, outcome)

        client.engine.load(report)
        await loaded
        return client

    async def _warm(self, client: ModelClient, file: Path) -> None:
        try:
            system = await asyncio.to_thread(file.read_text)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"The file {file} that is to be read ahead cannot be read: {error}.") from error
        n_tokens = await client.awarm(system.strip())
        logger.info("%s: read %d tokens ahead", client.facts.id, n_tokens)

    async def select(self, model: str) -> ModelClient:
        """Load a model, and have it answer requests that name none; its client. Raises what ``load`` raises."""
        client = await self.load(model)
        self._default = client.card.entry.id
        return client

    async def unload_all(self) -> list[str]:
        """Give the memory of all models back, after their current runs; the ids of those that were loaded."""
        return [model for model in list(self._clients) if await self.unload(model)]

    async def reload(self) -> None:
        """Look at the models folder anew. What was replaced or taken away answers the requests it has, and closes."""
        entries = {entry.id: entry for entry in await self.entries()}
        for model, client in list(self._clients.items()):
            if client.card.entry != entries.get(model):
                self._retire(model)
        logger.info("found %d models in %s", len(entries), self._catalog.models_dir)

    async def unload(self, model: str | None) -> bool:
        """Give a model's memory back, after its current run; whether it was loaded.

        Raises:
            InvalidRequest, ModelNotFound: As ``entry`` says.
        """
        client = self._clients.get((await self.entry(model)).id)
        if client is None or client.engine.worker_pid is None:
            return False
        self._registry.unload(client)
        return True

    def status(self, model: str) -> ModelStatus:
        """Whether a model is loaded now. Looks at nothing but memory."""
        client = self._clients.get(model)
        if client is None or client.engine.closed or client.engine.worker_pid is None:
            return "unloaded"
        return "loading" if client.engine.info is None else "loaded"

    def statuses(self) -> dict[str, ModelStatus]:
        """The same of all models that were asked for."""
        return {model: self.status(model) for model in list(self._clients)}

    def loaded(self) -> list[ModelClient]:
        """Clients of the models that are loaded."""
        return [client for client in list(self._clients.values()) if client.engine.info is not None]

    @property
    def current_model(self) -> str | None:
        """The id of the loaded model that was used last."""
        newest = max(self.loaded(), key=lambda client: (client.engine.is_busy, client.engine.last_used), default=None)
        return None if newest is None else newest.card.entry.id

    @property
    def vision_model(self) -> str | None:
        """The id of a loaded model that takes pictures."""
        for client in self.loaded():
            if client.card.capabilities.vision:
                return client.card.entry.id
        return None

    def readings(self) -> list[ModelReadings]:
        """Figures of every model that was asked for. Reads files of the kernel's."""
        return [
            ModelReadings(model, client.engine.info is not None, client.engine.memory, client.engine.waiting)
            for model, client in list(self._clients.items())
        ]

    @property
    def worker_deaths(self) -> int:
        """Worker processes that died or were replaced since the service started."""
        return self._past_deaths + sum(client.engine.worker_deaths for client in list(self._clients.values()))

    def announce(self, base_url: str | None) -> None:
        """Say where the models are served, for other processes that find the NPU taken."""
        self._registry.announce(base_url)

    async def close(self) -> None:
        """Unload everything, for good: whoever waits for an answer is told."""
        self._closed = True
        for task in self._reading.values():
            task.cancel()
        await asyncio.to_thread(self._registry.close, _CLOSE_SECONDS)

    def _open(self, entry: ModelEntry) -> ModelClient:
        settings = self._settings
        emulated = entry.format.runs_on_emulator
        return self._registry.acquire(
            entry,
            context_length=settings.context_length,
            library=None if emulated else settings.lib_path,
            runtime_version=None if emulated else settings.runtime_version,
            limits=settings.engine_limits,
        )
