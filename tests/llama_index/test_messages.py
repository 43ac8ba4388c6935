"""Messages to chat types, and events to responses, without a model."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    ContentBlock,
    DocumentBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from rkllm_providers.chat import (
    ChatEvent,
    Finish,
    InvalidToolCall,
    ReasoningDelta,
    TextDelta,
    Timings,
    ToolCallDelta,
    Usage,
)
from rkllm_providers.chat import ChatMessage as OurMessage
from rkllm_providers.engine import collect
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index.messages import to_chat_messages
from rkllm_providers.llama_index.responses import AnswerAssembly, raw_of

USAGE = Usage(10, 5, 3, reasoning_tokens=2)
FINISH = Finish("stop", USAGE, Timings(1.0, 0.0, 20.0, 40.0, (2, 7)), ("A warning.",))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(), VALUES, max_size=3)


def assembled(events: list[ChatEvent]) -> list[Any]:
    assembly = AnswerAssembly("m")
    return [response for event in events if (response := assembly.take(event)) is not None]


@given(st.lists(st.text()), st.lists(st.text()), st.lists(ARGUMENTS, max_size=3))
def test_an_answer_comes_back_as_it_was(
    thoughts: list[str], texts: list[str], arguments: list[dict[str, Any]]
) -> None:
    events: list[ChatEvent] = [*map(ReasoningDelta, thoughts), *map(TextDelta, texts)]
    for number, given_arguments in enumerate(arguments):
        events.append(ToolCallDelta(number, f"id{number}", "tool"))
        events += [ToolCallDelta(number, arguments=piece) for piece in json.dumps(given_arguments)]
    events.append(FINISH)
    items = assembled(events)
    last = items[-1]
    whole = AnswerAssembly("m").whole(collect(events))
    assert whole.message == last.message
    assert (whole.raw, whole.delta) == (last.raw, None)
    assert "".join(item.delta for item in items) == "".join(texts)
    assert "".join(item.additional_kwargs.get("thinking_delta", "") for item in items) == "".join(thoughts)
    for item in items:
        assert sum(isinstance(block, TextBlock) for block in item.message.blocks) <= 1
    (back,) = to_chat_messages([last.message])
    assert back.content == "".join(texts)
    assert (back.reasoning or "") == "".join(thoughts)
    assert [(call.id, json.loads(call.arguments)) for call in back.tool_calls] == [
        (f"id{number}", given_arguments) for number, given_arguments in enumerate(arguments)
    ]


@given(st.lists(st.tuples(st.sampled_from([role.value for role in MessageRole]), st.text()), max_size=6))
def test_every_role_and_text(said: list[tuple[str, str]]) -> None:
    messages = [ChatMessage(role=role, content=text) for role, text in said]
    before = copy.deepcopy(messages)
    translated = to_chat_messages(messages)
    assert [message.content for message in translated] == [text for _, text in said]
    assert {message.role for message in translated} <= {"system", "user", "assistant", "tool"}
    assert messages == before


def test_roles() -> None:
    roles = {role.value: to_chat_messages([ChatMessage(role=role, content="x")])[0].role for role in MessageRole}
    assert roles == {
        "system": "system",
        "developer": "system",
        "user": "user",
        "assistant": "assistant",
        "chatbot": "assistant",
        "model": "assistant",
        "tool": "tool",
        "function": "tool",
    }


def test_results_are_named_after_their_calls() -> None:
    call = ToolCallBlock(tool_call_id="abc", tool_name="look", tool_kwargs={"at": "鳥"})
    messages = [
        ChatMessage(role="assistant", blocks=[ThinkingBlock(content="hm"), TextBlock(text="So: "), call]),
        ChatMessage(role="tool", content="a bird", additional_kwargs={"tool_call_id": "abc"}),
        ChatMessage(role="tool", content="?", additional_kwargs={"tool_call_id": "other", "name": "listen"}),
    ]
    first, second, third = to_chat_messages(messages)
    assert (first.content, first.reasoning) == ("So: ", "hm")
    assert [(made.id, made.name, made.arguments) for made in first.tool_calls] == [("abc", "look", '{"at": "鳥"}')]
    assert second == OurMessage("tool", "a bird", name="look", tool_call_id="abc")
    assert third == OurMessage("tool", "?", name="listen", tool_call_id="other")


def test_calls_of_other_integrations() -> None:
    stored = {"id": "x", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    (message,) = to_chat_messages([ChatMessage(role="assistant", additional_kwargs={"tool_calls": [stored]})])
    assert [(call.id, call.name, call.arguments) for call in message.tool_calls] == [("x", "look", '{"at": 1}')]
    unnamed = ChatMessage(role="assistant", blocks=[ToolCallBlock(tool_name="look"), ToolCallBlock(tool_name="look")])
    (message,) = to_chat_messages([unnamed])
    ids = [call.id for call in message.tool_calls]
    assert len(set(ids)) == 2
    assert all(len(made) == 9 and made.isalnum() for made in ids)
    with pytest.raises(InvalidRequest, match=r"Message 0 .* additional_kwargs that cannot be read"):
        to_chat_messages([ChatMessage(role="assistant", additional_kwargs={"tool_calls": ["look"]})])


def test_texts_of_one_message() -> None:
    blocks: list[ContentBlock] = [
        TextBlock(text="one"),
        CachePoint(cache_control={"type": "ephemeral"}),  # type: ignore[arg-type]
        CitableBlock(title="t", source="s", content=[TextBlock(text="two")]),
    ]
    (message,) = to_chat_messages([ChatMessage(role="user", blocks=blocks)])
    assert message.content == "one\ntwo"


@pytest.mark.parametrize("block", [AudioBlock(audio=b"x"), DocumentBlock(data=b"x", title="x")])
def test_what_is_no_text_and_no_picture_is_refused(block: ContentBlock) -> None:
    asked = [ChatMessage("Hi!"), ChatMessage(role="user", blocks=[TextBlock(text="What is this?"), block])]
    with pytest.raises(InvalidRequest, match=rf"Message 1 .*'{block.block_type}', which is not supported"):
        to_chat_messages(asked)


def test_what_is_known_at_the_end() -> None:
    raw = raw_of(FINISH, "m")
    assert raw["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    assert raw["timings"] == {
        "queue_ms": 1.0,
        "load_ms": 0.0,
        "prefill_ms": 20.0,
        "decode_ms": 40.0,
        "tokens_per_second": 100.0,
        "prefix_break": (2, 7),
    }
    assert raw["warnings"] == ["A warning."]
    assert "usage_estimated" not in raw


def test_a_broken_call_that_was_announced_is_no_call() -> None:
    events: list[ChatEvent] = [
        ToolCallDelta(0, "a", "look", '{"at":'),
        InvalidToolCall("<call>look", "it is cut off", 0),
        ToolCallDelta(1, "b", "look", "{}"),
        FINISH,
    ]
    (last,) = assembled(events)
    assert [type(block) for block in last.message.blocks] == [TextBlock, ToolCallBlock]
    assert last.message.blocks[1].tool_call_id == "b"
    assert last.delta == last.message.content == "<call>look"
    assert last.raw["invalid_tool_calls"] == [{"text": "<call>look", "problem": "it is cut off"}]
