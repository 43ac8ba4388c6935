"""Server-sent events, read from the bytes of a response as they come.

After the WHATWG HTML standard, section 9.2.6 (interpreting an event stream); of an event only its data is kept.
"""

from __future__ import annotations

import codecs
from typing import Final

_MOST_CHARACTERS: Final = 64 * 1024 * 1024


class EventTooLarge(ValueError):
    """An event is larger than any that is sent on purpose."""


class EventParser:
    """Bytes, cut anywhere, to the data of events."""

    def __init__(self, most_characters: int = _MOST_CHARACTERS) -> None:
        self._most = most_characters
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line: list[str] = []  # what is there of a line whose end is not
        self._data: list[str] = []
        self._size = 0
        self._after_return = False

    def feed(self, received: bytes) -> list[str]:
        """The data of all events that are complete with these bytes.

        Raises:
            EventTooLarge: An event has no end within the bound.
        """
        text = self._decoder.decode(received)
        if not text:
            return []
        if self._after_return and text.startswith("\n"):
            text = text[1:]  # the second half of a line's end whose first half was there already
        self._after_return = text.endswith("\r") if text else False
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        events: list[str] = []
        for line in lines:
            self._line.append(line)
            self._take("".join(self._line), events)
            self._line = []
        if rest:
            self._line.append(rest)
            self._grow(len(rest))
        return events

    def _take(self, line: str, events: list[str]) -> None:
        if not line:
            if self._data:
                events.append("\n".join(self._data))
            self._data = []
            self._size = 0
            return
        field, _, value = line.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
            self._grow(len(value))

    def _grow(self, characters: int) -> None:
        self._size += characters
        if self._size > self._most:
            raise EventTooLarge(f"An event has more than {self._most} characters.")
