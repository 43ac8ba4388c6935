"""Answers without citations of sources that are not there, for formats that tell of no citations themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from rag_service.chat_desk import OpenedChat
from rag_service.grounding import Grounded
from rag_service.openwebui.annotations import CitationFilter
from rkllm_providers.chat import ChatEvent, ChatResult, Finish, TextDelta


class CitedAnswer:
    """An opened chat's answer, in batches of events as that is."""

    def __init__(self, opened: OpenedChat) -> None:
        self._answer = opened.answer
        self._filter: CitationFilter | None = None

    @property
    def progress(self) -> tuple[int, int] | None:
        """How far the prompt is read, where that happens in pieces."""
        return self._answer.progress

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[ChatEvent]:
        events = await anext(self._answer)
        grounded = self._grounded
        return events if grounded is None else self._filtered(events, grounded)

    async def collect(self) -> ChatResult:
        """The whole answer. Cancelling the waiting task aborts the run."""
        result = await self._answer.collect()
        grounded = self._grounded
        if grounded is None:
            return result
        cited = CitationFilter(grounded.citable)
        return replace(result, text=cited.feed(result.text) + cited.finish())

    def close(self) -> None:
        """Abort the run if it is still under way."""
        self._answer.close()

    @property
    def _grounded(self) -> Grounded | None:
        """What the answer rests on, which is known with its first events."""
        return self._answer.grounded

    def _filtered(self, events: list[ChatEvent], grounded: Grounded) -> list[ChatEvent]:
        if self._filter is None:
            self._filter = CitationFilter(grounded.citable)
        shown: list[ChatEvent] = []
        for event in events:
            text = ""
            if isinstance(event, TextDelta):
                text = self._filter.feed(event.text)
            elif isinstance(event, Finish):
                text = self._filter.finish()
            if text:
                shown.append(TextDelta(text))
            if not isinstance(event, TextDelta):
                shown.append(event)
        return shown
