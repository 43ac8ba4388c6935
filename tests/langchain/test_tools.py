"""Tools: how they are offered and forced, and how calls come back."""

from __future__ import annotations

import copy
import functools
import json
import operator
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import tool
from langchain_core.utils.json import parse_partial_json

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain import ChatRKLLM
from rkllm_providers.langchain.answers import unreadable
from tests.conftest import needs_llama

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@tool
def look(at: str) -> str:
    """Look at something."""
    return f"It is {at}."


@tool
def listen(to: str) -> str:
    """Listen to something."""
    return f"It sounds like {to}."


def joined(chunks: Iterable[BaseMessage]) -> AIMessageChunk:
    """The message that a stream makes."""
    whole = functools.reduce(operator.add, chunks)
    assert isinstance(whole, AIMessageChunk)
    return whole


@needs_llama
def test_a_call_with_its_types(talker: ChatRKLLM) -> None:
    message = talker.bind_tools([look]).invoke("reason then call")
    (call,) = message.tool_calls
    assert call["name"] == "look"
    assert call["args"] == {"at": "你好", "n": 3, "deep": [1.5, None, True]}
    assert call["id"]
    assert message.content == ""
    assert message.additional_kwargs["reasoning_content"] == "I should look."
    assert message.response_metadata["finish_reason"] == "tool_calls"


@needs_llama
@pytest.mark.parametrize("question", ["reason then call", "text then call", "call then text", "two calls"])
async def test_streams_make_the_same_message(talker: ChatRKLLM, question: str) -> None:
    bound = talker.bind_tools([look])
    whole = bound.invoke(question)
    for streamed in (joined(list(bound.stream(question))), joined([one async for one in bound.astream(question)])):
        assert streamed.content == whole.content
        assert [(call["name"], call["args"]) for call in streamed.tool_calls] == [
            (call["name"], call["args"]) for call in whole.tool_calls
        ]
        assert streamed.invalid_tool_calls == []
        assert streamed.response_metadata["finish_reason"] == whole.response_metadata["finish_reason"]
    ids = [call["id"] for call in whole.tool_calls]
    assert len(set(ids)) == len(ids)


@needs_llama
def test_text_streams_with_tools_bound_and_arguments_as_they_form(talker: ChatRKLLM) -> None:
    stream = talker.bind_tools([look]).stream("text then call")
    chunks = [chunk for chunk in stream if isinstance(chunk, AIMessageChunk)]
    assert sum(bool(chunk.content) for chunk in chunks) > 2
    assert sum(bool(chunk.tool_call_chunks) for chunk in chunks) > 2
    assert not [chunk for chunk in chunks if chunk.content and chunk.tool_call_chunks]


@needs_llama
@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("look", "forced"),
        ({"type": "function", "function": {"name": "look"}}, "forced"),
        ({"type": "tool", "name": "look"}, "forced"),
        ("any", "some"),
        ("required", "some"),
        (True, "some"),
    ],
)
def test_a_forced_call(talker: ChatRKLLM, choice: Any, said: str) -> None:
    message = talker.bind_tools([listen, look], tool_choice=choice).invoke("Hi!")
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("look", {"at": said})]


@needs_llama
@pytest.mark.parametrize("choice", [None, "auto", "none", False])
def test_no_call_is_forced(talker: ChatRKLLM, choice: Any) -> None:
    message = talker.bind_tools([look], tool_choice=choice).invoke("Hi!")
    assert message.tool_calls == []
    assert message.content == "Hello there, 你好."


def test_a_choice_that_is_not_there() -> None:
    chat = ChatRKLLM(model="nobody")
    for choice in ("fly", {"type": "function", "function": {"name": "fly"}}):
        with pytest.raises(ValueError, match=r"look, listen"):
            chat.bind_tools([look, listen], tool_choice=choice)
    assert isinstance(chat.bind_tools([look]), RunnableBinding)


@needs_llama
def test_a_limit_on_calls_is_refused(talker: ChatRKLLM) -> None:
    with pytest.raises(InvalidRequest, match="parallel_tool_calls"):
        talker.bind_tools([look], parallel_tool_calls=False).invoke("Hi!")
    assert talker.bind_tools([look], parallel_tool_calls=True, strict=True).invoke("two calls").tool_calls


@needs_llama
@pytest.mark.parametrize(("question", "limit"), [("broken call", None), ("unknown call", None), ("two calls", 36)])
async def test_calls_that_cannot_be_read(talker: ChatRKLLM, question: str, limit: int | None) -> None:
    bound = talker.bind_tools([look], max_tokens=limit)
    whole = bound.invoke(question)
    (invalid,) = whole.invalid_tool_calls
    assert invalid["error"]
    assert invalid["args"]
    assert whole.response_metadata["finish_reason"] == ("stop" if limit is None else "length")
    for streamed in (joined(list(bound.stream(question))), joined([one async for one in bound.astream(question)])):
        assert len(streamed.invalid_tool_calls) == 1
        assert [call["args"] for call in streamed.tool_calls] == [call["args"] for call in whole.tool_calls]
        assert streamed.response_metadata["warnings"] == whole.response_metadata["warnings"]
        assert invalid["error"] in streamed.response_metadata["warnings"][0]
    # The conversation goes on, whatever the model wrote.
    assert bound.invoke([HumanMessage(question), whole, HumanMessage("Goodbye")]).content == "Goodbye."


@needs_llama
@pytest.mark.parametrize("limit", range(1, 60, 4))
def test_no_half_call_is_ever_valid(talker: ChatRKLLM, limit: int) -> None:
    streamed = joined(list(talker.bind_tools([look], max_tokens=limit).stream("two calls")))
    assert [call["args"] for call in streamed.tool_calls] in ([], [{"at": "a"}], [{"at": "a"}, {"at": "b"}])


@given(value=st.dictionaries(st.text(max_size=4), JSON, max_size=3), data=st.data())
def test_unreadable_arguments_are_completed_by_nobody(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    text = text[: data.draw(st.integers(0, len(text)))]
    broken = unreadable(text)
    assert broken.startswith(text)
    assert broken
    assert len(broken) <= len(text) + 3
    try:
        read = parse_partial_json(broken)
    except ValueError:
        return
    assert not isinstance(read, dict)


@needs_llama
def test_results_and_their_errors_reach_the_model(talker: ChatRKLLM) -> None:
    call = {"name": "look", "args": {"at": "it"}, "id": "1", "type": "tool_call"}
    history = [
        HumanMessage("Look."),
        AIMessage("", tool_calls=[call]),
        ToolMessage("no light", name="look", tool_call_id="1", status="error"),
        ToolMessage([{"type": "text", "text": "dark"}], name="look", tool_call_id="1"),
    ]
    before = copy.deepcopy(history)
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    tools_before = copy.deepcopy(tools)
    assert talker.bind_tools(tools).invoke(history).content
    assert history == before
    assert tools == tools_before


@needs_llama
def test_tokens_are_counted_with_tools(talker: ChatRKLLM) -> None:
    question = [HumanMessage("Hi!")]
    usage = talker.bind_tools([look]).invoke(question).usage_metadata
    assert usage is not None
    assert talker.get_num_tokens_from_messages(question, tools=[look]) == usage["input_tokens"]
    assert talker.get_num_tokens_from_messages(question) < usage["input_tokens"]
