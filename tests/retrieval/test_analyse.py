from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval import analyse
from rag_service.retrieval.analyse import GRAM, Analyser, _Terms
from rag_service.retrieval.ranking_words import FUNCTION_PAIRS, FUNCTION_WORDS

analyser = Analyser()


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "The boards are cooling", "cooled board"),
        ("de", "Die Häuser der Stadt", "Haus Städte"),
        ("es", "¿Cuántas canciones?", "canción"),
        ("ru", "новые книги", "книга"),
        ("tr", "evler", "evlerin"),
        ("he", "היעלים במדבר", "יעל"),
        ("he", "והשוק", "בשווקים השוק"),
        ("uk", "нові книги", "книга"),
        ("uk", "самці зубра", "зубрів"),
    ],
)
def test_words_that_differ_in_form_share_a_term(language: str, one: str, other: str) -> None:
    assert set(analyser.terms(one, language)) & set(analyser.terms(other, language))


def test_function_words_are_no_terms() -> None:
    assert analyser.terms("What is the capital of it?", "en") == ["capit"]
    assert analyser.terms("l'eau d'un lac", "fr") == analyser.terms("eau lac", "fr")
    assert analyser.terms("Was kostet the board", "de", without="en") == analyser.terms("kostet board", "de")


def test_numbers_and_identifiers_stay_whole() -> None:
    terms = analyser.terms("RK3588s runs librkllmrt 1.2.3 with 16,384 tokens, C++ and C# since 2024", "en")
    assert {"rk3588s", "1.2.3", "16384", "c++", "c#", "2024"} <= set(terms)
    assert analyser.terms("1.837 1,837 1837", "en") == ["1837"] * 3
    assert analyser.terms("max_tokens", "en") == ["max_tokens", "max", "token"]


def test_unspaced_scripts_become_pairs() -> None:
    assert analyser.terms("北京大学2012年", "zh") == ["北京", "京大", "大学", "2012", "年"]
    assert analyser.terms("서울대 한국", "ko") == ["서울", "울대", "한국"]
    assert analyser.terms("东京有什么", "zh") == ["东京", "京有", "有什"]
    assert "ไทย"[:2] in analyser.terms("ไทย", "th")


def test_forms_of_one_character_are_one() -> None:
    assert analyser.terms("ＲＫ３５８８", "en") == ["rk3588"]
    assert analyser.terms("STRASSE Straße", "de")[0] == analyser.terms("strasse", "de")[0]
    assert analyser.terms("İstanbul", "tr") == analyser.terms("istanbul", "tr")


def test_vowel_signs_belong_to_their_words() -> None:
    assert len(analyser.terms("हिन्दी किताब", "")) == 2


def test_grams_leave_accents_out() -> None:
    assert analyser.grams("canción") == ["canc", "anci", "ncio", "cion"]
    assert analyser.grams("abc") == []


def test_tables_are_folded_and_short() -> None:
    assert all(word == word.casefold() for words in FUNCTION_WORDS.values() for word in words)
    assert all(len(words) < 170 for words in FUNCTION_WORDS.values())
    assert all(len(pair) == 2 for pair in FUNCTION_PAIRS)


def test_threads_share_an_analyser() -> None:
    text = " ".join(f"walking{number} houses{chr(97 + number % 26)}" for number in range(500))
    wanted = Analyser().terms(text, "en")
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(analyser.terms(text, "en"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [wanted] * 4


@settings(deadline=None)
@given(st.text(st.characters(), max_size=200), st.sampled_from([None, "", "en", "de", "zh", "ar", "xx"]))
def test_any_text_has_terms_without_white_space(text: str, language: str | None) -> None:
    terms = analyser.terms(text, language)
    assert all(term and not any(character.isspace() for character in term) for term in terms)
    assert all(len(gram) == GRAM for term in terms for gram in analyser.grams(term))
    assert analyser.terms(text, language) == terms


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{3,9}", fullmatch=True), min_size=1, max_size=20))
def test_terms_do_not_depend_on_what_is_between_words(words: list[str]) -> None:
    assert analyser.terms(" ".join(words), "en") == analyser.terms("\n, (".join(words).upper(), "en")


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=20), st.sampled_from(["", "en", "de", "hi", "zh"]))
def test_texts_together_have_the_terms_each_has_alone(texts: list[str], language: str) -> None:
    texts += ["हिन्दी", "Ｃ＋＋ max_tokens", "北京大学A"]
    assert analyser.terms_of_all(texts, language) == [Analyser().terms(text, language) for text in texts]


def test_a_full_memory_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyse, "_CACHED_WORDS", 3)
    known = _Terms("en", "")
    first = known.learn(["walks", "houses"])
    assert known.learn(["boards", "walking"]) == {"boards": "board", "walking": "walk"}
    assert first == {"walks": "walk", "houses": "hous"}
