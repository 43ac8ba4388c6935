"""Date and time supplied by the service, for owners who keep them out of the system prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from rkllm_providers.chat.clocks import split_sentences

ClockMode = Literal["off", "date", "time"]

# In longer system messages nothing is moved (`rkllm_providers.chat.volatile`).
_LONGEST_SYSTEM: Final = 19_000
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def tell_moment(mode: Literal["date", "time"], now: datetime) -> str:
    """The sentence that says what day it is, or also what time."""
    day = f"{now:%Y-%m-%d}"
    weekday = _WEEKDAYS[now.weekday()]
    return f"Today is {weekday}, {day}." if mode == "date" else f"It is now {weekday}, {day}, {now:%H:%M}."


def with_moment(messages: Sequence[Mapping[str, Any]], sentence: str, *, moves: bool) -> list[Mapping[str, Any]]:
    """The messages with the sentence at the end of the newest user turn; as they are where a system message has one.

    Where the engine ``moves`` clocks out of system messages, the sentence is put there: the engine says it in the
    newest turn, and says again in earlier ones what was said there, so that they stay in the KV cache.
    """
    system = [place for place, message in enumerate(messages) if message.get("role") in ("system", "developer")]
    texts = [_text(messages[place].get("content")) for place in system]
    users = [place for place, message in enumerate(messages) if message.get("role") == "user"]
    if not users or any(one.moments for text in texts for one in split_sentences(text)):
        return list(messages)
    written = list(messages)
    if not moves or sum(map(len, texts)) > _LONGEST_SYSTEM:
        written[users[-1]] = _appended(messages[users[-1]], sentence)
    elif system and system[0] == 0:
        written[0] = _appended(messages[0], sentence)
    else:
        written.insert(0, {"role": "system", "content": sentence})
    return written


def _appended(message: Mapping[str, Any], sentence: str) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, list):
        return {**message, "content": [*content, {"type": "text", "text": f"\n\n{sentence}"}]}
    return {**message, "content": f"{content or ''}\n\n{sentence}".lstrip("\n")}


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""
