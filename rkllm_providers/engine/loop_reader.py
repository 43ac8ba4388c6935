"""Reading a run's tokens on the event loop that waits for them.

Through the engine's thread every token costs a second thread's wake-up and a handing over of the
interpreter lock, which is most of what the engine costs. So while a run whose consumer is a coroutine
is under way, that consumer's loop reads the worker's socket itself. Everything but tokens, and the
socket whenever the loop is too busy to read it, goes back to the engine's thread.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from rkllm_providers.engine.frames import Frame, FrameError, FrameReader
from rkllm_providers.engine.run import token_items
from rkllm_providers.engine.streams import AsyncStream

_RECEIVE_BYTES: Final = 1 << 18

# Called on the loop, once, with the frames that are not the loop's and whether the socket was closed.
GiveBack = Callable[[Sequence[Frame], bool], None]


class LoopReader:
    """Lends a worker's socket to an event loop for one run.

    ``start`` and ``take_back`` are the engine thread's, the rest happens on the loop. The lock makes
    sure that exactly one of the two reads, and that what was read is delivered in its order.
    """

    def __init__(
        self, channel: socket.socket, reader: FrameReader, run_id: int, stream: AsyncStream, give_back: GiveBack
    ) -> None:
        self._channel = channel
        self._reader = reader
        self._run_id = run_id
        self._stream = stream
        self._give_back = give_back
        self._lock = threading.Lock()
        self._ended = False
        self._descriptor = -1
        self.last_read = time.monotonic()
        self.heard_at = 0.0

    def start(self) -> bool:
        """Hand the socket over; ``False`` if the loop is closed already."""
        try:
            self._stream.loop.call_soon_threadsafe(self._attach)
        except RuntimeError:
            return False
        return True

    def take_back(self) -> bool:
        """Make the socket the engine's again; ``False`` if the loop has given it back itself."""
        with self._lock:
            was_lent, self._ended = not self._ended, True
        if was_lent:
            try:
                self._stream.loop.call_soon_threadsafe(self._detach)
            except RuntimeError:
                self._close_descriptor()  # a closed loop watches nothing any more
        return was_lent

    def _attach(self) -> None:
        with self._lock:
            if self._ended:
                return
            # A descriptor of its own: a number that was closed and used again would confuse the loop.
            self._descriptor = os.dup(self._channel.fileno())
        self._stream.loop.add_reader(self._descriptor, self._on_readable)

    def _detach(self) -> None:
        if self._descriptor >= 0:
            self._stream.loop.remove_reader(self._descriptor)
        self._close_descriptor()

    def _close_descriptor(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _on_readable(self) -> None:
        with self._lock:
            if self._ended:
                return
            try:
                data = self._channel.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""  # a lost connection, like a closed one, is the engine's business
            self.last_read = self.heard_at = time.monotonic()
            try:
                received = self._reader.feed(data)
            except FrameError:
                data, received = b"", []
            items, others = token_items(received, self._run_id)
            if items:
                self._stream.put_on_loop(items)
            if data and not others:
                return
            self._ended = True
        self._detach()
        self._give_back(others, not data)
