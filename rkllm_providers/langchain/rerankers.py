"""``RKLLMReranker``: documents in the order in which they answer a query."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import Field

from rkllm_providers.engine import RerankScore
from rkllm_providers.langchain.errors import langchain_errors
from rkllm_providers.langchain.source import ModelSource


class RKLLMReranker(ModelSource, BaseDocumentCompressor):
    """Ranks documents by a model that was trained for it, such as Qwen3-Reranker (runtime 1.2.0 and later).

    ``timeout`` is in seconds for all documents of a call.
    """

    top_n: int | None = Field(default=None, gt=0)
    """So many of the best are kept; all where it is ``None``."""
    instruction: str | None = None
    """What the search is for, where the model takes that."""

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """Copies of the documents, the best first, with ``relevance_score`` (0 to 1) in their metadata.

        Raises:
            RKLLMError: A document is refused, or its run fails.
        """
        if not documents:
            return []
        with langchain_errors():
            scores = self._open().rerank(
                query, _texts(documents), instruction=self.instruction, top_n=self.top_n, timeout=self.timeout
            )
        return _ranked(documents, scores)

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """The asynchronous twin of ``compress_documents``. Cancelling its task stops the ranking."""
        if not documents:
            return []
        with langchain_errors():
            model = await self._aopen()
            scores = await model.arerank(
                query, _texts(documents), instruction=self.instruction, top_n=self.top_n, timeout=self.timeout
            )
        return _ranked(documents, scores)


def _texts(documents: Sequence[Document]) -> list[str]:
    return [document.page_content for document in documents]


def _ranked(documents: Sequence[Document], scores: Sequence[RerankScore]) -> list[Document]:
    ranked: list[Document] = []
    for one in scores:
        document = documents[one.index]
        metadata = {**document.metadata, "relevance_score": one.score}
        ranked.append(document.model_copy(update={"metadata": metadata}))
    return ranked
