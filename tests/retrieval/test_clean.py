"""What must be true of cleaning whatever the text is."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.clean import clean
from rag_service.retrieval.markup import parse_page
from rag_service.retrieval.segment import segment
from rag_service.retrieval.types import Document, Source, SourceKind

KINDS: tuple[SourceKind, ...] = ("web", "attached")
LINES = st.sampled_from(
    [
        *("Home", "About us", "Skip to content", "We use cookies to improve your visit. Accept all", "", "   "),
        "The bridge was closed because the river had risen over the road in the night.",
        *("| a | b |", "x = f(1);", "- 200 g of flour", "12:30 arrival", "首页"),
        "河水在夜里漫上了公路，大桥因此被关闭。",
        "© 2024 Example. All rights reserved.",
        "NewsSportWeatherThe first words.Then more of it follows here and now.",
    ]
)


def is_subsequence(text: str, whole: str) -> bool:
    characters: Iterator[str] = iter(whole)
    return all(character in characters for character in text if not character.isspace())


def cleaned(text: str, kind: SourceKind = "web", *, markup: bool = False) -> Document:
    return clean(Source("7", text, kind=kind, html=markup))


@given(st.one_of(st.text(max_size=600), st.lists(LINES, max_size=25).map("\n".join)), st.sampled_from(KINDS))
@settings(deadline=None)
def test_text_is_a_subsequence_and_all_else_is_noted(text: str, kind: SourceKind) -> None:
    document = cleaned(text, kind)
    assert is_subsequence(document.text, text)
    for note in document.notes:
        assert not note.kept
        assert note.reason
        assert (note.start, note.end) != (None, None)
        assert text[note.start : note.end] == note.text
    told = "".join([document.text, *(note.text for note in document.notes)])
    assert sorted("".join(told.split())) == sorted("".join(text.split()))
    if document.line_kinds:
        assert len(document.line_kinds) == len(document.text.split("\n"))


@given(st.text(alphabet="<>/apdivhtml=\"' &;\x00\ud800 é字\n", max_size=300), st.sampled_from(KINDS))
@settings(deadline=None)
def test_broken_markup_never_raises(markup: str, kind: SourceKind) -> None:
    document = cleaned(markup, kind, markup=True)
    tree = parse_page(markup)
    seen = tree.text_content() if tree is not None and document.blocks else markup
    assert is_subsequence(document.text, seen)
    assert all(document.text[block.start : block.end].strip() for block in document.blocks)


@given(st.lists(LINES, min_size=1, max_size=12), st.sampled_from(KINDS))
@settings(deadline=None, max_examples=40)
def test_pages_made_of_lines(lines: list[str], kind: SourceKind) -> None:
    page = "<html><body>" + "".join(f"<p>{html.escape(line)}</p>" for line in lines) + "</body></html>"
    document = cleaned(page, kind, markup=True)
    assert is_subsequence(document.text, "\n".join(lines))
    told = "".join([document.text, *(note.text for note in document.notes)])
    assert sorted("".join(told.split())) == sorted("".join("".join(lines).split()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("markup", [False, True])
def test_nothing_comes_of_nothing(kind: SourceKind, markup: bool) -> None:
    for text in ("", " \n\t", "\x00", "\ud800" if not markup else ""):
        assert cleaned(text, kind, markup=markup).text.strip("\x00\ud800") == ""


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "gbk"])
def test_a_declared_encoding_does_not_matter_to_text(encoding: str) -> None:
    body = "Die Brücke wurde gesperrt, weil der Fluss in der Nacht über die Straße getreten war. " * 4
    head = f'<?xml version="1.0" encoding="{encoding}"?><html><head><meta charset="{encoding}"></head>'
    page = f"{head}<body><p>{body}</p>"
    assert cleaned(page, markup=True).text == body.strip()


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 5_000 + "The deepest text of all is here." + "</div>" * 5_000,
        "<p>The text is here." + "<b>" * 3_000,
        "<table>" * 300 + "<tr><td>The text is here, in a table.",
        "<table><tr><td>The text is here. " * 3_000,
        "<html><body>" + "<p>The bridge was closed because the river had risen in the night.</p>" * 70_000,
    ],
    ids=["deep", "unclosed", "tables", "tables of text", "5 MB"],
)
def test_pages_that_are_too_much(page: str) -> None:
    document = cleaned(page, markup=True)
    assert "he" in document.text or "text" in "".join(note.text for note in document.notes)


@pytest.mark.parametrize(
    "part",
    [*'.!?।"(', "\n", "# a\n", "We use cookies to improve this site. ", "© a", "a\n---\n", "Home", "首页", "{", "'"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_one_thing_take_no_time_squared(part: str, kind: SourceKind) -> None:
    # With the square of their length these would take minutes.
    text = part * (40_000 // len(part))
    passages = segment(cleaned(text, kind))
    told = "".join(passage.text for passage in passages)
    assert is_subsequence(told, text)


def test_a_page_gives_its_title_only_where_the_sender_gave_none() -> None:
    head = "<html><head><title>Rivers\n of the north</title></head>"
    page = f"{head}<body><p>{'The river is long. ' * 20}</p></body></html>"
    assert clean(Source("1", page, html=True)).source.title == "Rivers of the north"
    assert clean(Source("1", page, title="Mine", html=True)).source.title == "Mine"


def test_markup_that_is_none_is_cleaned_as_text() -> None:
    text = "The bridge was closed because the river had risen over the road in the night."
    assert cleaned(text, markup=True).text == text


def test_a_found_page_is_read_as_markup_though_nobody_said_so() -> None:
    page = (
        "<!DOCTYPE html><html lang=zh><head><title>桥</title><script>var a=1;</script></head><body>"
        "<nav><a href=/>首页</a></nav><article><h1>大桥</h1>"
        "<p>这座大桥建于1904年，横跨河流，每天有许多人从上面走过。它由灰色的石头砌成，共有七个拱。</p>"
        "</article><footer>版权所有</footer></body></html>"
    )
    found = clean(Source("1", page, kind="web"))
    assert "这座大桥建于1904年" in found.text
    assert "<" not in found.text
    assert "var a" not in found.text
    assert found.text == clean(Source("1", page, kind="web", html=True)).text
    assert "<nav>" in clean(Source("1", page, kind="attached")).text
