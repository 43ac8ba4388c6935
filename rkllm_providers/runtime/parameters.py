"""What goes into a handle and into a run, as plain values, and their checks.

ctypes cuts numbers that do not fit, silently; every value is therefore checked against its C type
before it is stored.
"""

from __future__ import annotations

import ctypes
import math
import os
from array import array
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.runtime.events import PerfStat
from rkllm_providers.runtime.features import Feature

ROLES = ("user", "tool")
"""The roles a prompt may have; there is no system or assistant role."""


@dataclass(frozen=True, kw_only=True)
class SamplingParams:
    """The nine values of the library's sampler; ``None`` keeps what was there before.

    The library's own defaults: top_k 40, top_p 0.9, temperature 0.8, repeat_penalty 1.1, both other
    penalties 0, mirostat 0 (off; 1 and 2 are its two versions) with tau 5.0 and eta 0.1. ``top_k=1`` is
    greedy. The seed cannot be chosen.
    """

    top_k: int | None = None
    top_p: float | None = None
    temperature: float | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    mirostat: int | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None


@dataclass(frozen=True)
class Markers:
    """The model's texts around a picture, and the token its rows stand for."""

    start: str = ""
    end: str = ""
    content: str = ""


@dataclass(frozen=True)
class InitParams:
    """How a model is loaded; ``None`` keeps the library's default.

    ``max_context_len`` is the context window in tokens, at most what the model was converted for;
    ``max_new_tokens`` bounds the answer of one run, -1 leaves it unbounded; ``n_keep`` is how many
    positions stay when the window shifts; ``skip_special_token`` delivers special tokens without their
    text. ``base_domain_id`` is the first NPU memory domain (about 4 GB each) to use: give models that
    do not fit together different ones. ``embed_flash`` leaves the embedding table on flash, which saves
    memory for one read per token. ``enabled_cpus_num`` must be the number of bits set in
    ``enabled_cpus_mask`` (bit 0 is CPU 0) and not below the number of NPU cores the model was converted
    for. What a runtime version lacks raises ``UnsupportedFeature``, see ``FEATURES``.

    ``markers`` are the texts around pictures, for all multimodal inputs that name none. ``embedding_size``
    is only checked against: the library reads rows of the model's size, whatever is behind their end.

    There is no batch size: a handle runs one input at a time, and sets the library's ``n_batch`` to 1.
    """

    model_path: str | os.PathLike[str]
    _: KW_ONLY
    max_context_len: int | None = None
    max_new_tokens: int | None = -1
    sampling: SamplingParams = SamplingParams()
    n_keep: int | None = None
    skip_special_token: bool | None = True
    ignore_eos_token: bool | None = None
    base_domain_id: int | None = None
    embed_flash: bool | None = None
    enabled_cpus_num: int | None = None
    enabled_cpus_mask: int | None = None
    markers: Markers | None = None
    embedding_size: int | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    ``finished`` says whether the library reported its end, ``perf`` what it measured (runtime 1.2.1 and
    later), ``aborted`` whether ``abort`` was called during the run. The library does not tell why it
    stopped. ``paused`` says whether the event handler asked for that.
    """

    finished: bool
    perf: PerfStat | None
    aborted: bool = False
    paused: bool = False


INIT_FEATURES: dict[str, Feature] = {
    "n_keep": Feature.N_KEEP,
    "ignore_eos_token": Feature.IGNORE_EOS_TOKEN,
    "embed_flash": Feature.EMBED_FLASH,
    "enabled_cpus_num": Feature.CPU_SELECTION,
    "enabled_cpus_mask": Feature.CPU_SELECTION,
}
"""Members of ``InitParams`` that not every version has."""

_BOUNDS: dict[Any, tuple[int, int]] = {
    ctypes.c_int8: (-(2**7), 2**7 - 1),
    ctypes.c_uint8: (0, 2**8 - 1),
    ctypes.c_int32: (-(2**31), 2**31 - 1),
    ctypes.c_uint32: (0, 2**32 - 1),
}
_FLOAT_MAX = 3.4028234663852886e38


def store(struct: ctypes.Structure, values: Any) -> None:
    """Write a dataclass's numbers, except ``None``, into the struct members of the same names.

    Raises ``InvalidRequest`` for what the C type cannot hold.
    """
    types = {field[0]: field[1] for field in struct._fields_}
    for field in fields(values):
        value, type_ = getattr(values, field.name), types.get(field.name)
        if value is not None and (type_ in _BOUNDS or type_ in (ctypes.c_float, ctypes.c_bool)):
            setattr(struct, field.name, _checked(field.name, value, type_))


def _checked(name: str, value: Any, type_: Any) -> Any:
    if type_ is ctypes.c_bool:
        return bool(value)
    if type_ is ctypes.c_float:
        if not math.isfinite(value) or abs(value) > _FLOAT_MAX:
            raise InvalidRequest(f"{name} must be a finite 32-bit number, not {value!r}.", param=name)
        return float(value)
    low, high = _BOUNDS[type_]
    if not low <= value <= high:
        raise InvalidRequest(f"{name} must be between {low} and {high}, not {value}.", param=name)
    return int(value)


def encode_text(text: str, param: str) -> bytes:
    """UTF-8 for a C string; raises ``InvalidRequest`` for NUL characters and lone surrogates."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"{param} holds a lone surrogate (U+{ord(text[error.start]):04X}) at position {error.start}, "
            "which is no character and has no UTF-8 form. Remove or replace it.",
            param=param,
        ) from None
    at = text.find("\0")
    if at >= 0:
        raise InvalidRequest(
            f"{param} holds a NUL character at position {at}; the library would read no further. Remove it.",
            param=param,
        )
    return data


def token_array(ids: Sequence[int] | array[int] | bytes | bytearray) -> array[int]:
    """Token ids as an ``array`` of int32; raises ``InvalidRequest`` for none, negative or too large ones."""
    tokens = array("i")
    try:
        if isinstance(ids, (bytes, bytearray)):
            tokens.frombytes(ids)
        else:
            # array.extend refuses arrays of another item type, but takes their items.
            tokens.extend(iter(ids) if isinstance(ids, array) and ids.typecode != "i" else ids)
    except OverflowError:
        raise InvalidRequest(f"Token ids must be below {2**31}; at least one is not.", param="ids") from None
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"Token ids must be 32-bit integers: {error}.", param="ids") from None
    if not tokens:
        raise InvalidRequest("There are no token ids; a run needs at least one.", param="ids")
    lowest = min(tokens)
    if lowest < 0:
        raise InvalidRequest(f"Token ids must not be negative; {lowest} is.", param="ids")
    return tokens
