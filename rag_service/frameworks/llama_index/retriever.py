"""``BM25PassageRetriever``: the nodes that answer a query, by the words they share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, Self

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.constants import DEFAULT_SIMILARITY_TOP_K
from llama_index.core.indices.base import BaseIndex
from llama_index.core.schema import BaseNode, IndexNode, NodeWithScore, QueryBundle
from llama_index.core.storage.docstore.types import BaseDocumentStore

from rag_service.frameworks.llama_index.nodes import copy_of, source_of
from rag_service.frameworks.search import PassageSearch
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import SourceKind


class BM25PassageRetriever(BaseRetriever):
    """Finds nodes by BM25 over stems, character 4-grams and, where a script sets no spaces, pairs of characters.

    Nodes are searched whole: split them before, as ``PassageNodeParser`` does. They come back as copies with their
    score, the best first. Nodes that share nothing with the query, and those that better ones repeat, do not come.

    Making one does no work: the nodes are indexed by the first query, in a thread if that is asynchronous.

    Example:
        >>> retriever = BM25PassageRetriever(nodes, similarity_top_k=4)  # doctest: +SKIP
        >>> engine = RetrieverQueryEngine.from_args(retriever, llm=RKLLM(model="qwen3"))  # doctest: +SKIP
    """

    def __init__(
        self,
        nodes: Sequence[BaseNode],
        similarity_top_k: int = DEFAULT_SIMILARITY_TOP_K,
        *,
        kind: SourceKind = "attached",
        settings: RetrievalSettings | None = None,
        callback_manager: CallbackManager | None = None,
        object_map: dict[str, Any] | None = None,
        objects: list[IndexNode] | None = None,
        verbose: bool = False,
    ) -> None:
        """``kind`` ``web`` drops nodes below ``settings.floor`` that are in the query's language.

        Raises:
            ValueError: ``similarity_top_k`` is less than 1.
        """
        super().__init__(callback_manager, object_map, objects, verbose)
        self.similarity_top_k = similarity_top_k
        self._nodes = tuple(nodes)
        self._kind: SourceKind = kind
        self._settings = settings or RetrievalSettings()
        self._search: PassageSearch | None = None
        self._lock = threading.Lock()

    @classmethod
    def from_defaults(
        cls,
        *,
        nodes: Sequence[BaseNode] | None = None,
        index: BaseIndex[Any] | None = None,
        docstore: BaseDocumentStore | None = None,
        **settings: Any,
    ) -> Self:
        """A retriever over nodes, over those of an index that keeps them, or over a document store.

        Raises:
            ValueError: Not exactly one of these was given.
        """
        given = [one for one in (nodes, index, docstore) if one is not None]
        if len(given) != 1:
            raise ValueError(f"{len(given)} of nodes, index and docstore were given: give one.")
        if nodes is None:
            store = docstore if index is None else index.docstore
            nodes = [] if store is None else list(store.docs.values())
        return cls(nodes, **settings)

    @property
    def similarity_top_k(self) -> int:
        """At most so many nodes come back."""
        return self._similarity_top_k

    @similarity_top_k.setter
    def similarity_top_k(self, value: int) -> None:
        if value < 1:
            raise ValueError(f"{value} nodes cannot be found; ask for 1 or more.")
        self._similarity_top_k = value

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._ready().search(query_bundle.query_str, self._similarity_top_k)
        return [
            NodeWithScore(node=copy_of(self._nodes[int(one.passage.document.source.id)]), score=one.score)
            for one in found
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)

    def _ready(self) -> PassageSearch:
        with self._lock:
            if self._search is None:
                sources = [source_of(node, self._kind, str(number)) for number, node in enumerate(self._nodes)]
                self._search = PassageSearch(sources, None, self._settings)
            return self._search

    def __getstate__(self) -> dict[str, Any]:
        # The index is made anew, and callbacks are of their process.
        unpickled = {"_lock", "_search", "callback_manager"}
        return {name: value for name, value in self.__dict__.items() if name not in unpickled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock, self._search = threading.Lock(), None
        self.callback_manager = CallbackManager()
