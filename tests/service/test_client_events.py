"""Events of status and sources in streams for Open WebUI, and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from rag_service.answer_news import AnswerNews
from rag_service.chat_answer import ChatAnswer
from rag_service.chat_desk import ChatDesk
from rag_service.openwebui.client_events import is_openwebui, source_events
from rag_service.ready_answer import ReadyAnswer
from rag_service.retrieval.pipeline import Excerpt
from rag_service.retrieval.types import Source
from rag_service.settings import ServiceSettings
from rkllm_providers.engine import ModelClient
from tests.conftest import needs_llama
from tests.service.conftest import serving
from tests.service.test_grounded_chats import BANANAS, DELTA, SCRIPT, TITLE, sources, user

QUESTION = "When was the Oosterscheldekering finished?"
SLOW = 'prefill_base_ms 1000\ncontext 2048\nrule *\n  text "In 1986."\nend\n'
FROM_OPENWEBUI = {"X-OpenWebUI-User-Id": "7"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker=SCRIPT, slow=SLOW) as base:
        yield base


def stream(
    url: str, text: str, headers: dict[str, str] | None = FROM_OPENWEBUI, model: str = "talker"
) -> list[dict[str, Any]]:
    body = {"model": model, "messages": [user(text)], "stream": True}
    response = httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    assert response.status_code == 200, response.text
    assert response.text.endswith("data: [DONE]\n\n")
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]


def events(chunks: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [chunk["event"]["data"] for chunk in chunks if chunk.get("event", {}).get("type") == kind]


@needs_llama
def test_what_was_chosen_is_told_before_the_answer(url: str) -> None:
    chunks = stream(url, sources(BANANAS, DELTA, url="https://example.org/delta") + QUESTION)
    # Where starting to read takes long, that is told too.
    assert events(chunks, "status")[-1] == {"description": "Chose 1 passage of 2 sources", "done": True}
    (source,) = events(chunks, "source")
    assert source["source"] == {"name": "page2.txt", "url": "https://example.org/delta"}
    assert "finished in 1986" in source["document"][0]
    assert source["metadata"] == [{"source": "https://example.org/delta", "name": "page2.txt"}]
    kinds = ["event" if "event" in chunk else "chunk" for chunk in chunks]
    told = kinds.count("event")
    assert kinds[: told + 1] == ["chunk", *["event"] * told]
    assert "event" not in kinds[told + 1 :]
    assert all("choices" not in chunk for chunk in chunks if "event" in chunk)


@needs_llama
@pytest.mark.parametrize("headers", [None, {"User-Agent": "Python/3.11 aiohttp/3.14"}, {"X-Other": "openwebui"}])
def test_other_clients_see_nothing_of_it(url: str, headers: dict[str, str] | None) -> None:
    chunks = stream(url, sources(BANANAS, DELTA) + QUESTION, headers)
    assert all("choices" in chunk for chunk in chunks)
    assert all("choices" in chunk for chunk in stream(url, "Without sources?", headers))


@needs_llama
@pytest.mark.parametrize("text", ["Without sources?", sources(DELTA) + "thanks!"])
def test_nothing_stays_over_an_answer_without_sources(url: str, text: str) -> None:
    chunks = stream(url, text)
    assert not events(chunks, "source")
    assert all(status["hidden"] for status in events(chunks, "status")[-1:])


@needs_llama
def test_sources_of_which_none_fits(url: str) -> None:
    page = '<source id="1" name="q" resource-type="web_search" url="https://example.org/1">' + BANANAS + "</source>\n"
    chunks = stream(url, page + QUESTION)
    assert events(chunks, "status")[-1]["description"] == "Nothing in 1 source fits the question"
    assert not events(chunks, "source")


@needs_llama
def test_whoever_waits_is_told_why(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.api.event_stream._NEWS_SECONDS", 0.02)
    monkeypatch.setattr("rag_service.api.event_stream._LOOK_SECONDS", 0.02)
    *going_on, last = events(stream(url, "Slowly, please.", model="slow"), "status")
    assert "Reading the prompt" in {status["description"] for status in going_on}
    assert not any(status["done"] for status in going_on)
    assert last == {"description": "Reading the prompt", "done": True, "hidden": True}


@needs_llama
def test_a_refusal_keeps_its_status(url: str) -> None:
    body = {"model": "talker", "messages": [user("word " * 5000)], "stream": True}
    response = httpx.post(f"{url}/v1/chat/completions", json=body, headers=FROM_OPENWEBUI, timeout=60)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("setting", "headers", "told"),
    [
        ("auto", FROM_OPENWEBUI, True),
        ("auto", {}, False),
        ("on", {}, True),
        ("off", FROM_OPENWEBUI, False),
    ],
)
def test_a_setting_has_the_last_word(setting: Any, headers: dict[str, str], told: bool) -> None:
    desk = ChatDesk(ServiceSettings(openwebui_events=setting).desk)
    answer = ChatAnswer(ReadyAnswer.of_text("x"))
    assert (desk.news(answer, cast(ModelClient, None), headers) is not None) == told


@needs_llama
def test_tasks_carry_no_events(url: str) -> None:
    chunks = stream(url, TITLE, {"X-OpenWebUI-Task": "title_generation"})
    assert all("choices" in chunk for chunk in chunks)


def test_by_which_headers_open_webui_is_known() -> None:
    assert is_openwebui({"x-openwebui-task": ""})
    assert is_openwebui({"X-OpenWebUI-Chat-Id": "1"})
    assert not is_openwebui({"user-agent": "x-openwebui-"})


class Waiting(ReadyAnswer):
    """An answer that waits, at places and with progress of the test's choice."""

    def __init__(self) -> None:
        super().__init__([])
        self.place: int | None = None
        self.read: tuple[int, int] | None = None

    @property
    def position(self) -> int | None:  # type: ignore[override]
        return self.place

    @property
    def progress(self) -> tuple[int, int] | None:  # type: ignore[override]
        return self.read


def test_a_status_is_told_when_it_is_new() -> None:
    inner = Waiting()
    loaded: list[bool] = []
    news = AnswerNews(ChatAnswer(inner), lambda: bool(loaded))
    told: list[str] = []
    for place, read in [(2, None), (2, None), (1, None), (0, None), (None, None), (None, (5, 9)), (None, (9, 9))]:
        inner.place, inner.read = place, read
        if place is None:
            loaded.append(True)
        told += [event["event"]["data"]["description"] for event in news.look()]
    assert told == [
        "Waiting: 2 requests before this one",
        "Waiting: 1 request before this one",
        "Loading the model",
        "Reading the prompt",
        "Reading the prompt: 5 of 9 tokens",
        "Reading the prompt: 9 of 9 tokens",
    ]
    assert [event["event"]["data"]["done"] for event in news.end()] == [True]
    assert news.end() == []
    assert news.look() == []


def test_sources_without_a_name_are_left_out() -> None:
    shown = [Source("1", "", "a.md"), Source("2", ""), Source("3", "", "Page", "https://example.org/3")]
    excerpts = [Excerpt(number, "", "", f"text {number}{part}", 0, 6) for number in "123" for part in "ab"]
    told = [event["event"]["data"] for event in source_events(shown, excerpts)]
    assert [one["metadata"][0]["source"] for one in told] == ["a.md", "https://example.org/3"]
    assert [one["document"] for one in told] == [["text 1a", "text 1b"], ["text 3a", "text 3b"]]
    assert told[0]["source"] == {"name": "a.md"}
