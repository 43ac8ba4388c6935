"""Retrieval in front of a model: from a chat with sources in it to the conversation that the model is given."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rag_service.openwebui.content import texts_of
from rag_service.openwebui.sources import ReadChat, read_chat
from rag_service.retrieval.pipeline import Retrieved
from rag_service.retrieval.process import RetrievalProcess
from rag_service.retrieval.prompt import place_sources
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Excerpt, Source
from rkllm_providers.chat import ChatMessage, GenerateOptions, estimate_tokens
from rkllm_providers.engine import LanguageModel

logger = logging.getLogger(__name__)

_LONG_CHAT: Final = 50_000
"""Characters; reading a chat of so many is felt on an event loop."""

# What the instruction and the elements around the sources take besides what is counted.
_FRAME_TOKENS: Final = 160
# Of the room that the conversation leaves, the share that is the answer's where the request does not say.
_ANSWER_SHARE: Final = 0.35
_LEAST_BUDGET: Final = 48


@dataclass(frozen=True, slots=True)
class GroundingSettings:
    """How sources in chats are dealt with.

    With ``on`` false, chats go to the model as they are. ``tokens`` is the most that all excerpts of a turn take:
    each is read by the model at every turn. ``seconds`` is the limit of choosing them, and ``retrieval`` what the
    stages are set to. A conversation with sources is answered without thinking on models whose window is below
    ``thinking_context`` tokens, where the request does not say.
    """

    on: bool = True
    tokens: int = 1500
    seconds: float = 20.0
    thinking_context: int = 8192
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)


@dataclass(frozen=True, slots=True)
class Grounded:
    """What a chat has become: raw ``messages``, and what of its sources the model was given.

    ``excerpts`` are what was given, and ``shown`` the sources that they are of, in their order. ``retrieved`` tells
    how they were found, excerpts that had no room in the end among them. ``sources`` is how many came with the chat.
    """

    messages: tuple[Mapping[str, Any], ...]
    shown: tuple[Source, ...]
    excerpts: tuple[Excerpt, ...]
    retrieved: Retrieved
    sources: int = 0

    @property
    def citable(self) -> frozenset[str]:
        """The ids that an answer may cite."""
        return frozenset(source.id for source in self.shown if source.id)


class Grounding:
    """Finds the sources in chats, and gives the model what of them answers the question. One for a service."""

    def __init__(self, settings: GroundingSettings | None = None) -> None:
        self.settings = settings or GroundingSettings()
        self._process = RetrievalProcess(seconds=self.settings.seconds)

    async def read(self, messages: Sequence[Mapping[str, Any]]) -> ReadChat | None:
        """A chat taken apart; ``None`` where it has no sources, or they are to be left as they are."""
        if not self.settings.on or not _may_have_sources(messages):
            return None
        chat = await asyncio.to_thread(read_chat, messages) if is_long(messages) else read_chat(messages)
        return chat if chat.sources else None

    async def ground(
        self,
        chat: ReadChat,
        model: LanguageModel,
        options: GenerateOptions,
        convert: Callable[[Sequence[Mapping[str, Any]]], list[ChatMessage]],
    ) -> Grounded:
        """Put the best of a chat's sources into its newest user turn.

        ``convert`` makes chat types of raw messages, so that tokens can be counted.

        Raises:
            RequestTimeout: Reading the sources took too long.
            QueueFull: Too many chats have their sources read already.
            InvalidRequest: ``convert`` refuses the messages.
        """
        bare = convert(chat.messages_without_sources)
        room = model.facts.context_length - await asyncio.to_thread(model.count_tokens, bare, options)
        budget = self._budget(room, options)
        retrieved = await self._process.retrieve(
            chat.sources, chat.turns, self.settings.retrieval, _counter(model), budget=budget
        )
        return await asyncio.to_thread(self._placed, chat, retrieved, model, options, convert)

    def options(self, options: GenerateOptions, model: LanguageModel) -> GenerateOptions:
        """The options of a turn with sources: on small windows the answer needs the room that thinking would take."""
        facts = model.facts
        small = facts.context_length < self.settings.thinking_context
        if options.thinking is None and options.effort is None and facts.capabilities.thinking and small:
            return replace(options, thinking=False)
        return options

    async def close(self) -> None:
        """End the process that reads sources."""
        await self._process.close()

    def _budget(self, room: int, options: GenerateOptions) -> int:
        share = int(room * _ANSWER_SHARE)
        answer = share if options.max_tokens is None else min(options.max_tokens, share)
        budget = min(self.settings.tokens, room - answer - _FRAME_TOKENS)
        return budget if budget >= _LEAST_BUDGET else 0

    def _placed(
        self,
        chat: ReadChat,
        retrieved: Retrieved,
        model: LanguageModel,
        options: GenerateOptions,
        convert: Callable[[Sequence[Mapping[str, Any]]], list[ChatMessage]],
    ) -> Grounded:
        """The chat with excerpts in it; the last ones go where the whole would not fit after all."""
        excerpts = list(retrieved.excerpts)
        most = model.facts.context_length - 1
        while True:
            messages = _with_excerpts(chat, retrieved, excerpts)
            if not excerpts or model.count_tokens(convert(messages), options) < most:
                break
            excerpts.pop()
        given = {excerpt.source_id for excerpt in excerpts}
        shown = tuple({source.id: source for source in chat.sources if source.id in given}.values())
        logger.info("read %d sources, gave %d excerpts of %d", len(chat.sources), len(excerpts), len(shown))
        return Grounded(messages, shown, tuple(excerpts), retrieved, len(chat.sources))


def _with_excerpts(
    chat: ReadChat, retrieved: Retrieved, excerpts: Sequence[Excerpt]
) -> tuple[Mapping[str, Any], ...]:
    decision = retrieved.decision
    text = place_sources(
        chat.question,
        excerpts,
        use=decision.use,
        coverage=decision.coverage,
        foreign=decision.keep_order,
    )
    messages = list(chat.messages_without_sources)
    newest = max(place for place, message in enumerate(messages) if message.get("role") == "user")
    messages[newest] = {**messages[newest], "content": _replaced(messages[newest].get("content"), text)}
    return tuple(messages)


def _replaced(content: Any, text: str) -> Any:
    """A message's content with another text: parts that are no text, such as pictures, stay."""
    if not isinstance(content, list):
        return text
    others = [part for part in content if not (isinstance(part, Mapping) and part.get("type") == "text")]
    return [{"type": "text", "text": text}, *others]


def _may_have_sources(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it is worth taking a chat apart: most have no tag in them, and no tool's results."""
    return any(
        message.get("role") == "tool" or any("<" in text for text in texts_of(message))
        for message in messages
        if message.get("role") != "assistant"
    )


def _counter(model: LanguageModel) -> Callable[[str], int]:
    if not model.facts.counts_tokens:
        return estimate_tokens
    return lambda text: len(model.tokenize(text))


def is_long(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a chat is so long that what is done with all of it would be felt on an event loop.

    Its strings are measured where they are: writing out the megabytes of a picture takes long itself.
    """
    return sum(_length(message.get("content")) for message in messages) > _LONG_CHAT


def _length(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    values = [value for part in parts for value in part.values()]
    values += [inner for value in values if isinstance(value, Mapping) for inner in value.values()]
    return sum(len(value) for value in values if isinstance(value, str))
