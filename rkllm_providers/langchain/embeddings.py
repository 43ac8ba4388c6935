"""``RKLLMEmbeddings``: vectors of texts, from a model on the NPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.embeddings import Embeddings
from pydantic import Field

from rkllm_providers.engine import EmbeddingResult
from rkllm_providers.langchain.errors import langchain_errors
from rkllm_providers.langchain.source import ModelSource


class RKLLMEmbeddings(ModelSource, Embeddings):
    """Vectors of texts; how a model makes them (pooling, prefixes, length) its files tell.

    Queries and documents get the model's prefixes for them. Each text is a run of its own that waits while a chat
    does. ``timeout`` is in seconds for a batch.
    """

    dimensions: int | None = Field(default=None, gt=0)
    """So many numbers of each vector are kept, for models that were trained for it; all where it is ``None``."""
    instruction: str | None = None
    """What queries are for, where the model takes that in its prefix for them."""
    truncate: bool = False
    """Whether texts that do not fit the context window are cut, and not refused."""
    batch_size: int = Field(default=256, gt=0, le=2048)
    """So many texts are prepared at a time; more of them are done batch after batch."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text to be found, in their order.

        Raises:
            RKLLMError: A text is refused, or its run fails.
        """
        vectors: list[list[float]] = []
        with langchain_errors():
            model = self._open() if texts else None
            for batch in self._batches(texts):
                if model is not None:
                    vectors += _lists(model.embed(batch, **self._kwargs("document")))
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a text that others are searched for. Raises what ``embed_documents`` raises."""
        with langchain_errors():
            return _lists(self._open().embed([text], **self._kwargs("query")))[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """The asynchronous twin of ``embed_documents``. Cancelling its task stops the run under way and the rest."""
        vectors: list[list[float]] = []
        with langchain_errors():
            model = await self._aopen() if texts else None
            for batch in self._batches(texts):
                if model is not None:
                    vectors += _lists(await model.aembed(batch, **self._kwargs("document")))
        return vectors

    async def aembed_query(self, text: str) -> list[float]:
        """The asynchronous twin of ``embed_query``."""
        with langchain_errors():
            model = await self._aopen()
            return _lists(await model.aembed([text], **self._kwargs("query")))[0]

    def _batches(self, texts: Sequence[str]) -> list[Sequence[str]]:
        return [texts[at : at + self.batch_size] for at in range(0, len(texts), self.batch_size)]

    def _kwargs(self, kind: Literal["query", "document"]) -> dict[str, Any]:
        return {
            "kind": kind,
            "instruction": self.instruction if kind == "query" else None,
            "dimensions": self.dimensions,
            "truncate": self.truncate,
            "timeout": self.timeout,
        }


def _lists(result: EmbeddingResult) -> list[list[float]]:
    """LangChain wants lists of Python's floats."""
    vectors: list[list[float]] = result.vectors.tolist()
    return vectors
