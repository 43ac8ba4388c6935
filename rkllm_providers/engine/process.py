"""Starting and ending a worker process, and keeping what its library prints."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

import rkllm_providers
from rkllm_providers.engine.frames import LOG_MARK
from rkllm_providers.errors import ModelLoadError

KEPT_LINES: Final = 200
_ERROR_LINES: Final = 12
_SOCKET_BUFFER_BYTES: Final = 1 << 18
_STOP_SECONDS: Final = 2.0
# OpenMP threads that spin while they wait would take a core from everybody else between runs.
_WORKER_ENVIRONMENT: Final = {"OMP_WAIT_POLICY": "passive", "PYTHONUNBUFFERED": "1"}


class WorkerProcess:
    """A worker and the socket to it. Not thread-safe: one thread, the engine's, owns it."""

    def __init__(self, name: str, inherited: Sequence[int] = ()) -> None:
        """Start the process, which gets the ``inherited`` descriptors too.

        Raises:
            ModelLoadError: No process could be started.
        """
        if not sys.executable:
            raise ModelLoadError("This Python has no executable to start a worker process with (sys.executable).")
        try:
            self.channel, self._process = _start(inherited)
        except OSError as error:
            raise ModelLoadError(f"The worker process of {name} could not be started: {error}.") from error
        try:
            self.log = LibraryLog(self._process.stdout, name)
        except RuntimeError as error:  # no thread could be started
            self.kill()
            raise ModelLoadError(f"The worker process of {name} could not be watched: {error}.") from error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def describe_end(self) -> str:
        """How the process ended, in words. Waits a moment for it, and kills it if it has not."""
        code = self._wait(_STOP_SECONDS)
        if code is None:
            self._kill_process()
            return "did not end and was killed"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """End the process: ask by closing the connection, then kill."""
        self._close_channel()
        if self._wait(seconds) is None:
            self._kill_process()
        self._finish_log()

    def kill(self) -> None:
        """End the process at once."""
        self._kill_process()
        self._close_channel()
        self._finish_log()

    def _kill_process(self) -> None:
        self._process.kill()
        if self._wait(_STOP_SECONDS) is None:
            # Stuck in the kernel, as a hanging NPU driver can make it: it is reaped when it comes out.
            threading.Thread(target=self._process.wait, name="rkllm-reaper", daemon=True).start()

    def _close_channel(self) -> None:
        # Shutting down reaches the worker also where a forked process holds a copy of the socket.
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)
        self.channel.close()

    def _finish_log(self) -> None:
        log: LibraryLog | None = getattr(self, "log", None)
        if log is not None:
            log.finish()

    def _wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def _start(inherited: Sequence[int]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """A socket and the worker at its other end."""
    ours, theirs = socket.socketpair()
    given = [theirs.fileno(), *inherited]
    try:
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
            # -P keeps the current folder, whose content may be a stranger's, off the import path.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rkllm_providers.engine.worker", *map(str, given)],
                pass_fds=given,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_worker_environment(),
            )
    except BaseException:
        ours.close()
        raise
    return ours, process


def _worker_environment() -> dict[str, str]:
    environment = _WORKER_ENVIRONMENT | os.environ
    root = Path(rkllm_providers.__file__).resolve().parent.parent
    if root.name not in ("site-packages", "dist-packages"):
        # Imported from a source tree, perhaps found only through this process's own sys.path.
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{known}{os.pathsep}{root}" if known else str(root)
    return environment


class LibraryLog:
    """The last lines that a worker printed, collected by a thread of its own."""

    def __init__(self, stream: IO[bytes] | None, name: str) -> None:
        if stream is None:
            raise ValueError("The worker's output is not a pipe.")
        self._stream = stream
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._marks = 0
        self._fresh = 0
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._collect, name=f"rkllm-log-{name}", daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Leave what was printed so far out of every tail: it is about something else."""
        with self._changed:
            self._fresh = 0

    def tail(self) -> list[str]:
        """The last lines since ``forget``."""
        with self._changed:
            return self._tail()

    def tail_after_marks(self, marks: int, seconds: float = 3.0) -> list[str]:
        """The last lines, once ``marks`` marks of the worker (or its end) have been read."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._marks >= marks, seconds)
            return self._tail()

    def tail_after_end(self, seconds: float = 1.0) -> list[str]:
        """The last lines, once the process has closed its output."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, seconds)
            return self._tail()

    def _tail(self) -> list[str]:
        count = min(self._fresh, _ERROR_LINES)
        return list(self._lines)[-count:] if count else []

    def finish(self) -> None:
        """Wait for the rest of the output of an ended process, and close the pipe."""
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._stream.close()

    def _collect(self) -> None:
        for raw in self._stream:
            with self._changed:
                if raw.rstrip(b"\n") == LOG_MARK:
                    self._marks += 1
                elif line := raw.decode("utf-8", "replace").rstrip():
                    self._lines.append(line)
                    self._fresh = min(self._fresh + 1, KEPT_LINES)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
