"""How a model sees: which ``.rknn`` vision encoder belongs to it, and of which family the two are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.model_files import MODEL_SUFFIXES, foreign_file
from rkllm_providers.models.overrides import Overrides
from rkllm_providers.models.vision_families import VisionFamily, find_vision_family, tell_vision_family

ENCODER_SUFFIX: Final = ".rknn"
# Words that the two files of one model may differ in: what each is, for which chip, and in which data type.
_OWN_WORDS: Final = re.compile(
    r"vision|visual|vit|encoder|llm|language|decoder|image|mmproj|npu|rk\d+|rv\d+b?|w\d+a\d+|g\d+|fp16|fp32|int8|i8|opt|\d+core"
)


@dataclass(frozen=True, slots=True)
class ModelVision:
    """How a model sees: its encoder, a ``.rknn`` file, and its family.

    ``family`` is ``None`` where it is not known, and ``problem`` says then what to do. ``width`` and ``height`` are
    the owner's word on the size in pixels that the decoder is told, ``n_cores`` on the NPU cores of the encoder;
    ``None``: the encoder's own, and the library's choice.
    """

    encoder: Path
    family: VisionFamily | None
    problem: str | None = None
    width: int | None = None
    height: int | None = None
    n_cores: int | None = None


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The encoder of a model, or why it has none: ``problem`` is ``None`` where nothing speaks of one."""

    path: Path | None = None
    source: str = ""
    problem: str | None = None


def find_vision(
    model: Path, overrides: Overrides, sees: str | None, architectures: Sequence[str], notes: list[str]
) -> tuple[ModelVision | None, dict[str, tuple[str, str]]]:
    """How a model sees, and facts about it as value and source; ``None`` without an encoder.

    ``sees`` is what shows that the model was made for pictures. What is missing is added to ``notes``.
    """
    written = overrides.vision
    if overrides.capabilities.get("vision") is False:
        return None, {}
    choice = find_encoder(model, written)
    if choice.path is None:
        # A source: the file is this model's, whatever is wrong with it. Without one it may be another's.
        if choice.problem is not None and (written or sees or choice.source):
            notes.append(choice.problem)
        elif sees and model.suffix.lower() == ".rkllm":
            notes.append(f"To give it pictures, put its vision encoder, a .rknn file, into {model.parent}.")
        return None, {}
    family, problem = None, None
    try:
        family = find_vision_family(
            model.stem, written, architectures=architectures, toml=str(model.with_suffix(".toml"))
        )
    except InvalidRequest as error:
        problem = str(error)
        notes.append(problem)
    width, height, n_cores = (written.get(key) for key in ("width", "height", "cores"))
    _, told_by = tell_vision_family(model.stem, written.get("family"), architectures)
    facts = {
        "vision encoder": (choice.path.name, overrides.sources.get("vision.encoder", choice.source)),
        "vision family": (
            family.name if family is not None else "unknown",
            overrides.sources.get("vision.family", told_by),
        ),
    }
    return ModelVision(choice.path, family, problem, width, height, n_cores), facts


def encoder_names(folder: Path) -> tuple[str, ...]:
    """The names of the encoders in a folder; none where it cannot be listed."""
    return _names(folder, (ENCODER_SUFFIX,))


def find_encoder(model: Path, written: Mapping[str, Any]) -> EncoderChoice:
    """The encoder of a model. ``written`` is the ``[vision]`` of its ``model.toml``.

    It lies beside the model and is named there, or has the model's name, or a name that differs only in words such as
    ``vision``, ``llm``, ``rk3588`` or ``w8a8``; or each is the only one of its kind in the folder.
    """
    folder = model.parent
    if "encoder" in written:
        return _usable(folder / written["encoder"], "model.toml")
    names = encoder_names(folder)
    if not names:
        return EncoderChoice()
    own = f"{model.stem}{ENCODER_SUFFIX}"
    if own in names:
        return _usable(folder / own, "its name")
    alike = [name for name in names if _words(name) == _words(model.name)]
    if len(alike) == 1:
        return _usable(folder / alike[0], "its name")
    if not alike and len(names) == 1 and len(_names(folder, MODEL_SUFFIXES)) == 1:
        return _usable(folder / names[0], "the only one beside the model")
    return EncoderChoice(
        problem=f"Beside the model are the vision encoders {', '.join(alike or names)}: if one of them is its own, "
        f'write encoder = "…" into [vision] of {model.with_suffix(".toml")}.'
    )


def _usable(path: Path, source: str) -> EncoderChoice:
    try:
        problem = None if path.is_file() else f"{path} is no file."
        problem = problem or foreign_file(path)
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror or error}."
    return EncoderChoice(path if problem is None else None, source, problem)


def _names(folder: Path, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    try:
        listed = sorted(path.name for path in folder.iterdir())
    except OSError:
        return ()  # Whoever reads the model says so.
    return tuple(name for name in listed if not name.startswith(".") and name.lower().endswith(suffixes))


def _words(name: str) -> tuple[str, ...]:
    """The words of a file's name that say which model it is of."""
    parts = re.split(r"[\s_-]+", name.lower().rpartition(".")[0])
    return tuple(part for part in parts if part and not _OWN_WORDS.fullmatch(part))
