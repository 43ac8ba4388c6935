"""A thread that does what others put into its inbox, and watches descriptors meanwhile."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

_LONGEST_POLL_SECONDS: Final = 3600.0  # more overflows epoll's milliseconds


class Inbox:
    """Actions for one thread, which begins with the first of them.

    ``lock`` guards what is put in, and whatever its owner must keep together with that.
    """

    def __init__(self, name: str, main: Callable[[], None]) -> None:
        """``main`` is what the thread runs; it calls ``close`` at its end."""
        # Re-entrant: the garbage collector may close an abandoned stream, and so cancel its run, while
        # this very thread holds the lock.
        self.lock = threading.RLock()
        self.thread: threading.Thread | None = None
        self.poll: select.epoll | None = None
        self._name = name
        self._main = main
        self._actions: deque[Callable[[], None]] = deque()
        self._wake_fd = -1

    def put(self, action: Callable[[], None]) -> None:
        """Have the thread do something. Called under the lock.

        Raises:
            RuntimeError: No thread could be started.
            OSError: There are no descriptors for it.
        """
        if self.thread is None:
            self._start()
        self._actions.append(action)
        self.wake()

    def wake(self) -> None:
        """Have the thread look around. Called under the lock."""
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    def wait(self, seconds: float | None) -> list[int]:
        """Wait for actions or descriptors: those descriptors that are ready. On the thread."""
        if self.poll is None:
            return []
        ready = [fd for fd, _ in self.poll.poll(None if seconds is None else min(seconds, _LONGEST_POLL_SECONDS))]
        if self._wake_fd in ready:
            os.eventfd_read(self._wake_fd)
            ready.remove(self._wake_fd)
        return ready

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self._actions

    def work(self) -> None:
        """Do all there is to do. On the thread."""
        while self._actions:
            self._actions.popleft()()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end, unless this is the thread."""
        thread = self.thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def close(self) -> None:
        """Let go of the descriptors. On the thread, at its end."""
        with self.lock:
            self._release()

    def forget(self) -> None:
        """Let go of everything in a forked child, whichever thread of the parent was at work here."""
        self.lock = threading.RLock()
        self.thread = None
        self._actions.clear()
        self._release()

    def _start(self) -> None:
        thread = threading.Thread(target=self._main, name=self._name, daemon=True)
        try:
            self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self.poll = select.epoll()
            self.poll.register(self._wake_fd, select.EPOLLIN)
            thread.start()
        except (OSError, RuntimeError):
            self._release()
            raise
        self.thread = thread

    def _release(self) -> None:
        poll, wake_fd = self.poll, self._wake_fd
        self.poll, self._wake_fd = None, -1
        if poll is not None:
            poll.close()
        if wake_fd >= 0:
            os.close(wake_fd)
