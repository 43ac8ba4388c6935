from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.stream import TextStream, Token
from rkllm_providers.chat.thinking import THINKING_FORMATS
from rkllm_providers.chat.tool_calls import collect_tool_calls
from rkllm_providers.chat.tool_formats import TOOL_FORMATS
from rkllm_providers.chat.types import ChatEvent, InvalidToolCall, TextDelta, ToolCall, ToolCallDelta
from tests.chat.answers import END, TOOLS, Read, cut_tokens, events_of, read, together, tokens_of

THINK = THINKING_FORMATS["think"]
ALL: dict[str, Any] = {"thinking": THINK, "tool_format": TOOL_FORMATS["hermes"], "tools": TOOLS}
IDS = {5: "<think>", 6: "</think>", 7: "<tool_call>", 8: "</tool_call>"}
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Lima"}}\n</tool_call>'
WHOLE = f"<think>\nThe weather: call it END.\n</think>\n\nLet me see.\n{CALL}\nThat is END all."
LIMA = ("get_weather", '{"city": "Lima"}')


@pytest.mark.parametrize("marker_ids", [None, IDS])
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_all_at_once(size: int, marker_ids: dict[int, str] | None) -> None:
    stream = AnswerStream({END}, 1000, ["END"], **ALL, marker_ids=marker_ids)
    result = together(events_of(stream, tokens_of(WHOLE, size, marker_ids)))
    assert result == Read("The weather: call it END.", "Let me see.That is ", (LIMA,), ())
    assert stream.stopped
    assert stream.finish_reason == "stop"


@given(st.data())
def test_any_cut_gives_the_same(data: st.DataObject) -> None:
    result = read(cut_tokens(WHOLE, data), **ALL)
    assert result == Read("The weather: call it END.", "Let me see.That is END all.", (LIMA,), ())


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "a", "\n", " ", "<", CALL, "<tool_call>", "{", '"', "é", "EN", "END"])
    ),
    st.booleans(),
    st.data(),
)
def test_any_cut_of_anything_gives_the_same(
    pieces: list[str], starts_in_reasoning: bool, data: st.DataObject
) -> None:
    text = "".join(pieces)
    options = {**ALL, "starts_in_reasoning": starts_in_reasoning, "stops": ["END", "a\n"]}
    whole = read(tokens_of(text, 1), **options)
    assert read(cut_tokens(text, data), **options) == whole
    assert "END" not in whole.text.replace(CALL, "") or whole.calls or whole.invalid


@pytest.mark.parametrize("split", [1, 3, 7])
def test_batches_of_tokens_do_not_matter(split: int) -> None:
    tokens = tokens_of(WHOLE, 2, IDS)
    stream = AnswerStream({END}, 1000, **ALL, marker_ids=IDS)
    events: list[ChatEvent] = []
    for at in range(0, len(tokens), split):
        events += stream.feed(tokens[at : at + split])
    assert together(events + stream.close()) == read(tokens, **ALL, marker_ids=IDS)


def test_a_stop_within_a_call_cuts_it_off() -> None:
    stream = AnswerStream({END}, 1000, ['"ci'], **ALL)
    result = together(events_of(stream, tokens_of(CALL)))
    [invalid] = result.invalid
    assert invalid.text == '<tool_call>\n{"name": "get_weather", "arguments": {'
    assert invalid.index == 0
    assert stream.finish_reason == "stop"


@pytest.mark.parametrize("marker_ids", [None, IDS])
def test_a_marker_may_be_a_stop(marker_ids: dict[int, str] | None) -> None:
    stream = AnswerStream({END}, 1000, ["</tool_call>"], **ALL, marker_ids=marker_ids)
    result = together(events_of(stream, tokens_of(CALL + "more", 1, marker_ids)))
    assert result == Read("", "", (LIMA,), ())
    assert stream.stopped


def test_a_stop_across_thinking_is_not_shown() -> None:
    result = read(tokens_of("E<think>N</think>ND.", 1, IDS), **ALL, marker_ids=IDS, stops=["END"])
    assert result == Read("N", "", (), ())


def test_a_stop_ends_the_answer_once() -> None:
    stream = AnswerStream({END}, 1000, ["END"], **ALL)
    assert stream.feed([(9, b"oneEND"), (9, b"more")]) == [TextDelta("one")]
    assert stream.feed([(9, b"more")]) == []
    assert stream.close() == []
    assert stream.n_tokens == 1


@given(st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.binary(max_size=6)))), st.booleans())
def test_plain_answers_are_as_a_text_stream_gives_them(tokens: list[Token], with_stops: bool) -> None:
    stops = ["a", "\x00\x01"] if with_stops else []
    plain, answer = TextStream({END}, 5, stops, {3}), AnswerStream({END}, 5, stops, {3}, marker_ids=IDS)
    assert answer.feed(tokens) + answer.close() == [*plain.feed(tokens), *plain.close()]
    assert (answer.finish_reason, answer.n_tokens) == (plain.finish_reason, plain.n_tokens)


@given(st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.binary(max_size=6)))))
def test_no_bytes_break_it(tokens: list[Token]) -> None:
    result = read(tokens, **ALL, marker_ids=IDS, silent_tokens={3}, stops=["a"])
    said = result.text + result.reasoning
    assert said.encode().decode() == said  # no marker's stand-in, which UTF-8 cannot carry, got out


def test_thinking_without_tools_keeps_call_markers_as_they_come() -> None:
    result = read([(5, b""), (9, b"a"), (6, b""), (7, b"<tool_call>"), (9, b"b")], thinking=THINK, marker_ids=IDS)
    assert result == Read("a", "<tool_call>b", (), ())


def test_a_call_within_thinking_is_reasoning() -> None:
    assert read(tokens_of(f"<think>{CALL}", 1, IDS), **ALL, marker_ids=IDS) == Read(CALL, "", (), ())


def test_calls_are_collected_from_events() -> None:
    events: list[ChatEvent] = [
        TextDelta("a"),
        ToolCallDelta(0, "aaaaaaaaa", "one", '{"a"'),
        ToolCallDelta(0, arguments=": 1}"),
        ToolCallDelta(1, "bbbbbbbbb", "two"),
        InvalidToolCall("text", "why", 1),
        ToolCallDelta(2, "ccccccccc", "three", "{}"),
        InvalidToolCall("other", "why"),
    ]
    calls, invalid = collect_tool_calls(events)
    assert calls == [ToolCall("aaaaaaaaa", "one", '{"a": 1}'), ToolCall("ccccccccc", "three", "{}")]
    assert [call.text for call in invalid] == ["text", "other"]


@pytest.mark.parametrize("size", [1, 1000])
def test_nothing_is_thought_after_a_stop(size: int) -> None:
    tokens = tokens_of("oneEND<think>two</think>three", size, IDS)
    assert read(tokens, **ALL, marker_ids=IDS, stops=["END"]) == Read("", "one", (), ())
    assert read(tokens_of("<think>a</think>oneEND</think>b", 1000), **ALL, stops=["END"]) == Read("a", "one", (), ())
