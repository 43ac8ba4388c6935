"""The model that one provider object has opened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rkllm_providers.engine import ModelClient, shared_registry
from rkllm_providers.errors import EngineClosed


class ModelLease:
    """The model one object has opened. Copies, and what is unpickled, begin without one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: ModelClient | None = None
        self._closed = False

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelLease:
        return ModelLease()

    def __reduce__(self) -> tuple[type[ModelLease], tuple[()]]:
        return ModelLease, ()

    @property
    def current(self) -> ModelClient | None:
        """The model, if it is open."""
        client = self._client
        return client if client is not None and not client.engine.closed else None

    def take(self, opening: Callable[[], ModelClient]) -> ModelClient:
        """The model, opened if it is not."""
        with self._lock:
            if self._closed:
                raise EngineClosed("This ChatRKLLM was closed; make a new one to go on.")
            if self.current is None:
                self._client = opening()
            client = self._client
        if client is None:
            raise EngineClosed("The model was closed.")
        return client

    def close(self) -> None:
        """Give the model back, for good."""
        with self._lock:
            client, self._client = self._client, None
            self._closed = True
        if client is not None:
            shared_registry().release(client)
