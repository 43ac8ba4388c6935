"""The Messages API of Anthropic as it is on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rag_service.api.anthropic.content import Message
from rag_service.settings import ServiceSettings
from tests.conftest import needs_llama
from tests.service.chat_script import PERSON, PICTURE, SCRIPT, WEATHER
from tests.service.conftest import running, serving

pytestmark = needs_llama

TOOLS = [
    {"name": "get_weather", "description": WEATHER["description"], "input_schema": WEATHER["parameters"]},
    {"name": "get_time", "input_schema": {"type": "object"}, "type": "custom"},
]
THINKING = {"type": "enabled", "budget_tokens": 1024}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker=SCRIPT) as url:
        yield url


def post(url: str, content: Any, **more: Any) -> httpx.Response:
    messages = (
        content if isinstance(content, list) and "role" in content[0] else [{"role": "user", "content": content}]
    )
    body = {"model": "talker", "max_tokens": 200, "messages": messages, **more}
    return httpx.post(f"{url}/v1/messages", json=body, timeout=60, headers={"anthropic-version": "2023-06-01"})


def whole(url: str, content: Any, **more: Any) -> dict[str, Any]:
    response = post(url, content, **more)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def events(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    told: list[dict[str, Any]] = []
    for part in response.text.strip().split("\n\n"):
        name, data = part.split("\n")
        told.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {told[-1]['type']}"
    return told


def assembled(told: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that a stream tells of, put together as the API's clients do; checks the order of events."""
    assert told[0]["type"] == "message_start"
    message: dict[str, Any] = told[0]["message"]
    assert (message["content"], message["stop_reason"]) == ([], None)
    inputs: dict[int, str] = {}
    is_open = False
    for event in told[1:-1]:
        kind = event["type"]
        if kind == "content_block_start":
            assert not is_open
            assert event["index"] == len(message["content"])
            message["content"].append(event["content_block"])
            is_open = True
        elif kind == "content_block_delta":
            assert is_open
            assert event["index"] == len(message["content"]) - 1
            block, delta = message["content"][-1], event["delta"]
            if delta["type"] == "input_json_delta":
                inputs[event["index"]] = inputs.get(event["index"], "") + delta["partial_json"]
            else:
                name = delta["type"].removesuffix("_delta")
                block[name] += delta[name]
        elif kind == "content_block_stop":
            assert is_open
            is_open = False
            if message["content"][-1]["type"] == "tool_use":
                message["content"][-1]["input"] = json.loads(inputs.get(event["index"]) or "{}")
        elif kind == "message_delta":
            assert not is_open
            message |= event["delta"]
            message["usage"] |= event["usage"]
        else:
            assert kind == "ping"
    assert told[-1] == {"type": "message_stop"}
    return message


def without_chance(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what is another in each answer: ids, and what was in the cache."""
    blocks = [{name: value for name, value in block.items() if name != "id"} for block in message["content"]]
    used = message["usage"]
    return {
        **message,
        "id": "",
        "content": blocks,
        "usage": (used["input_tokens"] + used["cache_read_input_tokens"], used["output_tokens"]),
    }


def test_a_whole_answer(url: str) -> None:
    told = whole(url, "Hi")
    assert told["id"].startswith("msg_")
    assert (told["type"], told["role"], told["model"]) == ("message", "assistant", "talker")
    assert told["content"] == [{"type": "text", "text": "Without a thought."}]
    assert (told["stop_reason"], told["stop_sequence"]) == ("end_turn", None)
    usage = told["usage"]
    assert set(usage) == {
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    }
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] > 5
    assert usage["output_tokens"] > 3


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Hi", {}),
        ("Hi", {"thinking": THINKING}),
        ("forecast", {"tools": TOOLS}),
        ("forecast", {"tools": TOOLS, "thinking": {"type": "adaptive"}}),
        ("forecast", {"tools": TOOLS, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
        ("endless", {"max_tokens": 4}),
        ("Hi", {"stop_sequences": ["thought"]}),
        ("a person", {"output_config": {"format": {"type": "json_schema", "schema": PERSON}}}),
    ],
)
def test_a_stream_says_what_a_whole_answer_does(url: str, text: str, more: dict[str, Any]) -> None:
    streamed = assembled(events(post(url, text, stream=True, **more)))
    assert without_chance(streamed) == without_chance(whole(url, text, **more))


def test_the_order_of_a_streams_events(url: str) -> None:
    told = events(post(url, "forecast", stream=True, tools=TOOLS, thinking=THINKING))
    kinds = [event["type"] for event in told]
    assert kinds[:2] == ["message_start", "ping"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    starts = [event["content_block"]["type"] for event in told if event["type"] == "content_block_start"]
    assert starts == ["thinking", "text", "tool_use", "tool_use"]
    pieces = [event["delta"] for event in told if event.get("delta", {}).get("type") == "input_json_delta"]
    assert "".join(piece["partial_json"] for piece in pieces).replace(" ", "").startswith('{"city":"Lima"}')


def test_thinking_is_told_only_where_it_was_asked_for(url: str) -> None:
    asked = whole(url, "Hi", thinking=THINKING)["content"]
    assert [block["type"] for block in asked] == ["thinking", "text"]
    assert asked[0]["thinking"].strip() == "hm so then"
    assert asked[0]["signature"] == ""
    assert asked[1]["text"] == "Hello"
    for thinking in ({}, {"thinking": {"type": "disabled"}}):
        assert whole(url, "Hi", **thinking)["content"] == [{"type": "text", "text": "Without a thought."}]


def test_why_an_answer_ended(url: str) -> None:
    assert whole(url, "endless", max_tokens=3)["stop_reason"] == "max_tokens"
    stopped = whole(url, "Hi", stop_sequences=["never", "thought"])
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", "thought")
    assert stopped["content"] == [{"type": "text", "text": "Without a "}]
    assert whole(url, "forecast", tools=TOOLS)["stop_reason"] == "tool_use"


def test_tools_are_called_and_their_results_understood(url: str) -> None:
    told = whole(url, "forecast", tools=TOOLS, thinking=THINKING)
    *_, first, second = told["content"]
    assert (first["type"], first["name"], first["input"]) == ("tool_use", "get_weather", {"city": "Lima"})
    assert (second["name"], second["input"]) == ("get_time", {})
    assert first["id"] != second["id"]
    result = {"type": "tool_result", "tool_use_id": first["id"], "content": [{"type": "text", "text": "17"}]}
    history: list[dict[str, Any]] = [
        {"role": "user", "content": "forecast"},
        {"role": "assistant", "content": [block for block in told["content"] if block is not second]},
        {"role": "user", "content": [result]},
    ]
    response = post(url, history, tools=TOOLS)
    assert response.json()["content"] == [{"type": "text", "text": "It is 17 degrees."}]
    assert "x-rkllm-ignored-fields" not in response.headers
    history[-1]["content"] = [{**result, "content": "gone", "is_error": True}]
    assert whole(url, history, tools=TOOLS)["content"][0]["text"] == "There is no such city."


def test_a_tool_that_must_be_called_is(url: str) -> None:
    told = whole(url, "Hi", tools=TOOLS, tool_choice={"type": "tool", "name": "get_weather"})
    (call,) = told["content"]
    assert (call["name"], call["input"]) == ("get_weather", {"city": "Lima"})
    none = whole(url, "Hi", tools=TOOLS, tool_choice={"type": "none"})
    assert none["content"] == [{"type": "text", "text": "Without a thought."}]


def test_a_call_that_cannot_be_read_is_no_call(url: str) -> None:
    told = whole(url, "broken", tools=TOOLS)
    assert [block["type"] for block in told["content"]] == ["text"]
    assert "get_weather" in told["content"][0]["text"]
    assert without_chance(assembled(events(post(url, "broken", tools=TOOLS, stream=True)))) == without_chance(told)
    assert told["stop_reason"] == "end_turn"


def test_content_in_blocks_is_as_good_as_text(url: str) -> None:
    document = {"type": "document", "title": "A", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    system = [{"type": "text", "text": "Be a pirate", "cache_control": {"type": "ephemeral"}}]
    response = post(url, [{"type": "text", "text": "Hi"}, document], system=system)
    assert response.json()["content"] == [{"type": "text", "text": "Arr."}]
    assert response.headers["x-rkllm-ignored-fields"] == "content.cache_control"
    assert whole(url, "Hi", system="Be a pirate")["content"][0]["text"] == "Arr."


def test_fields_that_are_not_used_are_named(url: str) -> None:
    response = post(
        url, "Hi", metadata={"user_id": "x"}, service_tier="auto", thinking={**THINKING, "display": "full"}
    )
    assert response.headers["x-rkllm-ignored-fields"] == "metadata,service_tier,thinking.display"


def test_tokens_are_counted_as_they_are_read(url: str) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "forecast"}], "tools": TOOLS}
    counted = httpx.post(f"{url}/v1/messages/count_tokens", json=body).json()
    usage = whole(url, "forecast", tools=TOOLS)["usage"]
    assert counted == {"input_tokens": usage["input_tokens"] + usage["cache_read_input_tokens"]}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"messages": []}, "messages"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]},
            "end with the user",
        ),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "'search_result'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]},
            "messages[0].content[0] is a picture elsewhere",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "base64"}}]}]},
            "plain text",
        ),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search_20250305"),
        ({"tools": [{"name": "a"}, {"name": "a"}]}, "Two tools"),
        ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "fly"}}, "'fly'"),
        ({"tool_choice": {"type": "any"}}, "no tools"),
        ({"mcp_servers": [{"url": "https://a.test"}]}, "mcp_servers"),
        ({"stop_sequences": ["x"] * 17}, "stop_sequences has 17 texts"),
        ({"output_config": {"effort": "huge"}, "thinking": THINKING}, "huge"),
        ({"messages": [{"role": "user", "content": "la " * 4000}]}, "2048"),
    ],
)
def test_what_is_refused_in_the_apis_own_form(url: str, more: dict[str, Any], told: str) -> None:
    response = post(url, "Hi", **more)
    assert response.status_code == 400, response.text
    body = response.json()
    assert set(body) == {"type", "error"}
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")
    assert told in body["error"]["message"]


def test_a_picture_goes_where_those_of_the_openai_api_do(url: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    response = post(url, [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}])
    other = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
    body = {"model": "talker", "messages": [{"role": "user", "content": [other, {"type": "text", "text": "x"}]}]}
    expected = httpx.post(f"{url}/v1/chat/completions", json=body)
    assert response.status_code == expected.status_code == 400
    assert response.json()["error"]["message"] == expected.json()["error"]["message"]


def test_errors_have_the_types_of_the_api(url: str) -> None:
    unknown = post(url, "Hi", model="nobody")
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "not_found_error")
    crashed = post(url, "crash")
    assert (crashed.status_code, crashed.json()["error"]["type"]) == (503, "overloaded_error")
    told = events(post(url, "crash", stream=True))
    assert told[-1]["type"] == "error"
    assert told[-1]["error"]["type"] == "overloaded_error"
    large = httpx.post(f"{url}/v1/messages", content=b" " * (ServiceSettings().body_limit + 1))
    assert (large.status_code, large.json()["error"]["type"]) == (413, "request_too_large")


def test_the_key_comes_as_the_apis_clients_send_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    key = SecretStr("a-key-of-some-length")
    settings = ServiceSettings(port=0, models_dir=tmp_path_factory.mktemp("none"), api_key=key)
    with running(settings) as url:
        refused = httpx.post(f"{url}/v1/messages", json={})
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
        known = httpx.post(f"{url}/v1/messages", json={}, headers={"x-api-key": "a-key-of-some-length"})
        assert known.status_code == 400
        ollama = httpx.get(f"{url}/api/tags")
        assert (ollama.status_code, set(ollama.json())) == (401, {"error"})


def test_a_pause_is_filled_with_pings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.api.event_stream._KEEP_ALIVE_SECONDS", 0.05)
    told = events(post(url, "pause", stream=True))
    assert [event["type"] for event in told].count("ping") > 1
    assert assembled(told)["content"] == [{"type": "text", "text": "Wait. Done."}]


def test_pictures_stay_between_the_texts_they_belong_to() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    image = {"type": "image", "source": source}
    blocks = [{"type": "text", "text": text} for text in ("A:", "which is old.", "B:")]
    content = [blocks[0], image, blocks[1], blocks[2], image]
    shown = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
    between = [{"type": "text", "text": "A:"}, shown, {"type": "text", "text": "which is old.\nB:"}, shown]
    message = Message.model_validate({"role": "user", "content": content})
    assert message.raw("messages[0]") == [{"role": "user", "content": between}]
    result = {"type": "tool_result", "tool_use_id": "t", "content": content}
    (told,) = Message.model_validate({"role": "user", "content": [result]}).raw("messages[0]")
    assert told == {"role": "tool", "tool_call_id": "t", "content": between}
    failed = {**result, "is_error": True, "content": [image]}
    (told,) = Message.model_validate({"role": "user", "content": [failed]}).raw("messages[0]")
    assert told["content"] == [{"type": "text", "text": "Error: "}, shown]
