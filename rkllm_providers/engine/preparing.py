"""Threads on which coroutines have their prompts rendered and tokenised."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_Made = TypeVar("_Made")


class PreparingThreads:
    """A few threads for work of milliseconds: not on the loop, nor behind all else that is kept off it."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = f"rkllm-{name}"
        self._renew()
        _pools.add(self)

    async def run(self, work: Callable[[], _Made]) -> _Made:
        """What ``work`` gives, on one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _renew(self) -> None:
        self._executor = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)


def _renew_after_fork() -> None:
    """A forked child has none of its parent's threads."""
    for pool in list(_pools):
        pool._renew()


_pools: weakref.WeakSet[PreparingThreads] = weakref.WeakSet()
os.register_at_fork(after_in_child=_renew_after_fork)

RENDERING: Final = PreparingThreads(2, "render")
CHECKING: Final = PreparingThreads(2, "check")
"""Of outputs by their schema, which may take seconds: no rendering is to wait for it."""
