"""What a model to talk to can do, wherever it runs: on this machine, or behind a service's base URL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Protocol

from rkllm_providers.chat.plain import TextKind
from rkllm_providers.chat.tool_calls import collect_tool_calls
from rkllm_providers.chat.types import (
    ChatEvent,
    ChatMessage,
    ChatResult,
    Finish,
    GenerateOptions,
    ReasoningDelta,
    TextDelta,
)
from rkllm_providers.engine.row_uses import EmbeddingResult, RerankScore
from rkllm_providers.errors import GenerationError
from rkllm_providers.models.families import Capabilities


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What its users must know of a model.

    ``context_length`` is in tokens, and that of the model as it is loaded once it is. ``counts_tokens`` says that
    tokens are counted exactly, and not estimated, ``forces_tool_calls`` that a call can be forced, and not only asked
    for.
    """

    id: str
    context_length: int
    capabilities: Capabilities
    counts_tokens: bool
    forces_tool_calls: bool


class LanguageModel(Protocol):
    """A model to talk to. ``ModelClient`` and ``RemoteModel`` are such; each documents what it does.

    A whole answer is the collected stream.
    """

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it cannot be used any more."""
        ...

    def stream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> Generator[ChatEvent, None, None]:
        """Answer, event by event; the last one is a ``Finish``. Closing it aborts the run."""
        ...

    def astream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream``."""
        ...

    def complete(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> ChatResult:
        """Answer in one piece. Raises what ``stream`` raises."""
        with closing(self.stream(messages, options)) as events:
            return collect(events)

    async def acomplete(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> ChatResult:
        """The asynchronous twin of ``complete``."""
        async with aclosing(self.astream(messages, options)) as events:
            return collect([event async for event in events])

    def stream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> Generator[ChatEvent, None, None]:
        """Go on from a text without the chat template."""
        ...

    def astream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream_text``."""
        ...

    def complete_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> ChatResult:
        """Go on from a text in one piece. Raises what ``stream_text`` raises."""
        with closing(self.stream_text(prompt, options, parse_special=parse_special)) as events:
            return collect(events)

    async def acomplete_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> ChatResult:
        """The asynchronous twin of ``complete_text``."""
        async with aclosing(self.astream_text(prompt, options, parse_special=parse_special)) as events:
            return collect([event async for event in events])

    def embed(
        self,
        texts: Sequence[str],
        *,
        kind: TextKind | None = None,
        instruction: str | None = None,
        dimensions: int | None = None,
        truncate: bool = False,
        timeout: float | None = None,
    ) -> EmbeddingResult:
        """The vectors of texts, in their order."""
        ...

    async def aembed(
        self,
        texts: Sequence[str],
        *,
        kind: TextKind | None = None,
        instruction: str | None = None,
        dimensions: int | None = None,
        truncate: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - a limit that the model keeps
    ) -> EmbeddingResult:
        """The asynchronous twin of ``embed``."""
        ...

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        instruction: str | None = None,
        top_n: int | None = None,
        timeout: float | None = None,
    ) -> list[RerankScore]:
        """How well each document answers the query, the best first."""
        ...

    async def arerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        instruction: str | None = None,
        top_n: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - a limit that the model keeps
    ) -> list[RerankScore]:
        """The asynchronous twin of ``rerank``."""
        ...

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, in which no control token is found."""
        ...

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of tokens."""
        ...

    def count_tokens(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> int:
        """Number of prompt tokens of a conversation, whether it fits or not."""
        ...

    def release(self) -> None:
        """Give the model back; what it holds is freed when nobody else uses it."""
        ...


def collect(events: Iterable[ChatEvent]) -> ChatResult:
    """The whole answer of a stream."""
    collected = list(events)
    finish = collected[-1] if collected else None
    if not isinstance(finish, Finish):
        raise GenerationError("The answer ended without saying how.")
    calls, invalid = collect_tool_calls(collected)
    return ChatResult(
        "".join(event.text for event in collected if isinstance(event, TextDelta)),
        finish,
        "".join(event.text for event in collected if isinstance(event, ReasoningDelta)),
        tuple(calls),
        tuple(invalid),
    )
