"""The words of a turn, with their places: what the rules on turns look at.

Words of spaced scripts are one token each; of unspaced scripts (Chinese, Japanese, Thai, …) each character is one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

TokenKind = Literal["word", "number", "character"]

# Thai, Lao, Myanmar, Khmer; kana, Bopomofo, Han with its extensions.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff々〆\u3041-\u30ff"
    "\u3105-\u312f\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_HANGUL: Final = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
# Vowel signs and points belong to their word, and are not letters to `re`; the danda is punctuation.
_MARKS: Final = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
_TOKEN: Final = re.compile(
    rf"(?P<character>[{_UNSPACED}])"
    rf"|(?P<number>\d+(?:[.,]\d+)*(?![^\W{_HANGUL}{_UNSPACED}]))"
    rf"|(?P<word>(?:(?![{_UNSPACED}])[\w{_MARKS}])+)"
)
# What ends a clause between two tokens; an apostrophe or a hyphen does not.
_BORDER: Final = re.compile(r"[.,;:!?…¿¡\n()\[\]\"«»“”„。、，；：！？「」『』（）؟،؛।]|\s[-–—]\s|—")


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` is at ``start:end`` of the turn; ``folded`` is what tables hold: no case, no accents.

    ``border`` says that punctuation stands between this token and the one before it.
    """

    text: str
    folded: str
    start: int
    end: int
    kind: TokenKind
    border: bool

    @property
    def capitalised(self) -> bool:
        """Whether the word begins with a capital letter."""
        return self.text[:1].isupper()


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """A word without case, accents and points, so that it is found however it was typed."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    # Combining classes below 10 are signs that a letter is not the same without: voiced kana, viramas.
    bare = "".join(letter for letter in decomposed if unicodedata.combining(letter) < 10)
    return unicodedata.normalize("NFC", bare).replace("ı", "i").replace("ى", "ي").replace("ـ", "").replace("ł", "l")


def split_tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text, in order."""
    tokens: list[Token] = []
    end = 0
    for found in _TOKEN.finditer(text):
        border = bool(tokens) and _BORDER.search(text, end, found.start()) is not None
        kind: TokenKind = "number" if found["number"] else "character" if found["character"] else "word"
        tokens.append(Token(found[0], fold(found[0]), found.start(), found.end(), kind, border))
        end = found.end()
    return tuple(tokens)


def split_clauses(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """The tokens between punctuation."""
    first = 0
    for place in range(1, len(tokens) + 1):
        if place == len(tokens) or tokens[place].border:
            yield tuple(tokens[first:place])
            first = place


class Phrases:
    """A table of phrases, found in tokens. A word that ends in ``*`` stands for all words that begin so."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._exact: set[tuple[str, ...]] = set()
        self._stems: dict[tuple[str, ...], tuple[str, ...]] = {}
        lengths: dict[str, set[int]] = {}
        stem_lengths: set[int] = set()
        for entry in entries:
            words = tuple(token.folded for token in split_tokens(entry))
            if not words:
                continue
            if entry.rstrip().endswith("*"):
                self._stems[words[:-1]] = (*self._stems.get(words[:-1], ()), words[-1])
                stem_lengths.add(len(words))
            else:
                self._exact.add(words)
                lengths.setdefault(words[0], set()).add(len(words))
        self._lengths: Final = {
            first: tuple(sorted(of_first | stem_lengths, reverse=True)) for first, of_first in lengths.items()
        }
        self._stem_lengths: Final = tuple(sorted(stem_lengths, reverse=True))

    def lengths_at(self, tokens: Sequence[Token], place: int) -> Iterator[int]:
        """How many tokens from ``place`` on are a phrase of the table, the longest first."""
        if place >= len(tokens):
            return
        for length in self._lengths.get(tokens[place].folded, self._stem_lengths):
            words = tuple(token.folded for token in tokens[place : place + length])
            if len(words) == length and (words in self._exact or self._has_stem(words)):
                yield length

    def longest_at(self, tokens: Sequence[Token], place: int) -> int:
        """How many tokens from ``place`` on are the longest phrase of the table; 0 where none is there."""
        return next(self.lengths_at(tokens, place), 0)

    def places(self, tokens: Sequence[Token]) -> list[int]:
        """Which tokens belong to a phrase of the table."""
        found: list[int] = []
        place = 0
        while place < len(tokens):
            length = self.longest_at(tokens, place)
            found.extend(range(place, place + length))
            place += length or 1
        return found

    def __contains__(self, word: str) -> bool:
        words = (word,)
        return words in self._exact or self._has_stem(words)

    def _has_stem(self, words: tuple[str, ...]) -> bool:
        return words[-1].startswith(self._stems.get(words[:-1], ()))


def covers(tokens: Sequence[Token], phrases: Sequence[Phrases]) -> bool:
    """Whether the tokens are phrases of the tables one after the other, with nothing left over."""
    reached = [True] + [False] * len(tokens)
    for place in range(len(tokens)):
        if not reached[place]:
            continue
        for table in phrases:
            for length in table.lengths_at(tokens, place):
                reached[place + length] = True
    return reached[-1]
