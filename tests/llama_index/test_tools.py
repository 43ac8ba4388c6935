"""Tools: who must be called, and what is kept of the calls."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection

from rkllm_providers.errors import GenerationError, InvalidRequest
from rkllm_providers.llama_index import RKLLM
from tests.conftest import needs_llama
from tests.llama_index.drive import called, said, tools

pytestmark = needs_llama

FORCED: list[tuple[Any, str]] = [
    ("any", "get_weather"),
    ("required", "get_weather"),
    (True, "get_weather"),
    ("get_time", "get_time"),
    ({"type": "function", "function": {"name": "get_time"}}, "get_time"),
]


def test_a_call_with_its_arguments(llm: RKLLM) -> None:
    response: Any = llm.chat_with_tools(tools(), user_msg="both at once", allow_parallel_tool_calls=True)
    assert called(response) == [("get_weather", {"city": "Lima", "days": 2}), ("get_weather", {"city": "北京"})]
    calls = llm.get_tool_calls_from_response(response)
    assert [type(call) for call in calls] == [ToolSelection] * 2
    assert calls[0].tool_id != calls[1].tool_id
    assert all(call.tool_id for call in calls)
    assert calls[1].tool_kwargs == {"city": "北京"}


@pytest.mark.parametrize(("choice", "name"), FORCED)
async def test_a_call_can_be_forced(llm: RKLLM, choice: Any, name: str) -> None:
    response: Any = llm.chat_with_tools(tools(), user_msg="Hi!", tool_choice=choice)
    assert [call[0] for call in called(response)] == [name]
    items = [item async for item in await llm.astream_chat_with_tools(tools(), user_msg="Hi!", tool_choice=choice)]
    assert called(items[-1]) == called(response)


async def test_tool_required(llm: RKLLM) -> None:
    assert called(llm.chat_with_tools(tools(), "Hi!", tool_required=True)) == [("get_weather", {"city": "Rome"})]
    assert called(await llm.achat_with_tools(tools(), "Hi!", tool_required=True)) != []
    items: list[Any] = list(llm.stream_chat_with_tools(tools(), "Hi!", tool_required=True))
    (item,) = [item for item in items if called(item)]
    assert item.raw["finish_reason"] == "tool_calls"
    named = llm.chat_with_tools(tools(), "Hi!", tool_required=True, tool_choice="get_time")
    assert called(named) == [("get_time", {"city": "Lima"})]


def test_a_choice_that_cannot_be_kept_is_an_error(llm: RKLLM) -> None:
    with pytest.raises(InvalidRequest, match="get_weather, get_time"):
        llm.chat_with_tools(tools(), "Hi!", tool_choice="get_rich")
    with pytest.raises(InvalidRequest, match="contradict"):
        llm.chat_with_tools(tools(), "Hi!", tool_choice="none", tool_required=True)
    with pytest.raises(GenerationError, match="was to call a tool and did not, twice"):
        llm.chat_with_tools(tools(), "stubborn", tool_required=True)
    with pytest.raises(InvalidRequest, match="names must differ"):
        llm.chat_with_tools([*tools(), *tools()], "Hi!")
    with pytest.raises(InvalidRequest, match="A tool is of type function"):
        llm.chat([ChatMessage("Hi!")], tools=[test_tool_required])


def test_no_call_where_none_is_wanted(llm: RKLLM) -> None:
    response: Any = llm.chat_with_tools(tools(), "one after the other", tool_choice="none")
    assert called(response) == []
    assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="called no tool"):
        llm.get_tool_calls_from_response(response)


def test_one_call_at_most(llm: RKLLM) -> None:
    response: Any = llm.chat_with_tools(tools(), "both at once", allow_parallel_tool_calls=False)
    assert called(response) == [("get_weather", {"city": "Lima", "days": 2})]
    assert any("left out" in warning for warning in response.raw["warnings"])
    *_, last = llm.stream_chat_with_tools(tools(), "both at once")
    assert called(last) == called(response)


def test_a_broken_call_is_text_and_named(llm: RKLLM) -> None:
    for question, reason in (("broken", "stop"), ("cut off", "length")):
        response: Any = llm.chat_with_tools(tools(), question, max_tokens=60)
        assert called(response) == []
        assert response.raw["finish_reason"] == reason
        (broken,) = response.raw["invalid_tool_calls"]
        assert broken["text"]
        assert broken["text"] in said(response)
        assert broken["problem"]
        assert response.message.additional_kwargs["invalid_tool_calls"] == [broken]


def test_a_tool_in_openais_form(llm: RKLLM) -> None:
    described = [tool.metadata.to_openai_tool() for tool in tools()]
    asked = [ChatMessage(role="user", content="one after the other")]
    assert called(llm.chat(asked, tools=described)) == [("get_weather", {"city": "Lima"})]


def test_what_is_given_is_not_touched(llm: RKLLM) -> None:
    history = [
        ChatMessage(role="user", content="one after the other"),
        ChatMessage(
            role="assistant",
            blocks=[ToolCallBlock(tool_call_id="abcdefghi", tool_name="get_weather", tool_kwargs={"city": "Lima"})],
        ),
        ChatMessage(role="tool", content="17", additional_kwargs={"tool_call_id": "abcdefghi"}),
    ]
    before = copy.deepcopy(history)
    offered = tools()
    response: Any = llm.chat_with_tools(offered, chat_history=history, user_msg="And now?")
    assert history == before
    assert len(offered) == 2
    assert called(response) == [("get_time", {"city": "Lima"})]
    choice = {"type": "function", "function": {"name": "get_time"}}
    arguments = {"tool_choice": choice, "stop": ["x"]}
    llm.chat_with_tools(offered, "Hi!", **arguments)  # type: ignore[arg-type]
    assert arguments == {"tool_choice": {"type": "function", "function": {"name": "get_time"}}, "stop": ["x"]}


def test_tools_count(llm: RKLLM) -> None:
    asked = [ChatMessage(role="user", content="Hi!")]
    counted = llm.count_tokens(asked, tools())
    assert counted > llm.count_tokens(asked)
    assert llm.chat(asked, tools=tools()).raw["usage"]["prompt_tokens"] == counted
