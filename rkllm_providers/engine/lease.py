"""The model that one provider object has opened, and where it is to be found."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

from rkllm_providers.engine.language_model import LanguageModel
from rkllm_providers.engine.registry import open_model
from rkllm_providers.errors import EngineClosed


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Where a model is: in a folder of this machine, or behind the ``base_url`` of a running service.

    A service needs none of ``models_dir``, ``library``, ``runtime_version`` and ``context_length``: it has its own.
    """

    model: str
    models_dir: str | None = None
    library: str | None = None
    runtime_version: str | None = None
    context_length: int | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)

    def open(self) -> LanguageModel:
        """The model. Reads its file's head, or asks the service, so keep it off event loops.

        Raises:
            ModelNotFound: There is no such model.
            ModelLoadError: The model file is broken.
            ServiceUnreachable: No service answers at the base URL.
            ModuleNotFoundError: The ``remote`` extra, which a base URL needs, is not installed.
        """
        if self.base_url is not None:
            from rkllm_providers.remote import RemoteModel

            return RemoteModel.open(self.model, self.base_url, self.api_key)
        return open_model(
            self.model,
            models_dir=self.models_dir,
            context_length=self.context_length,
            library=self.library,
            runtime_version=self.runtime_version,
        )


class ModelLease:
    """The model one object has opened. Copies, and what is unpickled, begin without one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: LanguageModel | None = None
        self._closed = False

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelLease:
        return ModelLease()

    def __reduce__(self) -> tuple[type[ModelLease], tuple[()]]:
        return ModelLease, ()

    def take(self, address: ModelAddress) -> LanguageModel:
        """The model, opened if it is not.

        Raises:
            EngineClosed: It was closed.
        """
        with self._lock:
            if self._closed:
                raise EngineClosed(f"This object's model {address.model} was closed; make a new object to go on.")
            model = self._model
            if model is None or model.closed:
                model = self._model = address.open()
        return model

    async def atake(self, address: ModelAddress) -> LanguageModel:
        """``take`` for event loops: what opening reads is read on a thread."""
        model = self._model
        return model if model is not None and not model.closed else await asyncio.to_thread(self.take, address)

    def close(self) -> None:
        """Give the model back, for good."""
        with self._lock:
            model, self._model = self._model, None
            self._closed = True
        if model is not None:
            model.release()
