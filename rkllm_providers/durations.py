"""How long a model stays loaded without requests, as people write it."""

from __future__ import annotations

import math
import re
from typing import Final

from rkllm_providers.errors import InvalidRequest

FOREVER: Final = math.inf
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_keep_alive(value: str | float) -> float:
    """Seconds: a number, a text such as ``"90"``, ``"5m"`` or ``"1h30m"``, or ``"forever"`` (also any negative).

    Raises:
        InvalidRequest: It is none of these.
    """
    seconds = _seconds(value.strip().lower()) if isinstance(value, str) else float(value)
    if seconds is None or math.isnan(seconds):
        raise InvalidRequest(
            f"keep_alive is {value!r}; it must be a number of seconds, a time such as '5m' or '1h30m', or 'forever'.",
            "keep_alive",
        )
    return FOREVER if seconds < 0 else seconds


def _seconds(text: str) -> float | None:
    if text == "forever":
        return FOREVER
    sign = -1 if text.startswith("-") else 1
    parts = text.removeprefix("-")
    if parts and not _PART.sub("", parts):
        return sign * sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(parts))
    try:
        return float(text)
    except ValueError:
        return None
