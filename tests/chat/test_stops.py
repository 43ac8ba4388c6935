from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.stops import StopFilter


def run(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    stop_filter = StopFilter(stops)
    shown = "".join(stop_filter.feed(piece) for piece in pieces)
    if not stop_filter.stopped:
        shown += stop_filter.flush()
    return shown, stop_filter.stopped


def test_text_up_to_the_stop_is_shown() -> None:
    assert run(["END"], ["one two END three"]) == ("one two ", True)


def test_a_stop_across_pieces_is_found() -> None:
    assert run(["END"], ["one E", "N", "D two"]) == ("one ", True)


def test_a_beginning_that_comes_to_nothing_is_shown() -> None:
    assert run(["END"], ["one EN", "TER"]) == ("one ENTER", False)


def test_the_first_of_several_stops_to_be_complete_counts() -> None:
    assert run(["cd", "bc"], ["abcd"]) == ("a", True)
    assert run(["a", "baa"], ["baa"]) == run(["a", "baa"], ["b", "a", "a"]) == ("b", True)


def test_only_what_may_be_a_beginning_is_held_back() -> None:
    stop_filter = StopFilter(["\n\n"])
    assert stop_filter.feed("line\n") == "line"
    assert stop_filter.feed("next") == "\nnext"


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3), st.data())
def test_any_cut_gives_what_the_whole_text_gives(text: str, stops: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    assert run(stops, pieces) == (text[: min(ends)[1]] if ends else text, bool(ends))
