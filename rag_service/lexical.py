"""Embedding and ranking without a model, for a whole service: by the words that texts share.

Both run in a process of their own. Calls for vectors that come together are one job there, so that hundreds of
single texts cost little more than one list of them.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.lexical_vectors import DIMENSIONS
from rag_service.retrieval.messages import unpack_vectors
from rag_service.retrieval.process import JobProcess
from rkllm_providers.errors import EngineClosed, InvalidRequest, ModelNotFound, QueueFull, RKLLMError

EMBEDDING_ID: Final = f"lexical-{DIMENSIONS}"
"""The id of the lexical embedding where models have theirs."""
RANKING_ID: Final = "bm25"
"""The same of ranking."""

MOST_TEXTS: Final = 2048
MOST_CHARACTERS: Final = 4_000_000
_MOST_WAITING: Final = 4096
_MOST_WAITING_CHARACTERS: Final = 50_000_000
_JOB_CHARACTERS: Final = 400_000
_JOB_SECONDS: Final = 30.0
_QUEUED_RANKINGS: Final = 64


@dataclass(frozen=True, slots=True)
class LexicalVectors:
    """Vectors, float32 ``[n_texts, DIMENSIONS]``, and how many terms the texts have."""

    vectors: NDArray[np.float32]
    n_terms: int


@dataclass(frozen=True, slots=True)
class _Call:
    texts: Sequence[str]
    done: asyncio.Future[LexicalVectors]


class Lexical:
    """Embeds and ranks. One for a service; belongs to its event loop."""

    def __init__(self, *, embeds: bool) -> None:
        """``embeds`` says whether vectors are offered; ranking always is."""
        self.embeds = embeds
        self._embedding = JobProcess(seconds=_JOB_SECONDS)
        self._ranking = JobProcess(seconds=_JOB_SECONDS, queue=_QUEUED_RANKINGS)
        self._waiting: deque[_Call] = deque()
        self._waiting_characters = 0
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def embed(self, texts: Sequence[str]) -> LexicalVectors:
        """The vectors of texts, in their order. Cancelling its task costs no other call.

        Raises:
            ModelNotFound: It is switched off.
            InvalidRequest: There are too many, they are too long, or one is empty.
            QueueFull: Too many calls wait.
            RKLLMError: As ``JobProcess.run`` says.
        """
        if not self.embeds:
            raise ModelNotFound(EMBEDDING_ID, hint="It is switched off here: set RKLLM_LEXICAL_EMBEDDING=true.")
        _check(texts, "input")
        if "" in texts:
            raise InvalidRequest(f"Text {texts.index('')} (counted from 0) is empty.", "input")
        if self._closed:
            raise EngineClosed("The service is shutting down.")
        size = sum(map(len, texts))
        if len(self._waiting) >= _MOST_WAITING or self._waiting_characters + size > _MOST_WAITING_CHARACTERS:
            raise QueueFull(len(self._waiting), _MOST_WAITING, _JOB_SECONDS)
        self._waiting_characters += size
        call = _Call(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await call.done

    async def rank(self, query: str, texts: Sequence[str]) -> list[tuple[int, float]]:
        """The places of ``texts`` with their relevance to ``query``, 0..1, the best first.

        Raises:
            InvalidRequest: There are too many texts, or they are too long.
            RKLLMError: As ``JobProcess.run`` says.
        """
        if not query.strip():
            raise InvalidRequest("The query is empty.", "query")
        _check(texts, "documents")
        job = {"kind": "rank", "query": query, "texts": list(texts)}
        ranked = await self._ranking.run(job, f"Ranking {len(texts)} documents")
        return [(place, relevance) for place, relevance in ranked]

    async def close(self) -> None:
        """End the processes. Who waits is told."""
        self._closed = True
        if self._worker is not None:
            self._worker.cancel()
        _fail(self._waiting, EngineClosed("The service is shutting down."))
        self._waiting.clear()
        await self._embedding.close()
        await self._ranking.close()

    async def _work(self) -> None:
        """Do what waits, job by job."""
        try:
            while calls := self._gather():
                try:
                    await self._do(calls)
                finally:
                    # After a fault of ours nobody may wait for ever; of those who have their answer none is told.
                    _fail(calls, EngineClosed("The lexical embedding was ended."))
        finally:
            self._worker = None

    def _gather(self) -> list[_Call]:
        """The calls of the next job: those that came first, as long as it stays small."""
        calls: list[_Call] = []
        size = 0
        while self._waiting:
            call = self._waiting[0]
            own = sum(map(len, call.texts))
            size += own
            if calls and size > _JOB_CHARACTERS:
                break
            self._waiting.popleft()
            self._waiting_characters -= own
            if not call.done.done():
                calls.append(call)
        return calls

    async def _do(self, calls: Sequence[_Call]) -> None:
        texts = [text for call in calls for text in call.texts]
        try:
            packed = await self._embedding.run({"kind": "embed", "texts": texts}, f"Embedding {len(texts)} texts")
            vectors, n_terms = unpack_vectors(packed)
        except RKLLMError as error:
            if len(calls) == 1 or self._closed:
                _fail(calls, error)
                return
            # One of them is at fault, and no other is to pay for it.
            for call in calls:
                await self._do([call])
            return
        begin = 0
        for call in calls:
            end = begin + len(call.texts)
            if not call.done.done():
                call.done.set_result(LexicalVectors(vectors[begin:end], sum(n_terms[begin:end])))
            begin = end


def _fail(calls: Iterable[_Call], error: RKLLMError) -> None:
    """Tell those who still wait."""
    for call in calls:
        if not call.done.done():
            call.done.set_exception(copy.copy(error))


def _check(texts: Sequence[str], param: str) -> None:
    size = sum(map(len, texts))
    if len(texts) > MOST_TEXTS or size > MOST_CHARACTERS:
        raise InvalidRequest(
            f"There are {len(texts)} texts of {size} characters; at most {MOST_TEXTS} of {MOST_CHARACTERS} together "
            f"are taken at a time.",
            param,
        )
