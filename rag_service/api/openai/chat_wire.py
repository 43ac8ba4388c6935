"""Chat completions on the wire."""

from __future__ import annotations

import asyncio
from json.encoder import encode_basestring
from typing import Any

from rag_service.answer_news import AnswerNews
from rag_service.answer_trace import trace_answer
from rag_service.api.openai.answer_wire import AnswerWire, dump_json
from rag_service.chat_answer import ChatAnswer
from rag_service.grounding import Grounded
from rag_service.openwebui.annotations import CitationFilter, url_citations
from rkllm_providers.chat import (
    ChatEvent,
    ChatResult,
    Finish,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import RKLLMError


class ChatWire(AnswerWire):
    """Encodes one chat completion."""

    def __init__(
        self,
        client: ModelClient,
        answer: ChatAnswer,
        *,
        include_usage: bool,
        one_call_only: bool = False,
        trace: bool = False,
        news: AnswerNews | None = None,
    ) -> None:
        """``one_call_only`` leaves out every tool call but the first; ``trace`` adds what was done.

        ``news`` tells a client of Open WebUI's what is going on.
        """
        super().__init__(client, "chatcmpl", "chat.completion.chunk", include_usage=include_usage)
        self._one_call_only = one_call_only
        self._answer = answer
        self._wants_trace = trace
        self._trace: dict[str, Any] | None = None
        self._news = news
        self._citations: CitationFilter | None = None
        self._said: list[str] = []
        self._before = f'{self._chunk}"delta":'
        self._before_text = f'{self._before}{{"content":'
        self._before_reasoning = f'{self._before}{{"reasoning_content":'
        self._after = ',"finish_reason":null}]}\n\n'
        self._after_text = "}" + self._after

    def opening(self) -> bytes:
        """The first chunk, which names the role."""
        return f'{self._before}{{"role":"assistant","content":""}}{self._after}'.encode()

    @property
    def tells_news(self) -> bool:
        """Whether the client is told what is going on before the first event."""
        return self._news is not None

    def news(self) -> bytes:
        """What is going on, if that is something new."""
        return _events(self._news.look()) if self._news is not None else b""

    def failure(self, error: RKLLMError) -> bytes:
        """An error in the middle of a stream, where a status line ends too."""
        return (_events(self._news.end()) if self._news is not None else b"") + super().failure(error)

    async def prepare(self) -> None:
        """Put the trace together if it is wanted: that of a page of megabytes has thousands of notes."""
        if self._wants_trace:
            self._trace = await asyncio.to_thread(trace_answer, self._answer)

    def encode(self, events: list[ChatEvent]) -> bytes:
        """One chunk per event; an answer's end also closes the stream."""
        before, after = self._before_text, self._after_text
        grounded = self._answer.grounded
        parts: list[str] = []
        if self._news is not None:
            parts += [_event(told) for told in self._news.end()]
        for event in events:
            if isinstance(event, TextDelta):
                text = event.text if grounded is None else self._cited(event.text, grounded)
                if text:
                    parts.append(before + encode_basestring(text) + after)
            elif isinstance(event, ReasoningDelta):
                parts.append(self._before_reasoning + encode_basestring(event.text) + after)
            elif isinstance(event, Finish):
                if grounded is not None:
                    parts += self._citing_end(grounded)
                parts.append(self._closing(f'"delta":{{}},"finish_reason":"{event.reason}"', event))
            elif self._is_told(event.index):
                delta = _call_delta(event) if isinstance(event, ToolCallDelta) else _invalid_delta(event)
                parts.append(self._before + dump_json(delta) + self._after)
        return "".join(parts).encode()

    def _cited(self, text: str, grounded: Grounded, *, last: bool = False) -> str:
        """Text without markers that cite nothing; the end may be held back until it is the ``last``."""
        if self._citations is None:
            self._citations = CitationFilter(grounded.citable)
        shown = self._citations.feed(text)
        if last:
            shown += self._citations.finish()
        self._said.append(shown)
        return shown

    def _citing_end(self, grounded: Grounded) -> list[str]:
        """What was held back of the text, and the sources that it rests on."""
        rest = self._cited("", grounded, last=True)
        parts = [self._before_text + encode_basestring(rest) + self._after_text] if rest else []
        annotations = url_citations(grounded.shown, "".join(self._said))
        if annotations:
            parts.append(self._before + dump_json({"annotations": annotations}) + self._after)
        return parts

    def whole(self, result: ChatResult) -> dict[str, Any]:
        """An answer that is not streamed. The text of calls that cannot be read is part of its content."""
        calls = result.tool_calls[:1] if self._one_call_only else result.tool_calls
        text = result.text + "".join(call.text for call in result.invalid_tool_calls)
        grounded = self._answer.grounded
        if grounded is not None:
            text = self._cited(text, grounded, last=True)
        message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
        if result.reasoning:
            message["reasoning_content"] = result.reasoning
        if calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in calls
            ]
        if result.invalid_tool_calls:
            message["invalid_tool_calls"] = [_invalid(call) for call in result.invalid_tool_calls]
        if grounded is not None and (annotations := url_citations(grounded.shown, text)):
            message["annotations"] = annotations
        choice = {"message": message, "logprobs": None, "finish_reason": result.finish.reason}
        return self._complete("chat.completion", choice, result.finish)

    def _extras(self, finish: Finish) -> dict[str, Any]:
        extras = super()._extras(finish)
        if self._answer.about.age_seconds is not None:
            extras["answer_cache"] = {"age_seconds": round(self._answer.about.age_seconds, 3)}
        if self._trace is not None:
            extras["rkllm_trace"] = self._trace
        return extras

    def _is_told(self, index: int | None) -> bool:
        return not self._one_call_only or not index


def _event(told: dict[str, Any]) -> str:
    return f"data: {dump_json(told)}\n\n"


def _events(told: list[dict[str, Any]]) -> bytes:
    return "".join(map(_event, told)).encode()


def _call_delta(event: ToolCallDelta) -> dict[str, Any]:
    """A piece of a call: its first names it."""
    call: dict[str, Any] = {"index": event.index}
    function: dict[str, Any] = {"arguments": event.arguments}
    if event.id is not None:
        call |= {"id": event.id, "type": "function"}
        function = {"name": event.name, **function}
    return {"tool_calls": [{**call, "function": function}]}


def _invalid_delta(event: InvalidToolCall) -> dict[str, Any]:
    """What turned out to be no call. Its text is content too, unless pieces of it were told as a call."""
    told: dict[str, Any] = {"invalid_tool_call": _invalid(event)}
    return told if event.index is not None else {"content": event.text, **told}


def _invalid(call: InvalidToolCall) -> dict[str, Any]:
    return {"text": call.text, "problem": call.problem, "index": call.index}
