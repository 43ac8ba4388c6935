"""LangChain's messages as ours: every kind is read or refused, and none is changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

import rkllm_providers.langchain as package
from rkllm_providers.chat import ToolCall
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain.messages import to_chat_messages

TEXTS = st.text(max_size=10)
BLOCKS = st.one_of(
    TEXTS,
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}),
    st.fixed_dictionaries({"type": st.just("text-plain"), "text": TEXTS}),
    st.fixed_dictionaries({"type": st.just("reasoning"), "reasoning": TEXTS}),
    st.fixed_dictionaries({"type": st.sampled_from(["tool_use", "tool_call", "image", "audio", "new"])}),
    st.dictionaries(st.sampled_from(["type", "text"]), st.none() | TEXTS, max_size=2),
)
CONTENTS = TEXTS | st.lists(BLOCKS, max_size=4)


def make(kind: str, content: Any, error: bool) -> BaseMessage:
    if kind == "tool":
        return ToolMessage(content, tool_call_id="1", status="error" if error else "success")
    made: BaseMessage = {"system": SystemMessage, "human": HumanMessage, "ai": AIMessage}[kind](content)
    return made


@given(kind=st.sampled_from(["system", "human", "ai", "tool"]), content=CONTENTS, error=st.booleans())
def test_any_content_is_read_or_refused(kind: str, content: Any, error: bool) -> None:
    message = make(kind, content, error)
    before = copy.deepcopy(message)
    try:
        (read,) = to_chat_messages([message])
    except InvalidRequest:
        assert isinstance(content, list)
    else:
        said = (
            content
            if isinstance(content, str)
            else "".join(one if isinstance(one, str) else one.get("text") or "" for one in content)
        )
        assert read.text.removeprefix("Error: ") == said.removeprefix("Error: ")
        assert kind != "tool" or not error or read.text.lower().startswith("error")
    assert message == before


def test_roles() -> None:
    messages = [
        SystemMessage("a", name="n"),
        ChatMessage(content="b", role="developer"),
        ChatMessage(content="c", role="user"),
        ChatMessage(content="d", role="assistant"),
        FunctionMessage(content="e", name="f"),
    ]
    read = to_chat_messages(messages)
    assert [one.role for one in read] == ["system", "system", "user", "assistant", "tool"]
    assert (read[0].name, read[4].name) == ("n", "f")
    for strange in (ChatMessage(content="x", role="judge"), RemoveMessage("1")):
        with pytest.raises(InvalidRequest, match=r"judge|remove"):
            to_chat_messages([strange])


def test_calls_in_the_history() -> None:
    broken = [
        {"name": "look", "args": '{"at', "id": "2", "error": "cut", "type": "invalid_tool_call"},
        {"name": None, "args": "<tool_call>?", "id": None, "error": "what", "type": "invalid_tool_call"},
    ]
    call = {"name": "look", "args": {"at": "你"}, "id": None, "type": "tool_call"}
    message = AIMessage("So. ", tool_calls=[call], invalid_tool_calls=broken)
    (read,) = to_chat_messages([message])
    assert read.tool_calls == (ToolCall("", "look", '{"at": "你"}'), ToolCall("2", "look", '{"at'))
    assert read.content == "So. <tool_call>?"


def test_what_the_package_has() -> None:
    assert package.__all__ == ["RKLLM", "ChatRKLLM", "RKLLMEmbeddings", "RKLLMReranker"]
    assert all(getattr(package, name) for name in package.__all__)
