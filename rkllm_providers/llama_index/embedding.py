"""``RKLLMEmbedding``: the vectors of a model as a LlamaIndex embedding."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import Field, PrivateAttr, model_validator

from rkllm_providers.chat.plain import TextKind
from rkllm_providers.engine import EmbeddingResult
from rkllm_providers.llama_index.connection import ModelConnection


class LoopTurns:
    """One at a time on each event loop. Copies, and what is unpickled, begin anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()

    def __deepcopy__(self, memo: dict[int, Any]) -> LoopTurns:
        return LoopTurns()

    def __reduce__(self) -> tuple[type[LoopTurns], tuple[()]]:
        return LoopTurns, ()

    def here(self) -> asyncio.Lock:
        """The lock of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            return self._turns.setdefault(loop, asyncio.Lock())


class RKLLMEmbedding(ModelConnection, BaseEmbedding):
    """Vectors of texts by a model's hidden states, as its card says how (docs/uses.md).

    Queries and documents get the model's own prefix for each. Constructing one does no I/O; the model is shared with
    every other object of this process that uses it, a chat with it included, and chats come first.

    Example:
        >>> embedding = RKLLMEmbedding(model="qwen3-embedding-0.6b")  # doctest: +SKIP
        >>> len(embedding.get_query_embedding("How old is the house?"))  # doctest: +SKIP
        1024
    """

    instruction: str | None = None
    """What searches are for, where the model takes that in its prefix for queries."""
    dimensions: int | None = Field(default=None, gt=0)
    """Only so many numbers of each vector, normalised again."""
    truncate: bool = False
    """Cut texts that do not fit the context window; they are refused otherwise."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for one batch, the wait in the queue included."""

    _turns: LoopTurns = PrivateAttr(default_factory=LoopTurns)

    @model_validator(mode="before")
    @classmethod
    def _name_model(cls, values: Any) -> Any:
        """The framework's ``model_name`` is the same as ``model``; one of them is enough."""
        if not isinstance(values, dict):
            return values
        named = {name: values[name] for name in ("model", "model_name") if values.get(name) is not None}
        if len(set(named.values())) > 1:
            raise ValueError(f"model is {named['model']!r} and model_name {named['model_name']!r}: give one of them.")
        return {**values, **dict.fromkeys(("model", "model_name"), next(iter(named.values())))} if named else values

    def __copy__(self) -> RKLLMEmbedding:
        copied = super().__copy__()
        copied._turns = LoopTurns()
        return copied

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises objects of this class."""
        return "RKLLMEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed([query], "query")[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._aembed([query], "query"))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed([text], "document")[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aembed([text], "document"))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts, "document")

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        # The framework starts all batches of an index at once; the model's queue has a bound.
        async with self._turns.here():
            return await self._aembed(texts, "document")

    def _embed(self, texts: Sequence[str], kind: TextKind) -> list[list[float]]:
        return _vectors(self._opened().embed(texts, **self._how(kind)))

    async def _aembed(self, texts: Sequence[str], kind: TextKind) -> list[list[float]]:
        model = await self._aopened()
        return _vectors(await model.aembed(texts, **self._how(kind)))

    def _how(self, kind: TextKind) -> dict[str, Any]:
        return {
            "kind": kind,
            "instruction": self.instruction if kind == "query" else None,
            "dimensions": self.dimensions,
            "truncate": self.truncate,
            "timeout": self.timeout,
        }


def _vectors(result: EmbeddingResult) -> list[list[float]]:
    vectors: list[list[float]] = result.vectors.tolist()
    return vectors
