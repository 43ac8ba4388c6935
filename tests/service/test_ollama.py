"""The Ollama API as it is on the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from rag_service.settings import ServiceSettings
from tests.conftest import needs_llama
from tests.service.chat_script import PERSON, PICTURE, SCRIPT, WEATHER
from tests.service.conftest import running

pytestmark = needs_llama

TOOLS = [{"type": "function", "function": WEATHER}, {"type": "function", "function": {"name": "get_time"}}]
PLAIN = 'rule *\n  text "Plain."\nend\n'


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    for name, text in (("talker", SCRIPT), ("embedder", PLAIN), ("plain", PLAIN)):
        (folder / f"{name}.rkllm").write_text(f"#!rkllm-script 1\n{text}")
    (folder / "embedder.toml").write_text('capabilities = ["embedding"]\n')
    (folder / "plain.toml").write_text("capabilities = []\n")
    with running(ServiceSettings(port=0, models_dir=folder, lexical_embedding=True)) as url:
        yield url


def chat(url: str, text: str, **more: Any) -> httpx.Response:
    body = {"model": "talker", "messages": [{"role": "user", "content": text}], **more}
    return httpx.post(f"{url}/api/chat", json=body, timeout=60)


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


def joined(told: list[dict[str, Any]], name: str) -> str:
    return "".join(line["message"].get(name, "") for line in told)


def test_a_stream_is_lines_of_which_the_last_has_the_figures(url: str) -> None:
    told = lines(chat(url, "Hi", think=True))
    assert joined(told, "thinking").strip() == "hm so then"
    assert joined(told, "content") == "Hello"
    assert [line["done"] for line in told] == [False] * (len(told) - 1) + [True]
    for line in told:
        assert line["model"] == "talker"
        assert line["message"]["role"] == "assistant"
        assert datetime.fromisoformat(line["created_at"]).tzinfo is not None
    last = told[-1]
    assert last["done_reason"] == "stop"
    assert last["prompt_eval_count"] > 0
    assert last["eval_count"] >= len(told) - 1
    assert last["total_duration"] >= last["load_duration"] + last["prompt_eval_duration"] + last["eval_duration"] - 3
    assert all(isinstance(last[name], int) for name in last if name.endswith("duration"))


def test_a_whole_answer_is_one_object(url: str) -> None:
    told = chat(url, "Hi", stream=False).json()
    assert told["message"] == {"role": "assistant", "content": "Hello", "thinking": told["message"]["thinking"]}
    assert (told["done"], told["done_reason"]) == (True, "stop")
    unthinking = chat(url, "Hi", stream=False, think=False).json()
    assert unthinking["message"] == {"role": "assistant", "content": "Without a thought."}


def test_the_tag_that_ollama_gives_is_no_part_of_a_name(url: str) -> None:
    told = chat(url, "Hi", model="talker:latest", stream=False).json()
    assert told["model"] == "talker:latest"
    assert 'model="talker:latest"' not in httpx.get(f"{url}/metrics").text
    assert told["message"]["content"] == "Hello"


def test_options_are_honoured_or_named(url: str) -> None:
    options = {"num_predict": 3, "temperature": 0.5, "top_k": 5, "num_ctx": 4096, "seed": 7, "mirostat": 0}
    response = chat(url, "endless", options=options, stream=False, think=False, template="x", shift=True)
    told = response.json()
    assert (told["message"]["content"], told["done_reason"], told["eval_count"]) == (" la" * 3, "length", 3)
    ignored = "options.mirostat,options.num_ctx,options.seed,shift,template"
    assert response.headers["x-rkllm-ignored-fields"] == ignored
    stopped = chat(url, "Hi", stream=False, options={"stop": ["ll"]}).json()
    assert (stopped["message"]["content"], stopped["done_reason"]) == ("He", "stop")


def test_tools_are_called_with_objects_and_their_results_understood(url: str) -> None:
    for stream in (True, False):
        response = chat(url, "forecast", tools=TOOLS, stream=stream)
        told = lines(response) if stream else [response.json()]
        assert joined(told, "content").strip() == "I look."
        calls = [call for line in told for call in line["message"].get("tool_calls", [])]
        assert [(call["function"]["name"], call["function"]["arguments"]) for call in calls] == [
            ("get_weather", {"city": "Lima"}),
            ("get_time", {}),
        ]
        assert told[-1]["done_reason"] == "stop"
    history = [
        {"role": "user", "content": "forecast"},
        {"role": "assistant", "content": "", "thinking": "so", "tool_calls": calls[:1]},
        {"role": "tool", "tool_name": "get_weather", "content": "17"},
    ]
    response = chat(url, "", messages=history, tools=TOOLS, stream=False)
    assert response.json()["message"]["content"] == "It is 17 degrees."
    assert "x-rkllm-ignored-fields" not in response.headers


def test_a_call_that_cannot_be_read_is_text(url: str) -> None:
    told = lines(chat(url, "broken", tools=TOOLS))
    assert "get_weather" in joined(told, "content")
    assert not any("tool_calls" in line["message"] for line in told)


def test_answers_in_json(url: str) -> None:
    for wanted in ("json", PERSON):
        told = chat(url, "a person", format=wanted, stream=False).json()
        assert json.loads(told["message"]["content"]) == {"name": "Ada", "age": 36}


def test_generate_is_a_chat_of_one_turn_or_goes_on_from_the_text(url: str) -> None:
    body = {"model": "talker", "prompt": "Hi", "stream": False}
    told = httpx.post(f"{url}/api/generate", json=body).json()
    assert (told["response"], told["thinking"].strip(), told["done"]) == ("Hello", "hm so then", True)
    assert "message" not in told
    pirate = httpx.post(f"{url}/api/generate", json={**body, "system": "Be a pirate"}).json()
    assert pirate["response"] == "Arr."
    raw = lines(httpx.post(f"{url}/api/generate", json={"model": "talker", "prompt": "Once", "raw": True}))
    assert "".join(line["response"] for line in raw) == ", and so on."


def test_a_request_that_asks_nothing_loads_or_unloads(url: str) -> None:
    def loaded() -> dict[str, Any]:
        return {model["name"]: model for model in httpx.get(f"{url}/api/ps").json()["models"]}

    told = httpx.post(f"{url}/api/chat", json={"model": "plain", "stream": False}, timeout=60).json()
    assert (told["done"], told["done_reason"], told["message"]["content"]) == (True, "load", "")
    state = loaded()["plain"]
    assert state["size"] > 0
    assert state["context_length"] > 0
    assert datetime.fromisoformat(state["expires_at"]).year == 9999
    (line,) = lines(httpx.post(f"{url}/api/generate", json={"model": "plain", "keep_alive": 0}))
    assert (line["done"], line["done_reason"], line["response"]) == (True, "unload", "")
    for _ in range(500):
        if "plain" not in loaded():
            break
        time.sleep(0.02)
    assert "plain" not in loaded()
    chat(url, "Hi", model="plain", keep_alive="5m", stream=False)
    assert datetime.fromisoformat(loaded()["plain"]["expires_at"]).year < 9999


def test_which_models_there_are_and_what_they_can(url: str) -> None:
    listed = {model["name"]: model for model in httpx.get(f"{url}/api/tags").json()["models"]}
    assert set(listed) >= {"talker", "embedder", "plain", "lexical-1024"}
    talker = listed["talker"]
    assert talker["model"] == "talker"
    assert talker["size"] > 0
    assert len(talker["digest"]) == 64
    assert talker["details"]["format"] == "script"
    shown = httpx.post(f"{url}/api/show", json={"model": "talker"}).json()
    assert set(shown["capabilities"]) == {"completion", "tools", "thinking"}
    family = shown["model_info"]["general.architecture"]
    assert shown["model_info"][f"{family}.context_length"] == 2048
    assert "im_start" in shown["template"]
    embedder = httpx.post(f"{url}/api/show", json={"name": "embedder"}).json()
    assert embedder["capabilities"] == ["embedding"]
    lexical = httpx.post(f"{url}/api/show", json={"model": "lexical-1024"}).json()
    assert (lexical["capabilities"], lexical["model_info"]["lexical.embedding_length"]) == (["embedding"], 1024)
    assert httpx.get(f"{url}/api/version").json()["version"].count(".") == 2
    assert httpx.get(f"{url}/").text == "Ollama is running"
    assert httpx.head(f"{url}/").status_code == 200


def test_vectors_in_both_forms(url: str) -> None:
    asked = {"model": "embedder", "input": ["a cat", "a dog"]}
    told = httpx.post(f"{url}/api/embed", json=asked).json()
    openai_form = httpx.post(f"{url}/v1/embeddings", json=asked).json()
    assert told["embeddings"] == [item["embedding"] for item in openai_form["data"]]
    assert told["prompt_eval_count"] == openai_form["usage"]["prompt_tokens"]
    one = httpx.post(f"{url}/api/embeddings", json={"model": "embedder", "prompt": "a cat"}).json()
    assert one == {"embedding": told["embeddings"][0]}
    lexical = httpx.post(f"{url}/api/embed", json={"model": "lexical-1024:latest", "input": "a cat"}).json()
    assert len(lexical["embeddings"][0]) == 1024
    short = httpx.post(f"{url}/api/embed", json={**asked, "dimensions": 8}).json()
    assert [len(vector) for vector in short["embeddings"]] == [8, 8]


def test_what_is_too_long_to_embed_is_cut_unless_that_is_not_wanted(url: str) -> None:
    asked = {"model": "embedder", "input": "cat " * 20_000}
    assert httpx.post(f"{url}/api/embed", json=asked, timeout=60).status_code == 200
    refused = httpx.post(f"{url}/api/embed", json={**asked, "truncate": False}, timeout=60)
    assert refused.status_code == 400
    assert "tokens" in refused.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("chat", {"model": "nobody"}, 404, "'nobody' was not found"),
        ("chat", {"messages": [{"role": "robot", "content": "x"}]}, 400, "messages[0].role"),
        ("chat", {"messages": [{"role": "user", "content": "x"}], "options": {"top_k": 0}}, 400, "options.top_k"),
        ("chat", {"messages": [{"role": "user", "content": "x"}], "logprobs": True}, 400, "log probabilities"),
        ("chat", {"messages": [{"role": "user", "content": "x"}], "format": "xml"}, 400, "format"),
        ("chat", {"messages": [{"role": "user", "content": "x"}], "tools": [{}]}, 400, "no name"),
        ("chat", {"messages": [{"role": "user", "content": "x"}], "keep_alive": "soon"}, 400, "keep_alive"),
        ("chat", {"messages": [{"role": "user", "content": "x"}], "model": "plain", "think": True}, 400, "not think"),
        ("chat", {"messages": [{"role": "user", "content": "la " * 4000}]}, 400, "2048"),
        ("generate", {"prompt": "x", "suffix": "y"}, 400, "fill gaps"),
        ("generate", {"prompt": "x", "context": [1, 2]}, 400, "context"),
        ("generate", {"prompt": "x", "template": "y"}, 400, "template"),
        ("generate", {"prompt": "x", "raw": True, "system": "y"}, 400, "raw"),
        ("embed", {"input": "x"}, 400, "embedding model"),
        ("show", {"model": "nobody"}, 404, "'nobody' was not found"),
        ("create", {"model": "x", "from": "y"}, 400, "models folder"),
        ("pull", {"model": "nobody"}, 404, "'nobody' was not found"),
    ],
)
def test_what_is_refused_in_ollamas_own_form(url: str, path: str, body: Any, status: int, told: str) -> None:
    response = httpx.post(f"{url}/api/{path}", json={"model": "talker", **body}, timeout=60)
    assert response.status_code == status
    assert set(response.json()) == {"error"}
    assert told in response.json()["error"]


def test_a_picture_goes_where_those_of_the_openai_api_do(url: str) -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": f"data:image/*;base64,{PICTURE}"}},
        {"type": "text", "text": "x"},
    ]
    body = {"model": "talker", "messages": [{"role": "user", "content": parts}]}
    expected = httpx.post(f"{url}/v1/chat/completions", json=body)
    chatted = chat(url, "x", messages=[{"role": "user", "content": "x", "images": [PICTURE]}])
    generated = httpx.post(f"{url}/api/generate", json={"model": "talker", "prompt": "x", "images": [PICTURE]})
    for response in (chatted, generated):
        assert response.status_code == expected.status_code == 400
        assert response.json() == {"error": expected.json()["error"]["message"]}


def test_an_error_within_a_stream_is_its_last_line(url: str) -> None:
    told = lines(chat(url, "crash"))
    assert "died" in told[-1]["error"] or "worker" in told[-1]["error"].lower()
    assert "done" not in told[-1]
    assert chat(url, "Hi", stream=False).status_code == 200


def test_a_model_that_is_there_need_not_be_pulled(url: str) -> None:
    assert httpx.post(f"{url}/api/pull", json={"model": "talker"}).json() == {"status": "success"}


def test_a_body_is_json_whatever_it_is_called_but_not_from_a_page(url: str) -> None:
    body = json.dumps({"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "stream": False})
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert httpx.post(f"{url}/api/chat", content=body, headers=form).json()["message"]["content"] == "Hello"
    assert httpx.post(f"{url}/api/chat", content=body).status_code == 200
    page = {"content-type": "text/plain", "origin": "https://a.test"}
    assert httpx.post(f"{url}/api/chat", content=body, headers=page).status_code == 400
    broken = httpx.post(f"{url}/api/chat", content="{", headers=form)
    assert (broken.status_code, set(broken.json())) == (400, {"error"})


def test_sources_and_tasks_go_the_way_of_other_chats(url: str) -> None:
    task = "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n"
    task += '### Output:\nJSON format: { "title": "your title here" }\n### Chat History:\n<chat_history>\nUSER: '
    task += "How do bees find their hive?\nASSISTANT: By the sun.\n</chat_history>"
    told = chat(url, task, stream=False).json()
    assert "title" in json.loads(told["message"]["content"])
    assert told["eval_count"] == 0  # no model wrote it


def test_a_pause_is_filled_with_lines_that_say_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.api.event_stream._KEEP_ALIVE_SECONDS", 0.05)
    told = lines(chat(url, "pause"))
    assert joined(told, "content") == "Wait. Done."
    assert "" in [line["message"]["content"] for line in told[:-1]]


def test_a_client_that_leaves_ends_its_answer(url: str) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "endless"}], "options": {"num_predict": -1}}
    with httpx.stream("POST", f"{url}/api/chat", json=body, timeout=60) as response:
        assert json.loads(next(response.iter_lines()))["message"]["content"] == " la"
    assert chat(url, "Hi", stream=False).json()["message"]["content"] == "Hello"
