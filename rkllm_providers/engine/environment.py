"""The limits of engines as the environment (``RKLLM_…``) says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from rkllm_providers.durations import parse_keep_alive
from rkllm_providers.engine.kept_states import KeptStateSettings
from rkllm_providers.engine.limits import parse_chunk
from rkllm_providers.engine.memory import parse_size
from rkllm_providers.engine.run import EngineLimits
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.vision import PictureLimits


def environment_limits() -> EngineLimits:
    """The limits of engines that nobody gave any, with what the environment says.

    Raises:
        InvalidRequest: It says something that cannot be read.
    """
    return EngineLimits(
        keep_alive=parse_keep_alive(os.environ.get("RKLLM_KEEP_ALIVE") or "forever"),
        worker_memory=parse_size(os.environ.get("RKLLM_WORKER_MEMORY_LIMIT") or "off"),
        prefill_chunk=parse_chunk(os.environ.get("RKLLM_PREFILL_CHUNK") or "off"),
        kept_states=_kept_states(),
        pictures=_pictures(),
        picture_cache=parse_size(os.environ.get("RKLLM_PICTURE_CACHE")) or EngineLimits().picture_cache,
        load_encoder=_is_set("RKLLM_LOAD_ENCODER"),
    )


def _pictures() -> PictureLimits:
    """What the environment says of pictures.

    Raises:
        InvalidRequest: It says something that cannot be read.
    """
    default = PictureLimits()
    return PictureLimits(
        parse_size(os.environ.get("RKLLM_PICTURE_BYTES")) or default.max_bytes,
        _number("RKLLM_PICTURE_PIXELS", default.max_pixels),
        _number("RKLLM_PICTURE_COUNT", default.max_pictures),
    )


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise InvalidRequest(f"{variable} is {text!r}; it must be a whole number from 1 on.")
    return int(text)


def _is_set(variable: str) -> bool:
    return (os.environ.get(variable) or "").lower() in ("1", "true", "yes", "on")


def _kept_states() -> KeptStateSettings:
    """What the environment says about kept states.

    Raises:
        InvalidRequest: It says something that cannot be read.
    """
    named = os.environ.get("RKLLM_KEPT_STATES_DIR")
    default = KeptStateSettings()
    return KeptStateSettings(
        mode=_mode(os.environ.get("RKLLM_KEPT_STATES") or "off"),
        folder=Path(named) if named else None,
        max_bytes=parse_size(os.environ.get("RKLLM_KEPT_STATES_SIZE")) or default.max_bytes,
        max_bytes_per_day=parse_size(os.environ.get("RKLLM_KEPT_STATES_PER_DAY")) or default.max_bytes_per_day,
        persist=_is_set("RKLLM_KEPT_STATES_PERSIST"),
    )


def _mode(value: str) -> Literal["off", "auto"]:
    """Whether states are kept.

    Raises:
        InvalidRequest: It is neither ``off`` nor ``auto``.
    """
    mode = value.strip().lower()
    if mode == "off":
        return "off"
    if mode == "auto":
        return "auto"
    raise InvalidRequest(f"kept_states is {value!r}; it must be 'off' or 'auto'.", "kept_states")
