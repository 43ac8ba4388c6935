"""Pictures in LangChain's messages, in every form that they have there."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.engine import shared_registry
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain import ChatRKLLM
from rkllm_providers.langchain.messages import to_chat_messages
from tests.conftest import WriteModel, needs_llama
from tests.engine.pictures import GREEN, RED, seen, write_seeing_model

DATA = base64.b64encode(RED.data).decode()
URL = data_url(RED)
FORMS: list[dict[str, Any]] = [
    {"type": "image", "base64": DATA, "mime_type": "image/png"},
    {"type": "image", "url": URL},
    {"type": "image", "source_type": "base64", "data": DATA, "mime_type": "image/png"},
    {"type": "image", "source_type": "url", "url": URL},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
    {"type": "image", "source": {"type": "url", "url": URL}},
    {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
    {"type": "image_url", "image_url": URL},
    {"type": "input_image", "image_url": URL},
]


@pytest.fixture
def chat(write_model: WriteModel) -> Iterator[ChatRKLLM]:
    with ChatRKLLM(model=str(write_seeing_model(write_model))) as model:
        yield model
    shared_registry().close()


@pytest.mark.parametrize("block", FORMS)
def test_every_form_is_the_same_picture(block: dict[str, Any]) -> None:
    messages: list[BaseMessage] = [
        HumanMessage(["What is ", block, {"type": "text", "text": "?"}]),
        ToolMessage([block, "drawn"], tool_call_id="1", status="error"),
    ]
    before = copy.deepcopy(messages)
    human, tool = to_chat_messages(messages)
    assert human.content == ("What is ", RED, "?")
    assert tool.content == ("Error: ", RED, "drawn")
    assert messages == before


def test_an_address_is_for_the_service_to_fetch() -> None:
    for block in (
        {"type": "image", "url": "https://a.test/cat.png"},
        {"type": "image_url", "image_url": "https://a.test/cat.png"},
    ):
        (message,) = to_chat_messages([HumanMessage([block])])
        assert message.pictures == (ImagePart(url="https://a.test/cat.png"),)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"type": "image", "file_id": "file-1"}, "file id"),
        ({"type": "image", "source_type": "id", "id": "file-1"}, "file id"),
        ({"type": "image", "source": {"type": "file", "file_id": "file-1"}}, "file id"),
        ({"type": "input_image", "file_id": "file-1"}, "file id"),
        ({"type": "image"}, "no bytes"),
        ({"type": "image", "base64": "a!b"}, "not written in base64"),
        ({"type": "image", "url": "file:///etc/passwd"}, "must be a data URL"),
        ({"type": "image", "path": "/etc/passwd"}, "no bytes"),
        ({"type": "image_url"}, "no url"),
        ({"type": "image_url", "image_url": {"url": "data:text/plain;base64,aGk="}}, "holds text/plain"),
    ],
)
def test_what_is_refused(block: dict[str, Any], said: str) -> None:
    for message in (HumanMessage([block]), ToolMessage([block], tool_call_id="1")):
        with pytest.raises(InvalidRequest, match=said):
            to_chat_messages([message])


def test_an_answer_has_no_pictures() -> None:
    with pytest.raises(InvalidRequest, match="belong into messages of the user"):
        to_chat_messages([AIMessage([FORMS[0]])])


def test_results_of_tools_as_anthropic_has_them() -> None:
    result = {"type": "tool_result", "tool_use_id": "foo", "content": [FORMS[4], {"type": "text", "text": "green"}]}
    broken = {"type": "tool_result", "tool_use_id": "bar", "content": "no", "is_error": True}
    read = to_chat_messages([HumanMessage(["First. ", result, broken, {"type": "text", "text": "Well?"}])])
    assert [(one.role, one.content, one.tool_call_id) for one in read] == [
        ("user", "First. ", None),
        ("tool", (RED, "green"), "foo"),
        ("tool", "Error: no", "bar"),
        ("user", "Well?", None),
    ]


@needs_llama
def test_two_pictures_and_a_follow_up(chat: ChatRKLLM) -> None:
    block = {"type": "image", "base64": base64.b64encode(GREEN.data).decode(), "mime_type": "image/png"}
    messages: list[BaseMessage] = [SystemMessage("Be short."), HumanMessage(["Compare ", FORMS[0], " and ", block])]
    first = chat.invoke(messages)
    assert seen(str(first.content)) == ["255,0,0", "0,255,0"]
    assert first.response_metadata["timings"]["encoded_pictures"] == 2
    assert first.usage_metadata is not None
    assert first.usage_metadata["input_tokens"] == chat.get_num_tokens_from_messages(messages)
    messages += [first, HumanMessage("Which came first?")]
    whole: Any = None
    for chunk in chat.stream(messages):
        whole = chunk if whole is None else whole + chunk
    assert whole.content == first.content
    assert whole.response_metadata["timings"].get("encoded_pictures", 0) == 0


@needs_llama
async def test_without_blocking(chat: ChatRKLLM) -> None:
    messages = [HumanMessage([FORMS[0], "?"])]
    assert seen(str((await chat.ainvoke(messages)).content)) == ["255,0,0"]
    pieces = [str(chunk.content) async for chunk in chat.astream(messages)]
    assert seen("".join(pieces)) == ["255,0,0"]


@needs_llama
def test_a_picture_from_a_tool(chat: ChatRKLLM) -> None:
    call = {"name": "draw", "args": {}, "id": "1", "type": "tool_call"}
    answer = chat.invoke(
        [HumanMessage("Draw."), AIMessage("", tool_calls=[call]), ToolMessage([FORMS[0]], tool_call_id="1")]
    )
    assert seen(str(answer.content)) == ["255,0,0"]


@needs_llama
def test_nothing_is_fetched_on_this_machine(chat: ChatRKLLM) -> None:
    block = {"type": "image", "url": "https://a.test/cat.png"}
    with pytest.raises(InvalidRequest, match=r"address \(https://a\.test/cat\.png\).*Send its bytes"):
        chat.invoke([HumanMessage([block])])


def test_the_profile_says_who_sees(write_model: WriteModel) -> None:
    path = write_seeing_model(write_model)
    blind = write_model("context 2048\n", "thinker")
    with ChatRKLLM(model=str(path)) as model, ChatRKLLM(model=str(blind)) as other:
        for one, sees in ((model, True), (other, False)):
            profile = one.profile or {}
            assert (profile["image_inputs"], profile["image_tool_message"]) == (sees, sees)
            assert profile["image_url_inputs"] is False
    assert isinstance(path, Path)
