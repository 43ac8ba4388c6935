"""Quick tests that spare the work on most lines never rule out what the work would find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.retrieval.boilerplate import CONSENT
from rag_service.retrieval.boilerplate_phrases import CONSENT_PHRASES
from rag_service.retrieval.language import words_of
from rag_service.retrieval.lines import is_banner
from rag_service.retrieval.sentences import estimate_tokens, sentences

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
