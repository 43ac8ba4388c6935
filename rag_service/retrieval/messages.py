"""What a ``JobProcess`` and its worker say to each other: frames of JSON and texts, behind their length.

Pages of megabytes go through here while other answers are streamed. Texts are sent as they are, because writing and
reading them as JSON takes tens of milliseconds in which the process does nothing else; and the notes of a result,
which may be tens of thousands, are not taken apart before somebody reads them.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import cached_property
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.files import FilePage, RawFile
from rag_service.retrieval.pipeline import Retrieved
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.turns import Decision
from rag_service.retrieval.types import Excerpt, Note, Source, Turn

HEAD_BYTES: Final = 4
MOST_BYTES: Final = 1 << 28
_HEAD: Final = struct.Struct(">I")
_TEXTS: Final = "texts"
_NOTE: Final = attrgetter(*(field.name for field in fields(Note)))


def pack_frame(message: dict[str, Any]) -> bytes:
    """A message as bytes: a line of JSON, and behind it the bytes of the list under ``texts``, if there is one.

    Raises:
        ValueError: It is larger than ``MOST_BYTES``.
    """
    # Half a surrogate pair, which text of strangers may hold, comes through too.
    texts = [text.encode("utf-8", "surrogatepass") for text in message.get(_TEXTS, ())]
    line = json.dumps({**message, _TEXTS: [len(text) for text in texts]}, separators=(",", ":")).encode("ascii")
    body = b"\n".join((line, b"".join(texts)))
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
    line, _, rest = body.partition(b"\n")
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("A message is a JSON object.")
    sizes = message.get(_TEXTS, [])
    if sum(sizes) != len(rest):
        raise ValueError(f"The texts of a message have {len(rest)} bytes, and {sum(sizes)} were announced.")
    ends = list(accumulate(sizes, initial=0))
    message[_TEXTS] = [rest[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(ends)]
    return message


def pack_job(
    sources: Sequence[Source], turns: Sequence[Turn], settings: RetrievalSettings, budget: int
) -> dict[str, Any]:
    """A job for the worker."""
    return {
        "kind": "job",
        "sources": [asdict(replace(source, text="")) for source in sources],
        "turns": [asdict(turn) for turn in turns],
        "settings": asdict(settings),
        "budget": budget,
        _TEXTS: [source.text for source in sources],
    }


def unpack_job(job: dict[str, Any]) -> tuple[list[Source], list[Turn], RetrievalSettings, int]:
    """What ``pack_job`` packed."""
    return (
        [Source(**source | {"text": text}) for source, text in zip(job["sources"], job[_TEXTS], strict=True)],
        [Turn(**turn) for turn in job["turns"]],
        RetrievalSettings(**job["settings"]),
        job["budget"],
    )


def pack_vectors(vectors: NDArray[np.float32], n_terms: list[int]) -> dict[str, Any]:
    """Vectors as JSON has them, and how many terms each is made of."""
    return {
        "shape": vectors.shape,
        "values": base64.b64encode(vectors.astype("<f4").tobytes()).decode(),
        "n": n_terms,
    }


def unpack_vectors(packed: dict[str, Any]) -> tuple[NDArray[np.float32], list[int]]:
    """What ``pack_vectors`` packed."""
    return np.frombuffer(base64.b64decode(packed["values"]), "<f4").reshape(packed["shape"]), packed["n"]


class PackedNotes(Sequence[Note]):
    """Notes, made of their JSON when they are first looked at."""

    def __init__(self, packed: str) -> None:
        self._packed = packed

    @cached_property
    def _notes(self) -> tuple[Note, ...]:
        return tuple(Note(*row) for row in json.loads(self._packed))

    def __getitem__(self, place: Any) -> Any:
        return self._notes[place]

    def __len__(self) -> int:
        return len(self._notes)

    def __eq__(self, other: object) -> bool:
        return self._notes == (other._notes if isinstance(other, PackedNotes) else other)

    def __hash__(self) -> int:
        return hash(self._notes)


def pack_file(file: RawFile) -> dict[str, Any]:
    """A file to read."""
    return {**asdict(file), "kind": "file", "body": base64.b64encode(file.body).decode(), "source_kind": file.kind}


def unpack_file(job: dict[str, Any]) -> RawFile:
    """What ``pack_file`` packed."""
    body = base64.b64decode(job["body"])
    return RawFile(body, job["media_type"], job["charset"], job["name"], job["source_kind"])


def pack_pages(pages: Sequence[FilePage]) -> list[dict[str, Any]]:
    """The pages of a file as JSON has them."""
    return [asdict(page) for page in pages]


def unpack_pages(packed: Sequence[dict[str, Any]]) -> list[FilePage]:
    """What ``pack_pages`` packed."""
    return [FilePage(**page) for page in packed]


def pack_retrieved(retrieved: Retrieved) -> dict[str, Any]:
    """A result as JSON has it; its notes are a text."""
    notes = json.dumps([_NOTE(note) for note in retrieved.notes], separators=(",", ":"))
    return {**asdict(replace(retrieved, notes=())), "notes": notes}


def unpack_retrieved(packed: dict[str, Any]) -> Retrieved:
    """What ``pack_retrieved`` packed."""
    decision = packed["decision"]
    return Retrieved(
        Decision(**decision | {"reasons": tuple(decision["reasons"])}),
        tuple(Excerpt(**excerpt) for excerpt in packed["excerpts"]),
        packed["tokens"],
        PackedNotes(packed["notes"]),
    )
