"""What a grammar of tool calls reads from and writes to.

A grammar is a generator that yields whenever it needs more text than there is.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final, TypeVar

from rkllm_providers.chat.json_scanner import JSONScanner, MalformedJSON, is_json
from rkllm_providers.chat.types import ChatEvent, Tool, ToolCallDelta

T = TypeVar("T")
Reading = Generator[None, None, T]

_BLANKS: Final = re.compile(r"\s*")
_SIGN: Final = re.compile(r"[\ud800-\udfff]")
_MAX_NAME: Final = 256
# Mistral's template refuses ids that are not nine letters and digits; no other template minds.
_ID_LENGTH: Final = 9
_MAX_LISTED: Final = 20


class MalformedCall(ValueError):
    """What the model wrote cannot be read as a call; ``is_whole`` where it was read to its end nonetheless."""

    is_whole = False


class Truncated(MalformedCall):
    """The answer ended inside a call."""

    def __init__(self) -> None:
        super().__init__("The answer ended inside the call.")


class EmptyCall(MalformedCall):
    """The marker that ends a call stands directly behind the one that begins it."""

    is_whole = True

    def __init__(self) -> None:
        super().__init__("There is no call between its markers.")


class UnknownTool(MalformedCall):
    """A call of a tool that was not offered."""

    def __init__(self, name: str | None, known: Sequence[str], is_whole: bool) -> None:
        self.is_whole = is_whole
        listed = ", ".join(known[:_MAX_LISTED]) + (", …" if len(known) > _MAX_LISTED else "")
        super().__init__(f"There is no tool {name!r}; the tools are: {listed}.")


def new_call_id() -> str:
    """An id for a tool call: nine letters and digits, which every family's template takes."""
    return secrets.token_hex(_ID_LENGTH)[:_ID_LENGTH]


class Source:
    """The text of calls as it arrives, and what was read of it since the last call began."""

    def __init__(self, opener: str) -> None:
        self.text = ""
        self.at = 0
        self.ended = False
        self.opener = opener
        self._raw = [opener]

    def append(self, text: str) -> None:
        """Add text that arrived."""
        self._raw.append(self.text[: self.at])
        self.text = self.text[self.at :] + text
        self.at = 0

    def mark(self) -> None:
        """A new call begins here."""
        self.opener = ""
        self._raw.clear()
        self.text, self.at = self.text[self.at :], 0

    def raw(self) -> str:
        """What was read since the mark."""
        return "".join(self._raw) + self.text[: self.at]

    def rest(self) -> str:
        """What was not read yet."""
        return self.text[self.at :]

    def need(self) -> Reading[None]:
        """Wait for more text.

        Raises:
            Truncated: There will be none.
        """
        if self.ended:
            raise Truncated
        yield

    def peek(self) -> Reading[str]:
        """The next character that is no blank; empty at the end."""
        while True:
            match = _BLANKS.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if self.ended:
                return ""
            yield

    def literal(self, *options: str) -> Reading[str]:
        """Read which of ``options`` stands here; empty if none does."""
        longest = max(map(len, options))
        while True:
            rest = self.text[self.at : self.at + longest]
            if self.ended or not any(len(rest) < len(option) and option.startswith(rest) for option in options):
                break
            yield
        found = max((option for option in options if rest.startswith(option)), key=len, default="")
        self.at += len(found)
        return found

    def until(self, *ends: str, limit: int | None = None) -> Reading[tuple[str, str]]:
        """Read up to the first of ``ends`` and over it; return the text before it, and which it was."""
        searched = 0  # of what is unread; where that begins changes when text arrives
        longest = max(map(len, ends))
        while True:
            begin = self.at + searched
            found = [(at, end) for end in ends if (at := self.text.find(end, begin)) >= 0]
            stop, end = min(found) if found else (len(self.text), "")
            if limit is not None and stop - self.at > limit:
                raise MalformedCall(f"A name has more than {limit} characters.")
            if _SIGN.search(self.text, begin, stop) is not None:
                raise MalformedCall("A marker stands inside a name or a value.")
            if found:
                text = self.text[self.at : stop]
                self.at = stop + len(end)
                return text, end
            searched = max(0, len(self.text) - longest + 1 - self.at)
            yield from self.need()

    def name(self, *ends: str) -> Reading[tuple[str, str]]:
        """Read a name up to one of ``ends``."""
        return self.until(*ends, limit=_MAX_NAME)

    def value(self, emit: Callable[[str], None]) -> Reading[None]:
        """Read one JSON value and pass its text on as it comes."""
        scanner = JSONScanner()
        while True:
            try:
                piece, self.at = scanner.feed(self.text, self.at)
                complete = scanner.done or (self.ended and scanner.finish())
            except MalformedJSON as error:
                raise MalformedCall(f"Its JSON is not valid: {error}.") from error
            if piece:
                emit(piece)
            if complete:
                return
            yield from self.need()

    def string(self) -> Reading[str]:
        """Read a JSON string."""
        if (yield from self.peek()) != '"':
            raise MalformedCall("A string is missing where a name is due.")
        pieces: list[str] = []
        yield from self.value(pieces.append)
        return str(json.loads("".join(pieces)))


class CallWriter:
    """Turns what grammars read into events; one call at a time.

    A call that may yet turn out to be text (``tentative``) is not told of before its arguments begin.
    """

    def __init__(self, tools: Mapping[str, Tool], events: list[ChatEvent]) -> None:
        self._tools = tools
        self.events = events
        self.n_begun = 0
        self.n_complete = 0
        self.begin(tentative=False)

    def begin(self, tentative: bool) -> None:
        """A call begins."""
        self.tentative = tentative
        self.index: int | None = None
        self.tool: Tool | None = None
        self._name: str | None = None
        self._held: list[str] = []
        self._has_arguments = False

    @property
    def may_be_text(self) -> bool:
        """Whether what was read of this call can still be taken for text."""
        return self.tentative and self.index is None

    def name(self, name: str) -> None:
        """The call's name is known.

        Raises:
            MalformedCall: There is no such tool, or this is the call's second name.
        """
        if self._name is not None:
            raise MalformedCall("It has more than one name.")
        self._name = name
        self.tool = self._tools.get(name)
        if self.tentative:
            return
        self._require_tool(is_whole=False)
        self._announce()

    def begin_arguments(self) -> None:
        """The call's arguments begin.

        Raises:
            MalformedCall: They did already.
        """
        if self._has_arguments:
            raise MalformedCall("It has arguments more than once.")
        self._has_arguments = True
        if self.tool is not None and self.index is None:
            self._announce()

    def arguments(self, piece: str) -> None:
        """More of the text of the arguments' JSON object."""
        if self.index is None:
            self._held.append(piece)
        else:
            self.events.append(ToolCallDelta(self.index, arguments=piece))

    def complete(self) -> None:
        """The call was read to its end.

        Raises:
            MalformedCall: It has no name, or one of no tool.
        """
        if self._name is None:
            raise MalformedCall("It has no name.")
        if self._has_arguments:
            # Whatever reads as a call, and names no tool, is a call that went wrong.
            self.tentative = False
        self._require_tool(is_whole=True)
        if self.index is None:
            self._announce()
        if not self._has_arguments:
            self.arguments("{}")
        self.n_complete += 1
        self.begin(tentative=False)

    def _require_tool(self, is_whole: bool) -> None:
        if self.tool is None:
            raise UnknownTool(self._name, list(self._tools), is_whole)

    def _announce(self) -> None:
        self.index = self.n_begun
        self.n_begun += 1
        self.events.append(ToolCallDelta(self.index, new_call_id(), self._name, "".join(self._held)))
        self._held = []


def typed_json(value: str, schema: object) -> str:
    """The JSON of a value that was written without quotes, typed by its JSON schema.

    Strings stay strings, as do values that do not read as what the schema asks for. Templates write Python's
    words for truth values, so those are understood too.
    """
    types = schema_types(schema)
    if types and "string" not in types:
        bare = value.strip()
        written = {"True": "true", "False": "false", "None": "null"}.get(bare, bare)
        if is_json(written):
            return written
    return json.dumps(value, ensure_ascii=False)


def schema_types(schema: object) -> frozenset[str]:
    """The JSON types a schema allows, as far as it says; empty where it does not."""
    if not isinstance(schema, Mapping):
        return frozenset()
    kind = schema.get("type")
    types = {kind} if isinstance(kind, str) else set()
    if isinstance(kind, list | tuple):
        types.update(entry for entry in kind if isinstance(entry, str))
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list | tuple):
            # One level is what schema generators make of optional and united types.
            for option in options:
                if isinstance(option, Mapping) and isinstance(option.get("type"), str):
                    types.add(option["type"])
    return frozenset(types)
