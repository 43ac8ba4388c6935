import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.thinking import THINKING_FORMATS, ThinkingFormat, thinking_format_of
from rkllm_providers.chat.types import ReasoningDelta, TextDelta
from tests.chat.answers import END, Read, cut_tokens, events_of, read, tokens_of
from tests.chat.test_templates import TEMPLATES

THINK = THINKING_FORMATS["think"]
IDS = {7: "<think>", 8: "</think>"}
formats = pytest.mark.parametrize("thinking", THINKING_FORMATS.values(), ids=THINKING_FORMATS)


def parts(reasoning: str, text: str) -> Read:
    return Read(reasoning, text, (), ())


@formats
@given(st.data())
def test_thinking_is_split_off_at_every_byte_boundary(thinking: ThinkingFormat, data: st.DataObject) -> None:
    words = st.text(st.sampled_from("ab <>[]/|\n你é"), max_size=12)
    reasoning, answer = data.draw(words).strip("\n"), data.draw(words).strip("\n")
    written = f"{thinking.open}{thinking.label}\n{reasoning}\n{thinking.close}\n\n{answer}"
    assert read(cut_tokens(written, data), thinking=thinking) == parts(reasoning.rstrip("\n"), answer)


@formats
@pytest.mark.parametrize("size", range(1, 9))
def test_with_the_opening_tag_in_the_prompt(thinking: ThinkingFormat, size: int) -> None:
    written = f"So, é.\n\nThen.\n{thinking.close}\n\nYes, 你."
    result = read(tokens_of(written, size), thinking=thinking, starts_in_reasoning=True)
    assert result == parts("So, é.\n\nThen.", "Yes, 你.")


def test_an_opening_tag_that_the_model_repeats_is_dropped() -> None:
    written = "<think>\nSo.\n</think>\n\nYes."
    assert read(tokens_of(written), thinking=THINK, starts_in_reasoning=True) == parts("So.", "Yes.")


def test_thinking_that_is_not_closed_stays_reasoning() -> None:
    assert read(tokens_of("<think>\nSo, </th"), thinking=THINK) == parts("So, </th", "")


def test_empty_thinking_is_nothing() -> None:
    assert read(tokens_of("<think>\n\n</think>\n\nYes."), thinking=THINK) == parts("", "Yes.")


def test_reasoning_streams() -> None:
    stream = AnswerStream({END}, 100, thinking=THINK, marker_ids=IDS)
    assert stream.feed([(7, b"<think>"), (9, b"\n"), (9, b"So")]) == [ReasoningDelta("So")]
    assert stream.feed([(9, b"\n")]) == []
    assert stream.feed([(9, b"then")]) == [ReasoningDelta("\nthen")]
    assert stream.feed([(8, b"</think>"), (9, b"\n\n"), (9, b"Yes")]) == [TextDelta("Yes")]


@pytest.mark.parametrize("raw", [b"", b"<think>", b" <think>"])
def test_a_marker_with_an_id_is_known_with_or_without_text(raw: bytes) -> None:
    tokens = [(7, raw), (9, b"So"), (8, b""), (9, b"Yes")]
    assert read(list(tokens), thinking=THINK, marker_ids=IDS) == parts("So", "Yes")


def test_where_markers_have_ids_their_spelled_texts_are_text() -> None:
    written = "<think>\nSo\n</think>\n\nYes."
    tokens = [(9, bytes([byte])) for byte in written.encode()]
    assert read(list(tokens), thinking=THINK, marker_ids=IDS) == parts("", written)


def test_thinking_by_id_is_split_off_anywhere() -> None:
    written = "One. <think>So</think>Two. <think>Then</think>Three."
    assert read(tokens_of(written, 1, IDS), thinking=THINK, marker_ids=IDS) == parts("SoThen", "One. Two. Three.")


def test_an_answer_about_tags_keeps_them() -> None:
    written = "<think>So</think>The tags <think> and </think> frame it."
    assert read(tokens_of(written), thinking=THINK) == parts("So", "The tags <think> and </think> frame it.")


def test_a_closing_tag_that_was_never_opened_is_dropped() -> None:
    assert read(tokens_of("So.\n</think>\n\nYes."), thinking=THINK) == parts("", "So.\nYes.")


@pytest.mark.parametrize("marker_ids", [None, IDS])
def test_tokens_of_reasoning_are_counted_with_their_tags(marker_ids: dict[int, str] | None) -> None:
    stream = AnswerStream({END}, 100, thinking=THINK, marker_ids=marker_ids)
    events_of(stream, [(7, b"<think>"), (9, b"a"), (9, b"b"), (8, b"</think>"), (9, b"c"), (END, b"")])
    assert (stream.reasoning_tokens, stream.n_tokens) == (4, 6)


def test_the_end_token_is_not_reasoning() -> None:
    stream = AnswerStream({END}, 100, thinking=THINK, starts_in_reasoning=True)
    events_of(stream, [(9, b"a"), (END, b"")])
    assert stream.reasoning_tokens == 1


def test_a_character_cut_off_by_a_marker_is_replaced() -> None:
    assert read([(9, b"a\xe4"), (7, b""), (9, b"b")], thinking=THINK, marker_ids=IDS) == parts("b", "a�")


def test_bytes_that_waited_for_a_marker_are_shown_before_it() -> None:
    tokens = [(7, b""), (9, None), (8, "你</think>".encode()), (9, b"b")]
    assert read(list(tokens), thinking=THINK, marker_ids=IDS) == parts("你", "b")


@given(st.text(st.sampled_from("ab \n<>/think"), max_size=30), st.data())
def test_an_answer_without_markers_loses_nothing(text: str, data: st.DataObject) -> None:
    if "<think>" not in text and "</think>" not in text:
        assert read(cut_tokens(text, data), thinking=THINK) == parts("", text)


@pytest.mark.skipif(not TEMPLATES, reason="the public templates are not here")
def test_templates_tell_their_format() -> None:
    known = {path.stem: thinking_format_of(path.read_text()) for path in TEMPLATES}
    assert known["Qwen-Qwen3-0.6B"] == known["Qwen3.5-4B"] == THINK
    assert known["google-gemma-4-31B-it"] == THINKING_FORMATS["gemma4"]
    assert known["Qwen-Qwen2.5-7B-Instruct"] is None
