"""What a ``RetrievalProcess`` and its worker say to each other: JSON behind four bytes of length."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rag_service.retrieval.pipeline import Retrieved
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.turns import Decision
from rag_service.retrieval.types import Excerpt, Note, Source, Turn

HEAD_BYTES: Final = 4
MOST_BYTES: Final = 1 << 28
_HEAD: Final = struct.Struct(">I")


def pack_frame(message: dict[str, Any]) -> bytes:
    """A message as bytes.

    Raises:
        ValueError: It is larger than ``MOST_BYTES``.
    """
    # ASCII, so that half a surrogate pair, which text of strangers may hold, comes through too.
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > MOST_BYTES:
        raise ValueError(f"A message of {len(body)} bytes is more than the {MOST_BYTES} that are sent at most.")
    return _HEAD.pack(len(body)) + body


def frame_size(head: bytes) -> int:
    """The bytes that follow a head.

    Raises:
        ValueError: They are more than ``MOST_BYTES``.
    """
    size: int = _HEAD.unpack(head)[0]
    if size > MOST_BYTES:
        raise ValueError(f"A message of {size} bytes is announced, and {MOST_BYTES} are taken at most.")
    return size


def unpack_frame(body: bytes) -> dict[str, Any]:
    """The message in a frame's body.

    Raises:
        ValueError: The body is cut off, or no JSON object.
    """
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError("A message is a JSON object.")
    return message


def pack_job(
    sources: Sequence[Source], turns: Sequence[Turn], settings: RetrievalSettings, budget: int
) -> dict[str, Any]:
    """A job for the worker."""
    return {
        "kind": "job",
        "sources": [asdict(source) for source in sources],
        "turns": [asdict(turn) for turn in turns],
        "settings": asdict(settings),
        "budget": budget,
    }


def unpack_job(job: dict[str, Any]) -> tuple[list[Source], list[Turn], RetrievalSettings, int]:
    """What ``pack_job`` packed."""
    return (
        [Source(**source) for source in job["sources"]],
        [Turn(**turn) for turn in job["turns"]],
        RetrievalSettings(**job["settings"]),
        job["budget"],
    )


def pack_retrieved(retrieved: Retrieved) -> dict[str, Any]:
    """A result as JSON has it."""
    return asdict(retrieved)


def unpack_retrieved(packed: dict[str, Any]) -> Retrieved:
    """What ``pack_retrieved`` packed."""
    decision = packed["decision"]
    return Retrieved(
        Decision(**decision | {"reasons": tuple(decision["reasons"])}),
        tuple(Excerpt(**excerpt) for excerpt in packed["excerpts"]),
        packed["tokens"],
        tuple(Note(**noted) for noted in packed["notes"]),
    )
