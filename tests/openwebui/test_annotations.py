"""Citations that cite nothing are taken out of a stream, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.openwebui.annotations import CitationFilter, filter_citations, url_citations
from rag_service.retrieval.types import Source

IDS = ("1", "2", "a")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("6 TOPS [1]. Or [2]?", "6 TOPS [1]. Or [2]?"),
        ("6 TOPS [9].", "6 TOPS."),
        ("6 TOPS [9] of it", "6 TOPS of it"),
        ("x [1][9] y [9][2].", "x [1] y [2]."),
        ("x [9][8] y", "x y"),
        ("[9] says so\n[9] and so", "says so\nand so"),
        ("- [9] an item", "- an item"),
        ("算力[9]。", "算力。"),
        ("one [9]two", "one two"),
        ("[1, 9] and [2,1]", "[1] and [2,1]"),
        ("[ 1 ] and [ 9 ]", "[ 1 ] and"),
        ("the end [9]", "the end"),
    ],
)
def test_wrong_markers_go(text: str, shown: str) -> None:
    assert filter_citations(text, IDS) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a[3] and b_1[9][8], f(x)[7], m[0][1]",
        "`[9]` and ``x ` [9]`` done",
        "```py\nx = [9]\n```",
        "~~~~\n[9]\n~~~\n[9]\n~~~~",
        "> ```\n> [9]\n> ```",
        "  ```\n[9]\n",
        "[9](https://a.example) and ![9](b.png)",
        "[9]: https://a.example",
        "[^9] and [x] and [ ] and [] and [one] and [9a] and [-9]",
        "from [0, 100] and in [2024]",
        "\\[9] is escaped",
        "an open [9",
        "open [ [",
        "blanks   between   words  \n  and lines ",
    ],
)
def test_what_is_no_marker_stays(text: str) -> None:
    assert filter_citations(text, IDS) == text


def test_code_ends() -> None:
    assert filter_citations("`a` [9] or `b` [9]", IDS) == "`a` or `b`"
    assert filter_citations("```\n[9]\n```\nb [9]", IDS) == "```\n[9]\n```\nb"
    assert filter_citations("an open ` here [9]\nb [9]", IDS) == "an open ` here [9]\nb"


def test_without_ids_all_passes() -> None:
    assert filter_citations("[9] of a list", ()) == "[9] of a list"


def test_text_is_not_held_back_longer_than_needed() -> None:
    kept = CitationFilter(IDS)
    assert kept.feed("6 TOPS") == "6 TOPS"
    assert kept.feed(" [") == ""
    assert kept.feed("9") == ""
    assert kept.feed("]") == ""
    assert kept.feed(". More") == ". More"
    assert kept.feed(" [" + "1" * 60) != ""
    assert kept.finish() == ""


_TEXTS = st.lists(
    st.sampled_from([*"[](): \n`~>,19ab性!", "[1]", "[9]", "```", " [9] ", "[1, 9]", "~~~\n", "\n```\n"]), max_size=30
).map("".join)


@settings(deadline=None)
@given(_TEXTS, st.lists(st.integers(0, 60), max_size=8))
def test_any_split_gives_the_same(text: str, cuts: list[int]) -> None:
    kept = CitationFilter(IDS)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    shown = [kept.feed(text[start:end]) for start, end in pairwise(edges)]
    assert "".join(shown) + kept.finish() == filter_citations(text, IDS)


@settings(deadline=None)
@given(_TEXTS)
def test_only_markers_and_blanks_go(text: str) -> None:
    shown = filter_citations(text, ("1", "9"))
    assert shown == text
    rest = iter(text)
    assert all(character in rest for character in filter_citations(text, IDS))


def test_annotations_of_packed_sources() -> None:
    packed = [
        Source("1", "x", "Depth", "https://a.example", "web"),
        Source("2", "y", "File"),
        Source("3", "z", "", "https://b.example", "web"),
        Source("4", "z", "Again", "https://a.example", "web"),
        Source("5", "z", "Local", "file:///etc/passwd", "web"),
    ]
    answer = "Deep [4] and [1, 3]."
    assert url_citations(packed, answer) == [
        _citation("https://a.example", "Again", 5, 8),
        _citation("https://b.example", "https://b.example", 13, 19),
    ]
    assert url_citations(packed[:1]) == [_citation("https://a.example", "Depth", 0, 0)]
    assert url_citations([], answer) == []


def _citation(url: str, title: str, start: int, end: int) -> dict[str, object]:
    citation = {"url": url, "title": title, "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": citation}
