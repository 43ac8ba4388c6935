"""Looking up the phrases of :mod:`rag_service.retrieval.boilerplate_phrases` in lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from rag_service.retrieval.boilerplate_phrases import CONSENT_PHRASES, NETWORKS, PHRASES, SURE_PHRASES
from rag_service.retrieval.language import UNSPACED, WORD

_UNSPACED_CHARACTER: Final = re.compile(f"[{UNSPACED}]")
# Shorter words are no clue to a phrase: too many other texts have them.
_CLUE_CHARACTERS: Final = 5


class PhraseIndex:
    """Phrases, ready to be counted in lines."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = phrases
        self._by_word: dict[str, list[tuple[str, ...]]] = {}
        telling: set[str] = set()
        self._by_character: dict[str, list[str]] = {}
        for phrase in phrases:
            if _UNSPACED_CHARACTER.search(phrase):
                self._by_character.setdefault(phrase[0], []).append(phrase)
            elif words := tuple(WORD.findall(phrase)):
                self._by_word.setdefault(words[0], []).append(words)
                telling.add(max(words, key=len))
        for candidates in self._by_word.values():
            candidates.sort(key=len, reverse=True)
        self._first_characters = frozenset(self._by_character)
        self.telling_words: Final = frozenset(telling)
        """Words of which each phrase of words holds one."""

    def may_cover(self, text: str) -> bool:
        """Whether there is any use in looking for these phrases in ``text``, in lower case: a quick test."""
        return any(map(text.__contains__, self._clues))

    @cached_property
    def _clues(self) -> list[str]:
        """A few words of which each phrase holds one: whichever is in most phrases, and then the longest, first."""
        clues: list[str] = []
        left = list(self._phrases)
        while left:
            words = [word for word in WORD.findall(left[0]) if len(word) >= _CLUE_CHARACTERS and "'" not in word]
            clue = max(words, key=lambda word: (sum(word in phrase for phrase in left), len(word)), default=left[0])
            clues.append(clue)
            left = [phrase for phrase in left if clue not in phrase]
        return [clue for clue in clues if not any(other != clue and other in clue for other in clues)]

    def words_covered(self, words: Sequence[str]) -> int:
        """How many of these words, in lower case, belong to phrases that stand in them whole."""
        if self.telling_words.isdisjoint(words):
            return 0
        covered, at = 0, 0
        while at < len(words):
            length = 1
            for phrase in self._by_word.get(words[at], ()):
                if tuple(words[at : at + len(phrase)]) == phrase:
                    length = len(phrase)
                    covered += length
                    break
            at += length
        return covered

    def characters_covered(self, text: str) -> int:
        """How many characters of ``text``, in lower case, belong to phrases of scripts without spaces."""
        return sum(
            len(phrase) * text.count(phrase)
            for first in self._first_characters.intersection(text)
            for phrase in self._by_character[first]
        )


def _split(table: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in table.split("|")]


BOILERPLATE: Final = PhraseIndex([phrase for table in (*PHRASES.values(), NETWORKS) for phrase in _split(table)])
SURE: Final = PhraseIndex(_split(SURE_PHRASES))
CONSENT: Final = PhraseIndex(_split(CONSENT_PHRASES))
