"""Loading and unloading over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

pytestmark = needs_llama

SCRIPT = 'rule *\n  text "I am NAME."\nend\n'


@pytest.fixture
def url(start_service: StartService, write_model: WriteModel) -> str:
    for name in ("one", "two"):
        write_model(SCRIPT.replace("NAME", name), name)
    write_model("nonsense\n", "broken")
    return start_service()


def post(url: str, path: str, body: Any = None) -> httpx.Response:
    return httpx.post(f"{url}{path}", json=body, timeout=60) if body is not None else httpx.post(f"{url}{path}")


def status(url: str, model: str) -> str:
    """As Open WebUI reads it."""
    listed = {entry["id"]: entry for entry in httpx.get(f"{url}/models").json()["data"]}
    told: str = listed[model]["status"]["value"]
    return told


@contextmanager
def events(url: str) -> Iterator[Iterator[dict[str, Any]]]:
    with httpx.stream("GET", f"{url}/models/sse", timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines) == ": models"
        yield (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_a_model_is_loaded_and_unloaded(url: str) -> None:
    assert status(url, "one") == "unloaded"
    loaded = post(url, "/v1/models/load", {"model": "one"}).json()
    assert (loaded["success"], loaded["model"], loaded["status"]) == (True, "one", {"value": "loaded"})
    assert status(url, "one") == "loaded"
    assert post(url, "/v1/models/unload", {"model": "ONE"}).json() == {"success": True, "unloaded": ["one"]}
    assert post(url, "/v1/models/unload", {"model": "one"}).json() == {"success": True, "unloaded": []}


@pytest.mark.parametrize("body", [None, {}])
def test_without_a_body_all_are_unloaded(url: str, body: Any) -> None:
    for model in ("one", "two"):
        post(url, "/v1/models/load", {"model": model})
    assert sorted(post(url, "/v1/models/unload", body).json()["unloaded"]) == ["one", "two"]


def test_a_selected_model_answers_requests_that_name_none(url: str) -> None:
    body = {"messages": [{"role": "user", "content": "Who are you?"}]}
    assert post(url, "/v1/chat/completions", body).status_code == 400
    for name in ("two", "one"):
        assert post(url, "/v1/models/select", {"model": name}).json()["model"] == name
        answer = post(url, "/v1/chat/completions", body).json()
        assert answer["choices"][0]["message"]["content"] == f"I am {name}."


def test_open_webui_s_connection_loads_and_watches(url: str) -> None:
    with events(url) as changes:
        assert post(url, "/models/load", {"model": "one"}).json() == {"success": True}
        seen = [next(changes)]
        while seen[-1]["data"]["status"] != "loaded":
            seen.append(next(changes))
        assert {(event["model"], event["event"]) for event in seen} == {("one", "status_change")}
        assert status(url, "one") == "loaded"
        with events(url) as later:
            assert next(later)["data"] == {"status": "loaded"}
        post(url, "/models/unload", {"model": "one"})
        assert next(changes)["data"] == {"status": "unloaded"}


@pytest.mark.parametrize("path", ["/models/load", "/v1/models/load", "/v1/models/select", "/models/unload"])
def test_models_that_are_not_there(url: str, path: str) -> None:
    response = post(url, path, {"model": "nobody"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


def test_a_model_that_cannot_be_loaded(url: str) -> None:
    response = post(url, "/v1/models/load", {"model": "broken"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "model_load_failed"


def test_watching_has_a_bound(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.api.llama_cpp._MOST_WATCHERS", 1)
    with events(url):
        response = httpx.get(f"{url}/models/sse")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
