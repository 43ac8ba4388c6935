"""Quick tests that spare the work on most lines never rule out what the work would find."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.banners import is_banner
from rag_service.retrieval.boilerplate import CONSENT
from rag_service.retrieval.boilerplate_phrases import CONSENT_PHRASES
from rag_service.retrieval.characters import Characters, pieces_of
from rag_service.retrieval.language import WORD, function_endings, function_words, languages_in, words_of
from rag_service.retrieval.measures import measure
from rag_service.retrieval.page_words import FUNCTION, PageWords
from rag_service.retrieval.sentences import estimate_pieces, estimate_tokens, sentences
from rag_service.retrieval.shapes import _CODE, _is_code, _is_code_shaped, _is_datum, _Shapes, is_item

_PHRASES = [" ".join(phrase.split()) for phrase in CONSENT_PHRASES.split("|")]


@pytest.mark.parametrize("phrase", _PHRASES)
def test_a_consent_phrase_is_found_in_a_line(phrase: str) -> None:
    assert is_banner(f"… {phrase.capitalize()}. 123") == "a banner that asks for consent"


@given(st.lists(st.sampled_from([*_PHRASES, "some", "words", "。", "42"])).map(" ".join))
def test_text_without_a_clue_holds_no_phrase(text: str) -> None:
    covered = CONSENT.words_covered(words_of(text)) + CONSENT.characters_covered("".join(text.split()))
    assert covered == 0 or CONSENT.may_cover(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("abcd efg", 2),  # 8 Latin letters and spaces at a quarter
        ("汉字汉字", 3),
        ("приветмир!", 4),  # 9 letters at 0.4, a mark at 0.3
        ("汉字абвгд", 4),  # 2 at 0.75, 5 at 0.4: several costs in one text
    ],
)
def test_estimated_tokens_follow_the_scripts(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(st.text(), st.integers(0, 20), st.integers(0, 20))
def test_pieces_of_a_text_cost_what_they_do_alone(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    assert estimate_pieces(text)(start, end) == estimate_tokens(text[start:end])


@pytest.mark.parametrize(
    "line",
    [
        "Foo(c) 2019 Example",
        "Xcopyright 2019",
        "... © 2019",
        *(f"({phrase.capitalize()})" for phrase in _PHRASES),
    ],
)
def test_a_banner_is_still_looked_for_where_lines_were_measured(line: str) -> None:
    pieces = pieces_of([line])
    measured = measure(pieces, PageWords(pieces.characters, ("en",)))
    assert is_banner(line)
    assert measured.may_banner[0]


_MIXED = st.lists(st.sampled_from([*"aBß1.,-’' |éЖя字のใ\n\t", "the ", "Und ", "don't", "에서", "\u0301"])).map(
    "".join
)


@given(_MIXED)
def test_words_of_a_page_are_those_that_are_found_one_by_one(text: str) -> None:
    languages = ("en", "de", "ko")
    words = PageWords(Characters(text), languages)
    found = list(WORD.finditer(text.replace("’", "'")))
    assert words.starts.tolist() == [match.start() for match in found]
    known, endings = function_words(languages), function_endings(languages)
    told = [match.group().lower() in known or match.group().lower().endswith(endings) for match in found]
    assert ((words.signs & FUNCTION) != 0).tolist() == told


@given(_MIXED, st.lists(st.integers(0, 40), unique=True))
def test_words_that_are_cut_are_those_of_the_pieces(text: str, places: list[int]) -> None:
    cuts = sorted(place for place in places if 0 < place < len(text))
    words = PageWords(Characters(text), ("en",))
    words.cut_at(np.array(cuts, np.intp))
    pieces = [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]
    told = [bool(sign & FUNCTION) for piece in pieces for sign in PageWords(Characters(piece), ("en",)).signs]
    if not any("'" in piece[:1] + piece[-1:] or "’" in piece[:1] + piece[-1:] for piece in pieces):
        assert ((words.signs & FUNCTION) != 0).tolist() == told


@settings(max_examples=40)
@given(st.lists(_MIXED.map(lambda line: line.replace("\n", " ")), min_size=1))
def test_quick_tests_of_shapes_rule_out_nothing(lines: list[str]) -> None:
    shapes = _Shapes(pieces_of(lines))
    for numbers, is_one in ((shapes.items(), is_item), (shapes.data(), _is_datum), (shapes.code(), _is_code)):
        assert {at for at, line in enumerate(lines) if is_one(line)} <= set(numbers)


@pytest.mark.parametrize(
    "line",
    [
        "Next line",
        "else: # none",
        "import os.path",
        "PS C:\\> dir",
        "user@host:~$ ls",
        "make all",
        "@cached",
        "f(x)",
        "</div>",
    ],
)
def test_what_looks_like_code_passes_the_quick_test(line: str) -> None:
    assert _is_code_shaped(line) == (_CODE.match(line) is not None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One... Two?! Three", ["One...", "Two?!", "Three"]),
        ("Er sagte „Ja.“ Dann ging er.", ["Er sagte „Ja.“ Dann ging er."]),
        ("第一句。」第二句！第三句", ["第一句。」", "第二句！", "第三句"]),
        ("ما هذا؟ نعم۔", ["ما هذا؟", "نعم۔"]),
        ("Version 3.5 is out\nNext line", ["Version 3.5 is out", "Next line"]),
    ],
)
def test_ends_of_sentences_in_several_scripts(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(_MIXED)
def test_languages_are_told_from_the_words_of_a_page_as_from_its_text(text: str) -> None:
    assert PageWords(Characters(text)).languages == languages_in(text)


def test_languages_of_a_long_page_are_told_from_samples_of_its_words() -> None:
    text = "Der Hafen wurde aus grauem Stein gebaut, und das Dorf ist nicht weit. " * 400
    assert PageWords(Characters(text)).languages == languages_in(text)
    assert languages_in(text)[0] == "de"
