"""RKLLMEmbedding on scripted models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.schema import TextNode

from rkllm_providers.emulator import load_script
from rkllm_providers.engine import ModelClient, shared_registry
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.llama_index import RKLLMEmbedding
from tests.conftest import WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
context 256
words a cat mat dog on find
rule *
  text "Hello there."
end
"""
NOTES = """
[embedding]
pooling = "last"
query_prefix = "find {instruction}: "
instruction = "cats"
document_prefix = "on: "
"""


@pytest.fixture
def path(write_model: WriteModel) -> Iterator[Path]:
    yield write_model(SCRIPT)
    shared_registry().close()


@pytest.fixture
def embedding(path: Path) -> RKLLMEmbedding:
    return RKLLMEmbedding(model="scripted", models_dir=str(path.parent))


def expected(path: Path, text: str) -> list[float]:
    """The vector that the documented rows of a script make of a text's last token."""
    script = load_script(path)
    state = np.zeros(script.embedding_size)
    for token in script.encode(text):
        state = np.array(script.embedding(token)) + state / 4
    return [float(value) for value in state / np.linalg.norm(state)]


def test_it_is_an_embedding() -> None:
    assert issubclass(RKLLMEmbedding, BaseEmbedding)
    by_name = RKLLMEmbedding(model_name="m")  # type: ignore[call-arg]
    assert by_name.model == RKLLMEmbedding(model="m").model_name == "m"
    with pytest.raises(ValueError, match="give one of them"):
        RKLLMEmbedding(model="m", model_name="n")
    with pytest.raises(ValueError, match="model"):
        RKLLMEmbedding()  # type: ignore[call-arg]
    with pytest.warns(UserWarning, match="no settings dimension "):
        RKLLMEmbedding(model="m", dimension=3)  # type: ignore[call-arg]


async def test_queries_and_documents_have_prefixes(embedding: RKLLMEmbedding, path: Path) -> None:
    path.with_suffix(".toml").write_text(NOTES)
    query, document = expected(path, "find cats: a cat"), expected(path, "on: a cat")
    assert query != document
    for vector in (embedding.get_query_embedding("a cat"), await embedding.aget_query_embedding("a cat")):
        assert {type(value) for value in vector} == {float}
        assert vector == pytest.approx(query, rel=1e-4, abs=1e-5)
    for vector in (
        embedding.get_text_embedding("a cat"),
        await embedding.aget_text_embedding("a cat"),
        embedding.get_text_embedding_batch(["a cat"])[0],
    ):
        assert vector == pytest.approx(document, rel=1e-4, abs=1e-5)
    rhymes = embedding.model_copy(update={"instruction": "dog"})
    assert rhymes.get_query_embedding("a cat") == pytest.approx(expected(path, "find dog: a cat"), rel=1e-4, abs=1e-5)


async def test_a_batch_is_what_its_texts_are_alone(embedding: RKLLMEmbedding) -> None:
    texts = [f"a cat on {'mat ' * number}" for number in range(1, 25)]
    alone = [embedding.get_text_embedding(text) for text in texts]
    assert embedding.get_text_embedding_batch(texts) == alone
    assert await embedding.aget_text_embedding_batch(texts) == alone
    assert await embedding.model_copy(update={"num_workers": 4}).aget_text_embedding_batch(texts) == alone
    assert embedding.get_text_embedding_batch([]) == await embedding.aget_text_embedding_batch([]) == []


async def test_many_batches_do_not_fill_the_queue(embedding: RKLLMEmbedding) -> None:
    texts = ["a cat", "a dog"] * 600
    one_by_one = embedding.model_copy(update={"embed_batch_size": 1})
    vectors = await one_by_one.aget_text_embedding_batch(texts)
    assert len(vectors) == 1200
    assert vectors[::2] == [vectors[0]] * 600 != vectors[1::2]


def test_an_object_serves_several_loops(embedding: RKLLMEmbedding) -> None:
    async def both() -> list[list[float]]:
        return await embedding.model_copy(update={"embed_batch_size": 1}).aget_text_embedding_batch(
            ["a cat", "a dog"]
        )

    assert asyncio.run(both()) == asyncio.run(both())


def test_dimensions_and_length(embedding: RKLLMEmbedding, path: Path) -> None:
    short = embedding.model_copy(update={"dimensions": 8}).get_query_embedding("a cat")
    assert len(short) == 8
    assert np.linalg.norm(short) == pytest.approx(1)
    long = "cat" * 300
    with pytest.raises(ContextLengthExceeded, match="300 tokens"):
        embedding.get_text_embedding(long)
    assert len(embedding.model_copy(update={"truncate": True}).get_text_embedding(long)) == 64
    with pytest.raises(InvalidRequest, match="empty"):
        embedding.get_text_embedding("")


async def test_nodes_and_events(embedding: RKLLMEmbedding, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = LlamaDebugHandler(print_trace_on_end=False)
    watched = embedding.model_copy(update={"callback_manager": CallbackManager([seen])})
    nodes = [TextNode(text="a cat"), TextNode(text="a dog")]
    assert [node.embedding for node in watched(nodes)] == embedding.get_text_embedding_batch(["a cat", "a dog"])
    assert len(seen.get_event_pairs(CBEventType.EMBEDDING)) == 1

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a synchronous call in an asynchronous path")

    monkeypatch.setattr(ModelClient, "embed", refuse)
    fresh = [TextNode(text="a cat"), TextNode(text="a dog")]
    assert [node.embedding for node in await watched.acall(fresh)] == [node.embedding for node in nodes]
