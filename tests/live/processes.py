"""Programs that run for a while: started, waited for and ended, all with limits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

_END_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1
_SHOWN_LINES: Final = 25

T = TypeVar("T")


class CheckFailed(Exception):
    """Something is not as it should be, or did not come in time."""


@contextmanager
def program(name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a program with its output in ``log``; at the end it and all it started are ended.

    Raises:
        CheckFailed: It had ended before, with its last lines.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
        if process.poll() is not None:
            raise CheckFailed(f"{name} ended by itself with {process.returncode}:\n{last_lines(log)}")
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(_END_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever it left behind


def last_lines(log: Path) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:])


def free_port() -> int:
    """A port of this machine that nobody has now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(what: str, seconds: float, look: Callable[[], T | None]) -> T:
    """What ``look`` finds, which is asked again and again.

    Raises:
        CheckFailed: It found nothing in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(_POLL_SECONDS)
    raise CheckFailed(f"{what} did not come within {seconds:.0f} s")


def expect(condition: object, message: str) -> None:
    """Go on only if it is so.

    Raises:
        CheckFailed: It is not, with ``message``.
    """
    if not condition:
        raise CheckFailed(message)
