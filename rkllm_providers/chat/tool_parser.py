"""Tool calls, found in an answer's text and told of as they form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rkllm_providers.chat.markers import Spelling, first_characters, possible_beginning
from rkllm_providers.chat.tool_formats import ToolFormat
from rkllm_providers.chat.tool_grammars import Grammar
from rkllm_providers.chat.tool_source import CallWriter, MalformedCall, Reading, Source, Truncated
from rkllm_providers.chat.types import ChatEvent, InvalidToolCall, TextDelta, Tool

_LINE_BREAKS: Final = "\n"


class ToolCallParser:
    """Splits an answer into text and tool calls.

    Line breaks directly before a call and behind it belong to neither. A call that cannot be read, or is cut
    off, is an ``InvalidToolCall`` with its whole text; what follows its end marker is read on.
    """

    def __init__(self, tool_format: ToolFormat, tools: Sequence[Tool], spelling: Spelling) -> None:
        self._format = tool_format
        self._spelling = spelling
        self._events: list[ChatEvent] = []
        self._calls = CallWriter({tool.name: tool for tool in tools}, self._events)
        self._grammar = Grammar(tool_format, spelling, self._calls)
        self._begins = {spelling.of(text): text for text in (*tool_format.begins, *tool_format.fences)}
        silent = [spelling.of(text) for text in tool_format.silent]
        self._markers = (*self._begins, *silent)
        self._find_marker = re.compile("|".join(map(re.escape, self._markers)) or r"(?!)").search
        self._disturbed = first_characters(self._markers, _LINE_BREAKS).search
        # A call that cannot be read ends here; where it has no end marker, with the answer.
        self._call_ends = tuple(spelling.of(text) for text in tool_format.ends)
        self._call_begins = tuple(spelling.of(text) for text in tool_format.begins if spelling.is_sign(text))
        self._held = ""
        self._fresh = tool_format.bare  # nothing but blanks was said, and an object would be a call
        self._after_call = False
        self._source: Source | None = None
        self._reading: Reading[None] | None = None
        self._broken: tuple[str, str, int | None] | None = None

    @property
    def n_complete(self) -> int:
        """Number of calls that were read to their end."""
        return self._calls.n_complete

    def feed(self, text: str) -> list[ChatEvent]:
        """Take more text."""
        if (
            self._source is None
            and self._broken is None
            and not (self._held or self._fresh or self._after_call)
            and self._disturbed(text) is None
        ):
            return [TextDelta(self._spelling.plain(text))]
        self._take(text)
        return self._taken()

    def close(self) -> list[ChatEvent]:
        """What can be said of what was held back, once no more will come."""
        while self._source is not None:
            self._source.ended = True
            rest = self._read(self._source)
            self._source = None if rest is not None else self._source
            if rest:
                self._take(rest)
        if self._broken is not None:
            self._report()
        elif not self._after_call:
            self._show(self._held)
        self._held = ""
        return self._taken()

    def _taken(self) -> list[ChatEvent]:
        events = self._events.copy()
        self._events.clear()
        return events

    def _show(self, text: str) -> None:
        if text:
            self._after_call = self._fresh = False
            self._events.append(TextDelta(self._spelling.plain(text)))

    def _take(self, text: str) -> None:
        rest: str | None = text
        while rest:
            if self._source is not None:
                self._source.append(rest)
                rest = self._read(self._source)
            elif self._broken is not None:
                rest = self._skip(rest)
            else:
                rest = self._text(rest)

    def _text(self, text: str) -> str:
        """Take text outside of calls; return what comes behind a marker."""
        held = self._held + text
        self._held = ""
        if self._after_call:
            held = held.lstrip(_LINE_BREAKS)
        if self._fresh:
            begun = held.lstrip()
            if not begun:
                self._held = held
                return ""
            if begun[0] == "{":
                self._begin(held[: len(held) - len(begun)], "", tentative=True)
                return begun
        match = self._find_marker(held)
        if match is not None:
            shown = held[: match.start()].rstrip(_LINE_BREAKS)
            self._show(shown)
            marker = self._begins.get(match[0])
            if marker in self._format.fences:
                self._begin(held[len(shown) : match.end()], "", tentative=True)
            elif marker is not None:
                self._begin(match[0], match[0], tentative=False)
            elif self._calls.n_begun:
                self._after_call = True
            return held[match.end() :]
        shown = held[: len(held) - possible_beginning(held, self._markers)].rstrip(_LINE_BREAKS)
        if self._fresh and not shown.strip():
            shown = ""
        self._held = held[len(shown) :]
        self._show(shown)
        return ""

    def _begin(self, raw: str, opener: str, tentative: bool) -> None:
        self._fresh = self._after_call = False
        self._source = Source(raw)
        self._reading = self._grammar.section(self._source, opener, tentative)

    def _read(self, source: Source) -> str | None:
        """Let the grammar read; return what it leaves, or ``None`` if it wants more."""
        if self._reading is None:
            raise RuntimeError("No call is being read.")
        try:
            next(self._reading)
        except StopIteration:
            self._source = None
            self._after_call = True
        except MalformedCall as error:
            self._source = None
            if self._calls.may_be_text:
                self._show(source.raw())
            else:
                self._broken = source.raw(), str(error), self._calls.index
                if isinstance(error, Truncated):
                    self._report(source.rest())
                    return ""
                if error.is_whole:
                    self._report()
                    return source.rest()
                # Its end is searched from its beginning: a string that is not closed may have run over it.
                self._broken = source.opener, *self._broken[1:]
                return source.raw().removeprefix(source.opener) + source.rest()
        else:
            return None
        return source.rest()

    def _skip(self, text: str) -> str:
        """Take the rest of a call that cannot be read; return what comes behind it."""
        if self._broken is None:
            raise RuntimeError("No call is broken.")
        raw, problem, index = self._broken
        whole = self._held + text
        ends = [at + len(end) for end in self._call_ends if (at := whole.find(end)) >= 0]
        begins = [at for begin in self._call_begins if (at := whole.find(begin)) >= 0]
        if ends or begins:
            cut = min(ends + begins)
            self._held = ""
            self._broken = raw + whole[:cut], problem, index
            self._report()
            return whole[cut:]
        keep = possible_beginning(whole, self._call_ends)
        self._broken = raw + whole[: len(whole) - keep], problem, index
        self._held = whole[len(whole) - keep :]
        return ""

    def _report(self, rest: str = "") -> None:
        if self._broken is not None:
            raw, problem, index = self._broken
            text = self._spelling.plain(raw + self._held + rest)
            self._events.append(InvalidToolCall(text, problem, index))
            self._broken = None
            self._held = ""
            self._after_call = True
