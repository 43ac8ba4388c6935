"""Every field of a request is honoured, refused or named; the documentation says which, and so does the code."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import completion_create_params as chat_params
from openai.types.completion_create_params import CompletionCreateParamsBase
from pydantic import ValidationError

from rag_service.api.openai.chat_request import ChatCompletionRequest
from rag_service.api.openai.completions import CompletionRequest
from rag_service.api.openai.fields import WireRequest
from rkllm_providers.chat import GenerateOptions, Sampling, Tool
from rkllm_providers.chat.types import ResponseFormat
from rkllm_providers.errors import InvalidRequest
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

DOCUMENT = Path(__file__).parents[2] / "docs" / "http.md"
HI = [{"role": "user", "content": "Hi"}]
ASKING: dict[str, Any] = {
    "n": 2,
    "best_of": 2,
    "suffix": "end",
    "logprobs": True,
    "top_logprobs": 3,
    "logit_bias": {"5": 1},
    "audio": {"voice": "alloy", "format": "mp3"},
    "modalities": ["text", "audio"],
    "web_search_options": {},
    "functions": [{"name": "f"}],
    "function_call": {"name": "f"},
}


def documented(heading: str) -> dict[str, str]:
    """Field and class of the first table behind a line."""
    table = (
        DOCUMENT.read_text().partition(f"\n{heading}")[2].partition("\n| --- | --- | --- |\n")[2].partition("\n\n")[0]
    )
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.MULTILINE))


def kind_of(request: type[WireRequest], field: str) -> str:
    """What becomes of a field that asks for something."""
    if field in request.model_fields:
        return "honoured"
    needed = {"messages": HI} if request is ChatCompletionRequest else {"prompt": "Hi"}
    body = request.model_validate({**needed, field: ASKING.get(field, "x")})
    if field in request.refused:
        with pytest.raises(InvalidRequest) as caught:
            body.check_refused()
        assert caught.value.param == field
        return "refused"
    body.check_refused()
    assert body.ignored_fields() == [field]
    return "named"


@pytest.mark.parametrize(
    ("request_type", "heading", "openai_fields"),
    [
        (ChatCompletionRequest, "Chat completions:", chat_params.CompletionCreateParamsBase.__annotations__),
        (CompletionRequest, "Text completions have", CompletionCreateParamsBase.__annotations__),
    ],
)
def test_the_table_says_what_is_done(
    request_type: type[WireRequest], heading: str, openai_fields: dict[str, Any]
) -> None:
    table = documented(heading)
    assert table == {field: kind_of(request_type, field) for field in table}
    shared = documented("Chat completions:") if request_type is CompletionRequest else {}
    assert set(openai_fields) <= set(table) | set(shared) | {"stream"}
    assert set(request_type.model_fields) | set(request_type.refused) <= set(table) | set(shared)


@pytest.mark.parametrize(
    "field", [field for field, kind in documented("Chat completions:").items() if kind == "refused"]
)
def test_what_asks_for_nothing_is_not_refused(field: str) -> None:
    harmless = ChatCompletionRequest.refused[field].harmless
    for value in (None, *harmless):
        body = ChatCompletionRequest.model_validate({"messages": HI, field: value})
        body.options()
        assert body.headers() == {}


@needs_llama
@pytest.mark.parametrize("stream", [False, True])
def test_over_http(start_service: StartService, write_model: WriteModel, stream: bool) -> None:
    write_model('rule *\n  text "Hello"\nend\n', "talker")
    url = start_service()
    asked = {"model": "talker", "messages": HI, "stream": stream}
    for field, kind in documented("Chat completions:").items():
        if kind == "honoured":
            continue
        response = httpx.post(f"{url}/chat/completions", json={**asked, field: ASKING.get(field, "x")})
        if kind == "refused":
            assert response.status_code == 400
            assert response.json()["error"]["param"] == field
        else:
            assert response.status_code == 200
            assert response.headers["x-rkllm-ignored-fields"] == field


def test_what_is_inside_of_objects_is_named_too() -> None:
    tool = {"type": "function", "function": {"name": "f", "strict": True}}
    kwargs = {"enable_thinking": False, "custom": 1}
    answer = {"role": "assistant", "content": "x", "annotations": [], "refusal": None, "cited": ["y"]}
    stream = {"include_usage": True, "include_obfuscation": True}
    body = ChatCompletionRequest.model_validate(
        {
            "messages": [*HI, answer],
            "tools": [tool],
            "chat_template_kwargs": kwargs,
            "stream_options": stream,
        }
    )
    named = "chat_template_kwargs.custom,messages.cited,stream_options.include_obfuscation,tools.strict"
    assert body.headers() == {"X-RKLLM-Ignored-Fields": named}
    assert body.options().thinking is False
    assert body.include_usage


def test_all_options() -> None:
    schema = {"type": "object"}
    body = ChatCompletionRequest.model_validate(
        {
            "messages": HI,
            "max_completion_tokens": 7,
            "max_tokens": 9,
            "stop": "x",
            "temperature": 0.5,
            "top_k": 3,
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": schema, "strict": True},
            },
            "reasoning_effort": "xhigh",
            "enable_thinking": True,
            "thinking_budget": 5,
            "old_reasoning": "all",
            "volatile_system": "keep",
            "timeout": 3,
            "first_token_timeout": 2.5,
            "priority": "bulk",
            "keep_alive": "1m",
            "lora": "pirate",
        }
    )
    assert body.options() == GenerateOptions(
        max_tokens=7,
        stop=("x",),
        sampling=Sampling(temperature=0.5, top_k=3),
        tools=(Tool("f", "d", schema),),
        forced_tool="f",
        response_format=ResponseFormat(schema, "n"),
        thinking=True,
        effort="high",
        thinking_budget=5,
        old_reasoning="all",
        volatile_system="keep",
        timeout=3,
        first_token_timeout=2.5,
        priority="bulk",
        keep_alive=60,
        lora="pirate",
    )
    assert ChatCompletionRequest.model_validate({"messages": HI}).options() == GenerateOptions(max_tokens=2048)
    most = ChatCompletionRequest.model_validate({"messages": HI, "max_tokens": -1})
    assert most.options().max_tokens is None


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("tool_choice", "any", "tool_choice"),
        ("tool_choice", {"type": "allowed_tools"}, "tool_choice"),
        ("tools", [{"type": "custom", "custom": {"name": "c"}}], "tools[0].type"),
        ("tools", [{"type": "function", "function": {"name": "f"}}] * 2, "tools[1].function.name"),
        ("response_format", {"type": "json_schema"}, "response_format"),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x"}}, "response_format"),
        ("reasoning_effort", "extreme", "reasoning_effort"),
        ("chat_template_kwargs", {"enable_thinking": "yes"}, "chat_template_kwargs"),
    ],
)
def test_what_cannot_be_meant(field: str, value: Any, param: str) -> None:
    body = ChatCompletionRequest.model_validate({"messages": HI, field: value})
    with pytest.raises(InvalidRequest) as caught:
        body.options()
    assert caught.value.param == param


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["function", "json_schema", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "function", "name", "schema", "json_schema", "text", "content"]),
            inner,
            max_size=3,
        )
    ),
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"])},
    optional=dict.fromkeys(
        ("content", "name", "tool_calls", "tool_call_id", "reasoning_content", "function_call"), _JSON
    ),
)


@given(
    st.lists(_MESSAGE, min_size=1, max_size=3),
    st.dictionaries(
        st.sampled_from(sorted({*ChatCompletionRequest.model_fields, *ChatCompletionRequest.refused})), _JSON
    ),
)
def test_any_request_is_taken_or_refused(messages: list[Any], fields: dict[str, Any]) -> None:
    try:
        body = ChatCompletionRequest.model_validate({**fields, "messages": messages})
        converted, options = body.chat_messages(), body.options()
    except (ValidationError, InvalidRequest):
        return
    assert len(converted) == len(messages)
    assert isinstance(options, GenerateOptions)
    assert all(value.isascii() for value in body.headers().values())


@given(
    _JSON,
    st.dictionaries(st.sampled_from(sorted({*CompletionRequest.model_fields, *CompletionRequest.refused})), _JSON),
)
def test_any_completion_is_taken_or_refused(prompt: Any, fields: dict[str, Any]) -> None:
    try:
        body = CompletionRequest.model_validate({**fields, "prompt": prompt})
        given_prompt, options = body.one_prompt(), body.options()
    except (ValidationError, InvalidRequest):
        return
    assert isinstance(given_prompt, str | list)
    assert isinstance(options, GenerateOptions)
