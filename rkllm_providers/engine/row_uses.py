"""Embedding and ranking: what a model is asked besides to talk, for threads and for event loops.

Every text is a run of its own. A few of a call wait in the queue at a time, beside those of other calls, and the
engine has its worker do what waits in micro-batches: whoever else waits for the model waits for one of these, not for
all texts of a call, and a caller that goes away stops the rest. A text that fails fails its own call alone.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rkllm_providers.chat.plain import TextKind, embedding_prompts, reranking_prompts
from rkllm_providers.chat.prompt_types import Prompt, TextPrompt
from rkllm_providers.chat.types import Sampling
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.preparing import PreparingThreads
from rkllm_providers.engine.rows_runs import RowsWanted
from rkllm_providers.engine.run import PromptFormChanged, Run, RunDone, RunItem, RunRequest
from rkllm_providers.engine.streams import AsyncStream, SyncStream
from rkllm_providers.engine.texts_ahead import MOST_TEXTS
from rkllm_providers.errors import ContextLengthExceeded, GenerationError, InvalidRequest, RequestTimeout, RKLLMError
from rkllm_providers.models import ModelCard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The engine answers every run within its own limits; this only guards against a fault in it.
SYNC_WAIT_SECONDS: Final = 24 * 3600.0

# Thousands of texts at a time, for which no chat should wait.
_preparing: Final = PreparingThreads(1, "rows")


@dataclass(frozen=True, slots=True)
class EmbeddingResult:
    """One vector per text, in their order: float32 ``[n_texts, n_dimensions]``."""

    vectors: NDArray[np.float32]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class RerankScore:
    """How well a document answers a query, from 0 to 1. ``index`` is its place among those given."""

    index: int
    score: float


class _Batch:
    """The runs of one call, in their order."""

    def __init__(self, make: Callable[[], list[RunRequest]], timeout: float | None) -> None:
        self._make = make
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._made_anew = False
        self.requests: list[RunRequest] = []
        self.ends: list[RunDone] = []
        self._n_begun = 0

    def prepare(self) -> None:
        """Make the requests; takes milliseconds for each. None of them is begun then."""
        self.requests = self._make()
        self._n_begun = len(self.ends)

    @property
    def is_done(self) -> bool:
        """Whether all runs have ended."""
        return len(self.ends) == len(self.requests)

    def next(self) -> RunRequest | None:
        """The next run to begin, ``None`` while enough are under way.

        Raises:
            RequestTimeout: The time for all of them is over.
        """
        left = self._seconds_left()
        if self._n_begun == len(self.requests) or self._n_begun - len(self.ends) == MOST_TEXTS:
            return None
        request = replace(self.requests[self._n_begun], timeout=left, admitted=self._n_begun > 0)
        self._n_begun += 1
        return request

    def _seconds_left(self) -> float | None:
        if self._deadline is None or self._timeout is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RequestTimeout(
                f"{len(self.ends)} of {len(self.requests)} texts were done after {self._timeout:.1f} s. "
                f"Send fewer at a time, or allow a longer time.",
                "run",
                self._timeout,
            )
        return left

    def take(self, items: Sequence[RunItem]) -> bool:
        """Take a run's end; whether all requests must be made anew, as the load that it waited for showed.

        Raises:
            RKLLMError: It failed.
        """
        end = items[-1]
        if isinstance(end, PromptFormChanged) and not self._made_anew:
            self._made_anew = True
            return True
        if isinstance(end, ContextLengthExceeded):
            raise ContextLengthExceeded(end.n_prompt_tokens, end.n_ctx, index=len(self.ends)) from end
        if isinstance(end, RKLLMError):
            raise end
        if not isinstance(end, RunDone) or not end.vector:
            raise GenerationError("The run ended without what it was for.")
        self.ends.append(end)
        return False


class RowUses(ABC):
    """What ``ModelClient`` can do with hidden states and logits."""

    engine: Engine

    @property
    @abstractmethod
    def card(self) -> ModelCard:
        """What is known of the model."""

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
        """The vectors of texts, in their order and independent of each other.

        ``kind`` puts the model's prefix for queries or documents before each, ``instruction`` into that of
        queries. ``dimensions`` keeps so many numbers of each vector, which is then made as long as before.
        ``truncate`` cuts texts that do not fit the window. ``timeout`` is in seconds for all of them.

        Raises:
            RKLLMError: A text is refused, or its run fails.
        """
        _check_count(dimensions, "dimensions")
        batch = self._run(lambda: self._embeddings(texts, kind, instruction, truncate), timeout)
        return _vectors(batch, self, dimensions)

    async def aembed(
        self,
        texts: Sequence[str],
        *,
        kind: TextKind | None = None,
        instruction: str | None = None,
        dimensions: int | None = None,
        truncate: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - the engine keeps it, as that of the twin
    ) -> EmbeddingResult:
        """The asynchronous twin of ``embed``. Cancelling its task aborts the run."""
        _check_count(dimensions, "dimensions")
        batch = await self._arun(lambda: self._embeddings(texts, kind, instruction, truncate), timeout)
        return await _preparing.run(lambda: _vectors(batch, self, dimensions))

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        instruction: str | None = None,
        top_n: int | None = None,
        timeout: float | None = None,
    ) -> list[RerankScore]:
        """How well each document answers the query, the best first; ``top_n`` keeps so many (runtime 1.2.0).

        Raises:
            RKLLMError: A document is refused, or its run fails.
        """
        _check_count(top_n, "top_n")
        return _scores(self._run(lambda: self._rankings(query, documents, instruction), timeout), top_n)

    async def arerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        instruction: str | None = None,
        top_n: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the engine keeps it, as that of the twin
    ) -> list[RerankScore]:
        """The asynchronous twin of ``rerank``. Cancelling its task aborts the run."""
        _check_count(top_n, "top_n")
        return _scores(await self._arun(lambda: self._rankings(query, documents, instruction), timeout), top_n)

    def _embeddings(
        self, texts: Sequence[str], kind: TextKind | None, instruction: str | None, truncate: bool
    ) -> list[RunRequest]:
        card = self.card
        prompts = embedding_prompts(card, texts, kind, instruction, truncate=truncate)
        return _requests(card, prompts, RowsWanted(card.embedding.pooling))

    def _rankings(self, query: str, documents: Sequence[str], instruction: str | None) -> list[RunRequest]:
        card = self.card
        prompts, tokens = reranking_prompts(card, query, documents, instruction)
        return _requests(card, prompts, RowsWanted(tokens=tokens))

    def _run(self, make: Callable[[], list[RunRequest]], timeout: float | None) -> _Batch:
        batch = _Batch(make, timeout)
        batch.prepare()
        begun: deque[tuple[Run, SyncStream]] = deque()
        try:
            while not batch.is_done:
                while (request := batch.next()) is not None:
                    stream = SyncStream()
                    begun.append((self.engine.submit(request, stream), stream))
                try:
                    items = begun[0][1].get(SYNC_WAIT_SECONDS)
                except TimeoutError as error:
                    raise GenerationError(f"The engine of {self.engine.spec.name} never answered.") from error
                begun.popleft()
                if batch.take(items):
                    self._drop(begun)
                    batch.prepare()
        finally:
            self._drop(begun)
        return batch

    async def _arun(self, make: Callable[[], list[RunRequest]], seconds: float | None) -> _Batch:
        batch = _Batch(make, seconds)
        await _preparing.run(batch.prepare)
        begun: deque[tuple[Run, AsyncStream]] = deque()
        try:
            while not batch.is_done:
                while (request := batch.next()) is not None:
                    stream = AsyncStream()
                    begun.append((self.engine.submit(request, stream), stream))
                items = await begun[0][1].get()
                begun.popleft()
                if batch.take(items):
                    self._drop(begun)
                    await _preparing.run(batch.prepare)
        finally:
            self._drop(begun)
        return batch

    def _drop(self, begun: deque[tuple[Run, SyncStream]] | deque[tuple[Run, AsyncStream]]) -> None:
        """Stop the runs whose results nobody takes any more."""
        while begun:
            self.engine.cancel(begun.popleft()[0])


def _requests(card: ModelCard, prompts: Sequence[Prompt], wanted: RowsWanted) -> list[RunRequest]:
    # Older runtimes sample as the request that loads the model asks: this one asks for the model's defaults.
    sampling = Sampling().over(card.sampling)
    return [RunRequest(prompt.content, 1, sampling, priority="bulk", plain=True, rows=wanted) for prompt in prompts]


def _vectors(batch: _Batch, client: RowUses, dimensions: int | None) -> EmbeddingResult:
    import numpy as np

    if not batch.ends:
        return EmbeddingResult(np.zeros((0, dimensions or 0), np.float32), 0)
    vectors = np.stack([np.frombuffer(end.vector, "<f4") for end in batch.ends]).astype(np.float64)
    width = vectors.shape[1]
    if dimensions is not None:
        if dimensions > width:
            raise InvalidRequest(f"The model's vectors have {width} dimensions, not {dimensions}.", "dimensions")
        vectors = vectors[:, :dimensions]
    if client.card.embedding.normalize:
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(lengths == 0, 1, lengths)
    counts = [
        end.prefill_tokens or 0 if isinstance(request.prompt, TextPrompt) else len(request.prompt)
        for end, request in zip(batch.ends, batch.requests, strict=True)
    ]
    return EmbeddingResult(vectors.astype(np.float32), sum(counts))


def _scores(batch: _Batch, top_n: int | None) -> list[RerankScore]:
    import numpy as np

    scores: list[RerankScore] = []
    for index, end in enumerate(batch.ends):
        yes, no = np.frombuffer(end.vector, "<f4").tolist()
        # The softmax of two numbers, in the form that does not overflow.
        scores.append(RerankScore(index, 0.5 * (1 + math.tanh((yes - no) / 2))))
    return sorted(scores, key=lambda one: -one.score)[:top_n]


def _check_count(value: int | None, name: str) -> None:
    if value is not None and value < 1:
        raise InvalidRequest(f"{name} is {value}; at least 1 is needed.", name)
