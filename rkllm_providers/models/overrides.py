"""What a person wrote about a model: ``model.toml``, and the ``model_config.json`` of an older server.

``STEM.toml`` beside ``STEM.rkllm`` is for that model alone, ``model.toml`` for every model in its folder;
the first has the last word, key by key. A mistake in either is an error, so that no model runs without
what its owner wrote. The older server's file has the least to say, and what is wrong in it is left out.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rkllm_providers.durations import parse_keep_alive
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.families_table import FAMILY_BY_NAME
from rkllm_providers.models.override_tables import (
    AdapterNote,
    embedding_table,
    lora_table,
    reranking_table,
    vision_table,
)
from rkllm_providers.models.override_tables import Mistake as _Mistake
from rkllm_providers.models.override_tables import shown as _shown
from rkllm_providers.models.sampling_bounds import SAMPLING_BOUNDS
from rkllm_providers.models.side_files import (
    MODEL_TOML,
    OLD_CONFIG,
    SideFileError,
    check_name,
    parse_object,
    read_side_file,
)

LEAST_CONTEXT: Final = 16
LARGEST_CONTEXT: Final = 1_048_576
LARGEST_DOMAIN: Final = 255
CAPABILITIES: Final = ("thinking", "tools", "vision", "embedding", "reranking")
# From the least to the most that a value may be, and whether it is a whole number.
SAMPLING_RANGES: Final[Mapping[str, tuple[float, float, bool]]] = {
    name: (least, most, name == "top_k") for name, (least, most) in SAMPLING_BOUNDS.items()
}
# The older server's words for what a model can do; None: a word it used that says nothing here.
_OLD_WORDS: Final[Mapping[str, str | None]] = {
    "thinking": "thinking",
    "reasoning": "thinking",
    "tools": "tools",
    "vl": "vision",
    "vision": "vision",
    "embedding": "embedding",
    "reranking": "reranking",
    "reranker": "reranking",
    "instruct": None,
    "base": None,
}


@dataclass(frozen=True, slots=True)
class Overrides:
    """What was written, by key; ``sources`` has the file of each key, of those in tables as ``table.key``."""

    id: str | None = None
    aliases: tuple[str, ...] = ()
    family: str | None = None
    context_length: int | None = None
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    sampling: Mapping[str, float] = field(default_factory=dict)
    end_tokens: tuple[int | str, ...] = ()
    tokenizer: str | None = None
    chat_template: str | None = None
    keep_alive: str | float | None = None
    base_domain_id: int | None = None
    embedding: Mapping[str, Any] = field(default_factory=dict)
    reranking: Mapping[str, Any] = field(default_factory=dict)
    lora: Mapping[str, AdapterNote] = field(default_factory=dict)
    vision: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def file_names(self) -> tuple[str, ...]:
        """The files beside the model that were named."""
        named = (self.tokenizer, self.chat_template, self.vision.get("encoder"))
        return tuple(name for name in named if name is not None)


def read_overrides(model: Path) -> Overrides:
    """What the files beside a model say.

    Raises:
        SideFileError: A ``.toml`` file has a mistake, or cannot be read.
    """
    folder = model.parent
    found: list[tuple[str, dict[str, Any]]] = []
    notes: list[str] = []
    try:
        old = read_side_file(folder, OLD_CONFIG)
        if old is not None:
            found.append((OLD_CONFIG, parse_model_config(old, str(folder / OLD_CONFIG), notes)))
    except SideFileError as error:
        notes.append(f"{error} It is left out.")
    for name in dict.fromkeys((MODEL_TOML, f"{model.stem}.toml")):
        content = read_side_file(folder, name)
        if content is not None:
            found.append((name, parse_model_toml(content, str(folder / name))))
    return _merged(found, notes)


def parse_model_toml(content: bytes, what: str) -> dict[str, Any]:
    """The checked keys of a ``model.toml``.

    Raises:
        SideFileError: It is no TOML, or a key or value is not one that is known.
    """
    try:
        written = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise SideFileError(f"{what} is not TOML: {error}.") from error
    checked: dict[str, Any] = {}
    for key, value in written.items():
        if key not in _CHECKS:
            raise SideFileError(f"{what} has the unknown key {key!r}; known are {', '.join(_CHECKS)}.")
        try:
            checked[key] = _CHECKS[key](value)
        except _Mistake as mistake:
            raise SideFileError(f"{what}: {key} {mistake}.") from mistake
    return checked


def parse_model_config(content: bytes, what: str, notes: list[str]) -> dict[str, Any]:
    """The keys of the older server's file that make sense; of the others ``notes`` tells.

    Raises:
        SideFileError: It holds no JSON object.
    """
    checked: dict[str, Any] = {}
    for key, value in parse_object(content, what).items():
        try:
            if key == "capabilities":
                checked[key] = _old_capabilities(value, what, notes)
            elif key == "sampling":
                checked[key] = _old_sampling(value, what, notes)
            elif key == "context_length":
                checked[key] = _context(value)
            else:
                notes.append(f"{what} has the key {key[:40]!r}, which is not known and left out.")
        except _Mistake as mistake:
            notes.append(f"{what}: {key} {mistake}; it is left out.")
    return checked


def sampling_value(name: str, value: object) -> float:
    """A sampling parameter that makes sense.

    Raises:
        ValueError: It does not; the message begins with a verb.
    """
    least, most, whole = SAMPLING_RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise _Mistake(f"must be a {'whole ' if whole else ''}number, and is {_shown(value)}")
    assert isinstance(value, int | float)
    if not least <= value <= most or not math.isfinite(value):
        raise _Mistake(f"must be from {least:g} to {most:.7g}, and is {_shown(value)}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise _Mistake(f"must be a text, and is {_shown(value)}")
    return value.strip()


def _name(value: object) -> str:
    text = _text(value)
    if not text.isprintable() or "/" in text or "\\" in text:
        raise _Mistake(f"must be a name without slashes and control characters, and is {_shown(value)}")
    return text


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Mistake(f"must be a list of names, and is {_shown(value)}")
    return tuple(_name(item) for item in value)


def _family(value: object) -> str:
    name = _text(value).lower()
    if name not in FAMILY_BY_NAME:
        raise _Mistake(f"must be one of {', '.join(FAMILY_BY_NAME)}, and is {_shown(value)}")
    return name


def _context(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not LEAST_CONTEXT <= value <= LARGEST_CONTEXT:
        raise _Mistake(f"must be a whole number from {LEAST_CONTEXT} to {LARGEST_CONTEXT}, and is {_shown(value)}")
    return value


def _capabilities(value: object) -> dict[str, bool]:
    allowed = ", ".join(CAPABILITIES)
    if isinstance(value, list):
        unknown = [item for item in value if item not in CAPABILITIES]
        if unknown:
            raise _Mistake(f"must be a list of words out of {allowed}, and has {_shown(unknown[0])}")
        return {name: name in value for name in CAPABILITIES}
    if not isinstance(value, dict):
        raise _Mistake(f"must be a list out of {allowed}, or a table with true or false for each")
    for name, can in value.items():
        if name not in CAPABILITIES or not isinstance(can, bool):
            raise _Mistake(f"must have true or false for {allowed}, and has {name} = {_shown(can)}")
    return dict(value)


def _old_capabilities(value: object, what: str, notes: list[str]) -> dict[str, bool]:
    if not isinstance(value, list):
        raise _Mistake(f"must be a list of words, and is {_shown(value)}")
    can: dict[str, bool] = {}
    for word in value:
        name = _OLD_WORDS.get(word.lower(), "") if isinstance(word, str) else ""
        if name == "":
            notes.append(f"{what}: capabilities has {_shown(word)}, which is not known and left out.")
        elif name is not None:
            can[name] = True
    return can


def _old_sampling(value: object, what: str, notes: list[str]) -> dict[str, float]:
    """What is right of the older server's sampling defaults; of the rest ``notes`` tells, one by one."""
    if not isinstance(value, dict):
        raise _Mistake(f"must be a table of {', '.join(SAMPLING_RANGES)}, and is {_shown(value)}")
    checked: dict[str, float] = {}
    for name, given in value.items():
        try:
            checked |= _sampling({name: given})
        except _Mistake as mistake:
            notes.append(f"{what}: sampling {mistake}; {_shown(name)} alone is left out.")
    return checked


def _sampling(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _Mistake(f"must be a table of {', '.join(SAMPLING_RANGES)}, and is {_shown(value)}")
    checked: dict[str, float] = {}
    for name, given in value.items():
        if name not in SAMPLING_RANGES:
            raise _Mistake(f"has the unknown key {name!r}; known are {', '.join(SAMPLING_RANGES)}")
        try:
            checked[name] = sampling_value(name, given)
        except ValueError as error:
            raise _Mistake(f"has {name}, which {error}") from error
    return checked


def _end_tokens(value: object) -> tuple[int | str, ...]:
    if not isinstance(value, list) or not value:
        raise _Mistake(f"must be a list of token ids or texts, and is {_shown(value)}")
    for item in value:
        fits = bool(item) if isinstance(item, str) else isinstance(item, int) and 0 <= item < 1 << 31
        if isinstance(item, bool) or not fits:
            raise _Mistake(f"must be a list of token ids or texts, and has {_shown(item)}")
    return tuple(value)


def _file(value: object) -> str:
    name = _text(value)
    problem = check_name(name)
    if problem is not None:
        raise _Mistake(f"is {_shown(name)}, which {problem}")
    return name


def _keep_alive(value: object) -> str | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Mistake(f"must be seconds, a time such as '5m', or 'forever', and is {_shown(value)}")
    try:
        parse_keep_alive(value)
    except InvalidRequest as error:
        raise _Mistake(f"must be seconds, a time such as '5m', or 'forever', and is {_shown(value)}") from error
    return value


def _domain(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_DOMAIN:
        raise _Mistake(f"must be a whole number from 0 to {LARGEST_DOMAIN}, and is {_shown(value)}")
    return value


_CHECKS: Final[Mapping[str, Callable[[object], Any]]] = {
    "id": _name,
    "aliases": _names,
    "family": _family,
    "context_length": _context,
    "capabilities": _capabilities,
    "sampling": _sampling,
    "end_tokens": _end_tokens,
    "tokenizer": _file,
    "chat_template": _file,
    "keep_alive": _keep_alive,
    "base_domain_id": _domain,
    "embedding": embedding_table,
    "reranking": reranking_table,
    "lora": lora_table,
    "vision": vision_table,
}


def _merged(found: list[tuple[str, dict[str, Any]]], notes: list[str]) -> Overrides:
    """What several files say, those that come later with the last word."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, written in found:
        for key, value in written.items():
            if isinstance(value, dict):
                values[key] = {**values.get(key, {}), **value}
                sources |= {f"{key}.{part}": name for part in value}
            else:
                values[key] = value
                sources[key] = name
    return Overrides(**values, sources=sources, notes=tuple(notes))
