"""``RKLLMRerank``: a model's judgement of retrieved nodes as a LlamaIndex postprocessor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from llama_index.core.callbacks import CBEventType, EventPayload
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from pydantic import Field

from rkllm_providers.engine import RerankScore
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index.connection import ModelConnection

_dispatcher = get_dispatcher(__name__)
_RETRIEVAL_SCORE: Final = "retrieval_score"


class RKLLMRerank(ModelConnection, BaseNodePostprocessor):
    """Orders nodes by how well a reranking model says that they answer the query (docs/uses.md).

    Nodes come back as copies, the best first, with the model's score from 0 to 1. Constructing one does no I/O.

    Example:
        >>> rerank = RKLLMRerank(model="qwen3-reranker-0.6b", top_n=3)  # doctest: +SKIP
        >>> index.as_query_engine(similarity_top_k=20, node_postprocessors=[rerank])  # doctest: +SKIP
    """

    top_n: int = Field(default=3, gt=0)
    """How many nodes come back."""
    instruction: str | None = None
    """What searches are for, where the model takes that."""
    metadata_mode: MetadataMode = MetadataMode.EMBED
    """Which of a node's metadata the model reads with its text."""
    keep_retrieval_score: bool = False
    """Keep the score that a node came with as ``retrieval_score`` in the metadata of its copy."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for all nodes of a query, the wait in the queue included."""

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises objects of this class."""
        return "RKLLMRerank"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query = _query_of(query_bundle)
        with self._told(nodes, query) as done:
            if nodes:
                done += self._ordered(nodes, self._opened().rerank(query, self._texts(nodes), **self._how()))
        return done

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query = _query_of(query_bundle)
        with self._told(nodes, query) as done:
            if nodes:
                model = await self._aopened()
                done += self._ordered(nodes, await model.arerank(query, self._texts(nodes), **self._how()))
        return done

    @contextmanager
    def _told(self, nodes: list[NodeWithScore], query: str) -> Iterator[list[NodeWithScore]]:
        """Tell observers of the beginning, and of the nodes that are in the list at the end."""
        done: list[NodeWithScore] = []
        _dispatcher.event(ReRankStartEvent(query=query, nodes=nodes, top_n=self.top_n, model_name=self.model))
        payload: dict[Any, Any] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: self.model,
            EventPayload.QUERY_STR: query,
            EventPayload.TOP_K: self.top_n,
        }
        with self.callback_manager.event(CBEventType.RERANKING, payload=payload) as event:
            yield done
            event.on_end(payload={EventPayload.NODES: done})
        _dispatcher.event(ReRankEndEvent(nodes=done))

    def _texts(self, nodes: Sequence[NodeWithScore]) -> list[str]:
        return [node.node.get_content(metadata_mode=self.metadata_mode) for node in nodes]

    def _how(self) -> dict[str, Any]:
        return {"instruction": self.instruction, "top_n": self.top_n, "timeout": self.timeout}

    def _ordered(self, nodes: Sequence[NodeWithScore], scores: Sequence[RerankScore]) -> list[NodeWithScore]:
        return [self._scored(nodes[score.index], score.score) for score in scores]

    def _scored(self, node: NodeWithScore, score: float) -> NodeWithScore:
        kept = node.node
        changes: dict[str, Any] = {"metadata": dict(kept.metadata)}
        if self.keep_retrieval_score:
            changes["metadata"][_RETRIEVAL_SCORE] = node.score
            for unread in ("excluded_llm_metadata_keys", "excluded_embed_metadata_keys"):
                changes[unread] = [*getattr(kept, unread), _RETRIEVAL_SCORE]
        return NodeWithScore(node=kept.model_copy(update=changes), score=score)


def _query_of(query_bundle: QueryBundle | None) -> str:
    if query_bundle is None:
        raise InvalidRequest("Reranking needs a query: give query_str or query_bundle.", "query_bundle")
    return query_bundle.query_str
