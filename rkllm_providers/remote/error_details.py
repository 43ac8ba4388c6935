"""Errors over the wire: what a service says of one, so that it is raised again as the same class.

The message goes where the wire format has it. Beside it stand the class's name and the attributes that callers
act on, by the table here: nothing else of an error travels, and nothing else is taken from a stranger's answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from rkllm_providers import errors

Check = Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count_or_none(value: object) -> bool:
    return value is None or _is_count(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


_LOG: Final[Mapping[str, Check]] = {"log_tail": _is_texts}
_PARAM: Final[Mapping[str, Check]] = {"param": _is_text_or_none}

# From the special to the general: the first class an error is an instance of is the one that travels.
_ATTRIBUTES: Final[Mapping[type[errors.RKLLMError], Mapping[str, Check]]] = {
    errors.LibraryNotFound: {},
    errors.UnsupportedFeature: {},
    errors.UnsupportedRuntime: {},
    errors.ModelNotFound: {"model": _is_text, "known": _is_texts, "could_be": _is_texts, "broken": _is_texts},
    errors.ModelLoadError: _LOG,
    errors.NPUBusy: {"holder_pid": _is_count_or_none, "base_url": _is_text_or_none, "models": _is_texts},
    errors.ContextLengthExceeded: {
        **_PARAM,
        "n_prompt_tokens": _is_count,
        "n_ctx": _is_count,
        "at_least": _is_flag,
        "index": _is_count_or_none,
    },
    errors.InvalidRequest: _PARAM,
    errors.QueueFull: {"waiting": _is_count, "bound": _is_count, "retry_after": _is_number},
    errors.RequestTimeout: {"phase": _is_text, "limit_seconds": _is_number},
    errors.RequestCancelled: {},
    errors.InvalidOutput: {**_LOG, "text": _is_text, "problem": _is_text},
    errors.RknnError: {**_LOG, "code": _is_count_or_none, "name": _is_text, "function": _is_text},
    errors.WorkerCrashed: _LOG,
    errors.GenerationError: _LOG,
    errors.EngineClosed: {},
    errors.ServiceUnreachable: {"base_url": _is_text},
    errors.RKLLMError: {},
}
_BY_NAME: Final = {cls.__name__: cls for cls in _ATTRIBUTES}


def describe_error(error: errors.RKLLMError) -> dict[str, Any]:
    """The name of an error's class, as ``class``, and its attributes: all of it fit for JSON."""
    cls = next(cls for cls in _ATTRIBUTES if isinstance(error, cls))
    details: dict[str, Any] = {"class": cls.__name__}
    for name in _ATTRIBUTES[cls]:
        value = getattr(error, name)
        details[name] = [writable(item) for item in value] if isinstance(value, tuple) else writable(value)
    return details


def writable(value: Any) -> Any:
    """A value as it is, but halves of surrogate pairs, which can be sent and not be sent back, spelled out."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def rebuild_error(details: object, message: str) -> errors.RKLLMError | None:
    """The error that ``describe_error`` described; ``None`` where the details are not of that kind."""
    if not isinstance(details, dict):
        return None
    cls = _BY_NAME.get(str(details.get("class")))
    if cls is None:
        return None
    checks = _ATTRIBUTES[cls]
    if not all(name in details and check(details[name]) for name, check in checks.items()):
        return None
    # The message is whole already: what __init__ would make of attributes is in it.
    error = cls.__new__(cls, message)
    error.args = (message,)
    for name in checks:
        value = details[name]
        setattr(error, name, tuple(value) if isinstance(value, list) else value)
    return error
