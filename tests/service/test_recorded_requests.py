"""Requests recorded from Open WebUI, answered by the running service in a form that Open WebUI reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag_service.settings import ServiceSettings
from tests.conftest import needs_llama
from tests.openwebui.test_recordings import FOLDER
from tests.service.conftest import running
from tests.service.openwebui_reading import Read, read_answer, read_json, read_queries

SCRIPT = """
context 4096
rule "image generation task"
  text "{\\"prompt\\": \\"A board beside a fan.\\"}"
end
rule "Query: "
  text "{\\"tool_calls\\": []}"
end
rule *
  text "It has three cores [1], and a fourth [77]."
end
"""
# What is no request to a backend of models: search engines, and pages of the web.
_OTHERS = ("searxng", "page_fetch", "external_websearch")
# Of Open WebUI's own or of its HTTP library's, which ours writes anew.
_TRANSPORT = ("host", "content-length", "accept-encoding", "connection", "authorization")


def _recorded(*kinds: str) -> list[Any]:
    """The recordings of some kinds; of all that are for a backend, if none is named."""
    found = []
    for path in sorted(FOLDER.glob("requests/*.json")):
        named = re.search(r"__\d+_(\w+)$", path.stem)
        if named and (named[1] in kinds or not kinds) and named[1] not in _OTHERS:
            found.append(pytest.param(path, id=path.stem))
    return found


pytestmark = [
    needs_llama,
    pytest.mark.skipif(not _recorded(), reason=f"no recorded requests in {FOLDER}"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("models")
    for name in ("qwen3-1.7b-rk3588", "qwen2.5-vl-3b-rk3588"):
        (folder / f"{name}.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    with running(ServiceSettings(port=0, models_dir=folder)) as base, httpx.Client(base_url=base, timeout=60) as made:
        yield made


def _send(service: httpx.Client, path: Path) -> httpx.Response:
    """A recorded request, sent as it was but for its address."""
    recorded = json.loads(path.read_text())
    headers = {name: value for name, value in recorded["headers"].items() if name.lower() not in _TRANSPORT}
    route = httpx.URL(recorded["url"]).path
    body: dict[str, Any] = {"json": recorded["body"]} if recorded["body"] is not None else {}
    return service.request(recorded["method"], route, headers=headers, **body)


def _answer(service: httpx.Client, path: Path) -> Read:
    response = _send(service, path)
    assert response.status_code == 200, response.text
    read = read_answer(response)
    assert read.done
    assert read.role == "assistant"
    assert read.finish == "stop"
    assert not read.error
    assert not read.tool_calls
    return read


@pytest.mark.parametrize("path", _recorded("chat", "rag_chat"))
def test_chats(service: httpx.Client, path: Path) -> None:
    body = json.loads(path.read_text())["body"]
    if "image_url" in json.dumps(body["messages"]):
        read = read_answer(_send(service, path))
        # A model that sees no pictures says so, in words that are shown.
        assert "image" in read.error or "picture" in read.error
        return
    read = _answer(service, path)
    has_sources = "<source id=" in json.dumps(body["messages"])
    # A source that does not exist is not cited; where the model was given none, nothing is a citation.
    given = has_sources and "thanks" not in path.stem
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", read.content)}
    assert read.content.startswith("It has three cores")
    assert cited <= ({1} if given else {1, 77})
    if (body.get("stream_options") or {}).get("include_usage") or not body["stream"]:
        assert read.usage is not None
        assert read.usage["prompt_tokens"] > 0
    shown = [event["data"] for event in read.events if event["type"] == "status"]
    assert all(status["done"] for status in shown[-1:])
    if not has_sources:
        assert not [event for event in read.events if event["type"] == "source"]


@pytest.mark.parametrize("path", _recorded("rag_chat"))
def test_chats_with_sources_say_what_they_were_given(service: httpx.Client, path: Path) -> None:
    body = json.loads(path.read_text())["body"]
    whole = {**body, "stream": False, "rkllm": {"trace": True}}
    whole.pop("stream_options", None)
    answer = service.post("/v1/chat/completions", json=whole).json()
    told = answer["rkllm_trace"]
    written = json.dumps(body["messages"])
    assert told["sources"] == written.count("<source id=") - written.count("(e.g., <source id=")
    for excerpt in told["excerpts"]:
        assert f'<source id=\\"{excerpt["source_id"]}\\"' in written
    small_talk = told["decision"]["small_talk"]
    assert small_talk == ("thanks" in path.stem)
    assert bool(told["excerpts"]) == (not small_talk)
    # What of the request's sources is not given is not read by the model either.
    assert answer["usage"]["prompt_tokens"] < len(written)


@pytest.mark.parametrize("path", _recorded("title"))
def test_titles(service: httpx.Client, path: Path) -> None:
    title = read_json(_answer(service, path).content)["title"]
    assert title.strip()
    assert len(title.split()) <= 6


@pytest.mark.parametrize("path", _recorded("tags"))
def test_tags(service: httpx.Client, path: Path) -> None:
    tags = read_json(_answer(service, path).content)["tags"]
    assert 1 <= len(tags) <= 5
    assert all(isinstance(tag, str) and tag.strip() for tag in tags)


@pytest.mark.parametrize("path", _recorded("follow_ups"))
def test_follow_ups(service: httpx.Client, path: Path) -> None:
    asked = read_json(_answer(service, path).content)["follow_ups"]
    assert isinstance(asked, list)
    assert len(asked) <= 5
    assert all(isinstance(one, str) and len(one) <= 400 for one in asked)


@pytest.mark.parametrize("path", _recorded("query_generation"))
def test_queries(service: httpx.Client, path: Path) -> None:
    content = _answer(service, path).content
    queries = read_queries(content)
    last = json.loads(path.read_text())["body"]["messages"][-1]["content"].lower().rpartition("user: ")[2]
    if last.startswith("thanks"):
        assert queries == []
    else:
        assert 1 <= len(queries) <= 3
        assert all(isinstance(query, str) and query.strip() for query in queries)
    # They are asked for twice in one turn, in the same words.
    assert _answer(service, path).content == content


@pytest.mark.parametrize("path", _recorded("autocomplete", "emoji", "image_prompt", "moa", "tools_prompt"))
def test_other_tasks(service: httpx.Client, path: Path) -> None:
    content = _answer(service, path).content
    kind = path.stem.rpartition("__")[2].partition("_")[2]
    if kind == "autocomplete":
        assert isinstance(read_json(content)["text"], str)
    elif kind == "image_prompt":
        assert read_json(content)["prompt"] == "A board beside a fan."
    elif kind == "tools_prompt":
        assert read_json(content)["tool_calls"] == []
    else:
        assert content == ("" if kind == "emoji" else "It has three cores [1], and a fourth [77].")


@pytest.mark.parametrize("path", _recorded("models_load", "models_unload"))
def test_models_are_loaded_and_given_back(service: httpx.Client, path: Path) -> None:
    response = _send(service, path)
    assert response.status_code == 200
    assert response.json()["success"] is True


@pytest.mark.parametrize("path", _recorded("embeddings", "rerank"))
def test_without_a_model_for_it_the_answer_is_an_error_that_is_shown(service: httpx.Client, path: Path) -> None:
    response = _send(service, path)
    if response.status_code == 200:
        body, asked = response.json(), json.loads(path.read_text())["body"]
        if "results" in body:
            assert sorted(one["index"] for one in body["results"]) == list(range(len(asked["documents"])))
            assert all(0 <= one["relevance_score"] <= 1 for one in body["results"])
        else:
            assert len(body["data"]) == len(asked["input"])
    else:
        assert response.status_code in (400, 404)
        assert response.json()["error"]["message"]


@pytest.mark.parametrize("path", _recorded("external_webloader"))
def test_pages_of_this_machine_are_not_loaded(service: httpx.Client, path: Path) -> None:
    recorded = json.loads(path.read_text())
    response = service.post("/v1/loaders/web", json=recorded["body"])
    assert response.status_code == 200
    assert response.json() == []
    assert "3 of 3 pages were not loaded" in response.headers["x-rkllm-hint"]


@pytest.mark.parametrize("path", _recorded("external_document"))
def test_documents(service: httpx.Client, path: Path) -> None:
    recorded = json.loads(path.read_text())
    headers = {name: value for name, value in recorded["headers"].items() if name not in _TRANSPORT}
    body = recorded["body"]["head"].encode()
    loaded = service.put("/v1/loaders/documents/process", content=body, headers=headers).json()
    assert "The board idles at 2.1 W" in loaded["page_content"]
    assert "HomeThe" not in loaded["page_content"]
    assert loaded["metadata"]["source"] in ("notes über.txt", "page.html")


def test_errors_are_words_that_are_shown(service: httpx.Client) -> None:
    """An unknown model, a prompt that is too long, and a body that is none."""
    hello = [{"role": "user", "content": "Hello"}]
    long = [{"role": "user", "content": "word " * 9000}]
    for stream in (False, True):
        for body in (
            {"model": "nobody", "messages": hello, "stream": stream},
            {"model": "qwen3-1.7b-rk3588", "messages": long, "stream": stream},
            {"model": "qwen3-1.7b-rk3588", "messages": "none", "stream": stream},
        ):
            response = service.post("/v1/chat/completions", json=body)
            assert 400 <= response.status_code < 500
            assert read_answer(response).error
