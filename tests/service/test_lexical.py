"""Embedding and ranking without a model, over HTTP."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from rag_service.lexical import MOST_CHARACTERS, Lexical
from rag_service.retrieval.analyse import Analyser
from rag_service.retrieval.floor import Relevance
from rag_service.retrieval.lexical_vectors import DIMENSIONS, embed_texts
from rag_service.retrieval.process import JobProcess
from rag_service.retrieval.rank import Index
from rag_service.retrieval.rank_texts import rank_texts
from rag_service.retrieval.types import Document, Passage, Source
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import EngineClosed, InvalidRequest, QueueFull, WorkerCrashed
from tests.service.conftest import running, serving

# A text and a question about it, which share few words with the others of their language.
CORPUS = {
    "en": [
        ("The lighthouse keeper climbs two hundred steps every evening to trim the lamp.", "Who trims the lamp?"),
        ("Rye bread needs a sourdough that has rested for a whole night.", "How long does sourdough rest?"),
        (
            "The tram to the airport leaves from platform three every hour.",
            "Which platform for the airport?",
        ),
        ("Bees find their hive again by the position of the sun.", "How do bees find their hive?"),
        ("A passport is valid for ten years and costs sixty euros.", "What does a passport cost?"),
        ("The glacier has lost a third of its ice since the survey of 1950.", "How much ice did the glacier lose?"),
    ],
    "de": [
        (
            "Der Leuchtturmwärter steigt zweihundert Stufen hinauf.",
            "Wie viele Stufen hat der Leuchtturm?",
        ),
        ("Roggenbrot braucht einen Sauerteig, der eine Nacht geruht hat.", "Wie lange ruht der Sauerteig?"),
        ("Die Straßenbahn zum Flughafen fährt von Gleis drei ab.", "Von welchem Gleis geht es zum Flughafen?"),
        ("Bienen finden ihren Stock am Stand der Sonne wieder.", "Wie finden Bienen den Stock?"),
        ("Ein Reisepass gilt zehn Jahre und kostet sechzig Euro.", "Was kostet ein Reisepass?"),
        (
            "Der Gletscher hat ein Drittel seines Eises verloren.",
            "Wie viel Eis verlor der Gletscher?",
        ),
    ],
    "zh": [
        ("灯塔看守人每天晚上要爬两百级台阶。", "灯塔有多少级台阶？"),
        ("黑麦面包需要静置一整夜的酸面团。", "酸面团要静置多久？"),
        ("去机场的电车每小时从三号站台出发。", "去机场在几号站台？"),
        ("蜜蜂根据太阳的位置找到自己的蜂巢。", "蜜蜂怎样找到蜂巢？"),
        ("护照有效期十年，费用六十欧元。", "护照的费用是多少？"),
        ("自测量以来，冰川已经失去三分之一的冰。", "冰川失去了多少冰？"),
    ],
}
TALKER = 'rule *\n  text "An answer."\nend\n'


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "talker.rkllm").write_text(f"#!rkllm-script 1\n{TALKER}")
    with running(ServiceSettings(port=0, models_dir=folder, lexical_embedding=True)) as url:
        yield url


@pytest.fixture(scope="module")
def plain_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker=TALKER) as url:
        yield url


@pytest.fixture
async def lexical() -> Any:
    made = Lexical(embeds=True)
    yield made
    await made.close()


def embed(url: str, texts: list[str], **more: Any) -> list[list[float]]:
    response = httpx.post(f"{url}/v1/embeddings", json={"model": "lexical-1024", "input": texts, **more}, timeout=60)
    assert response.status_code == 200, response.text
    return [item["embedding"] for item in response.json()["data"]]


def test_what_answers_a_question_is_nearest_to_it(url: str) -> None:
    texts = [text for pairs in CORPUS.values() for text, _ in pairs]
    questions = [question for pairs in CORPUS.values() for _, question in pairs]
    near = np.array(embed(url, questions)) @ np.array(embed(url, texts)).T
    hits = sum(int(row.argmax()) == place for place, row in enumerate(near))
    assert hits >= 0.8 * len(texts)  # by chance it is one of eighteen


def test_vectors_as_the_openai_api_has_them(url: str) -> None:
    body = {"model": "Lexical-1024", "input": ["a lamp is lit", "!!!"], "dimensions": 1024}
    told = httpx.post(f"{url}/embeddings", json=body).json()
    assert (told["object"], told["model"]) == ("list", "lexical-1024")
    assert [(item["object"], item["index"]) for item in told["data"]] == [("embedding", 0), ("embedding", 1)]
    assert told["usage"]["prompt_tokens"] == told["usage"]["total_tokens"] > 0
    vectors = [item["embedding"] for item in told["data"]]
    assert [len(vector) for vector in vectors] == [DIMENSIONS, DIMENSIONS]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])
    packed = embed(url, ["a lamp is lit", "!!!"], encoding_format="base64")
    bytes_of = [base64.b64decode(text) for text in packed]  # type: ignore[arg-type]
    assert [np.frombuffer(one, "<f4").tolist() for one in bytes_of] == vectors


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"dimensions": 256}, "dimensions"),
        ({"instruction": "find"}, "instruction"),
        ({"input": [1, 2]}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
    ],
)
def test_what_is_refused(url: str, more: dict[str, Any], param: str) -> None:
    response = httpx.post(f"{url}/v1/embeddings", json={"model": "lexical-1024", "input": "a", **more})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_it_is_named_as_what_it_is_and_offered_only_where_it_is_switched_on(url: str, plain_url: str) -> None:
    listed = {model["id"]: model for model in httpx.get(f"{url}/v1/models").json()["data"]}
    assert "no model" in listed["lexical-1024"]["name"]
    assert listed["lexical-1024"]["capabilities"] == ["embedding"]
    assert httpx.get(f"{url}/v1/models/lexical-1024").json() == listed["lexical-1024"]
    assert "lexical-1024" not in httpx.get(f"{plain_url}/v1/models").text
    refused = httpx.post(f"{plain_url}/v1/embeddings", json={"model": "lexical-1024", "input": "a"})
    assert refused.status_code == 404
    assert "RKLLM_LEXICAL_EMBEDDING=true" in refused.json()["error"]["message"]
    chat_model = httpx.post(f"{plain_url}/v1/embeddings", json={"model": "talker", "input": "a"})
    assert chat_model.status_code == 400
    assert "RKLLM_LEXICAL_EMBEDDING=true offers lexical-1024" in chat_model.json()["error"]["message"]


def test_a_hundred_at_once(url: str) -> None:
    async def everybody() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None)) as client:
            bodies = [{"model": "lexical-1024", "input": f"word number {number % 7}"} for number in range(100)]
            return await asyncio.gather(*(client.post(f"{url}/v1/embeddings", json=body) for body in bodies))

    responses = asyncio.run(everybody())
    assert {response.status_code for response in responses} == {200}
    vectors = [response.json()["data"][0]["embedding"] for response in responses]
    assert all(vector == vectors[number % 7] for number, vector in enumerate(vectors))
    assert vectors[0] != vectors[1]


def test_vectors_are_the_same_in_every_process() -> None:
    text = "Der Leuchtturm leuchtet, 灯塔, 1904"
    vectors, counts = embed_texts(Analyser(), [text])
    code = (
        "import sys; from rag_service.retrieval.lexical_vectors import embed_texts; "
        "from rag_service.retrieval.analyse import Analyser; "
        "sys.stdout.buffer.write(embed_texts(Analyser(), [sys.argv[1]])[0].tobytes())"
    )
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code, text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert found.stdout == vectors.tobytes()
    assert counts[0] > 3


async def test_a_cancelled_call_costs_no_other(lexical: Lexical) -> None:
    calls = [asyncio.ensure_future(lexical.embed([f"text {number}"])) for number in range(6)]
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[3].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]
    expected, _ = embed_texts(Analyser(), ["text 5"])
    np.testing.assert_array_equal(results[5].vectors, expected)  # type: ignore[union-attr]


async def test_a_call_that_fails_costs_no_other(lexical: Lexical, monkeypatch: pytest.MonkeyPatch) -> None:
    run = JobProcess.run

    async def fragile(self: JobProcess, job: dict[str, Any], what: str) -> Any:
        if "poison" in job["texts"]:
            raise WorkerCrashed("The process that reads texts ended by itself.")
        return await run(self, job, what)

    monkeypatch.setattr(JobProcess, "run", fragile)
    calls = [lexical.embed([text]) for text in ("first", "poison", "last")]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, WorkerCrashed) for result in results] == [False, True, False]


async def test_what_waits_is_bounded_too(lexical: Lexical, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.lexical._MOST_WAITING_CHARACTERS", 10)
    waiting = asyncio.ensure_future(lexical.embed(["12345678"]))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await lexical.embed(["123"])
    await waiting
    assert len((await lexical.embed(["123"])).vectors) == 1


async def test_it_is_bounded_and_the_closed_refuse(lexical: Lexical) -> None:
    with pytest.raises(InvalidRequest, match=f"at most 2048 of {MOST_CHARACTERS}"):
        await lexical.embed(["x" * (MOST_CHARACTERS + 1)])
    with pytest.raises(InvalidRequest, match="2049 texts"):
        await lexical.rank("x", ["y"] * 2049)
    waiting = asyncio.ensure_future(lexical.embed(["a"]))
    await asyncio.sleep(0)
    await lexical.close()
    with pytest.raises(EngineClosed):
        await waiting
    with pytest.raises(EngineClosed):
        await lexical.embed(["a"])


def test_ranking_without_a_model_is_by_words_with_the_relevance_of_the_gate(plain_url: str) -> None:
    documents = [text for text, _ in CORPUS["en"]] + [{"text": CORPUS["de"][0][0]}, ""]
    query = "Which platform does the airport tram leave from?"
    for named in ({}, {"model": "bm25"}, {"model": "talker"}):
        body = {"query": query, "documents": documents, **named}
        told = httpx.post(f"{plain_url}/v1/rerank", json=body, timeout=60).json()
        assert told["model"] == "bm25"
        scores = [result["relevance_score"] for result in told["results"]]
        assert told["results"][0]["index"] == 2
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert sorted(result["index"] for result in told["results"]) == list(range(len(documents)))
        assert scores[0] > 0.6
        assert scores[-1] == 0
    best = {"query": query, "documents": documents, "top_n": 1, "return_documents": True}
    assert httpx.post(f"{plain_url}/rerank", json=best).json()["results"] == [
        {"index": 2, "relevance_score": scores[0], "document": {"text": documents[2]}}
    ]


def test_the_score_is_the_gates_own() -> None:
    texts = [text for text, _ in CORPUS["de"]]
    query = CORPUS["de"][1][1]
    index = Index([Passage(Document(Source(str(at), text), text), 0, 0, len(text)) for at, text in enumerate(texts)])
    relevance = Relevance(index, query)
    for place, score in rank_texts(Analyser(), query, texts):
        assert score == (relevance.of_passages([place])[0] if index.scores(query)[place] > 0 else 0)
    assert rank_texts(Analyser(), query, []) == []
    assert rank_texts(Analyser(), query, [" ", ""]) == [(0, 0.0), (1, 0.0)]


def test_of_a_long_document_its_best_passage_counts() -> None:
    answer = CORPUS["en"][0][0]
    long = "\n\n".join(["Nothing of this has to do with anything that is asked for here, at all."] * 80 + [answer])
    ranked = dict(rank_texts(Analyser(), "Who trims the lamp every evening?", [long, "A lamp.", CORPUS["en"][1][0]]))
    assert ranked[0] > 0.6 > ranked[1] > ranked[2]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"query": " ", "documents": ["x"]}, 400, "query"),
        ({"query": "q", "documents": ["x"], "top_n": 0}, 400, "top_n"),
        ({"query": "q", "documents": ["x"], "instruction": "find"}, 400, "instruction"),
        ({"query": "q", "documents": ["x"] * 2049}, 400, "documents"),
        ({"query": "q", "documents": ["x"], "model": "nobody"}, 404, "model"),
    ],
)
def test_a_ranking_that_is_refused(plain_url: str, body: dict[str, Any], status: int, param: str) -> None:
    response = httpx.post(f"{plain_url}/v1/rerank", json=body)
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)


def test_a_ranking_has_the_time_that_it_is_given(plain_url: str) -> None:
    body = {"query": "q " * 50, "documents": ["q word " * 20_000] * 10, "timeout": 0.001}
    response = httpx.post(f"{plain_url}/v1/rerank", json=body, timeout=60)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "timeout")
    assert (
        httpx.post(f"{plain_url}/v1/rerank", json={"query": "q", "documents": ["q"]}, timeout=60).status_code == 200
    )
