"""Answers of the cache, through the service."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag_service.settings import ServiceSettings
from tests.conftest import needs_llama
from tests.service.conftest import StartService, running
from tests.service.test_grounded_chats import BANANAS, DELTA, SCRIPT, sources, text_of, tool, user

pytestmark = needs_llama

QUESTION = "When was the Oosterscheldekering finished?"
KEYS = {"anna": "a" * 32, "bert": "b" * 32}
_chats = itertools.count()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "talker.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    keys = folder / "keys"
    keys.write_text("".join(f"{name} = {key}\n" for name, key in KEYS.items()))
    keys.chmod(0o600)
    with running(ServiceSettings(port=0, models_dir=folder, api_keys_file=keys, answer_cache_ttl=600)) as base:
        yield base


def ask(
    url: str, *messages: dict[str, Any], chat: str | None = None, key: str = "anna", **body: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[key]}"} | ({} if chat is None else {"X-OpenWebUI-Chat-Id": chat})
    content = {"model": "talker", "messages": list(messages), **body}
    return httpx.post(f"{url}/v1/chat/completions", json=content, headers=headers, timeout=60)


def new_chat() -> str:
    return f"chat-{next(_chats)}"


def is_kept(response: httpx.Response) -> bool:
    assert response.status_code == 200, response.text
    told = "x-rkllm-answer-cache" in response.headers
    if response.headers["content-type"].startswith("application/json"):
        assert ("answer_cache" in response.json()) == told
    return told


def test_the_same_request_in_another_chat_takes_no_model(url: str) -> None:
    message = user(sources(BANANAS, DELTA, url="https://example.org/delta") + QUESTION)
    first = ask(url, message, chat=new_chat())
    assert not is_kept(first)
    headers = {"Authorization": f"Bearer {KEYS['anna']}"}
    assert httpx.post(f"{url}/v1/models/unload", headers=headers, timeout=30).json()["unloaded"] == ["talker"]
    second = ask(url, message, chat=new_chat())
    assert is_kept(second)
    assert second.json()["choices"] == first.json()["choices"]
    assert second.json()["choices"][0]["message"]["annotations"]
    assert second.json()["usage"]["total_tokens"] == 0
    assert second.json()["answer_cache"]["age_seconds"] >= 0
    loaded = httpx.get(f"{url}/v1/models/talker", headers=headers, timeout=30).json()["status"]["value"]
    assert loaded == "unloaded"


def test_streams_are_kept_and_served(url: str) -> None:
    message = user(sources(BANANAS, DELTA) + "In a stream: " + QUESTION)
    first = ask(url, message, chat=new_chat(), stream=True)
    second = ask(url, message, chat=new_chat(), stream=True)
    assert (is_kept(first), is_kept(second)) == (False, True)
    # A client that names its chat is Open WebUI, and is told what was chosen.
    assert all('"description":"Chose 1 passage of 2 sources"' in response.text for response in (first, second))
    assert streamed_text(first) == streamed_text(second) == "In 1986 [2], as the page says."
    assert '"answer_cache":{"age_seconds":' in second.text
    assert second.text.endswith("data: [DONE]\n\n")
    assert text_of(ask(url, message, chat=new_chat())) == "In 1986 [2], as the page says."


def streamed_text(response: httpx.Response) -> str:
    chunks = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", []))


def test_who_regenerates_gets_another_answer(url: str) -> None:
    message = user("Is this asked again? Without sources?")
    chat = new_chat()
    assert not is_kept(ask(url, message, chat=chat))
    assert not is_kept(ask(url, message, chat=chat))
    other = new_chat()
    assert is_kept(ask(url, message, chat=other))
    assert not is_kept(ask(url, message, chat=other))


def test_without_a_chat_only_what_is_not_drawn_at_random(url: str) -> None:
    message = user("No chat is named here.")
    assert [is_kept(ask(url, message)) for _ in range(2)] == [False, False]
    assert [is_kept(ask(url, message, temperature=0)) for _ in range(3)] == [False, True, True]
    assert not is_kept(ask(url, message, temperature=0, top_p=0.5))


def test_another_key_another_cache(url: str) -> None:
    message = user("What is whose?")
    assert not is_kept(ask(url, message, chat=new_chat()))
    assert not is_kept(ask(url, message, chat=new_chat(), key="bert"))
    assert is_kept(ask(url, message, chat=new_chat(), key="bert"))


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 50},
        {"temperature": 0.3},
        {"stop": "zebra"},
        {"response_format": {"type": "text"}},
        {"messages": [{"role": "system", "content": "Be brief."}, user("Does it count?")]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_determines_the_answer_is_part_of_the_key(url: str, change: dict[str, Any]) -> None:
    message = user("Does it count?")
    ask(url, message, chat=new_chat())
    assert is_kept(ask(url, message, chat=new_chat()))
    messages = change.get("messages", [message])
    fields = {name: value for name, value in change.items() if name != "messages"}
    # A format of text asks for nothing else than none does.
    assert is_kept(ask(url, *messages, chat=new_chat(), **fields)) == ("response_format" in change)
    # When an answer comes does not change it.
    assert is_kept(ask(url, message, chat=new_chat(), timeout=30, priority="background", keep_alive="1h"))


def test_tools_and_pictures_are_not_for_the_cache(url: str) -> None:
    message = user("With a hammer?")
    for _ in range(2):
        assert not is_kept(ask(url, message, chat=new_chat(), tools=[tool("hammer", 2)]))
    call = {"id": "c1", "type": "function", "function": {"name": "hammer", "arguments": "{}"}}
    used = [
        message,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
    ]
    for _ in range(2):
        assert not is_kept(ask(url, *used, chat=new_chat()))


def test_a_chat_that_is_to_be_left_as_it_is_is_left_to_the_model(url: str) -> None:
    headers = {"Authorization": f"Bearer {KEYS['anna']}", "X-RKLLM-Plain": "1"}
    body = {"model": "talker", "messages": [user("Plainly?")], "temperature": 0}
    for _ in range(2):
        assert not is_kept(httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60))


def test_a_changed_model_answers_anew(start_service: StartService, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    path = folder / "talker.rkllm"
    path.write_text('#!rkllm-script 1\nrule *\n  text "One"\nend\n')
    base = start_service(answer_cache_ttl=60)
    body = {"model": "talker", "messages": [user("Which?")], "temperature": 0}

    def answer() -> str:
        return text_of(httpx.post(f"{base}/v1/chat/completions", json=body, timeout=60))

    assert answer() == answer() == "One"
    path.write_text('#!rkllm-script 1\nrule *\n  text "Two, then"\nend\n')
    assert answer() == "Two, then"


def test_it_is_off_by_default(start_service: StartService, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    (folder / "talker.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    base = start_service()
    body = {"model": "talker", "messages": [user("Again?")], "temperature": 0}
    for _ in range(2):
        assert not is_kept(httpx.post(f"{base}/v1/chat/completions", json=body, timeout=60))
