"""Starting and ending a worker process, and keeping what its library prints."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import deque
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

    def __init__(self, name: str) -> None:
        """Start the process.

        Raises:
            ModelLoadError: No process could be started.
        """
        if not sys.executable:
            raise ModelLoadError("This Python has no executable to start a worker process with (sys.executable).")
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
            try:
                # -P keeps the current folder, whose content may be a stranger's, off the import path.
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "rkllm_providers.engine.worker", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=_worker_environment(),
                )
            except OSError as error:
                ours.close()
                raise ModelLoadError(f"The worker process of {name} could not be started: {error}.") from error
        self.channel = ours
        self.log = LibraryLog(self._process.stdout, name)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def describe_end(self) -> str:
        """How the process ended, in words. Waits a moment for it, and kills it if it has not."""
        code = self._wait(_STOP_SECONDS)
        if code is None:
            self._process.kill()
            self._process.wait()
            return "did not end and was killed"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """End the process: ask by closing the socket, then kill."""
        self.channel.close()
        if self._wait(seconds) is None:
            self._process.kill()
            self._process.wait()
        self.log.finish()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self.channel.close()
        self.log.finish()

    def _wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


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
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._collect, name=f"rkllm-log-{name}", daemon=True)
        self._thread.start()

    def lines(self) -> list[str]:
        """The kept lines, oldest first."""
        with self._changed:
            return list(self._lines)

    def tail_after_marks(self, marks: int, seconds: float = 1.0) -> list[str]:
        """The last lines, once ``marks`` marks of the worker (or its end) have been read."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._marks >= marks, seconds)
            return list(self._lines)[-_ERROR_LINES:]

    def tail_after_end(self, seconds: float = 1.0) -> list[str]:
        """The last lines, once the process has closed its output."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, seconds)
            return list(self._lines)[-_ERROR_LINES:]

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
                else:
                    self._lines.append(raw.decode("utf-8", "replace").rstrip())
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
