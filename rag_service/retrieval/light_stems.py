"""Stems for languages that Snowball has no algorithm for: few rules, the same for texts and questions.

They join forms and are no roots: what is taken off a word needs only be taken off all of its forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import Stemmer

StemWords = Callable[[Sequence[str]], list[str]]

# Hebrew writes "and", "the", "in", "to", "as", "from" and "that" onto the word they stand before.
_HEBREW_PREFIXES: Final = "והבלכמש"
# Plurals and the feminine, whose last letter changes before another noun.
_HEBREW_ENDINGS: Final = ("יים", "ים", "ות", "ה", "ת")
# A root has three letters.
_HEBREW_ROOT: Final = 3
# Letters of Ukrainian by those that stand in the same endings of Russian.
_UKRAINIAN_LETTERS: Final = str.maketrans("іїєґ", "ииег")


def stem_hebrew(words: Sequence[str]) -> list[str]:
    """Each word without its ending and what is written before it, of which three letters stay."""
    return [_hebrew_stem(word) for word in words]


def stem_ukrainian(words: Sequence[str]) -> list[str]:
    """Each word by the rules for Russian, whose endings are nearly the same."""
    plain = [word.translate(_UKRAINIAN_LETTERS).removesuffix("ив") for word in words]
    stems: list[str] = Stemmer.Stemmer("russian", 0).stemWords(plain)
    return [stem or word for stem, word in zip(stems, words, strict=True)]


def _hebrew_stem(word: str) -> str:
    for ending in _HEBREW_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _HEBREW_ROOT:
            word = word[: -len(ending)]
            break
    first = 0
    while word[first] in _HEBREW_PREFIXES and len(word) - first > _HEBREW_ROOT:
        first += 1
    return word[first:]


LIGHT_STEMS: Final[Mapping[str, StemWords]] = {"he": stem_hebrew, "uk": stem_ukrainian}
"""Functions that give the stem of each word, by ISO 639-1 code."""
