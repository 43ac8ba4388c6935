from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.stream import TextStream, Token

END = 2


def text_of(stream: TextStream, tokens: list[Token]) -> str:
    deltas = stream.feed(tokens) + stream.close()
    return "".join(delta.text for delta in deltas)


def test_one_delta_per_token() -> None:
    stream = TextStream({END}, 10)
    assert [delta.text for delta in stream.feed([(5, b"a"), (6, b" b"), (7, b"c")])] == ["a", " b", "c"]


def test_a_waiting_token_counts_and_gives_no_text() -> None:
    stream = TextStream({END}, 10)
    assert stream.feed([(5, None)]) == []
    assert [delta.text for delta in stream.feed([(6, "你".encode())])] == ["你"]
    assert stream.n_tokens == 2


@given(st.text(max_size=40), st.data())
def test_characters_survive_any_cut(text: str, data: st.DataObject) -> None:
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=20)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert text_of(TextStream({END}, 100), [(9, piece) for piece in pieces]) == text


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    assert text_of(TextStream({END}, 10), [(9, b"a\xff"), (9, b"b\xe4")]) == "a�b�"


def test_the_end_token_is_a_stop() -> None:
    stream = TextStream({END}, 2)
    stream.feed([(5, b"a"), (END, b"")])
    assert stream.finish_reason == "stop"


def test_the_limit_is_a_length() -> None:
    stream = TextStream({END}, 2)
    stream.feed([(5, b"a"), (6, b"b")])
    assert stream.finish_reason == "length"


def test_the_limit_on_a_waiting_token_is_a_length() -> None:
    stream = TextStream((), 2)
    stream.feed([(5, b"a"), (6, None)])
    assert stream.finish_reason == "length"


def test_without_end_tokens_a_silent_last_event_is_a_stop() -> None:
    stream = TextStream((), 2)
    stream.feed([(5, b"a"), (6, b"")])
    assert stream.finish_reason == "stop"


def test_nothing_is_shown_after_a_stop_sequence() -> None:
    stream = TextStream({END}, 10, ["END"])
    shown = stream.feed([(5, b"one E"), (6, b"ND"), (7, b"more")])
    assert "".join(delta.text for delta in shown) == "one "
    assert stream.stopped
    assert stream.feed([(8, b"late")]) == []
    assert stream.close() == []
    assert stream.n_tokens == 2
    assert stream.finish_reason == "stop"


def test_held_text_is_shown_at_the_end() -> None:
    stream = TextStream({END}, 10, ["END"])
    assert text_of(stream, [(5, b"one EN")]) == "one EN"
