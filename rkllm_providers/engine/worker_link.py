"""The engine's end of a worker: its process, its frames, and who reads its socket at the moment."""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from rkllm_providers import errors
from rkllm_providers.engine.frames import Frame, FrameReader
from rkllm_providers.engine.loop_reader import LoopReader
from rkllm_providers.engine.process import WorkerProcess
from rkllm_providers.engine.streams import AsyncStream
from rkllm_providers.errors import GenerationError, ModelLoadError, RKLLMError
from rkllm_providers.runtime.log import explain, recognise

logger = logging.getLogger(__name__)

LOOP_CHECK_SECONDS: Final = 1.0
"""How often the engine looks whether a loop that borrowed the socket still reads it."""

_RECEIVE_BYTES: Final = 1 << 18
_SEND_SECONDS: Final = 10.0

# Called on the loop, with what it read and must not handle, and whether the socket was closed.
Returned = Callable[[LoopReader, Sequence[Frame], bool], None]


class WorkerLink:
    """A worker and the way to it. Belongs to one engine's thread.

    ``known_pictures`` are digests of the pictures that need not be sent to it again.
    """

    def __init__(self, name: str, poll: select.epoll, inherited: Sequence[int] = ()) -> None:
        """Start a worker that also gets the ``inherited`` descriptors, and have ``poll`` watch its socket.

        Raises:
            ModelLoadError: No process could be started.
        """
        self._name = name
        self._poll = poll
        self._process = WorkerProcess(name, inherited)
        self._channel = self._process.channel
        self._channel.setblocking(False)
        self._writable = select.poll()
        self._writable.register(self._channel, select.POLLOUT)
        self._readable = select.poll()
        self._readable.register(self._channel, select.POLLIN)
        self._reader = FrameReader()
        self._lent: LoopReader | None = None
        self._marks = 0
        self._heard_at = 0.0
        self.known_pictures: frozenset[str] = frozenset()
        poll.register(self._channel, select.EPOLLIN)

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    @property
    def is_lent(self) -> bool:
        """Whether an event loop reads the socket."""
        return self._lent is not None

    @property
    def heard_at(self) -> float:
        """The monotonic time at which the worker last sent something, whoever read it; 0 if it never did."""
        return max(self._heard_at, self._lent.heard_at if self._lent is not None else 0.0)

    def send(self, frame: bytes) -> bool:
        """Send a frame; ``False`` if the worker is lost, or does not read."""
        rest = memoryview(frame)
        try:
            while rest:
                try:
                    rest = rest[self._channel.send(rest) :]
                except BlockingIOError:
                    if not self._writable.poll(_SEND_SECONDS * 1000):
                        raise TimeoutError(f"nothing was read for {_SEND_SECONDS:.0f} s") from None
        except OSError as error:
            logger.warning("%s: sending to the worker failed: %s", self._name, error)
            return False
        return True

    def receive(self) -> list[Frame] | None:
        """The frames that have arrived; ``None`` if the worker is lost."""
        try:
            data = self._channel.recv(_RECEIVE_BYTES)
            self._heard_at = time.monotonic()
            return self._reader.feed(data) if data else None
        except BlockingIOError:
            return []
        except OSError as error:
            logger.warning("%s: reading from the worker failed: %s", self._name, error)
            return None

    def lend(self, run_id: int, stream: AsyncStream, returned: Returned) -> None:
        """Let the loop that waits for a run's tokens read them itself."""

        def give_back(received: Sequence[Frame], closed: bool) -> None:
            returned(reader, received, closed)

        reader = LoopReader(self._channel, self._reader, run_id, stream, give_back)
        if reader.start():
            self._lent = reader
            self._poll.unregister(self._channel)

    def was_returned(self, reader: LoopReader) -> bool:
        """Note that a loop has given the socket back; ``False`` if it is not the one that has it."""
        if self._lent is not reader:
            return False
        self._heard_at = self.heard_at
        self._lent = None
        self._poll.register(self._channel, select.EPOLLIN)
        return True

    def reclaim(self) -> None:
        """Read here again. A loop that is giving the socket back at this moment is waited for."""
        if self._lent is not None and self._lent.take_back():
            self._heard_at = self.heard_at
            self._lent = None
            self._poll.register(self._channel, select.EPOLLIN)

    def reclaim_if_unread(self) -> None:
        """Read here again if the loop is too busy to: the worker must not wait for it."""
        lent = self._lent
        if lent is None or time.monotonic() - lent.last_read < LOOP_CHECK_SECONDS / 2:
            return
        if self._readable.poll(0):
            self.reclaim()

    def note_run(self) -> None:
        """Note that a run begins: what the library printed before is not about it."""
        self._process.log.forget()

    def last_lines(self) -> list[str]:
        """What the library printed last, without waiting for more."""
        return self._process.log.tail()

    def note_mark(self) -> None:
        """Count a mark that the worker has printed: one when loading ended, one for each failed run."""
        self._marks += 1

    def lines_to_mark(self) -> list[str]:
        """The last lines before the newest mark that was noted."""
        return self._process.log.tail_after_marks(self._marks)

    def describe_end(self) -> tuple[str, list[str]]:
        """How a lost worker ended, in words, and its last lines."""
        how = self._process.describe_end()
        return how, self._process.log.tail_after_end()

    def disown(self) -> None:
        """Let go of the worker in a forked child, without touching it."""
        self._channel.close()

    def close(self, *, kill: bool) -> None:
        """End the worker: in order, or at once."""
        if self._lent is None:
            self._poll.unregister(self._channel)
        else:
            self._lent.take_back()
            self._lent = None
        if kill:
            self._process.kill()
        else:
            self._process.stop()


def reported_error(
    content: dict[str, Any], lines: Sequence[str], default: type[ModelLoadError | GenerationError]
) -> RKLLMError:
    """The error a worker reported, as the class it was raised as, with the library's last lines."""
    if content["error"] == "ContextLengthExceeded":
        return errors.ContextLengthExceeded(content["n_prompt_tokens"], content["n_ctx"])
    kind = getattr(errors, str(content["error"]), default)
    message = str(content["message"])
    notices = [notice for line in lines if (notice := recognise(line)) is not None]
    for notice in notices:
        values = notice.values
        if notice.kind == "prompt_too_long" and "n_prompt_tokens" in values and "n_ctx" in values:
            return errors.ContextLengthExceeded(int(values["n_prompt_tokens"]), int(values["n_ctx"]))
    advice = explain(lines)
    if advice is not None:
        message = f"{message} {advice}"
    if issubclass(kind, (ModelLoadError, GenerationError)):
        return kind(message, lines)
    if kind in _PLAIN_ERRORS:
        return _PLAIN_ERRORS[kind](message)
    return default(message, lines)


_PLAIN_ERRORS: Final[dict[type[RKLLMError], Callable[[str], RKLLMError]]] = {
    errors.LibraryNotFound: errors.LibraryNotFound,
    errors.UnsupportedRuntime: errors.UnsupportedRuntime,
    errors.UnsupportedFeature: errors.UnsupportedFeature,
    errors.InvalidRequest: errors.InvalidRequest,
}
