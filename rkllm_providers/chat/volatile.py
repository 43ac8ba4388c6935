"""System messages that hold a clock, and what it must not cost.

A clock in the system message stands at the very beginning of every prompt: each time it ticks, nothing
behind it is in the KV cache any more, and a long conversation is read anew at every turn. So sentences of the
system message that tell the date or the time are said in the newest turn of the user. What was said so in a turn
is said there again when the conversation goes on, since the cache holds it there.

Conversations of different people share one memory of that, and must never hear from each other: what is
remembered is found again only by the whole system message, dates and times masked, and all that was said up to
the turn. So all that one could learn of another who said the very same is what time it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rkllm_providers.chat.types import ChatMessage

_MOST_TURNS: Final = 2048
_MOST_MOVED: Final = 1500
"""Characters; more than that is no clock, and would fill the window turn by turn."""
_MOST_SEARCHED: Final = 20_000
"""Characters; a longer system message is left as it is."""

# A sentence with the blanks behind it, or a line.
_PIECES: Final = re.compile(r".+?(?:[.!?。！？](?=\s|$)|[。！？]|$)\s*|\s+", re.MULTILINE | re.DOTALL)
_MONTHS: Final = (
    r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|janv|févr|mars|avr|juin|juil|"
    r"août|déc)[a-zäéûôíáó]{0,8}\.?"
)
_DATE: Final = (
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}|\d{{1,2}}\.? {_MONTHS} \d{{4}}|"
    rf"{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{4}}\s?年\s?\d{{1,2}}\s?月(?:\s?\d{{1,2}}\s?日)?"
)
_TIME: Final = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?"
_WEEKDAY: Final = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|"
    r"星期[一二三四五六日天]"
)
_MOMENT: Final = re.compile(rf"(?<![0-9A-Za-z.]) ?(?:{_DATE}|{_TIME}|\b(?:{_WEEKDAY})\b)", re.IGNORECASE)
# Without one of these a date is a fact like any other.
_NOW: Final = re.compile(
    r"\b(?:it is|it's|now|today|current\w{0,8}|date|time|datetime|timestamp|clock|heute|jetzt|"
    r"aktuell\w{0,8}|datum|uhrzeit|hoy|ahora|fecha|hora|"
    r"aujourd|maintenant|heure|oggi|adesso|ora)\b|今天|现在|現在|日期|时间|時間|当前|今日|сегодня|сейчас|время|дата",
    re.IGNORECASE,
)
_NOTE: Final = "System note: "
_MASK: Final = "\ufdd0"


class VolatileSystem:
    """Moves clocks out of the system messages of one model's conversations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: OrderedDict[bytes, str] = OrderedDict()

    def apply(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The conversation as it is to be rendered; the messages themselves stay as they are."""
        users = [number for number, message in enumerate(messages) if message.role == "user"]
        if not users or messages[0].role != "system" or len(messages[0].content) > _MOST_SEARCHED:
            return list(messages)
        pieces = _PIECES.findall(messages[0].content)
        clocks = [tells_the_moment(piece) for piece in pieces]
        now = "".join(piece for piece, is_clock in zip(pieces, clocks, strict=True) if is_clock).strip()
        if not now or len(now) > _MOST_MOVED:
            return list(messages)
        masked = [_MOMENT.sub(_MASK, piece) if clock else piece for piece, clock in zip(pieces, clocks, strict=True)]
        keys = _keys(json.dumps(masked), messages)
        newest = users[-1]
        with self._lock:
            if newest == len(messages) - 1 or keys[newest] not in self._said:
                # Otherwise the turn goes on, with a tool's result: what was said at its beginning stands.
                self._remember(keys[newest], now)
            moved = {number: self._said[key] for number, key in keys.items() if key in self._said}
        rendered = [
            replace(message, content=f"{message.content}\n\n{_NOTE}{moved[number]}") if number in moved else message
            for number, message in enumerate(messages)
        ]
        system = "".join(piece for piece, is_clock in zip(pieces, clocks, strict=True) if not is_clock).strip()
        return [replace(messages[0], content=system), *rendered[1:]] if system else rendered[1:]

    def _remember(self, key: bytes, now: str) -> None:
        self._said[key] = now
        self._said.move_to_end(key)
        if len(self._said) > _MOST_TURNS:
            self._said.popitem(last=False)


def tells_the_moment(sentence: str) -> bool:
    """Whether a sentence tells the date or the time that it is."""
    if _MOMENT.search(sentence) is None:
        return False
    # Or it is nothing but that.
    return _NOW.search(sentence) is not None or not re.search(r"\w", _MOMENT.sub("", sentence))


def _keys(system: str, messages: Sequence[ChatMessage]) -> dict[int, bytes]:
    """For each turn of the user, what identifies the conversation up to it."""
    digest = hashlib.sha256(system.encode())
    keys: dict[int, bytes] = {}
    for number, message in enumerate(messages[1:], 1):
        digest.update(json.dumps([message.role, message.content]).encode())
        if message.role == "user":
            keys[number] = digest.copy().digest()
    return keys
