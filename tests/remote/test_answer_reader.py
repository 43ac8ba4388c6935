"""Chunks of an answer to events: those of our own service, and anything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from rkllm_providers.errors import GenerationError, QueueFull, RKLLMError
from rkllm_providers.remote.answer_reader import AnswerReader
from rkllm_providers.remote.error_details import describe_error

END: dict[str, Any] = {
    "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}],
    "warnings": ["Mind the gap."],
    "context_length": 512,
}
USAGE: dict[str, Any] = {
    "choices": [],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 2},
        "cached_estimated": True,
    },
    "timings": {
        "queue_ms": 1,
        "load_ms": 2.5,
        "prefill_ms": 3,
        "decode_ms": 4,
        "prefix_break": {"message": 2, "token": 17},
    },
}


def chunk(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def read(*chunks: dict[str, Any]) -> list[ChatEvent]:
    reader = AnswerReader("http://x")
    return [event for one in chunks for event in reader.feed(json.dumps(one))] + reader.feed("[DONE]")


def test_all_kinds_of_events() -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert read(
        chunk(role="assistant", content=""),
        chunk(reasoning_content="Hm."),
        chunk(content="Hi"),
        chunk(tool_calls=[call]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
        chunk(content="<x", invalid_tool_call={"text": "<x", "problem": "cut off", "index": None}),
        END,
        USAGE,
    ) == [
        ReasoningDelta("Hm."),
        TextDelta("Hi"),
        ToolCallDelta(0, "c1", "f"),
        ToolCallDelta(0, arguments="{}"),
        InvalidToolCall("<x", "cut off"),
        Finish("length", Usage(10, 5, 7, False, 2, True), Timings(1, 2.5, 3, 4, (2, 17)), ("Mind the gap.",)),
    ]


def test_an_answer_that_says_only_what_others_say() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    assert read(end, usage) == [Finish("stop", Usage(1, 2, 0), Timings(0, 0, 0, 0))]


def test_an_error_in_the_stream_is_the_error_it_was() -> None:
    error = QueueFull(3, 3, 1.5)
    body = {"error": {"message": str(error), "detail": describe_error(error)}}
    with pytest.raises(QueueFull, match="3 requests are waiting") as caught:
        AnswerReader("http://x").feed(json.dumps(body))
    assert caught.value.retry_after == 1.5


def test_an_end_without_a_reason_is_an_error() -> None:
    for chunks in ([], [END], [USAGE], [chunk(content="Hi")]):
        with pytest.raises(GenerationError, match="without saying how"):
            read(*chunks)


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_KEYS = st.sampled_from(["choices", "delta", "content", "tool_calls", "usage", "error", "finish_reason", "text"])


@given(
    st.text(max_size=20)
    | _JSON.map(json.dumps)
    | st.dictionaries(_KEYS, _JSON).map(json.dumps)
    | st.dictionaries(_KEYS, _JSON).map(lambda choice: json.dumps({"choices": [choice]}))
    | st.dictionaries(_KEYS, _JSON).map(lambda delta: json.dumps({"choices": [{"delta": delta}]}))
)
def test_anything_gives_events_or_an_error_of_ours(payload: str) -> None:
    try:
        events = AnswerReader("http://x").feed(payload)
    except RKLLMError:
        return
    assert all(isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta | InvalidToolCall) for event in events)
