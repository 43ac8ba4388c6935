"""What Open WebUI shows over an answer: what is going on before it, and what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rag_service.chat_answer import ChatAnswer
from rag_service.grounding import Grounded
from rag_service.openwebui.client_events import source_events, status_event


class AnswerNews:
    """The events of one answer's stream, in Open WebUI's form."""

    def __init__(self, answer: ChatAnswer, is_loaded: Callable[[], bool]) -> None:
        """``is_loaded`` says whether the model is in memory."""
        self._is_loaded = is_loaded
        self._answer = answer
        self._shown = ""
        self._ended = False

    def look(self) -> list[dict[str, Any]]:
        """What goes on now, if that is something new."""
        description = self._going_on()
        if self._ended or description == self._shown:
            return []
        self._shown = description
        return [status_event(description)]

    def end(self) -> list[dict[str, Any]]:
        """What is to be told when the answer begins, or fails before: what was read, and the sources. Only once."""
        if self._ended:
            return []
        self._ended = True
        grounded = self._answer.grounded
        summary = "" if grounded is None else _summary(grounded)
        if grounded is not None and summary:
            return [status_event(summary, done=True), *source_events(grounded.shown, grounded.excerpts)]
        # A status that is not ended would go on turning over the answer.
        return [status_event(self._shown, done=True, hidden=True)] if self._shown else []

    def _going_on(self) -> str:
        answer = self._answer
        if answer.reads_sources:
            return f"Reading {_counted(answer.sources, 'source')}"
        if answer.position:
            return f"Waiting: {_counted(answer.position, 'request')} before this one"
        if not self._is_loaded():
            return "Loading the model"
        if answer.progress is not None:
            return "Reading the prompt: {} of {} tokens".format(*answer.progress)
        return "Reading the prompt"


def _summary(grounded: Grounded) -> str:
    """What was chosen of the sources; nothing where the turn needed none."""
    sources = _counted(grounded.sources, "source")
    if grounded.excerpts:
        passages = _counted(len(grounded.excerpts), "passage")
        return f"Chose {passages} of {sources}"
    needs_none = grounded.retrieved.decision.use == "conversation"
    return "" if needs_none else f"Nothing in {sources} fits the question"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
