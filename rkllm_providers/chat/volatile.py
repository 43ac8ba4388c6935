"""System messages that change from turn to turn, and what they must not cost.

A clock in the system message stands at the very beginning of every prompt: each time it ticks, nothing
behind it is in the KV cache any more, and a long conversation is read anew at every turn. So sentences of the
system message that tell the date or the time, and sentences that were not there at the conversation's last turn,
are said in the newest turn of the user. What was said so in a turn is said there again when the conversation
goes on, since the cache holds it there.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rkllm_providers.chat.types import ChatMessage

_MOST_TURNS: Final = 2048
_MOST_MOVED: Final = 1500
"""Characters; more than that is no clock, and would fill the window turn by turn."""

# A sentence with the blanks behind it, or a line.
_PIECES: Final = re.compile(r".+?(?:[.!?。！？](?=\s|$)|[。！？]|$)\s*|\s+", re.MULTILINE | re.DOTALL)
_MONTHS: Final = (
    r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|janv|févr|mars|avr|juin|juil|"
    r"août|déc)[a-zäéûôíáó]*\.?"
)
_DATE: Final = (
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}|\d{{1,2}}\.? {_MONTHS} \d{{4}}|"
    rf"{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{4}}\s?年\s?\d{{1,2}}\s?月"
)
_TIME: Final = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?"
_WEEKDAY: Final = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|"
    r"星期[一二三四五六日天]"
)
_MOMENT: Final = re.compile(rf"(?<![0-9A-Za-z.]) ?(?:{_DATE}|{_TIME}|\b(?:{_WEEKDAY})\b)", re.IGNORECASE)
# Without one of these a date is a fact like any other.
_NOW: Final = re.compile(
    r"\b(?:it is|it's|now|today|current\w*|date|time|datetime|timestamp|clock|heute|jetzt|"
    r"aktuell\w*|datum|uhrzeit|hoy|ahora|fecha|hora|"
    r"aujourd|maintenant|heure|oggi|adesso|ora)\b|今天|现在|現在|日期|时间|時間|当前|今日|сегодня|сейчас|время|дата",
    re.IGNORECASE,
)
_NOTE: Final = "System note: "


@dataclass(frozen=True, slots=True)
class _Turn:
    """What was rendered at a turn of the user: the system message's sentences, and what was said in the turn."""

    kept: tuple[str, ...]
    moved: str


class VolatileSystem:
    """Moves what changes out of the system messages of one model's conversations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def apply(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The conversation as it is to be rendered; the messages themselves stay as they are."""
        users = [number for number, message in enumerate(messages) if message.role == "user"]
        if not users or messages[0].role != "system" or len(messages[0].content) == 0:
            return list(messages)
        keys = _keys(messages, users)
        pieces = _PIECES.findall(messages[0].content)
        with self._lock:
            before = self._turns.get(keys[users[-2]]) if len(users) > 1 else None
            turn = _settle(pieces, before)
            said = self._turns.get(keys[users[-1]])
            if said is not None and users[-1] < len(messages) - 1:
                # The turn goes on, with a tool's result: what was said at its beginning stands.
                turn = said
            if len(turn.moved) > _MOST_MOVED:
                return list(messages)
            self._remember(keys[users[-1]], turn)
            moved = {number: self._turns[key].moved for number, key in keys.items() if key in self._turns}
        rendered = [
            replace(message, content=f"{message.content}\n\n{_NOTE}{moved[number]}") if moved.get(number) else message
            for number, message in enumerate(messages)
        ]
        system = "".join(turn.kept).strip()
        if not turn.moved and len(turn.kept) == len(pieces):
            system = messages[0].content
        return [replace(messages[0], content=system), *rendered[1:]] if system else rendered[1:]

    def _remember(self, key: str, turn: _Turn) -> None:
        self._turns[key] = turn
        self._turns.move_to_end(key)
        if len(self._turns) > _MOST_TURNS:
            self._turns.popitem(last=False)


def _settle(pieces: Sequence[str], before: _Turn | None) -> _Turn:
    """Which sentences stay in the system message, and which are said in the turn."""
    if before is None:
        kept = [piece for piece in pieces if not tells_the_moment(piece)]
    else:
        # In the order of the last turn; a sentence that is gone leaves a gap that costs the cache once.
        there = Counter(pieces)
        kept = []
        for piece in before.kept:
            if there[piece] > 0:
                there[piece] -= 1
                kept.append(piece)
    rest = Counter(kept)
    moved: list[str] = []
    for piece in pieces:
        if rest[piece] > 0:
            rest[piece] -= 1
        else:
            moved.append(piece)
    return _Turn(tuple(kept), "".join(moved).strip())


def tells_the_moment(sentence: str) -> bool:
    """Whether a sentence tells the date or the time that it is."""
    found = _MOMENT.search(sentence)
    if found is None:
        return False
    if _NOW.search(sentence):
        return True
    # Or it is nothing but that.
    return not re.search(r"\w", _MOMENT.sub("", sentence))


def _keys(messages: Sequence[ChatMessage], users: Sequence[int]) -> dict[int, str]:
    """For each turn of the user, what identifies the conversation up to it, the system message left out."""
    digest = hashlib.sha256()
    keys: dict[int, str] = {}
    for number, message in enumerate(messages[1:], 1):
        digest.update(json.dumps([message.role, message.content]).encode())
        if message.role == "user":
            keys[number] = digest.copy().hexdigest()
    return keys
