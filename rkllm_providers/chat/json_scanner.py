"""One JSON value, checked as its pieces arrive."""

from __future__ import annotations

import json
import re
from typing import Final

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
# Lone surrogates stand for control tokens (see ``markers``); no string holds one.
_STRING_RUN: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
_WORD_RUN: Final = re.compile(r"[0-9A-Za-z+\-.]*")
_WORD: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
# Deeper values and longer numbers are JSON, and yet make Python's own parser fail.
_MAX_DEPTH: Final = 64
_MAX_NUMBER: Final = 400


class MalformedJSON(ValueError):
    """What came is not the beginning of a JSON value."""


class JSONScanner:
    """Takes one JSON value in pieces, and refuses the first character that cannot belong to it.

    Control characters within strings, which models write where they mean a line break, are replaced by their
    escapes. Everything else is passed on as it came.
    """

    def __init__(self) -> None:
        self.done = False
        self._stack: list[str] = []
        self._expected = "value"
        self._in_string = False
        self._is_key = False
        self._escape = 0  # 1 behind a backslash, else the hexadecimal digits still due, plus 1
        self._word = ""

    def feed(self, text: str, at: int = 0) -> tuple[str, int]:
        """Read ``text`` from ``at``; return what belongs to the value, and where it ends.

        Raises:
            MalformedJSON: It is not JSON.
        """
        start, end = at, len(text)
        parts: list[str] = []
        while at < end and not self.done:
            if self._in_string:
                at = self._read_string(text, at)
                if at < end and self._in_string and text[at] < " ":
                    parts += text[start:at], json.dumps(text[at])[1:-1]
                    at = start = at + 1
            elif self._word:
                at = self._read_word(text, at)
                if at < end:
                    self._end_word()
            else:
                match = _BLANKS.match(text, at)
                at = match.end() if match else at
                if at < end:
                    self._take(text[at])
                    at += 1
        return "".join(parts) + text[start:at], at

    def finish(self) -> bool:
        """Whether the value is complete, once no more will come."""
        if not self.done and self._word and not self._stack:
            self._end_word()
        return self.done

    def _read_string(self, text: str, at: int) -> int:
        """Read on within a string: to its end, or to a character that needs an escape."""
        end = len(text)
        while at < end:
            if self._escape:
                self._take_escaped(text[at])
                at += 1
                continue
            match = _STRING_RUN.match(text, at)
            at = match.end() if match else at
            if at == end or text[at] < " ":
                return at
            if text[at] == '"':
                self._in_string = False
                self._end_string()
                return at + 1
            if text[at] != "\\":
                raise MalformedJSON("a string is not closed")
            self._escape = 1
            at += 1
        return at

    def _take_escaped(self, character: str) -> None:
        if self._escape > 1:
            if character not in _HEX:
                raise MalformedJSON("a \\u in a string is not followed by four hexadecimal digits")
            self._escape = 0 if self._escape == 2 else self._escape - 1
        elif character == "u":
            self._escape = 5
        elif character in '"\\/bfnrt':
            self._escape = 0
        else:
            raise MalformedJSON(f"a string has the unknown escape {chr(92) + character!r}")

    def _read_word(self, text: str, at: int) -> int:
        match = _WORD_RUN.match(text, at)
        end = match.end() if match else at
        self._word += text[at:end]
        if len(self._word) > _MAX_NUMBER:
            raise MalformedJSON(f"a number has more than {_MAX_NUMBER} characters")
        return end

    def _take(self, character: str) -> None:
        """Take a character outside of strings and words."""
        expected = self._expected
        if character == '"' and expected in ("value", "value or end", "key", "key or end"):
            self._in_string = True
            self._is_key = expected.startswith("key")
        elif character in "{[" and expected.startswith("value"):
            if len(self._stack) == _MAX_DEPTH:
                raise MalformedJSON(f"it is nested more than {_MAX_DEPTH} deep")
            self._stack.append(character)
            self._expected = "key or end" if character == "{" else "value or end"
        elif character in "}]" and expected.endswith("end") and self._stack[-1] == ("{" if character == "}" else "["):
            self._stack.pop()
            self._end_value()
        elif character == "," and expected == "comma or end":
            self._expected = "key" if self._stack[-1] == "{" else "value"
        elif character == ":" and expected == "colon":
            self._expected = "value"
        elif expected.startswith("value") and ((character.isascii() and character.isalnum()) or character == "-"):
            self._word = character
            # ``feed`` goes on behind this character.
        else:
            shown = "a marker" if "\ud800" <= character <= "\udfff" else repr(character)
            raise MalformedJSON(f"{shown} stands where a {expected} is due")

    def _end_string(self) -> None:
        if self._is_key:
            self._expected = "colon"
        else:
            self._end_value()

    def _end_word(self) -> None:
        if _WORD.fullmatch(self._word) is None:
            raise MalformedJSON(f"{self._word[:40]!r} is no JSON value")
        self._word = ""
        self._end_value()

    def _end_value(self) -> None:
        self._expected = "comma or end"
        self.done = not self._stack


def is_json(text: str, first: str = "") -> bool:
    """Whether ``text`` is one JSON value and nothing else, and begins with ``first``."""
    text = text.strip(" \t\r\n")
    scanner = JSONScanner()
    try:
        piece, end = scanner.feed(text)
        return text.startswith(first) and scanner.finish() and end == len(text) and piece == text
    except MalformedJSON:
        return False
