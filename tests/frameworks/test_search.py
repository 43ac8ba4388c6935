from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.frameworks.page_texts import is_markup, make_source
from rag_service.frameworks.search import PassageSearch, passages_of
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Source, SourceKind
from tests.frameworks.corpora import CORPORA, FLATTENED, PAGE


def search(*texts: str, kind: SourceKind = "attached", passage_tokens: int | None = None) -> PassageSearch:
    sources = [Source(str(number), text, kind=kind) for number, text in enumerate(texts)]
    return PassageSearch(sources, passage_tokens, RetrievalSettings())


@pytest.mark.parametrize("name", CORPORA)
def test_the_text_that_answers_is_first_in_every_script(name: str) -> None:
    corpus = CORPORA[name]
    texts = (*corpus.texts[1:], corpus.texts[0])
    found = search(*texts).search(corpus.question, 2)
    assert found[0].passage.text == corpus.texts[0]
    assert found[0].score > 0
    assert 0 < found[0].relevance <= 1


def test_one_search_over_all_languages_finds_each() -> None:
    texts = [corpus.texts[0] for corpus in CORPORA.values()]
    made = search(*texts)
    for number, corpus in enumerate(CORPORA.values()):
        assert made.search(corpus.question, 1)[0].passage.document.source.id == str(number)


@pytest.mark.parametrize("word", ["Krankenversicherung", "Versicherungsnummer"])
def test_parts_of_german_compounds_are_found(word: str) -> None:
    made = search("Das Wetter bleibt schön.", f"Tragen Sie hier die {word} ein.", "Die Straße ist gesperrt.")
    assert [one.passage.document.source.id for one in made.search("Welche Versicherung?", 3)] == ["1"]


def test_nothing_to_search_and_nothing_asked() -> None:
    assert search().search("anything", 3) == []
    assert search("", " \n ").search("anything", 3) == []
    assert search("Some text.").search("", 3) == []
    assert search("Some text.").search(" ?! ", 3) == []


def test_one_text_has_a_positive_score() -> None:
    (only,) = search("The lighthouse was built in 1874.").search("When was the lighthouse built?", 5)
    assert only.score > 0


def test_less_than_one_is_refused() -> None:
    with pytest.raises(ValueError, match="0 passages"):
        search("Some text.").search("text", 0)


def test_copies_and_near_copies_come_once_and_others_take_their_place() -> None:
    base = "The lighthouse of Amberly was built of red stone by order of the king long ago"
    texts = [f"{base}."] * 5 + [f"{base.upper()}."] + [f"{base}, they say."] * 5 + ["A lighthouse is a tower."]
    found = search(*texts).search("lighthouse Amberly", 2)
    assert [one.passage.document.source.id for one in found] == ["0", "11"]


def test_rows_that_differ_in_a_number_are_two() -> None:
    found = search("Lamp model 5 costs 120 euro.", "Lamp model 6 costs 120 euro.").search("lamp cost", 5)
    assert len(found) == 2


def test_the_floor_is_for_what_a_search_found() -> None:
    question = "When was the lighthouse of Amberly built, and who ordered it to be built there?"
    text = "We built a table of oak, and it was sold to a man who had come from the town."
    assert search(text, kind="attached").search(question, 3)
    assert search(text, kind="web").search(question, 3) == []


def test_threads_share_a_search() -> None:
    made = search(*(text for corpus in CORPORA.values() for text in corpus.texts))
    asked = [corpus.question for corpus in CORPORA.values()] * 6
    alone = [made.search(question, 4) for question in asked]
    fresh = search(*(text for corpus in CORPORA.values() for text in corpus.texts))
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda question: fresh.search(question, 4), asked))
    assert [[one.score for one in found] for found in together] == [[one.score for one in found] for found in alone]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=5), st.text(max_size=40), st.integers(1, 6), st.none() | st.just(5))
def test_any_text_is_taken(texts: list[str], question: str, k: int, tokens: int | None) -> None:
    found = search(*texts, passage_tokens=tokens).search(question, k)
    assert len(found) <= k
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        passage = one.passage
        assert passage.text == texts[int(passage.document.source.id)][passage.start : passage.end]


@given(st.text(max_size=400))
def test_a_whole_text_is_one_passage(text: str) -> None:
    passages = passages_of(Source("1", text), None)
    assert [one.text.strip() for one in passages] == ([text.strip()] if text.strip() else [])


@pytest.mark.parametrize(
    ("text", "metadata", "expected"),
    [
        (PAGE, {}, True),
        ("\ufeff \n<!-- made --><HTML lang='en'>", {}, True),
        ('<?xml version="1.0"?>\n<!DOCTYPE html>', {}, True),
        ('<div class="a">Hello</div>', {}, True),
        (FLATTENED, {}, False),
        ("a < b and b > c", {}, False),
        ("Use <p> for a paragraph.</p>", {}, False),
        ("<T>(value: T) is generic", {}, False),
        ("", {}, False),
        (FLATTENED, {"content_type": "text/html; charset=utf-8"}, False),
        ("Hello <span>you</span>", {"Content-Type": "text/html"}, True),
        (PAGE, {"file_type": "text/plain"}, False),
    ],
)
def test_what_is_markup(text: str, metadata: dict[str, str], expected: bool) -> None:
    assert is_markup(text, metadata, "auto") is expected
    assert is_markup(text, metadata, True)
    assert not is_markup(text, metadata, False)


@given(st.text(alphabet="<!-?> divhtml\n/\ufeff", max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert is_markup(text, {}, "auto") in (True, False)


def test_titles_and_addresses_are_texts() -> None:
    source = make_source("a", {"title": 7, "file_name": "b.txt", "source": None, "url": "https://a.test/"}, "web")
    assert (source.title, source.url) == ("b.txt", "https://a.test/")
