"""``PassagePostprocessor``: of the nodes that were found, what is worth the tokens it takes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, QueryBundle, TextNode
from llama_index.core.utils import get_tokenizer
from pydantic import Field

from rag_service.frameworks.llama_index.nodes import copy_of, source_of
from rag_service.frameworks.search import passages_of
from rag_service.retrieval.dedupe import drop_near_copies
from rag_service.retrieval.floor import Relevance, apply_floor, judge
from rag_service.retrieval.pack import pack
from rag_service.retrieval.rank import Index, Ranked
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Note, Passage, SourceKind
from rkllm_providers.errors import InvalidRequest

# Between nodes LlamaIndex's synthesizers write so much.
_BETWEEN: Final = "\n\n"


class PassagePostprocessor(BaseNodePostprocessor):
    """Drops nodes that repeat better ones and documents that have nothing to do with the query, and packs the rest.

    What comes before counts as better. Of nodes that do not fit whole the best sentences are kept, with an ellipsis
    where something is left out. Copies come back with their scores, in the order in which the nodes came. One
    document takes no more than its share (``settings.source_share``) while another that matches well wants some.

    Nodes without text are left out.

    Example:
        >>> packed = PassagePostprocessor(token_budget=600, tokenizer=llm.tokenizer)  # doctest: +SKIP
        >>> index.as_query_engine(similarity_top_k=20, node_postprocessors=[packed])  # doctest: +SKIP
    """

    token_budget: int = Field(gt=0)
    """Tokens that the nodes may take together, with the metadata that the model is shown."""
    tokenizer: Callable[[str], Sequence[Any]] | None = Field(default=None, exclude=True)
    """Counts tokens; LlamaIndex's global tokenizer where it is ``None``."""
    kind: SourceKind = "web"
    """``attached`` nodes are never dropped for their relevance."""
    settings: RetrievalSettings = Field(default_factory=RetrievalSettings)
    """The floor, the share that makes a copy, and how documents share the budget."""

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises objects of this class."""
        return "PassagePostprocessor"

    def explain(self, nodes: Sequence[NodeWithScore], query: str) -> tuple[list[NodeWithScore], tuple[Note, ...]]:
        """What ``postprocess_nodes`` gives, and what was done with each node and why.

        ``source_id`` of a note is the id of the node's document, or the node's own if it has none.
        """
        ranked, texts = self._ranked(nodes)
        index = Index([one.passage for one in ranked], settings=self.settings)
        relevance = Relevance(index, query)
        kept, notes = apply_floor(_by_document(judge(ranked, relevance)), relevance, self.settings.floor)
        kept, told = drop_near_copies(kept, self.settings.duplicate_share)
        notes += told
        render = _Rendering(texts, self.settings.gap)
        packed, told = pack(kept, relevance, self.token_budget, self._counter(), self.settings, render)
        return render.nodes(packed.passages), (*_without_text(nodes, texts), *notes, *told)

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise InvalidRequest("Packing needs a query: give query_str or query_bundle.", "query_bundle")
        return self.explain(nodes, query_bundle.query_str)[0]

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._postprocess_nodes, nodes, query_bundle)

    def _ranked(self, nodes: Sequence[NodeWithScore]) -> tuple[list[Ranked], dict[int, NodeWithScore]]:
        """The nodes' texts as passages, and the node of each by the identity of its document."""
        ranked: list[Ranked] = []
        having: dict[int, NodeWithScore] = {}
        for node, score in zip(nodes, _scores(nodes), strict=True):
            source = source_of(node.node, self.kind, _document_id(node.node))
            for passage in passages_of(source, None):
                having[id(passage.document)] = node
                ranked.append(Ranked(passage, len(ranked), score))
        return ranked, having

    def _counter(self) -> Callable[[str], int]:
        tokenizer = self.tokenizer or get_tokenizer()
        return lambda text: len(tokenizer(text))


class _Rendering:
    """Pieces of nodes as the synthesizers write them into a prompt."""

    def __init__(self, having: dict[int, NodeWithScore], gap: str) -> None:
        self._having = having
        self._gap = gap

    def __call__(self, passages: Sequence[Passage]) -> str:
        return _BETWEEN.join(node.get_content(MetadataMode.LLM) for node in self.nodes(passages))

    def nodes(self, passages: Sequence[Passage]) -> list[NodeWithScore]:
        """A copy of each node with the pieces of it."""
        shown: list[NodeWithScore] = []
        for document, group in groupby(passages, key=lambda passage: id(passage.document)):
            pieces = list(group)
            given = self._having[document]
            copy = copy_of(given.node)
            copy.set_content(self._gap.join(piece.text for piece in pieces))
            if isinstance(copy, TextNode) and copy.start_char_idx is not None:
                start = copy.start_char_idx
                copy.start_char_idx, copy.end_char_idx = start + pieces[0].start, start + pieces[-1].end
            shown.append(NodeWithScore(node=copy, score=given.score))
        return shown


def _scores(nodes: Sequence[NodeWithScore]) -> list[float]:
    """The nodes' own scores where all have one that can be compared as a share, else by their places."""
    own = [node.score for node in nodes if node.score is not None and math.isfinite(node.score) and node.score >= 0]
    if len(own) == len(nodes) and any(own):
        return own
    return [1 - place / len(nodes) for place in range(len(nodes))]


def _by_document(ranked: Sequence[Ranked]) -> list[Ranked]:
    """``ranked``, each with the relevance of the best node of its document: they stand or fall together."""
    best: dict[str, float] = {}
    for one in ranked:
        id = one.passage.document.source.id
        best[id] = max(best.get(id, 0.0), one.relevance)
    return [replace(one, relevance=best[one.passage.document.source.id]) for one in ranked]


def _document_id(node: BaseNode) -> str:
    return node.source_node.node_id if node.source_node else node.node_id


def _without_text(nodes: Sequence[NodeWithScore], having: dict[int, NodeWithScore]) -> list[Note]:
    read = {id(node) for node in having.values()}
    return [
        Note("segment", _document_id(node.node), "", False, "has no text") for node in nodes if id(node) not in read
    ]
