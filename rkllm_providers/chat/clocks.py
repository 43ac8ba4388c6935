"""The sentences of a system message, and those of them that tell the date or the time that it is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Final

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
_MOMENT: Final = re.compile(
    rf"(?<![0-9A-Za-z.])(?:(?P<date>{_DATE})|(?P<time>{_TIME})|(?P<weekday>\b(?:{_WEEKDAY})\b))", re.IGNORECASE
)
# Without one of these a date is a fact like any other.
_NOW: Final = re.compile(
    r"\b(?:it is|it's|now|today|current\w{0,8}|date|time|datetime|timestamp|clock|heute|jetzt|"
    r"aktuell\w{0,8}|datum|uhrzeit|hoy|ahora|fecha|hora|"
    r"aujourd|maintenant|heure|oggi|adesso|ora)\b|今天|现在|現在|日期|时间|時間|当前|今日|сегодня|сейчас|время|дата",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or a line: ``written`` as it is, with the blanks behind it.

    A clock has ``moments``, the dates, times and weekdays in it as they are written, and the ``kinds`` of them
    (``date``, ``time``, ``weekday``); any other sentence has none. ``words`` are what stands around the moments, one
    more than there are moments, and ``digest`` is that of the words alone: a clock that ticks keeps it.
    """

    written: str
    words: tuple[str, ...]
    moments: tuple[str, ...]
    kinds: tuple[str, ...]
    digest: bytes

    @property
    def text(self) -> str:
        """Without the blanks around it."""
        return self.written.strip()

    def at(self, moments: Sequence[str]) -> str:
        """What it says, or would say at other moments (as many as its own)."""
        return "".join(chain.from_iterable(zip_longest(self.words, moments, fillvalue="")))


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of a text; what is ``written`` of them is the whole text."""
    return [_read(piece) for piece in _PIECES.findall(text)]


def tells_the_moment(sentence: str) -> bool:
    """Whether a sentence tells the date or the time that it is."""
    if _MOMENT.search(sentence) is None:
        return False
    # Or it is nothing but that.
    return _NOW.search(sentence) is not None or not re.search(r"\w", _MOMENT.sub("", sentence))


def _read(written: str) -> Sentence:
    text = written.strip()
    found = list(_MOMENT.finditer(text)) if tells_the_moment(text) else []
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    words = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
    digest = hashlib.blake2b(json.dumps(words).encode(), digest_size=16).digest()
    return Sentence(
        written, words, tuple(match[0] for match in found), tuple(match.lastgroup or "" for match in found), digest
    )
