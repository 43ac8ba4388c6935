"""The files beside a model that say something about it: which there are, and how they are read.

They come from strangers as the models do. Only regular files in the model's own folder are read, and
none beyond its bound.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

MODEL_TOML: Final = "model.toml"
OLD_CONFIG: Final = "model_config.json"
CONFIG: Final = "config.json"
GENERATION_CONFIG: Final = "generation_config.json"
TOKENIZER: Final = "tokenizer.json"
TOKENIZER_CONFIG: Final = "tokenizer_config.json"
CHAT_TEMPLATE: Final = "chat_template.jinja"
SENTENCE_CONFIG: Final = "config_sentence_transformers.json"
POOLING: Final = "1_Pooling/config.json"
_NAMES: Final = (
    *(MODEL_TOML, OLD_CONFIG, CONFIG, GENERATION_CONFIG, TOKENIZER, TOKENIZER_CONFIG, CHAT_TEMPLATE),
    *(SENTENCE_CONFIG, POOLING),
)

MOST_CONFIG_BYTES: Final = 1024 * 1024
MOST_TOKENIZER_BYTES: Final = 64 * 1024 * 1024

Stamp = tuple[str, int, int]
"""A file's name, its time of modification in nanoseconds and its size; 0 and -1 where there is none."""


class SideFileError(ValueError):
    """A file beside a model cannot be used; the message names it and says why."""


def side_file_names(model: Path) -> tuple[str, ...]:
    """The names of files that are read for a model where they are beside it."""
    own = f"{model.stem}.toml"
    return _NAMES if own == MODEL_TOML else (own, *_NAMES)


def stamps(folder: Path, names: Iterable[str]) -> tuple[Stamp, ...]:
    """What tells whether one of these files came, went or changed."""
    where = str(folder)  # each request asks: a path object for each name would be most of what it costs
    return tuple(_stamp(where, name) for name in names)


def _stamp(folder: str, name: str) -> Stamp:
    try:
        found = os.stat(f"{folder}{os.sep}{name}")
    except OSError:
        return name, 0, -1
    return name, found.st_mtime_ns, found.st_size


def check_name(name: str) -> str | None:
    """Why a name given by a file cannot be that of a file beside it; ``None`` where it can."""
    if not name.strip() or name in (".", "..") or "\0" in name:
        return "is no file name"
    if "/" in name or "\\" in name:
        return "leaves the model's folder; put the file beside the model and give its name alone"
    return None


def read_side_file(folder: Path, name: str, most_bytes: int = MOST_CONFIG_BYTES) -> bytes | None:
    """A file's content; ``None`` where there is no such file.

    Raises:
        SideFileError: It is no regular file, is too large, or cannot be read.
    """
    path = folder / name
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SideFileError(f"{path} is no regular file.")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, SideFileError):
            raise
        raise SideFileError(f"{path} cannot be read: {error}.") from error
    if len(content) > most_bytes:
        raise SideFileError(f"{path} has more than {most_bytes} bytes.")
    return content


def parse_object(content: bytes, what: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        SideFileError: There is none.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SideFileError(f"{what} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise SideFileError(f"{what} holds no JSON object.")
    return value


def read_object(folder: Path, name: str) -> dict[str, Any] | None:
    """The JSON object in a file beside a model; ``None`` where there is no such file.

    Raises:
        SideFileError: It cannot be read, or holds something else.
    """
    content = read_side_file(folder, name)
    return None if content is None else parse_object(content, str(folder / name))
