"""Completions, embeddings, ranking, tokens and models, through the real OpenAI client and as they are on the wire."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tests.conftest import needs_llama
from tests.service.conftest import serving

pytestmark = needs_llama

SCRIPT = """
context 256
words yes no cat mat dog
word " la"
rule "<Document>: good"
  text "yes"
end
rule "<Document>"
  text "no"
end
rule "endless"
  forever " la"
end
rule "<|im_start|>"
  text "An answer."
end
rule *
  text ", and so on."
end
"""
FACTS = """
capabilities = ["embedding", "reranking"]
[reranking]
prompt = "<Query>: {query}\\n<Document>: {document}<|im_end|>"
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "embedder.toml").write_text(FACTS)
    with serving(folder, talker=SCRIPT, embedder=SCRIPT, sleeper=SCRIPT) as url:
        yield url


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30)


def refused(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 400
    error: dict[str, Any] = response.json()["error"]
    return error


def test_a_text_is_gone_on_with(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="talker", prompt="Once")
    assert (answer.object, answer.choices[0].text, answer.choices[0].finish_reason) == (
        "text_completion",
        ", and so on.",
        "stop",
    )
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert client.completions.create(model="talker", prompt=["Once"]).choices[0].text == ", and so on."
    assert client.completions.create(model="talker", prompt="Once", echo=True).choices[0].text == "Once, and so on."


@pytest.mark.parametrize("echo", [False, True])
def test_and_streamed(client: openai.OpenAI, echo: bool) -> None:
    chunks = list(
        client.completions.create(
            model="talker",
            prompt="endless",
            max_tokens=5,
            echo=echo,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == ("endless" if echo else "") + " la" * 5
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5


def test_control_tokens_in_a_prompt_are_text_unless_it_is_said(client: openai.OpenAI) -> None:
    prompt = "<|im_start|>user\nHi<|im_end|>\n"
    plain = client.completions.create(model="talker", prompt=prompt)
    special = client.completions.create(model="talker", prompt=prompt, extra_body={"parse_special": True})
    assert plain.usage is not None
    assert special.usage is not None
    assert special.usage.prompt_tokens < plain.usage.prompt_tokens


def test_a_prompt_of_tokens(url: str, client: openai.OpenAI) -> None:
    ids = httpx.post(f"{url}/tokenize", json={"model": "talker", "content": "endless"}).json()["tokens"]
    answer = client.completions.create(model="talker", prompt=ids, max_tokens=3)
    assert answer.choices[0].text == " la" * 3
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == len(ids)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": "x", "suffix": "y"}, "suffix"),
        ({"prompt": "x", "n": 2}, "n"),
        ({"prompt": ["x", "y"]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({}, "prompt"),
        ({"prompt": [1 << 40]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
    ],
)
def test_a_completion_that_is_refused(url: str, body: dict[str, Any], param: str) -> None:
    error = refused(httpx.post(f"{url}/v1/completions", json={"model": "talker", **body}))
    assert error["message"]
    assert error["param"] == param


def test_halves_of_surrogate_pairs_come_back_as_what_can_be_sent(url: str) -> None:
    headers = {"Content-Type": "application/json"}
    for stream in (False, True):
        body = json.dumps({"model": "talker", "prompt": "\ud800", "echo": True, "stream": stream})
        response = httpx.post(f"{url}/v1/completions", content=body, headers=headers)
        assert response.status_code == 200
        assert "\ufffd" in response.text
    for field in ("model", "prompt"):
        body = json.dumps({"model": "talker", "prompt": "x", "suffix": "y", field: "\ud800"})
        assert httpx.post(f"{url}/v1/completions", content=body, headers=headers).status_code in (400, 404)


def test_vectors_are_those_of_the_texts_as_numbers_and_as_bytes(client: openai.OpenAI) -> None:
    texts = ["a cat", "a dog on a mat"]
    packed = client.embeddings.create(model="embedder", input=texts)  # the client asks for base64
    plain = client.embeddings.create(model="embedder", input=texts, encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert len(one.embedding) == 64
        np.testing.assert_array_equal(np.asarray(one.embedding, "f4"), np.asarray(other.embedding, "f4"))
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 0
    alone = client.embeddings.create(model="embedder", input="a cat")
    assert alone.data[0].embedding == packed.data[0].embedding


def test_bytes_are_little_endian_floats(url: str) -> None:
    body = {"model": "embedder", "input": "a cat", "encoding_format": "base64"}
    told = httpx.post(f"{url}/embeddings", json=body).json()["data"][0]["embedding"]
    vector = np.frombuffer(base64.b64decode(told), "<f4")
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_fewer_dimensions(client: openai.OpenAI) -> None:
    short = client.embeddings.create(model="embedder", input="a cat", dimensions=8).data[0].embedding
    assert len(short) == 8
    assert np.linalg.norm(short) == pytest.approx(1)
    with pytest.raises(openai.BadRequestError, match="64 dimensions, not 65") as caught:
        client.embeddings.create(model="embedder", input="a cat", dimensions=65)
    assert caught.value.param == "dimensions"


def test_tokens_are_embedded_as_their_text(url: str, client: openai.OpenAI) -> None:
    ids = httpx.post(f"{url}/tokenize", json={"model": "embedder", "content": "a cat"}).json()["tokens"]
    expected = client.embeddings.create(model="embedder", input="a cat").data[0].embedding
    assert client.embeddings.create(model="embedder", input=ids).data[0].embedding == expected
    several = client.embeddings.create(model="embedder", input=[ids, ids]).data
    assert [item.embedding for item in several] == [expected, expected]


def test_a_model_that_is_not_made_for_it_does_not_embed(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=r'capabilities = \["embedding"\] into talker.toml'):
        client.embeddings.create(model="talker", input="a cat")


def test_three_hundred_at_once(url: str) -> None:
    async def everybody() -> list[list[float]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:

            async def embed(number: int) -> list[float]:
                body = {"model": "embedder", "input": f"cat {number % 7}"}
                response = await client.post(f"{url}/v1/embeddings", json=body)
                assert response.status_code == 200, response.text
                vector: list[float] = response.json()["data"][0]["embedding"]
                return vector

            return await asyncio.gather(*(embed(number) for number in range(300)))

    vectors = asyncio.run(everybody())
    assert all(vector == vectors[number % 7] for number, vector in enumerate(vectors))
    assert vectors[0] != vectors[1]


def test_documents_are_ranked(url: str) -> None:
    body: dict[str, Any] = {"model": "embedder", "query": "q", "documents": ["bad", {"text": "good"}, "bad"]}
    results = httpx.post(f"{url}/v1/rerank", json=body).json()["results"]
    assert [result["index"] for result in results] == [1, 0, 2]
    assert results[0]["relevance_score"] > 0.5 > results[1]["relevance_score"]
    assert "document" not in results[0]
    best = httpx.post(f"{url}/rerank", json={**body, "top_n": 1, "return_documents": True}).json()["results"]
    assert [(result["index"], result["document"]) for result in best] == [(1, {"text": "good"})]


def test_a_ranking_that_is_refused(url: str) -> None:
    for body, param in (
        ({"model": "talker", "documents": ["x"]}, "model"),
        ({"model": "embedder", "documents": ["x"], "top_n": 0}, "top_n"),
        ({"model": "embedder", "documents": ["word " * 300]}, "input"),
        ({"model": "embedder", "documents": [{"title": "x"}]}, "documents[0]"),
    ):
        error = refused(httpx.post(f"{url}/v1/rerank", json={"query": "q", **body}))
        assert error["param"] == param


def test_a_model_that_is_not_made_for_it_does_not_rank_where_another_is(url: str) -> None:
    error = refused(httpx.post(f"{url}/v1/rerank", json={"model": "talker", "query": "q", "documents": ["x"]}))
    assert "Ask embedder, or bm25" in error["message"]
    assert httpx.post(f"{url}/v1/rerank", json={"query": "q", "documents": ["good"]}).json()["model"] == "embedder"


def test_text_to_tokens_and_back(url: str) -> None:
    text = "a cat\n你好 <|im_end|>"
    ids = httpx.post(f"{url}/tokenize", json={"model": "talker", "content": text}).json()["tokens"]
    assert httpx.post(f"{url}/v1/detokenize", json={"model": "talker", "tokens": ids}).json() == {"content": text}
    asked = {"model": "talker", "content": text, "add_special": True, "with_pieces": True}
    response = httpx.post(f"{url}/v1/tokenize", json=asked)
    assert response.json()["tokens"] == ids  # scripts put nothing around a text
    assert response.headers["x-rkllm-ignored-fields"] == "with_pieces"
    for token in (1 << 40, -1, 10**6):
        assert refused(httpx.post(f"{url}/detokenize", json={"model": "talker", "tokens": [token]}))["message"]
    assert httpx.post(f"{url}/detokenize", json={"model": "talker", "tokens": []}).json() == {"content": ""}


def test_what_is_told_of_models(url: str, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.pool._LIST_SECONDS", 60.0)
    listed = {model.id: model.model_extra or {} for model in client.models.list().data}
    assert listed["sleeper"]["status"] == {"value": "unloaded"}
    assert listed["talker"]["context_length"] == 256
    assert listed["talker"]["counts_tokens"] is True
    assert listed["talker"]["forces_tool_calls"] is True
    assert set(listed["talker"]["capabilities"]) == {"thinking", "tools"}
    assert set(listed["embedder"]["capabilities"]) == {"embedding", "reranking"}
    client.completions.create(model="talker", prompt="Once")
    assert httpx.get(f"{url}/models/talker").json()["status"] == {"value": "loaded"}


def test_a_vocabulary_that_takes_long_to_read_holds_nothing_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.pool._LIST_SECONDS", 0.0)
    first = {model["id"]: model for model in httpx.get(f"{url}/v1/models").json()["data"]}
    assert "talker" in first
    monkeypatch.setattr("rag_service.pool._LIST_SECONDS", 30.0)
    second = {model["id"]: model for model in httpx.get(f"{url}/v1/models").json()["data"]}
    assert second["talker"]["context_length"] == 256
