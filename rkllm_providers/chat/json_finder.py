"""The one JSON value in what a model writes, which may stand in a fence and have text around it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from rkllm_providers.chat.json_scanner import JSONScanner, MalformedJSON, is_json

MOST_CHARACTERS: Final = 256 * 1024
"""Of an answer; more is no value that anybody would wait for."""

_OPENERS: Final = {"object": "{", "array": "["}
_FENCE: Final = "```"
_INFO: Final = re.compile(r"\A(?:[A-Za-z0-9]*[ \t\r]*\n)?")
_LANDMARK: Final = re.compile(r'[{}\[\]"\n]|```')
# The beginning of an object or array beyond doubt: a key with its colon, or a first element with what follows one.
_BEGUN: Final = re.compile(
    r'[\[\s]*(?:\{\s*"(?:[^"\\]|\\.)*"\s*:|\{\s*\}|\]|'
    r'(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+\-]*|true|false|null)\s*[,\]])',
    re.DOTALL,
)


class JSONFinder:
    """Takes a model's text in pieces, and finds the value in it.

    An object or an array counts where it is not within other brackets, so that a part of something else is
    never taken for the whole: ``[{"a": 1}]`` holds no object. Brackets that are no JSON, such as ``{name}`` or
    ``[see above]``, are text, and so are values of other types, such as ``[1]`` where an object is looked for. What
    began as JSON and went wrong ends the search: what follows might be a part of it. A string, number, boolean or
    null counts where it is all of the text, or all of a fence.
    """

    def __init__(self, kinds: Collection[str], begun: str = "") -> None:
        """``kinds`` are the types (by their JSON schema names) that are looked for.

        ``begun`` is what the model was given to go on from. Where it begins anew all the same, that is forgotten.
        """
        self.value: str | None = None
        self.problem: str | None = None
        self._wanted = _named(kinds)
        self._openers = "".join(opener for kind, opener in _OPENERS.items() if kind in kinds)
        # A string may hold brackets, so that where one may come nothing is certain before the end.
        self._waits = bool(set(kinds) - set(_OPENERS))
        self._written: list[str] = []
        self._length = 0
        self._depth = 0  # of brackets that are no JSON
        self._in_quotes = False  # within such brackets
        self._pending = ""
        self._scanner: JSONScanner | None = None
        self._raw: list[str] = []
        self._parts: list[str] = []
        self._begun = begun
        if begun:
            self._scanner = JSONScanner()
            self._pending = begun

    @property
    def done(self) -> bool:
        """Whether the value is whole, or never will be: what comes now does not matter."""
        return self.value is not None or self.problem is not None

    def feed(self, text: str) -> None:
        """Take more text."""
        if self.done or not text:
            return
        self._length += len(text)
        if self._length > MOST_CHARACTERS:
            self.problem = f"it has more than {MOST_CHARACTERS} characters"
        elif self._waits:
            self._written.append(text)
        else:
            self._search(text)

    def finish(self) -> None:
        """Decide, once no more will come."""
        if self.done:
            return
        if self._waits:
            text = "".join(self._written)
            whole = next((body for body in (text.strip(), _fenced(text)) if is_json(body)), None)
            if whole is not None:
                self.value = whole
                return
            self._search(text)
        if self.value is None and self.problem is None:
            self.problem = (
                f"there is no JSON {self._wanted} in it"
                if self._scanner is None
                else "the JSON is not complete: it ends before it is closed"
            )

    def _search(self, text: str) -> None:
        self._pending += text
        while self._pending and not self.done:
            if self._scanner is None and not self._skip_text():
                return
            if self._scanner is not None:
                self._scan(self._scanner)

    def _skip_text(self) -> bool:
        """Go on to where a value may begin; ``False`` if there is none yet."""
        text, at = self._pending, 0
        while (found := _LANDMARK.search(text, at)) is not None:
            mark, at = found[0], found.end()
            if mark == _FENCE:
                self._depth, self._in_quotes = 0, False
            elif mark in '"\n':
                self._in_quotes = mark == '"' and self._depth > 0 and not self._in_quotes
            elif self._in_quotes:
                continue
            elif mark in "}]":
                self._depth = max(0, self._depth - 1)
            elif self._depth:
                self._depth += 1
            else:
                self._scanner = JSONScanner()
                self._pending = text[found.start() :]
                return True
        # A fence may come in pieces.
        kept = next((n for n in (2, 1) if text[at:].endswith("`" * n)), 0)
        self._pending = text[len(text) - kept :] if kept else ""
        return False

    def _scan(self, scanner: JSONScanner) -> None:
        text, self._pending = self._pending, ""
        self._raw.append(text)
        try:
            piece, end = scanner.feed(text)
        except MalformedJSON as error:
            self._give_up(str(error))
            return
        self._parts.append(piece)
        if not scanner.done:
            return
        value = "".join(self._parts)
        if value[0] in self._openers:
            self.value = value
        else:
            self._scanner, self._raw, self._parts, self._begun = None, [], [], ""
            self._pending = text[end:]

    def _give_up(self, why: str) -> None:
        """What looked like a value is none: it is broken, or it was text."""
        raw = "".join(self._raw)
        if _BEGUN.match(raw):
            self.problem = f"it is not valid JSON: {why}"
            return
        self._scanner, self._raw, self._parts = None, [], []
        if self._begun:
            self._pending = raw.removeprefix(self._begun)
            self._begun = ""
        else:
            self._depth = 1
            self._pending = raw[1:]


def _named(kinds: Collection[str]) -> str:
    return next(iter(kinds)) if len(kinds) == 1 else "value"


def _fenced(text: str) -> str:
    """What stands between the first fence and the last."""
    _, opened, rest = text.partition(_FENCE)
    if not opened:
        return ""
    inner = _INFO.sub("", rest, count=1)
    body, closed, _ = inner.rpartition(_FENCE)
    return (body if closed else inner).strip()
