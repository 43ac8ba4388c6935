"""Who is loaded: seats for workers, within a memory budget, and who must leave for whom.

Before an engine starts a worker it claims a seat. Claims are answered in the order they came: at once
where there is room, else when those in the way have unloaded, idle ones and the least recently used
first. A busy engine that is in the way answers the requests it has at that moment, unloads, and claims a
seat behind the others when it has more. So switching models is a queue like any other, and nobody starves.

Engines' threads call in; answers go to the engines' inboxes, never while the lock is held here.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from rkllm_providers.engine.memory import (
    Budget,
    estimated_bytes,
    machine_memory,
    resident_bytes,
    words,
)
from rkllm_providers.engine.npu import NPUPlace, shared_npu
from rkllm_providers.engine.run import LoadSpec
from rkllm_providers.errors import ModelLoadError, RKLLMError
from rkllm_providers.runtime import Feature
from rkllm_providers.runtime.features import supports

Call = Callable[[], None]


class Tenant(Protocol):
    """What is known of an engine here. Called on any thread."""

    @property
    def spec(self) -> LoadSpec:
        """What it loads."""
        ...

    @property
    def pid(self) -> int | None:
        """Process id of its worker."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether it has requests."""
        ...

    @property
    def used_at(self) -> float:
        """When it was last used."""
        ...

    def answer(self, outcome: Seat | RKLLMError) -> None:
        """Its claim is settled."""
        ...

    def reconsider(self) -> None:
        """Its seat's ``leaving`` has changed."""
        ...


@dataclass(eq=False, slots=True)
class Seat:
    """The right to have a worker.

    ``leaving`` says that somebody waits for it; only ``Residency`` sets it.
    """

    tenant: Tenant
    estimate: int
    place: NPUPlace | None
    beside_others: bool
    is_ready: bool = False
    leaving: bool = False

    @property
    def memory(self) -> int:
        """Bytes that the model takes: estimated, or measured where that is more."""
        return max(self.estimate, resident_bytes(self.tenant.pid, peak=True))

    @property
    def inherited(self) -> tuple[int, ...]:
        """Descriptors that the worker must hold."""
        return () if self.place is None or self.place.lock_fd is None else (self.place.lock_fd,)

    def order(self) -> dict[str, Any]:
        """What the worker must know of its seat."""
        return {
            "base_domain_id": None if self.place is None else self.place.domain_id,
            "beside_others": self.beside_others,
        }


class Residency:
    """Hands out the seats of one registry's engines. Thread-safe."""

    def __init__(self, budget: Budget = None) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._seats: list[Seat] = []
        self._waiting: deque[Tenant] = deque()
        # What runtime a library proved to be, by what its specs say of it.
        self._versions: dict[tuple[str | None, str | None], str] = {}
        _residencies.add(self)

    def claim(self, tenant: Tenant) -> None:
        """Ask for a seat; the tenant gets one answer, unless it withdraws."""
        with self._lock:
            self._waiting.append(tenant)
            calls = self._settle()
        _make(calls)

    def withdraw(self, tenant: Tenant) -> bool:
        """Take a claim back; ``False`` if its answer is on the way already."""
        with self._lock:
            was_waiting = tenant in self._waiting
            if was_waiting:
                self._waiting.remove(tenant)
            calls = self._settle()
        _make(calls)
        return was_waiting

    def release(self, seat: Seat) -> None:
        """Give a seat back; its worker has ended."""
        with self._lock:
            if seat not in self._seats:
                return  # it is the parent's, and this is a forked child
            self._seats.remove(seat)
            if seat.place is not None:
                shared_npu().leave(seat.place)
            calls = self._settle()
        _make(calls)

    def note_loaded(self, seat: Seat, version: str) -> None:
        """A seat's model is loaded."""
        with self._lock:
            seat.is_ready = True
            self._note_version(seat.tenant.spec, version)
            calls = self._settle()
        _make(calls)

    def note_version(self, spec: LoadSpec, version: str) -> None:
        """A worker found out what its library is."""
        with self._lock:
            self._note_version(spec, version)

    def note_idle(self) -> None:
        """An engine has answered its last request: it may be the one to go."""
        if self._waiting:
            with self._lock:
                calls = self._settle()
            _make(calls)

    def forget(self) -> None:
        """Let go of everything in a forked child."""
        self._lock = threading.Lock()
        self._seats.clear()
        self._waiting.clear()

    # Under the lock -----------------------------------------------------------------------------

    def _settle(self) -> list[Call]:
        """Answer the claims that can be answered; what is to be called for it afterwards."""
        calls: list[Call] = []
        in_the_way: list[Seat] = []
        while self._waiting:
            tenant = self._waiting[0]
            try:
                in_the_way = self._in_the_way(tenant.spec)
                if in_the_way:
                    break
                calls.append(partial(tenant.answer, self._seated(tenant)))
            except RKLLMError as error:
                calls.append(partial(tenant.answer, error))
            self._waiting.popleft()
        for seat in self._seats:
            leaving = seat in in_the_way
            if seat.leaving != leaving:
                seat.leaving = leaving
                calls.append(seat.tenant.reconsider)
        return calls

    def _seated(self, tenant: Tenant) -> Seat:
        spec = tenant.spec
        place = None if spec.emulated else shared_npu().enter(spec.name, spec.domain_id, sees=spec.vision is not None)
        beside = place is not None and any(seat.place is not None for seat in self._seats)
        seat = Seat(tenant, estimated_bytes(spec), place, beside)
        self._seats.append(seat)
        return seat

    def _in_the_way(self, spec: LoadSpec) -> list[Seat]:
        """The seats that must be given up for a model to be loaded.

        Raises:
            ModelLoadError: It does not fit, whoever leaves.
        """
        # Those who leave already stay chosen; that somebody else came to rest first is better yet.
        seats = sorted(self._seats, key=lambda seat: (seat.tenant.is_busy, not seat.leaving, seat.tenant.used_at))
        going = [seat for seat in seats if not self._go_together(spec, seat.tenant.spec)]
        staying = [seat for seat in seats if seat not in going]
        if self._budget is None:
            return going
        need = estimated_bytes(spec)
        room = self._room(going)
        most = room + sum(seat.memory for seat in staying)
        if need > most and not (self._budget == "auto" and need <= most + machine_memory().reserve):
            raise ModelLoadError(
                f"{spec.name} takes about {words(need)} ({spec.context_length} tokens of context included), and "
                f"models may have {words(max(0, most))}. Lower its context length, take a smaller model, or raise "
                f"RKLLM_MEMORY_BUDGET."
            )
        while staying and need > room:
            seat = staying.pop(0)
            going.append(seat)
            room += seat.memory
        return going

    def _room(self, going: list[Seat]) -> int:
        """Bytes there are for a new model once some have gone."""
        if isinstance(self._budget, int):
            return self._budget - sum(seat.memory for seat in self._seats if seat not in going)
        machine = machine_memory()
        # What loads at this moment has not taken all of its memory yet.
        coming = sum(seat.estimate for seat in self._seats if not seat.is_ready and seat not in going)
        return machine.available - machine.reserve - coming + sum(seat.memory for seat in going)

    def _go_together(self, one: LoadSpec, other: LoadSpec) -> bool:
        return one.emulated or other.emulated or (self._takes_several(one) and self._takes_several(other))

    def _takes_several(self, spec: LoadSpec) -> bool:
        version = self._versions.get((spec.library, spec.runtime_version), spec.runtime_version)
        # Where it is not known yet, the worker finds it out before it loads anything.
        return version is None or supports(version, Feature.SEVERAL_INSTANCES)

    def _note_version(self, spec: LoadSpec, version: str) -> None:
        if not spec.emulated:
            self._versions[spec.library, spec.runtime_version] = version


def _make(calls: list[Call]) -> None:
    for call in calls:
        call()


def _forget_after_fork() -> None:
    for residency in list(_residencies):
        residency.forget()


_residencies: weakref.WeakSet[Residency] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forget_after_fork)
