"""Tools, thinking and JSON through the real OpenAI client."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.conftest import needs_llama
from tests.service.chat_script import SCRIPT, WEATHER
from tests.service.conftest import serving

pytestmark = needs_llama

TOOLS: Any = [{"type": "function", "function": WEATHER}, {"type": "function", "function": {"name": "get_time"}}]


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker=SCRIPT) as url:
        yield url


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30)


def said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def test_calls_of_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="talker", messages=said("forecast"), tools=TOOLS)
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I look. "
    assert (choice.message.model_extra or {})["reasoning_content"].strip() == "so a call"
    calls: Any = choice.message.tool_calls
    assert [(call.type, call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("function", "get_weather", {"city": "Lima"}),
        ("function", "get_time", {}),
    ]
    assert len({call.id for call in calls}) == 2


def test_a_call_is_streamed_name_first_and_then_in_pieces(client: openai.OpenAI) -> None:
    chunks = client.chat.completions.create(model="talker", messages=said("forecast"), tools=TOOLS, stream=True)
    calls: Any = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    first, *rest = [call for call in calls if call.index == 0]
    assert (first.type, first.function.name, first.function.arguments) == ("function", "get_weather", "")
    assert all(call.id is None and call.function.name is None for call in rest)
    assert len(rest) > 2
    assert json.loads("".join(call.function.arguments for call in rest)) == {"city": "Lima"}


def test_the_client_s_own_accumulation(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="talker", messages=said("forecast"), tools=TOOLS) as stream:
        calls: Any = stream.get_final_completion().choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]


@pytest.mark.parametrize("stream", [False, True])
def test_one_call_at_most(client: openai.OpenAI, stream: bool) -> None:
    options: Any = {"model": "talker", "messages": said("forecast"), "tools": TOOLS, "parallel_tool_calls": False}
    if stream:
        with client.chat.completions.stream(**options) as events:
            answer = events.get_final_completion()
    else:
        answer = client.chat.completions.create(**options)
    calls: Any = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather"]


def test_the_result_of_a_tool(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="talker", messages=said("forecast"), tools=TOOLS).choices[0].message
    calls: Any = first.tool_calls
    history: Any = [
        *said("forecast"),
        first.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": calls[0].id, "content": "17"},
    ]
    answer = client.chat.completions.create(model="talker", messages=history, tools=TOOLS)
    assert answer.choices[0].message.content == "It is 17 degrees."


@pytest.mark.parametrize(
    ("choice", "name"),
    [("required", "get_time"), ({"type": "function", "function": {"name": "get_weather"}}, "get_weather")],
)
def test_a_call_that_must_be(client: openai.OpenAI, choice: Any, name: str) -> None:
    answer = client.chat.completions.create(
        model="talker", messages=said("Hi"), tools=TOOLS, tool_choice=choice
    ).choices[0]
    calls: Any = answer.message.tool_calls
    assert [call.function.name for call in calls] == [name]
    assert answer.message.content is None


def test_no_call_where_none_is_wanted(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="talker", messages=said("forecast"), tools=TOOLS, tool_choice="none"
    ).choices[0]
    assert answer.finish_reason == "stop"
    assert answer.message.tool_calls is None


def test_a_tool_that_is_not_there_cannot_be_chosen(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="get_rich") as caught:
        client.chat.completions.create(
            model="talker",
            messages=said("Hi"),
            tools=TOOLS,
            tool_choice={"type": "function", "function": {"name": "get_rich"}},
        )
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(("text", "shown"), [("broken", '"city": '), ("unknown", "fly")])
def test_what_is_no_call_is_told_with_its_text(client: openai.OpenAI, text: str, shown: str) -> None:
    message = client.chat.completions.create(model="talker", messages=said(text), tools=TOOLS).choices[0].message
    (invalid,) = (message.model_extra or {})["invalid_tool_calls"]
    assert message.tool_calls is None
    assert shown in invalid["text"]
    assert invalid["text"] in (message.content or "")
    assert invalid["problem"]
    chunks = client.chat.completions.create(model="talker", messages=said(text), tools=TOOLS, stream=True)
    extras = [chunk.choices[0].delta.model_extra or {} for chunk in chunks]
    assert [extra["invalid_tool_call"] for extra in extras if "invalid_tool_call" in extra] == [invalid]


def test_thinking_on_and_off(client: openai.OpenAI) -> None:
    thought = client.chat.completions.create(model="talker", messages=said("Hi"))
    message = thought.choices[0].message
    assert (message.content, (message.model_extra or {})["reasoning_content"].strip()) == ("Hello", "hm so then")
    assert thought.usage is not None
    assert thought.usage.completion_tokens_details is not None
    assert (thought.usage.completion_tokens_details.reasoning_tokens or 0) > 0
    for options in (
        {"extra_body": {"enable_thinking": False}},
        {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
        {"reasoning_effort": "none"},
    ):
        quick = client.chat.completions.create(model="talker", messages=said("Hi"), **options).choices[0].message
        assert quick.content == "Without a thought."


def test_json_by_a_schema_is_parsed_by_the_client(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="talker", messages=said("person"), response_format=Person, extra_body={"enable_thinking": False}
    )
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_no_json_is_a_422_with_what_was_written(client: openai.OpenAI, stream: bool) -> None:
    options: Any = {"response_format": {"type": "json_object"}, "extra_body": {"enable_thinking": False}}
    with pytest.raises(openai.UnprocessableEntityError, match="did not in 3 tries") as caught:
        client.chat.completions.create(model="talker", messages=said("Hi"), stream=stream, **options)
    assert caught.value.code == "invalid_output"
    body: Any = caught.value.body
    assert body["detail"]["class"] == "InvalidOutput"
    assert "Without a thought." in body["detail"]["text"]
    assert body["detail"]["problem"]


def test_times_and_counts_as_llama_cpp_names_them(url: str) -> None:
    body = {"model": "talker", "messages": said("Hi")}
    answers = [httpx.post(f"{url}/rkllm_chat", json=body).json() for _ in range(2)]
    for answer in answers:
        timings, usage = answer["timings"], answer["usage"]
        assert timings["cache_n"] == usage["prompt_tokens_details"]["cached_tokens"]
        assert timings["prompt_n"] == usage["prompt_tokens"] - timings["cache_n"]
        assert timings["predicted_n"] == usage["completion_tokens"]
        assert timings["predicted_ms"] == timings["decode_ms"]
        assert answer["context_length"] == 2048
    assert answers[1]["timings"]["cache_n"] > 0
    assert answers[0]["system_fingerprint"] == answers[1]["system_fingerprint"]


@pytest.mark.parametrize("route", ["chat/completions", "completions"])
@pytest.mark.parametrize("include_usage", [False, True])
def test_one_chunk_of_a_stream_has_all_counts(url: str, route: str, include_usage: bool) -> None:
    """Clients that read llama.cpp's names as usage, such as Open WebUI, add up what comes in several chunks."""
    asked = {"messages": said("Hi")} if route.startswith("chat") else {"prompt": "Hi"}
    options = {"model": "talker", "stream": True, "stream_options": {"include_usage": include_usage}}
    text = httpx.post(f"{url}/v1/{route}", json={**asked, **options, "max_tokens": 20}).text
    chunks = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    counting = [chunk for chunk in chunks if chunk.get("usage") or "timings" in chunk]
    assert len(counting) == 1
    assert counting[0] is chunks[-1]
    assert counting[0]["timings"]["predicted_n"] > 0
    if include_usage:
        assert counting[0]["usage"]["completion_tokens"] == counting[0]["timings"]["predicted_n"]


def test_how_many_tokens_a_conversation_has(url: str) -> None:
    body = {"model": "talker", "messages": said("Hi"), "tools": TOOLS}
    counted = httpx.post(f"{url}/v1/chat/completions/input_tokens", json=body).json()
    answered = httpx.post(f"{url}/v1/chat/completions", json=body).json()
    assert counted == {"object": "chat.completion.input_tokens", "input_tokens": answered["usage"]["prompt_tokens"]}


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": "x", "tool_calls": [{"id": "1", "function": {"name": "f"}}]}, "tool_calls"),
        ({"role": "assistant", "tool_calls": [{"id": "1", "type": "custom"}]}, "tool_calls[0].type"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}, "function_call"),
        ({"role": "assistant", "tool_calls": [{"id": "1", "function": {}}]}, "tool_calls[0].function.name"),
    ],
)
def test_a_history_that_is_refused(url: str, message: dict[str, Any], param: str) -> None:
    response = httpx.post(f"{url}/v1/chat/completions", json={"model": "talker", "messages": [message]})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == f"messages[0].{param}"
