"""The models that one provider object has opened, and what becomes of them when it is forgotten.

Frameworks make objects by the dozen: a copy per call with other settings, one per worker. Each holds its model
until ``close()``. An object that is forgotten without it leaves its hold behind, so that the model stays loaded for
the next such object; the hold ends with the next ``close()`` of anybody for the same model.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from typing import Any

from rkllm_providers.engine.language_model import LanguageModel
from rkllm_providers.engine.lease import ModelAddress, ModelLease
from rkllm_providers.errors import EngineClosed


class ModelLeases:
    """A lease for each address that an object's calls name. Copies, and what is unpickled, begin without any.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[ModelAddress, ModelLease] = {}
        self._closed = False
        self._watched = False

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelLeases:
        return ModelLeases()

    def __reduce__(self) -> tuple[type[ModelLeases], tuple[()]]:
        return ModelLeases, ()

    def take(self, address: ModelAddress) -> LanguageModel:
        """The model, opened if it is not. Reads its file's head, so keep it off event loops.

        Raises:
            EngineClosed: The object was closed.
            ModelNotFound: There is no such model.
            ModelLoadError: The model file is broken.
        """
        lease = self._lease(address)
        if lease is not None:
            return lease.take(address)
        made = ModelLease()
        made.take(address)
        with self._lock:
            lease = made if self._closed else self._held.setdefault(address, made)
            if not self._watched:
                self._watched = True
                weakref.finalize(self, _forgotten.append, self._held).atexit = False
        if lease is not made or self._closed:
            made.close()
        _parked.collect()
        return lease.take(address)

    async def atake(self, address: ModelAddress) -> LanguageModel:
        """``take`` for event loops: what opening reads is read on a thread."""
        lease = self._lease(address)
        return await (asyncio.to_thread(self.take, address) if lease is None else lease.atake(address))

    def close(self) -> None:
        """Give all models back, for good. Waits for their processes where nobody else uses them."""
        with self._lock:
            self._closed = True
            held = dict(self._held)
            self._held.clear()
        for address, lease in held.items():
            lease.close()
            _parked.release(address)

    def _lease(self, address: ModelAddress) -> ModelLease | None:
        with self._lock:
            if self._closed:
                raise EngineClosed(f"This object's model {address.model} was closed; make a new object to go on.")
            return self._held.get(address)


class _Parked:
    """The holds of forgotten objects, of each address the newest."""

    def __init__(self) -> None:
        self.renew_lock()
        self._leases: dict[ModelAddress, ModelLease] = {}

    def renew_lock(self) -> None:
        self._lock = threading.Lock()

    def collect(self) -> None:
        """Take over what forgotten objects held."""
        while _forgotten:
            try:
                held = _forgotten.popleft()
            except IndexError:  # another thread was faster
                return
            for address, lease in held.items():
                with self._lock:
                    older = self._leases.get(address)
                    self._leases[address] = lease
                if older is not None:
                    older.close()

    def release(self, address: ModelAddress) -> None:
        """Give back what forgotten objects held of a model."""
        self.collect()
        with self._lock:
            lease = self._leases.pop(address, None)
        if lease is not None:
            lease.close()


# Objects are forgotten in the midst of anything, under any lock: nothing is done there but to note it.
_forgotten: deque[dict[ModelAddress, ModelLease]] = deque()
_parked = _Parked()
os.register_at_fork(after_in_child=_parked.renew_lock)
