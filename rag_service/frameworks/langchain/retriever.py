"""``BM25PassageRetriever``: the passages of documents that answer a query, by the words they share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, PlainValidator

from rag_service.frameworks.langchain.collection import DocumentCollection, IndexSettings
from rag_service.retrieval.rank import Ranked
from rag_service.retrieval.segment import DEFAULT_TOKENS
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import SourceKind


class BM25PassageRetriever(BaseRetriever):
    """Finds passages by BM25 over stems, character 4-grams and, where a script sets no spaces, pairs of characters.

    Each passage comes back as a document with the metadata of the one it is from, and ``source`` (the document's id
    where it has none), ``score``, ``relevance`` (0 to 1), ``start_index`` and ``end_index`` in the document's text,
    and ``headings``, the outermost first. Passages that share nothing with the query, and those that better ones
    repeat, do not come: there may be fewer than ``k``.

    Making one does no work: the documents are indexed by the first query, in a thread if that is asynchronous, and
    once for all copies of the retriever. A pickled one is indexed anew.

    Example:
        >>> retriever = BM25PassageRetriever.from_texts(["The lighthouse was built in 1874."])  # doctest: +SKIP
        >>> retriever.invoke("When was the lighthouse built?")  # doctest: +SKIP
    """

    documents: Annotated[Sequence[Document], PlainValidator(DocumentCollection.of)] = Field(repr=False)
    """What is searched. Documents that were split before keep their ``start_index`` as the base of the offsets."""
    k: int = Field(default=4, gt=0)
    """At most so many passages come back; a call may say another number."""
    passage_tokens: int | None = Field(default=DEFAULT_TOKENS, gt=0)
    """About so many tokens are a passage; ``None`` leaves documents whole."""
    kind: SourceKind = "attached"
    """``web`` documents below ``settings.floor`` are not returned, where they are in the query's language."""
    settings: RetrievalSettings = Field(default_factory=RetrievalSettings)
    """How passages are ranked and copies told."""

    @classmethod
    def from_documents(cls, documents: Iterable[Document], **settings: Any) -> Self:
        """A retriever over ``documents``; ``settings`` are its fields."""
        return cls(documents=DocumentCollection.of(documents), **settings)

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        metadatas: Iterable[Mapping[str, Any]] | None = None,
        ids: Iterable[str] | None = None,
        **settings: Any,
    ) -> Self:
        """A retriever over texts, with metadata and ids for each if they are given.

        Raises:
            ValueError: There are more or fewer of these than texts.
        """
        contents = list(texts)
        filled = [{}] * len(contents) if metadatas is None else [dict(one) for one in metadatas]
        names = [None] * len(contents) if ids is None else list(ids)
        if not len(contents) == len(filled) == len(names):
            raise ValueError(
                f"{len(contents)} texts, {len(filled)} metadatas and {len(names)} ids: give one for each."
            )
        documents = [
            Document(page_content=text, metadata=metadata, id=name)
            for text, metadata, name in zip(contents, filled, names, strict=True)
        ]
        return cls.from_documents(documents, **settings)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        return self._found(query, k)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        return await asyncio.to_thread(self._found, query, k)

    def _found(self, query: str, k: int | None) -> list[Document]:
        # A copy may have been given plain documents, which pydantic does not look at then.
        collection = DocumentCollection.of(self.documents)
        search = collection.search(IndexSettings(self.passage_tokens, self.kind, self.settings))
        return [self._document(collection, one) for one in search.search(query, self.k if k is None else k)]

    def _document(self, collection: DocumentCollection, found: Ranked) -> Document:
        passage = found.passage
        parent = collection[int(passage.document.source.id)]
        base = parent.metadata.get("start_index")
        offset = base if isinstance(base, int) else 0
        told = {
            "source": parent.metadata.get("source", parent.id or ""),
            "score": found.score,
            "relevance": found.relevance,
            "start_index": offset + passage.start,
            "end_index": offset + passage.end,
            "headings": list(passage.headings),
        }
        name = f"{parent.id}:{passage.start}-{passage.end}" if parent.id else None
        return Document(page_content=passage.text, metadata={**parent.metadata, **told}, id=name)
