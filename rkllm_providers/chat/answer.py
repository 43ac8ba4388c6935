"""The tokens of an answer to reasoning, text and tool calls.

::

    tokens → UTF-8 → thinking ┬→ reasoning
                              └→ stop sequences → tool calls → text, calls

Stop sequences apply to what is not reasoning: to text and to the text of tool calls alike. A call that one
cuts off is an invalid call. If nothing of this is asked for, an answer is read as plain text at no cost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from rkllm_providers.chat.markers import Spelling
from rkllm_providers.chat.stops import StopFilter
from rkllm_providers.chat.stream import TextStream, Token, TokenStream
from rkllm_providers.chat.thinking import ThinkingFormat, ThinkingSplitter
from rkllm_providers.chat.tool_formats import ToolFormat
from rkllm_providers.chat.tool_parser import ToolCallParser
from rkllm_providers.chat.types import ChatEvent, FinishReason, ReasoningDelta, TextDelta, Tool


class AnswerStream(TokenStream):
    """Reads the tokens of one answer.

    ``reasoning_tokens`` counts the tokens spent on thinking, those of its tags included.
    """

    def __init__(
        self,
        end_tokens: Collection[int],
        max_tokens: int | None,
        stops: Sequence[str] = (),
        silent_tokens: Collection[int] = frozenset(),
        *,
        thinking: ThinkingFormat | None = None,
        starts_in_reasoning: bool = False,
        tool_format: ToolFormat | None = None,
        tools: Sequence[Tool] = (),
        marker_ids: Mapping[int, str] | None = None,
    ) -> None:
        """``marker_ids`` are the markers that are one token of the model's tokenizer.

        ``starts_in_reasoning`` says that the prompt ends inside thinking. Without ``tools``, or without a
        format, what looks like a tool call is text.
        """
        markers: list[str] = []
        if thinking is not None:
            markers += thinking.open, thinking.close
        if tool_format is not None and tools:
            markers += tool_format.markers
        spelling = Spelling(marker_ids or {}, markers)
        super().__init__(end_tokens, max_tokens, (), silent_tokens)
        all_stops = [variant for stop in stops for variant in spelling.variants(stop)]
        self._stops = StopFilter(all_stops) if all_stops else None
        self._spelling = spelling
        self._thinking = None if thinking is None else ThinkingSplitter(thinking, spelling, starts_in_reasoning)
        self._tools = ToolCallParser(tool_format, tools, spelling) if tool_format is not None and tools else None
        self._text: TextStream | None = None
        if self._thinking is None and self._tools is None:
            self._text = TextStream(end_tokens, max_tokens, stops, silent_tokens)
        self._closed = False
        self.reasoning_tokens = 0

    def feed(self, tokens: Iterable[Token]) -> list[ChatEvent]:
        """Take sampled tokens; return what is certain of what they say."""
        if self._text is not None:
            plain: list[ChatEvent] = [*self._text.feed(tokens)]
            self.n_tokens = self._text.n_tokens
            return plain
        events: list[ChatEvent] = []
        if self.stopped:
            return events
        thinking = self._thinking
        signs = self._spelling.by_id
        silent = self._silent_tokens
        for token_id, raw in tokens:
            self.n_tokens += 1
            self._last_token = token_id
            self._last_was_silent = raw == b""
            if token_id in signs:
                text = self._signed(signs[token_id], raw or b"")
            elif not raw or token_id in silent:
                text = ""
            elif raw.isascii() and not self._waiting:
                text = raw.decode("ascii")
            else:
                text = self._decoder.decode(raw)
                self._waiting = self._decoder.getstate()[0] != b""
            if thinking is None:
                if text:
                    self._visible(text, events)
            else:
                was_reasoning = thinking.in_reasoning
                if text:
                    self._think(thinking.feed(text), events)
                if (was_reasoning or thinking.in_reasoning) and token_id not in self._end_tokens:
                    self.reasoning_tokens += 1
            if self._stops is not None and self._stops.stopped:
                events += self.close()
                break
        return events

    def close(self) -> list[ChatEvent]:
        """Return what was held back, once no more tokens will come."""
        if self._text is not None:
            return [*self._text.close()]
        events: list[ChatEvent] = []
        if self._closed:
            return events
        self._closed = True
        if not self.stopped:
            text = self._decode_end()
            if self._thinking is None:
                self._visible(text, events)
            else:
                self._think(self._thinking.feed(text) if text else [], events)
                self._think(self._thinking.flush(), events)
            if self._stops is not None and not self._stops.stopped:
                self._call_or_show(self._stops.flush(), events)
        if self._tools is not None:
            events += self._tools.close()
        return events

    @property
    def in_reasoning(self) -> bool:
        """Whether what comes next is thinking, as far as is known."""
        return self._thinking is not None and self._thinking.in_reasoning

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence was met."""
        return self._text.stopped if self._text is not None else super().stopped

    @property
    def stop(self) -> str | None:
        """The stop sequence that was met."""
        return self._text.stop if self._text is not None else super().stop

    @property
    def has_called(self) -> bool:
        """Whether a call of a tool is complete."""
        return self._tools is not None and self._tools.n_complete > 0

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended: ``tool_calls`` if it ended by itself and made at least one complete call."""
        if self._text is not None:
            self._text.max_tokens = self.max_tokens
            return self._text.finish_reason
        reason = super().finish_reason
        return "tool_calls" if self.has_called and reason == "stop" and not self.stopped else reason

    def _signed(self, sign: str, raw: bytes) -> str:
        """A marker's sign, behind what its token has besides: bytes that waited for it."""
        written = self._spelling.plain(sign).encode()
        before = ""
        if len(raw) > len(written) and raw.endswith(written):
            before = self._decoder.decode(raw[: -len(written)])
        return before + self._decode_end() + sign

    def _think(self, pieces: Sequence[tuple[bool, str]], events: list[ChatEvent]) -> None:
        for is_reasoning, text in pieces:
            if self._stops is not None and self._stops.stopped:
                return
            if is_reasoning:
                events.append(ReasoningDelta(self._spelling.plain(text)))
            else:
                self._visible(text, events)

    def _visible(self, text: str, events: list[ChatEvent]) -> None:
        if self._stops is not None:
            text = self._stops.feed(text)
        self._call_or_show(text, events)

    def _call_or_show(self, text: str, events: list[ChatEvent]) -> None:
        if not text:
            return
        if self._tools is not None:
            events += self._tools.feed(text)
        else:
            events.append(TextDelta(self._spelling.plain(text)))
