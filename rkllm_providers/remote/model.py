"""A model behind a service's base URL."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote

import numpy as np

from rkllm_providers.chat.plain import TextKind
from rkllm_providers.chat.types import ChatEvent, ChatMessage, GenerateOptions
from rkllm_providers.engine.language_model import LanguageModel, ModelFacts
from rkllm_providers.engine.row_uses import EmbeddingResult, RerankScore
from rkllm_providers.errors import InvalidRequest, ServiceUnreachable
from rkllm_providers.models.families import Capabilities
from rkllm_providers.remote.answer_reader import AnswerReader
from rkllm_providers.remote.connection import ServiceConnection
from rkllm_providers.remote.request_fields import chat_fields, check_texts, given_fields, text_fields

_CHAT: Final = "chat/completions"
_TEXT: Final = "completions"
_CAPABILITIES: Final = frozenset(field.name for field in fields(Capabilities))
# What answers of another form than ours fail with, when they are read.
_MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)

_Read = TypeVar("_Read")


class RemoteModel(LanguageModel):
    """A model that a service of this package serves, as ``LanguageModel`` describes it.

    It gives the same events as a model of this machine, and raises the same errors; beside those there is
    ``ServiceUnreachable``. Making one does no I/O. Thread-safe, and good for any number of event loops.
    """

    def __init__(self, model: str, base_url: str, api_key: str | None = None) -> None:
        """``base_url`` is that of the service, such as ``http://192.168.1.5:8000/v1``.

        Raises:
            InvalidRequest: It is no base URL, or the key cannot be sent.
        """
        self.model = model
        self._connection = ServiceConnection(base_url, api_key)
        self._facts: ModelFacts | None = None

    @classmethod
    def open(cls, model: str, base_url: str, api_key: str | None = None) -> RemoteModel:
        """A model of which the service was asked already: it is there. Keep it off event loops.

        Raises:
            ModelNotFound: The service has no such model.
            ServiceUnreachable: No service of this package answers there.
        """
        opened = cls(model, base_url, api_key)
        try:
            opened._ask_facts()
        except BaseException:
            opened.release()
            raise
        return opened

    def __repr__(self) -> str:
        return f"RemoteModel({self.model!r}, base_url={self.base_url!r})"

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._connection.base_url

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model. The first look asks the service; answers bring the loaded model's window."""
        return self._facts or self._ask_facts()

    @property
    def closed(self) -> bool:
        """Whether it was released."""
        return self._connection.closed

    def release(self) -> None:
        """Close the connections. The service keeps the model loaded as long as its own settings say."""
        self._connection.close()

    def stream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> Generator[ChatEvent, None, None]:
        """Answer, event by event; the last one is a ``Finish``. Closing it aborts the run.

        Raises:
            RKLLMError: The request is refused, its run fails, or the service cannot be reached.
        """
        yield from self._events(_CHAT, chat_fields(self.model, messages, options or GenerateOptions()))

    async def astream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream``. Closing it, or cancelling its task, aborts the run."""
        make = partial(chat_fields, self.model, messages, options or GenerateOptions())
        # Megabytes of pictures are not written on the loop.
        body = await asyncio.to_thread(make) if any(message.pictures for message in messages) else make()
        async with aclosing(self._aevents(_CHAT, body)) as events:
            async for event in events:
                yield event

    def stream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> Generator[ChatEvent, None, None]:
        """Go on from a text without the chat template, as ``stream`` does with messages.

        With ``parse_special`` control tokens may be written in the prompt.
        """
        body = text_fields(self.model, prompt, options or GenerateOptions(), parse_special=parse_special)
        yield from self._events(_TEXT, body)

    async def astream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream_text``."""
        body = text_fields(self.model, prompt, options or GenerateOptions(), parse_special=parse_special)
        async with aclosing(self._aevents(_TEXT, body)) as events:
            async for event in events:
                yield event

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
        """The vectors of texts, in their order. The service embeds with models that have the capability.

        Raises:
            RKLLMError: A text is refused, its run fails, or the service cannot be reached.
        """
        body = self._embedding(texts, kind, instruction, dimensions, truncate, timeout)
        return self._vectors(self._connection.ask("POST", "embeddings", body), dimensions)

    async def aembed(
        self,
        texts: Sequence[str],
        *,
        kind: TextKind | None = None,
        instruction: str | None = None,
        dimensions: int | None = None,
        truncate: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - the service keeps it, as that of the twin
    ) -> EmbeddingResult:
        """The asynchronous twin of ``embed``. Cancelling its task aborts the run."""
        body = self._embedding(texts, kind, instruction, dimensions, truncate, timeout)
        return self._vectors(await self._connection.aask("POST", "embeddings", body), dimensions)

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        instruction: str | None = None,
        top_n: int | None = None,
        timeout: float | None = None,
    ) -> list[RerankScore]:
        """How well each document answers the query, the best first; ``top_n`` keeps so many.

        Raises:
            RKLLMError: A document is refused, its run fails, or the service cannot be reached.
        """
        body = self._ranking(query, documents, instruction, top_n, timeout)
        return self._scores(self._connection.ask("POST", "rerank", body))

    async def arerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        instruction: str | None = None,
        top_n: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the service keeps it, as that of the twin
    ) -> list[RerankScore]:
        """The asynchronous twin of ``rerank``. Cancelling its task aborts the run."""
        body = self._ranking(query, documents, instruction, top_n, timeout)
        return self._scores(await self._connection.aask("POST", "rerank", body))

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, in which no control token is found.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
        """
        answer = self._connection.ask("POST", "tokenize", {"model": self.model, "content": text})
        return self._read(lambda: [int(token) for token in answer["tokens"]])

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens as they are written; what is no whole character becomes U+FFFD.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
            InvalidRequest: There is no such token.
        """
        try:
            answer = self._connection.ask("POST", "detokenize", {"model": self.model, "tokens": list(ids)})
        except InvalidRequest as error:
            if error.param == "tokens":
                error.param = "ids"  # as it is called here
            raise
        return self._read(lambda: str(answer["content"]))

    def count_tokens(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> int:
        """Number of prompt tokens of a conversation, whether it fits or not.

        Exact where ``facts.counts_tokens``, else an estimate.

        Raises:
            InvalidRequest: The messages cannot be rendered.
        """
        body = chat_fields(self.model, messages, options or GenerateOptions())
        answer = self._connection.ask("POST", f"{_CHAT}/input_tokens", body)
        return self._read(lambda: int(answer["input_tokens"]))

    def _ask_facts(self) -> ModelFacts:
        if not self.model:
            raise InvalidRequest("No model is named; the service has several.", "model")
        told = self._connection.ask("GET", f"models/{quote(self.model, safe='')}")
        facts = self._facts = self._read(
            lambda: ModelFacts(
                str(told["id"]),
                int(told["context_length"]),
                Capabilities(**{name: True for name in told["capabilities"] if name in _CAPABILITIES}),
                bool(told["counts_tokens"]),
                bool(told["forces_tool_calls"]),
            )
        )
        return facts

    def _events(self, path: str, body: Mapping[str, Any]) -> Generator[ChatEvent, None, None]:
        reader = AnswerReader(self.base_url)
        with closing(self._connection.events(path, body)) as payloads:
            for payload in payloads:
                yield from reader.feed(payload)
        self._note(reader)

    async def _aevents(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[ChatEvent, None]:
        reader = AnswerReader(self.base_url)
        async with aclosing(self._connection.aevents(path, body)) as payloads:
            async for payload in payloads:
                for event in reader.feed(payload):
                    yield event
        self._note(reader)

    def _note(self, reader: AnswerReader) -> None:
        """See that the answer came to its end; the model is loaded now, and its window is known."""
        if not reader.finished:
            raise ServiceUnreachable(
                f"{self.base_url} ended the connection before the answer was complete. See whether the service still "
                f"runs there.",
                self.base_url,
            )
        if self._facts is not None and reader.context_length is not None:
            self._facts = replace(self._facts, context_length=reader.context_length)

    def _embedding(
        self,
        texts: Sequence[str],
        kind: TextKind | None,
        instruction: str | None,
        dimensions: int | None,
        truncate: bool,
        timeout: float | None,
    ) -> dict[str, Any]:
        return {
            "model": self.model,
            "input": check_texts(texts, "texts"),
            "encoding_format": "base64",
            "truncate": truncate,
            **given_fields(kind=kind, instruction=instruction, dimensions=dimensions, timeout=timeout),
        }

    def _vectors(self, answer: Any, dimensions: int | None) -> EmbeddingResult:
        def read() -> EmbeddingResult:
            rows = [np.frombuffer(base64.b64decode(item["embedding"]), "<f4") for item in answer["data"]]
            vectors = np.stack(rows).astype(np.float32) if rows else np.zeros((0, dimensions or 0), np.float32)
            return EmbeddingResult(vectors, int(answer["usage"]["prompt_tokens"]))

        return self._read(read)

    def _ranking(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None,
        top_n: int | None,
        timeout: float | None,
    ) -> dict[str, Any]:
        return {
            "model": self.model,
            "query": query,
            "documents": check_texts(documents, "documents"),
            **given_fields(instruction=instruction, top_n=top_n, timeout=timeout),
        }

    def _scores(self, answer: Any) -> list[RerankScore]:
        return self._read(
            lambda: [RerankScore(int(one["index"]), float(one["relevance_score"])) for one in answer["results"]]
        )

    def _read(self, read: Callable[[], _Read]) -> _Read:
        """What ``read`` finds in an answer.

        Raises:
            ServiceUnreachable: The answer has another form than ours.
        """
        try:
            return read()
        except _MALFORMED as error:
            raise ServiceUnreachable(
                f"{self.base_url} does not answer as a service of this package ({type(error).__name__}: {error}). "
                f"Correct the base URL, or bring both to one version.",
                self.base_url,
            ) from error
