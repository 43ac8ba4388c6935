"""Tokens of many texts at once are those that are found in each text by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.folding import BORDER, fold, fold_texts
from rag_service.retrieval.ranking_words import FUNCTION_PAIRS
from rag_service.retrieval.tokens import (
    FIRST_PAIR,
    find_numbers,
    is_pair,
    pair_number,
    pair_of,
    slots_of,
    split_text,
    split_texts,
)

_PIECES = [
    *"abzß019٣_.,+#'-/ \n²½–€ːİıﬁ。、学한กが゙あ字𠀀㐀\u0301\u0345\u1161\ud800\0",
    "e.g. ",
    "1.5",
    "C++",
    *FUNCTION_PAIRS,
]
_TEXTS = st.lists(st.lists(st.sampled_from(_PIECES) | st.characters(), max_size=20).map("".join), max_size=5)


def tokens_of_each(texts: list[str]) -> list[list[str]]:
    split = split_texts(texts)
    tokens = [split.words[number] if number < FIRST_PAIR else pair_of(number) for number in split.ids.tolist()]
    ends = np.cumsum(split.lengths).tolist()
    return [tokens[end - length : end] for end, length in zip(ends, split.lengths.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("v1.2.3, 16,384 and 3.", ["v1.2.3", "16,384", "and", "3"]),
        ("1.5kg C++/C# c#d a+b", ["1.5", "kg", "c++", "c#", "c", "d", "a", "b"]),
        ("max_tokens _x __", ["max_tokens", "max", "tokens", "x"]),
        ("在iPhone 5上看电影", ["在", "iphone", "5", "上看", "看电", "电影"]),
        ("हिन्दी straße", ["हिन्दी", "strasse"]),
    ],
)
def test_tokens_are_words_numbers_identifiers_and_pairs(text: str, tokens: list[str]) -> None:
    assert split_text(text) == tokens
    assert tokens_of_each([text, "", text]) == [tokens, [], tokens]


@settings(deadline=None)
@given(_TEXTS)
def test_many_texts_have_the_tokens_of_each(texts: list[str]) -> None:
    assert tokens_of_each(texts) == [split_text(text) for text in texts]
    words = split_texts(texts).words
    assert len(set(words)) == len(words)


@settings(deadline=None)
@given(_TEXTS)
def test_texts_are_folded_together_as_each_is(texts: list[str]) -> None:
    assert fold_texts(texts).split(BORDER) == [fold(text.replace(BORDER, " ")) for text in texts] or not texts


@given(st.text(st.sampled_from("学한กが字𠀀"), min_size=1, max_size=2))
def test_a_pair_has_a_number_beyond_all_words(pair: str) -> None:
    assert is_pair(pair)
    assert pair_number(pair) >= FIRST_PAIR
    assert pair_of(pair_number(pair)) == pair


@given(st.lists(st.integers(0, 1 << 53)), st.sets(st.integers(0, 1 << 53)))
def test_numbers_are_found_where_they_stand(numbers: list[int], wanted: set[int]) -> None:
    wanted |= set(numbers[::2])
    column = np.array(numbers, np.int64)
    found = find_numbers(np.array(sorted(wanted), np.int64), column, slots_of(column))
    assert found.tolist() == [place for place, number in enumerate(numbers) if number in wanted]
