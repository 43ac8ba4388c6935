"""The binary frames between an engine and its worker process.

A frame is ``length: u32, kind: u8`` and then ``length`` bytes, all little-endian. Tokens are the
hot path and have a layout of their own; everything else is JSON, followed in ``RUN`` by the prompt.

======== ============== ================================================================
kind     direction      content
======== ============== ================================================================
LOAD     to worker      JSON: what to load
RUN      to worker      u32 length of the JSON, JSON, then int32 token ids or UTF-8 text and pictures
ABORT    to worker      u32 run id
CLOSE    to worker      nothing
READY    from worker    JSON: what was loaded
FAILED   from worker    JSON: why loading failed; the worker then ends
TOKEN    from worker    u32 run id, i32 token id, bytes of text
WAITING  from worker    u32 run id, i32 token id: a token that ends inside a character
VECTOR   from worker    u32 run id, float32 values: what a run without tokens was for
DONE     from worker    JSON: how a run ended
======== ============== ================================================================
"""

from __future__ import annotations

import json
import struct
from enum import IntEnum
from typing import Any, Final, NamedTuple


class FrameKind(IntEnum):
    """What a frame is."""

    LOAD = 1
    RUN = 2
    ABORT = 3
    CLOSE = 4
    READY = 5
    FAILED = 6
    TOKEN = 7
    WAITING = 8
    DONE = 9
    VECTOR = 10


class Frame(NamedTuple):
    """A received frame. ``run_id`` is set for tokens, vectors and aborts only, ``token_id`` for tokens."""

    kind: int
    run_id: int
    token_id: int
    body: bytes


_HEADER: Final = struct.Struct("<IB")
_TOKEN: Final = struct.Struct("<IBIi")
_ABORT: Final = struct.Struct("<IBI")
_TOKEN_EXTRA: Final = _TOKEN.size - _HEADER.size
_LENGTH: Final = struct.Struct("<I")
MAX_FRAME: Final = 256 * 1024 * 1024

# A line the worker prints so that its engine knows that all earlier output has arrived.
LOG_MARK: Final = b"\x1erkllm-worker-mark\x1e"

_TOKEN_KIND: Final = int(FrameKind.TOKEN)
_WAITING_KIND: Final = int(FrameKind.WAITING)
_TOKEN_KINDS: Final = (_TOKEN_KIND, _WAITING_KIND)
_ABORT_KIND: Final = int(FrameKind.ABORT)
_VECTOR_KIND: Final = int(FrameKind.VECTOR)


class FrameError(ConnectionError):
    """The other side sent something that is not a frame."""


def pack_json(kind: FrameKind, content: Any, blob: bytes = b"") -> bytes:
    """A frame that carries JSON and, for ``RUN``, a prompt behind it."""
    head = json.dumps(content).encode()
    if kind is FrameKind.RUN:
        head = _LENGTH.pack(len(head)) + head
    return _HEADER.pack(len(head) + len(blob), kind) + head + blob


def unpack_json(body: bytes) -> Any:
    """The content of a JSON frame."""
    return json.loads(body)


def unpack_run(body: bytes) -> tuple[Any, bytes]:
    """The JSON and the prompt of a ``RUN`` frame."""
    (length,) = _LENGTH.unpack_from(body)
    end = _LENGTH.size + length
    return json.loads(body[_LENGTH.size : end]), body[end:]


def pack_token(run_id: int, token_id: int, text: bytes) -> bytes:
    """A ``TOKEN`` frame."""
    return _TOKEN.pack(_TOKEN_EXTRA + len(text), _TOKEN_KIND, run_id, token_id) + text


def pack_waiting(run_id: int, token_id: int) -> bytes:
    """A ``WAITING`` frame."""
    return _TOKEN.pack(_TOKEN_EXTRA, _WAITING_KIND, run_id, token_id)


def pack_abort(run_id: int) -> bytes:
    """An ``ABORT`` frame."""
    return _ABORT.pack(_LENGTH.size, _ABORT_KIND, run_id)


def pack_vector(run_id: int, values: bytes) -> bytes:
    """A ``VECTOR`` frame."""
    return _ABORT.pack(_LENGTH.size + len(values), _VECTOR_KIND, run_id) + values


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._rest = b""
        # A long frame is put together once, and not again with each piece of it.
        self._pieces: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take more bytes; return the frames that are complete.

        Raises:
            FrameError: The stream is not made of frames.
        """
        if self._missing > len(data):
            self._pieces.append(data)
            self._missing -= len(data)
            return []
        if self._rest or self._pieces:
            data = b"".join([self._rest, *self._pieces, data])
            self._pieces.clear()
        frames: list[Frame] = []
        at, size, self._missing = 0, len(data), 0
        header_size, token_size = _HEADER.size, _TOKEN.size
        while size - at >= header_size:
            length, kind = _HEADER.unpack_from(data, at)
            if length > MAX_FRAME:
                raise FrameError(f"A frame announces {length} bytes; {MAX_FRAME} is the most.")
            end = at + header_size + length
            if end > size:
                self._missing = end - size
                break
            if kind in _TOKEN_KINDS:
                _, _, run_id, token_id = _TOKEN.unpack_from(data, at)
                frames.append(Frame(kind, run_id, token_id, data[at + token_size : end]))
            elif kind == _ABORT_KIND:
                frames.append(Frame(kind, _ABORT.unpack_from(data, at)[2], 0, b""))
            elif kind == _VECTOR_KIND:
                frames.append(Frame(kind, _ABORT.unpack_from(data, at)[2], 0, data[at + _ABORT.size : end]))
            else:
                frames.append(Frame(kind, 0, 0, data[at + header_size : end]))
            at = end
        self._rest = data[at:]
        return frames
