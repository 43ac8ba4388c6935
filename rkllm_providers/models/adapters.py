"""The LoRA adapters of a model: which files there are, and that none is outside the model's folder.

An adapter lies in ``lora/`` beside the model, for every model of that folder, or in ``STEM.lora/``, for that
model alone; its name is the file's without the suffix. ``[lora.NAME]`` in ``model.toml`` names others, and
their scales. The folders are looked at for every request, so a new adapter needs no restart.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.override_tables import AdapterNote

_SUFFIXES: Final = (".rkllm", ".gguf")
_SHARED_FOLDER: Final = "lora"
_OWN_SUFFIX: Final = ".lora"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter that a run can ask for. ``stamp`` tells a file from the one that replaces it."""

    name: str
    path: Path
    scale: float
    stamp: tuple[int, int]


def is_adapter_folder(name: str) -> bool:
    """Whether a folder of this name holds adapters, and no models."""
    return name == _SHARED_FOLDER or name.endswith(_OWN_SUFFIX)


def adapter_names(model: Path, notes: Mapping[str, AdapterNote]) -> list[str]:
    """The names of the adapters there are for a model, whether they can be used or not."""
    return sorted(_candidates(model, notes))


def find_adapter(model: Path, notes: Mapping[str, AdapterNote], name: str) -> Adapter:
    """The adapter of this name.

    Raises:
        InvalidRequest: There is none, or it cannot be used; the error says why, or names those there are.
    """
    candidates = _candidates(model, notes)
    if name not in candidates:
        known = ", ".join(sorted(candidates)) or "none"
        raise InvalidRequest(
            f"There is no LoRA adapter {name!r} for this model; there are: {known}. "
            f"Adapters are files in the folder {_SHARED_FOLDER} beside the model.",
            "lora",
        )
    path = candidates[name]
    try:
        # Links are followed before it is asked where the file is, and its parts are compared, not its letters.
        real = path.resolve(strict=True)
        inside = real.is_relative_to(model.parent.resolve(strict=True))
        about = real.stat()
    except (OSError, RuntimeError) as error:
        raise InvalidRequest(f"The LoRA adapter {name!r} cannot be read: {error}.", "lora") from error
    if not inside:
        raise InvalidRequest(f"The LoRA adapter {name!r} leads out of the model's folder and is not used.", "lora")
    if not stat.S_ISREG(about.st_mode):
        raise InvalidRequest(f"The LoRA adapter {name!r} is no regular file.", "lora")
    note = notes.get(name, AdapterNote())
    return Adapter(name, real, note.scale, (about.st_mtime_ns, about.st_size))


def _candidates(model: Path, notes: Mapping[str, AdapterNote]) -> dict[str, Path]:
    """Adapters by name; those that are written down come last, and so replace others of their name."""
    folder = model.parent
    found: dict[str, Path] = {}
    for place in (folder / _SHARED_FOLDER, folder / f"{model.stem}{_OWN_SUFFIX}"):
        found |= {path.stem: path for path in _files(place)}
    return found | {name: folder / note.file for name, note in notes.items() if note.file is not None}


def _files(folder: Path) -> list[Path]:
    try:
        listed = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InvalidRequest(f"The folder of LoRA adapters cannot be listed: {error}.", "lora") from error
    return [path for path in listed if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")]
