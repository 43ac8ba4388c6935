"""A query engine over ten documents on the real small model: embedding, retrieval and answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

from rkllm_providers.engine import shared_registry
from rkllm_providers.llama_index import RKLLM, RKLLMEmbedding

pytestmark = pytest.mark.real

DOCUMENTS = [
    "The lighthouse of Amberly was built of red stone in the year 1874.",
    "Bread rises because yeast makes gas in the dough.",
    "The river Ouse flows through the city of York.",
    "A violin has four strings, which are tuned in fifths.",
    "Penguins live in the south and cannot fly.",
    "The marathon is a race over about forty-two kilometres.",
    "Copper conducts electricity better than iron.",
    "Tea is made of leaves, and coffee is made of beans.",
    "The moon goes round the earth in about a month.",
    "Chess is played on a board of sixty-four squares.",
]
QUESTION = "When was the lighthouse of Amberly built of red stone?"


@pytest.fixture
def settings(real_model: Path) -> Iterator[dict[str, Any]]:
    yield {"model": str(real_model)}
    shared_registry().close()


@pytest.fixture
def counter() -> Iterator[TokenCountingHandler]:
    """What is counted of everything that an index and its engines do."""
    counter = TokenCountingHandler(tokenizer=lambda text: list(text.encode()))
    Settings.callback_manager = CallbackManager([counter])
    yield counter
    Settings.callback_manager = CallbackManager()


async def test_ten_documents(settings: dict[str, Any], counter: TokenCountingHandler) -> None:
    llm = RKLLM(**settings, temperature=0, max_tokens=24)
    embedding = RKLLMEmbedding(**settings)
    nodes = [Document(text=text) for text in DOCUMENTS]
    index = VectorStoreIndex(nodes, embed_model=embedding)
    engine = index.as_query_engine(llm=llm, similarity_top_k=3)
    response = engine.query(QUESTION)
    assert DOCUMENTS[0] in [node.node.get_content() for node in response.source_nodes]
    assert str(response).strip()
    assert counter.prompt_llm_token_count > 20
    assert counter.completion_llm_token_count > 0
    assert counter.total_embedding_token_count > 0
    assert str(await engine.aquery(QUESTION)) == str(response)
    streamed: Any = index.as_query_engine(llm=llm, similarity_top_k=3, streaming=True).query(QUESTION)
    assert "".join(streamed.response_gen) == str(response)


def test_counting(settings: dict[str, Any]) -> None:
    llm = RKLLM(**settings, temperature=0, max_tokens=8)
    assert llm.metadata.context_window == llm._opened().facts.context_length
    counted = len(llm.tokenize("The capital of France is"))
    answer = llm.complete("The capital of France is", formatted=True)
    assert "Paris" in answer.text
    assert answer.raw["usage"]["prompt_tokens"] - counted in (0, 1)  # a beginning token
