"""``DocumentCollection``: documents with the index that searches them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

from langchain_core.documents import Document

from rag_service.frameworks.page_texts import make_source
from rag_service.frameworks.search import PassageSearch
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import SourceKind

_MOST_INDEXES: Final = 4


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What an index of documents depends on."""

    passage_tokens: int | None
    kind: SourceKind
    settings: RetrievalSettings


class DocumentCollection(Sequence[Document]):
    """Documents that are indexed when they are first searched, once for all retrievers that share them.

    A pickled collection has the documents alone.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = tuple(documents)
        self._lock = threading.Lock()
        self._searches: dict[IndexSettings, PassageSearch] = {}

    @classmethod
    def of(cls, documents: Any) -> DocumentCollection:
        """The same collection if it is one already.

        Raises:
            ValueError: ``documents`` are none.
        """
        if isinstance(documents, cls):
            return documents
        if isinstance(documents, str | bytes | Document) or not isinstance(documents, Iterable):
            raise ValueError("documents must be a sequence of LangChain documents; from_texts takes texts.")
        made = cls(documents)
        wrong = next((one for one in made if not isinstance(one, Document)), None)
        if wrong is not None:
            raise ValueError(f"documents holds a {type(wrong).__name__}; from_texts takes texts.")
        return made

    def search(self, settings: IndexSettings) -> PassageSearch:
        """The index for these settings; ``source.id`` of what it finds is the document's place in the collection."""
        with self._lock:
            if settings not in self._searches:
                if len(self._searches) >= _MOST_INDEXES:
                    del self._searches[next(iter(self._searches))]
                sources = [
                    make_source(one.page_content, one.metadata, settings.kind, id=str(number))
                    for number, one in enumerate(self._documents)
                ]
                self._searches[settings] = PassageSearch(sources, settings.passage_tokens, settings.settings)
            return self._searches[settings]

    @overload
    def __getitem__(self, place: int) -> Document: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Document]: ...

    def __getitem__(self, place: int | slice) -> Document | Sequence[Document]:
        return self._documents[place]

    def __len__(self) -> int:
        return len(self._documents)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DocumentCollection) and self._documents == other._documents

    __hash__ = None  # type: ignore[assignment]  # documents have none

    def __deepcopy__(self, memo: dict[int, Any]) -> DocumentCollection:
        return self

    def __reduce__(self) -> tuple[type[DocumentCollection], tuple[tuple[Document, ...]]]:
        return DocumentCollection, (self._documents,)
