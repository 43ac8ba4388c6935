"""What a file in the models folder is, and why it cannot be a model, as far as that is cheap to tell."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Final

from rkllm_providers.emulator.script import ScriptError, is_script, load_script
from rkllm_providers.models.gguf import MAGIC as GGUF_MAGIC
from rkllm_providers.models.gguf import head_problem

MODEL_SUFFIXES: Final = (".rkllm", ".gguf")
_HEAD_BYTES: Final = 64
# The weights of the smallest models that anybody converts take a hundred times as much.
LEAST_RKLLM_BYTES: Final = 1024 * 1024
# How files begin that are put in a model's place by accident.
_NO_MODELS: Final = {
    b"version https://git-lfs": "is a Git LFS pointer; download the model itself",
    b"<!doctype": "is a web page; download the model itself",
    b"<html": "is a web page; download the model itself",
    b"pk\x03\x04": "is a ZIP archive; unpack the model",
    b"\x1f\x8b": "is a gzip archive; unpack the model",
}


class ModelFormat(Enum):
    """What a model file is; ``.value`` is the word shown to people."""

    RKLLM = "rkllm"
    GGUF = "gguf"
    SCRIPT = "script"

    @property
    def runs_on_emulator(self) -> bool:
        """Whether the CPU emulator runs it, and not librkllmrt.so."""
        return self is not ModelFormat.RKLLM


def look_into(path: Path) -> tuple[ModelFormat, str | None]:
    """What a file is, told by its first bytes, and why it cannot be used; never fails."""
    kind = ModelFormat.RKLLM
    try:
        head = _beginning(path)
        kind = _format_of(head)
        problem = _beginning_problem(path, head)
        if problem is None and kind is ModelFormat.GGUF:
            problem = head_problem(path)
        elif problem is None and kind is ModelFormat.SCRIPT:
            load_script(path)
    except ScriptError as error:
        problem = f"{error}."
    except OSError as error:
        problem = unreadable(path, error)
    return kind, problem


def unreadable(path: Path, error: OSError) -> str:
    """The sentence about a file that the system does not let us read."""
    return f"{path} cannot be read: {error.strerror or error}."


def foreign_file(path: Path) -> str | None:
    """Why a file is none of ours at all: empty, or something put in its place by accident.

    Raises:
        OSError: It cannot be read.
    """
    return _foreign(path, _beginning(path))


def file_problem(path: Path) -> str | None:
    """Why a file cannot be a model, as far as its beginning and size tell.

    Raises:
        OSError: It cannot be read.
    """
    return _beginning_problem(path, _beginning(path))


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _format_of(head: bytes) -> ModelFormat:
    if head.startswith(GGUF_MAGIC):
        return ModelFormat.GGUF
    return ModelFormat.SCRIPT if is_script(head) else ModelFormat.RKLLM


def _foreign(path: Path, head: bytes) -> str | None:
    if not head:
        return f"{path} is empty."
    for beginning, what in _NO_MODELS.items():
        if head.lstrip()[: len(beginning)].lower() == beginning:
            return f"{path} {what}."
    return None


def _beginning_problem(path: Path, head: bytes) -> str | None:
    foreign = _foreign(path, head)
    if foreign is not None:
        return foreign
    if _format_of(head) is not ModelFormat.RKLLM:
        return None
    if path.suffix.lower() == ".gguf":
        return f"{path} is not a GGUF file."
    # The magic of .rkllm files is not published, so their size is all there is to judge by.
    size = path.stat().st_size
    if size < LEAST_RKLLM_BYTES:
        return f"{path} is too small to be a model ({size} bytes)."
    return None
