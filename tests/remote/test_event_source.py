"""Server-sent events, however their bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.remote.event_source import EventParser, EventTooLarge

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A stream, and the data of its events."""
    text, expected = draw(st.sampled_from(["", "\ufeff"])), []
    end = draw(ENDS)  # one kind in a stream: "\r" before "\n" would be one end
    for lines in draw(st.lists(st.lists(LINE, min_size=1, max_size=3), max_size=4)):
        for line in lines:
            text += draw(st.sampled_from([f": {end}", f"id: 7{end}", f"event: x{end}", f"retry{end}", ""]))
            text += f"data:{draw(st.sampled_from(['', ' '])) if not line.startswith(' ') else ' '}{line}{end}"
        text += end
        expected.append("\n".join(lines))
    return text, expected


@given(streams(), st.lists(st.integers(0, 400), max_size=12))
def test_any_cut_gives_the_same_events(stream: tuple[str, list[str]], cuts: list[int]) -> None:
    text, expected = stream
    raw, parser, found, start = text.encode(), EventParser(), [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(raw)), len(raw)]:
        found += parser.feed(raw[start:cut])
        start = cut
    assert found == expected


@given(st.lists(st.binary(max_size=60)))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    parser = EventParser()
    whole = EventParser().feed(b"".join(pieces))
    assert [event for piece in pieces for event in parser.feed(piece)] == whole


def test_an_event_without_its_end_is_none() -> None:
    assert EventParser().feed(b"data: a\n\ndata: b\n") == ["a"]


@pytest.mark.parametrize("piece", [b"data: xxxx\n", b"xxxx", b"data: xxxx"])
def test_an_event_has_a_bound(piece: bytes) -> None:
    parser = EventParser(most_characters=50)
    assert parser.feed(b"data: 1\n\n") == ["1"]
    with pytest.raises(EventTooLarge, match="more than 50 characters"):
        [parser.feed(piece) for _ in range(60)]


def test_the_bound_is_for_one_event() -> None:
    parser = EventParser(most_characters=50)
    assert len([event for _ in range(60) for event in parser.feed(b": keep-alive\n\ndata: xxxx\n\n")]) == 60
