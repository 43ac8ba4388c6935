"""Completion, embeddings and reranking."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.langchain import RKLLM, RKLLMEmbeddings, RKLLMReranker
from rkllm_providers.models.catalog import built_in_model
from tests.conftest import WriteModel, needs_llama

COMPLETER = """
word " la"
rule "endless"
  forever " la"
end
rule "<|im_start|>user"
  text "A control token."
end
rule "capital of {country} is"
  text " a town in {country}."
end
rule *
  text "..."
end
"""
RANKER = """
words yes no
rule *
  text "yes"
end
"""


@pytest.fixture
def llm(write_model: WriteModel) -> Any:
    with RKLLM(model=str(write_model(COMPLETER, "completer"))) as made:
        yield made


@needs_llama
async def test_a_completion_all_ways(llm: RKLLM) -> None:
    prompt = "The capital of Peru is"
    expected = " a town in Peru."
    assert llm.invoke(prompt) == await llm.ainvoke(prompt) == expected
    assert "".join(llm.stream(prompt)) == expected
    assert "".join([piece async for piece in llm.astream(prompt)]) == expected
    assert llm.batch([prompt, "The capital of Chad is"]) == [expected, " a town in Chad."]


@needs_llama
async def test_what_a_completion_tells(llm: RKLLM) -> None:
    prompts = ["The capital of Peru is", "The capital of Chad is"]
    for result in (llm.generate(prompts), await llm.agenerate(prompts)):
        infos = [one[0].generation_info or {} for one in result.generations]
        assert [info["finish_reason"] for info in infos] == ["stop", "stop"]
        assert infos[0]["model_name"] == llm.model
        assert infos[0]["usage"]["input_tokens"] == llm.get_num_tokens(prompts[0])
    assert llm.invoke("endless", max_tokens=3) == " la la la"
    assert llm.invoke("endless", stop=["la la"]) == " "
    assert (llm.generate(["endless"], max_tokens=2).generations[0][0].generation_info or {})[
        "finish_reason"
    ] == "length"


@needs_llama
def test_control_tokens_are_text_unless_meant(llm: RKLLM) -> None:
    assert llm.invoke("<|im_start|>user") == "A control token."
    assert llm.get_num_tokens("<|im_start|>") > 1
    ours = llm.generate(["<|im_start|>user"]).generations[0][0].generation_info or {}
    meant = llm.model_copy(update={"parse_special": True})
    theirs = meant.generate(["<|im_start|>user"]).generations[0][0].generation_info or {}
    assert theirs["usage"]["input_tokens"] < ours["usage"]["input_tokens"]
    meant.close()


@needs_llama
async def test_embeddings(write_model: WriteModel) -> None:
    path = write_model("context 256\nembedding_size 16\n", "embedder")
    texts = ["one", "two", "three", "four", "five"]
    with RKLLMEmbeddings(model=str(path), batch_size=2) as embeddings:
        vectors = embeddings.embed_documents(texts)
        assert vectors == await embeddings.aembed_documents(texts)
        assert vectors[3] == pytest.approx(embeddings.embed_documents(["four"])[0])
        assert embeddings.embed_query("one") == await embeddings.aembed_query("one") == pytest.approx(vectors[0])
        assert {type(number) for vector in vectors for number in vector} == {float}
        assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1] * 5)
        assert embeddings.embed_documents([]) == await embeddings.aembed_documents([]) == []
        with pytest.raises(ContextLengthExceeded):
            embeddings.embed_query("la " * 600)
    with RKLLMEmbeddings(model=str(path), dimensions=8, truncate=True) as short:
        assert len(short.embed_query("la " * 600)) == 8
    with RKLLMEmbeddings(model=str(path), instruction="Find it.") as told:
        assert told.embed_documents(["one"])
        with pytest.raises(InvalidRequest, match="instruction"):
            told.embed_query("one")


@needs_llama
async def test_reranking(write_model: WriteModel) -> None:
    path = write_model(RANKER, "ranker")
    path.with_suffix(".toml").write_text(
        '[reranking]\nprompt = "Is {document} about {query}? "\nyes = "yes"\nno = "no"\n'
    )
    documents = [Document(text, metadata={"n": {"at": number}}, id=text) for number, text in enumerate("abc")]
    before = [document.model_copy(deep=True) for document in documents]
    with RKLLMReranker(model=str(path), top_n=2) as reranker:
        ranked = reranker.compress_documents(documents, "x")
        assert [one.metadata for one in await reranker.acompress_documents(documents, "x")] == [
            one.metadata for one in ranked
        ]
    assert len(ranked) == 2
    scores = [document.metadata["relevance_score"] for document in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert {document.id for document in ranked} <= {"a", "b", "c"}
    assert documents == before


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return RKLLMEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "nobody"}


@pytest.mark.real
class TestEmbeddingsIntegration(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def _model(self, real_model: Path) -> None:
        """Skips where the model is not installed."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return RKLLMEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        entry = built_in_model()
        return {"model": "" if entry is None else str(entry.path)}
