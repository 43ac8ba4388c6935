"""Writes GGUF heads for tests."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from rkllm_providers.models.model_files import LEAST_RKLLM_BYTES

STRING, ARRAY = 8, 9
_SCALARS = {"u32": (4, "<I"), "i32": (5, "<i"), "f32": (6, "<f"), "bool": (7, "<?"), "u64": (10, "<Q")}


def string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(kind: str, content: Any) -> bytes:
    if kind == "str":
        return struct.pack("<I", STRING) + string(content)
    if kind.endswith("[]"):
        element = kind[:-2]
        head = struct.pack("<I", ARRAY)
        if element == "str":
            return head + struct.pack("<IQ", STRING, len(content)) + b"".join(string(item) for item in content)
        number, layout = _SCALARS[element]
        return (
            head + struct.pack("<IQ", number, len(content)) + b"".join(struct.pack(layout, item) for item in content)
        )
    number, layout = _SCALARS[kind]
    return struct.pack("<I", number) + struct.pack(layout, content)


def head(pairs: dict[str, tuple[str, Any]], version: int = 3, tensors: int = 0) -> bytes:
    body = b"".join(string(key) + value(kind, content) for key, (kind, content) in pairs.items())
    return b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs)) + body


def tensor(name: str, dimensions: list[int], kind: int, offset: int) -> bytes:
    """What stands behind the pairs for each tensor."""
    sizes = b"".join(struct.pack("<Q", size) for size in dimensions)
    return string(name) + struct.pack("<I", len(dimensions)) + sizes + struct.pack("<IQ", kind, offset)


def write_npu_file(path: Path, content: bytes) -> None:
    """An .rkllm file that is not refused for its size; what follows the content takes no room on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.truncate(max(len(content), LEAST_RKLLM_BYTES))
