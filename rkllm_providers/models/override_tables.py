"""The tables of ``model.toml`` about other uses of a model: what each key of them may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rkllm_providers.models.side_files import check_name
from rkllm_providers.models.vision_families import VISION_FAMILY_BY_NAME

POOLINGS: Final = ("last", "mean")
MOST_PIXELS: Final = 16_384
_MOST_CHARACTERS: Final = 10_000


class Mistake(ValueError):
    """A value is wrong; the message continues a sentence that begins with its key."""


@dataclass(frozen=True, slots=True)
class AdapterNote:
    """What was written about a LoRA adapter: ``file`` is ``None`` for one that lies in the adapters' folder."""

    file: str | None = None
    scale: float = 1.0


def shown(value: object) -> str:
    """A value as it is shown in an error."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def embedding_table(value: object) -> dict[str, Any]:
    """The checked ``[embedding]``."""
    return _checked(value, _EMBEDDING)


def reranking_table(value: object) -> dict[str, Any]:
    """The checked ``[reranking]``."""
    return _checked(value, _RERANKING)


def vision_table(value: object) -> dict[str, Any]:
    """The checked ``[vision]``."""
    return _checked(value, _VISION)


def lora_table(value: object) -> dict[str, AdapterNote]:
    """The checked ``[lora.NAME]``, by name."""
    if not isinstance(value, dict):
        raise Mistake(f"must be a table for each adapter, such as [lora.name], and is {shown(value)}")
    notes: dict[str, AdapterNote] = {}
    for name, about in value.items():
        if not name.strip() or not name.isprintable() or len(name) > 200:
            raise Mistake(f"has an adapter with the name {shown(name)}, which nobody can ask for")
        try:
            notes[name] = AdapterNote(**_checked(about, _ADAPTER))
        except Mistake as mistake:
            raise Mistake(f"has {name}, which {mistake}") from mistake
    return notes


def _checked(value: object, checks: Mapping[str, Callable[[object], Any]]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Mistake(f"must be a table of {', '.join(checks)}, and is {shown(value)}")
    checked: dict[str, Any] = {}
    for name, given in value.items():
        if name not in checks:
            raise Mistake(f"has the unknown key {name!r}; known are {', '.join(checks)}")
        try:
            checked[name] = checks[name](given)
        except Mistake as mistake:
            raise Mistake(f"has {name}, which {mistake}") from mistake
    return checked


def _pooling(value: object) -> str:
    if value not in POOLINGS:
        raise Mistake(f"must be one of {', '.join(POOLINGS)}, and is {shown(value)}")
    return str(value)


def _any_text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        raise Mistake(f"must be a text, and is {shown(value)}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Mistake(f"must be true or false, and is {shown(value)}")
    return value


def _prompt(value: object) -> str:
    text = _any_text(value)
    missing = [place for place in ("{query}", "{document}") if text.count(place) != 1]
    if missing or text.count("{instruction}") > 1:
        wrong = missing[0] if missing else "{instruction}"
        raise Mistake(
            f"must hold {{query}} and {{document}} once each, and may hold {{instruction}} once; "
            f"it has {text.count(wrong)} of {wrong}"
        )
    return text


def _token(value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise Mistake(f"must be the text or the id of a token, and is {shown(value)}")
    if isinstance(value, int) and not 0 <= value < 1 << 31:
        raise Mistake(f"must be the id of a token, and is {shown(value)}")
    return value


def _file_beside(value: object) -> str:
    name = _any_text(value)
    problem = check_name(name)
    if problem is not None:
        raise Mistake(f"is {shown(value)}, which {problem}")
    return name


def _vision_family(value: object) -> str:
    if not isinstance(value, str) or value.lower() not in VISION_FAMILY_BY_NAME:
        raise Mistake(f"must be one of {', '.join(VISION_FAMILY_BY_NAME)}, and is {shown(value)}")
    return value.lower()


def _whole(least: int, most: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Mistake(f"must be a whole number from {least} to {most}, and is {shown(value)}")
        return value

    return check


def _path_in_folder(value: object) -> str:
    text = _any_text(value)
    parts = text.replace("\\", "/").split("/")
    if not text.strip() or "\0" in text or parts[0] == "" or ".." in parts:
        raise Mistake(f"must be a path in the model's folder, and is {shown(value)}")
    return text


def _scale(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Mistake(f"must be a number, and is {shown(value)}")
    return float(value)


_EMBEDDING: Final[Mapping[str, Callable[[object], Any]]] = {
    "pooling": _pooling,
    "query_prefix": _any_text,
    "document_prefix": _any_text,
    "instruction": _any_text,
    "end": _any_text,
    "normalize": _flag,
}
_RERANKING: Final[Mapping[str, Callable[[object], Any]]] = {
    "prompt": _prompt,
    "instruction": _any_text,
    "yes": _token,
    "no": _token,
}
_VISION: Final[Mapping[str, Callable[[object], Any]]] = {
    "encoder": _file_beside,
    "family": _vision_family,
    "start": _any_text,
    "end": _any_text,
    "content": _any_text,
    "width": _whole(1, MOST_PIXELS),
    "height": _whole(1, MOST_PIXELS),
    "cores": _whole(1, 3),
}
_ADAPTER: Final[Mapping[str, Callable[[object], Any]]] = {"file": _path_in_folder, "scale": _scale}
