"""One request of ``RKLLM``: everything its eight methods share but the waiting."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import TypeVar

from llama_index.core.base.llms.types import ChatResponse

from rkllm_providers.chat import ChatEvent, ChatMessage, GenerateOptions
from rkllm_providers.engine import LanguageModel
from rkllm_providers.llama_index.responses import AnswerAssembly

_Shown = TypeVar("_Shown")


@dataclass(frozen=True, slots=True)
class RawPrompt:
    """A text to go on from without the chat template; ``parse_special``: control tokens may be written in it."""

    text: str
    parse_special: bool


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What to answer, and how."""

    said: Sequence[ChatMessage] | RawPrompt
    options: GenerateOptions
    parallel_calls: bool = True

    def ask(self, model: LanguageModel) -> ChatResponse:
        """The whole answer."""
        if isinstance(self.said, RawPrompt):
            result = model.complete_text(self.said.text, self.options, parse_special=self.said.parse_special)
        else:
            result = model.complete(self.said, self.options)
        return self._assembly(model).whole(result)

    async def aask(self, model: LanguageModel) -> ChatResponse:
        """The asynchronous twin of ``ask``."""
        if isinstance(self.said, RawPrompt):
            result = await model.acomplete_text(self.said.text, self.options, parse_special=self.said.parse_special)
        else:
            result = await model.acomplete(self.said, self.options)
        return self._assembly(model).whole(result)

    def stream(self, model: LanguageModel, show: Callable[[ChatResponse], _Shown]) -> Generator[_Shown, None, None]:
        """The answer as it grows. Closing it aborts the run."""
        assembly = self._assembly(model)
        with closing(self._events(model)) as events:
            for event in events:
                response = assembly.take(event)
                if response is not None:
                    yield show(response)

    async def astream(
        self, model: LanguageModel, show: Callable[[ChatResponse], _Shown]
    ) -> AsyncGenerator[_Shown, None]:
        """The asynchronous twin of ``stream``."""
        assembly = self._assembly(model)
        async with aclosing(self._aevents(model)) as events:
            async for event in events:
                response = assembly.take(event)
                if response is not None:
                    yield show(response)

    def _events(self, model: LanguageModel) -> Generator[ChatEvent, None, None]:
        if isinstance(self.said, RawPrompt):
            return model.stream_text(self.said.text, self.options, parse_special=self.said.parse_special)
        return model.stream(self.said, self.options)

    def _aevents(self, model: LanguageModel) -> AsyncGenerator[ChatEvent, None]:
        if isinstance(self.said, RawPrompt):
            return model.astream_text(self.said.text, self.options, parse_special=self.said.parse_special)
        return model.astream(self.said, self.options)

    def _assembly(self, model: LanguageModel) -> AnswerAssembly:
        return AnswerAssembly(model.facts.id, parallel_calls=self.parallel_calls)
