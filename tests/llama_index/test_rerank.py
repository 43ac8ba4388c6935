"""RKLLMRerank on scripted models, alone and in a query engine."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import Field

from rkllm_providers.engine import ModelClient, shared_registry
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index import RKLLM, RKLLMRerank
from tests.conftest import WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
words yes no
rule "<Document>: {text}good"
  text "yes"
end
rule "<Document>"
  text "no"
end
rule "first: good {word}"
  text "I read of {word}."
end
rule *
  text "I read nothing good."
end
"""
NOTES = '[reranking]\nprompt = "<Query>: {query}\\n<Document>: first: {document}<|im_end|>"\n'


class Heard(BaseEventHandler):
    events: list[Any] = Field(default_factory=list)

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(type(event).__name__)


@pytest.fixture
def path(write_model: WriteModel) -> Iterator[Path]:
    path = write_model(SCRIPT)
    path.with_suffix(".toml").write_text(NOTES)
    yield path
    shared_registry().close()


@pytest.fixture
def rerank(path: Path) -> RKLLMRerank:
    return RKLLMRerank(model="scripted", models_dir=str(path.parent), top_n=2)


def nodes() -> list[NodeWithScore]:
    texts = ["bad", "good cats", "worse", "good dogs", "bad too"]
    return [NodeWithScore(node=TextNode(text=text), score=0.5 - i / 10) for i, text in enumerate(texts)]


async def test_the_best_come_first(rerank: RKLLMRerank, monkeypatch: pytest.MonkeyPatch) -> None:
    assert issubclass(RKLLMRerank, BaseNodePostprocessor)
    given = nodes()
    before = copy.deepcopy(given)
    ranked = rerank.postprocess_nodes(given, query_str="which?")
    assert [node.text for node in ranked] == ["good cats", "good dogs"]
    assert all(node.score is not None and 0.9 < node.score <= 1 for node in ranked)
    assert given == before
    ranked[0].node.metadata["new"] = 1
    assert given == before

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a synchronous call in an asynchronous path")

    monkeypatch.setattr(ModelClient, "rerank", refuse)
    awaited = await rerank.apostprocess_nodes(given, QueryBundle("which?"))
    assert [(node.text, node.score) for node in awaited] == [(node.text, node.score) for node in ranked]


def test_the_retrieval_score_can_be_kept(rerank: RKLLMRerank) -> None:
    keeping = rerank.model_copy(update={"keep_retrieval_score": True, "top_n": 9})
    ranked = keeping.postprocess_nodes(nodes(), query_str="which?")
    assert len(ranked) == 5
    assert ranked[0].metadata["retrieval_score"] == pytest.approx(0.4)
    # A number for programs, which no model reads.
    assert "retrieval_score" not in ranked[0].get_content(rerank.metadata_mode)


async def test_edges(rerank: RKLLMRerank) -> None:
    assert rerank.postprocess_nodes([], query_str="which?") == []
    assert await rerank.apostprocess_nodes([], query_str="which?") == []
    for refused in (rerank.postprocess_nodes, rerank._postprocess_nodes):
        with pytest.raises(InvalidRequest, match="needs a query"):
            refused(nodes())
    with pytest.raises(ValueError, match="top_n"):
        RKLLMRerank(model="m", top_n=0)


async def test_events_come_once(rerank: RKLLMRerank) -> None:
    seen, heard, root = LlamaDebugHandler(print_trace_on_end=False), Heard(), get_dispatcher()
    watched = rerank.model_copy(update={"callback_manager": CallbackManager([seen])})
    root.add_event_handler(heard)
    try:
        ranked = watched.postprocess_nodes(nodes(), query_str="which?")
        await watched.apostprocess_nodes(nodes(), query_str="which?")
    finally:
        root.event_handlers.remove(heard)
    assert heard.events == ["ReRankStartEvent", "ReRankEndEvent"] * 2
    pairs = seen.get_event_pairs(CBEventType.RERANKING)
    assert len(pairs) == 2
    assert (pairs[0][1].payload or {})["nodes"] == ranked


async def test_in_a_query_engine(rerank: RKLLMRerank, path: Path) -> None:
    llm = RKLLM(model="scripted", models_dir=str(path.parent))
    index = VectorStoreIndex([node.node for node in nodes()], embed_model=MockEmbedding(8))
    engine = index.as_query_engine(llm=llm, similarity_top_k=5, node_postprocessors=[rerank])
    for response in (engine.query("which?"), await engine.aquery("which?")):
        # All embeddings of the mock are alike, so the index gives its nodes in the order of their random ids.
        assert sorted(node.text for node in response.source_nodes) == ["good cats", "good dogs"]
