"""Looking up the phrases of :mod:`rag_service.retrieval.boilerplate_phrases` in lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.boilerplate_phrases import CONSENT_PHRASES, NETWORKS, PHRASES, SURE_PHRASES
from rag_service.retrieval.characters import UNSPACED as UNSPACED_LETTER
from rag_service.retrieval.characters import Characters, Places, merge_places
from rag_service.retrieval.language import UNSPACED, WORD, words_of

_UNSPACED_CHARACTER: Final = re.compile(f"[{UNSPACED}]")
_NO_LETTER: Final = re.compile(r"\W+")
_SURE_CHARACTERS: Final = 200
# Shorter words are no clue to a phrase: too many other texts have them.
_CLUE_CHARACTERS: Final = 5
# No phrase has a character beyond these.
_MOST_CODES: Final = 0x10000


class PhraseIndex:
    """Phrases, ready to be counted in lines."""

    def __init__(self, phrases: Sequence[str], common: Collection[str] = ()) -> None:
        """``common`` words are not what a phrase is told by."""
        self._phrases = phrases
        self._by_word: dict[str, list[tuple[str, ...]]] = {}
        telling: set[str] = set()
        self._by_character: dict[str, list[str]] = {}
        for phrase in phrases:
            if _UNSPACED_CHARACTER.search(phrase):
                self._by_character.setdefault(phrase[0], []).append(phrase)
            elif words := tuple(WORD.findall(phrase)):
                self._by_word.setdefault(words[0], []).append(words)
                telling.add(max(words, key=lambda word: (word not in common, len(word))))
        for candidates in self._by_word.values():
            candidates.sort(key=len, reverse=True)
        self._first_characters = frozenset(self._by_character)
        self._unspaced_phrases = [phrase for group in self._by_character.values() for phrase in group]
        longest_first = sorted(self._unspaced_phrases, key=len, reverse=True)
        self._unspaced = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
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

    def unspaced_clues_in(self, characters: Characters) -> Places:
        """Where a word stands that the phrases of scripts without spaces hold, in ascending order."""
        return places_of(self._unspaced_clues, characters)

    @cached_property
    def _unspaced_clues(self) -> list[str]:
        return [clue for clue in self._clues if any(clue in phrase for phrase in self._unspaced_phrases)]

    def unspaced_places(self, characters: Characters) -> Places:
        """Where the phrases of scripts without spaces stand, in ascending order."""
        if not characters.has(UNSPACED_LETTER):
            return np.zeros(0, np.intp)
        places = characters.places(UNSPACED_LETTER)
        places = places[(places + 1 < len(characters.codes)) & self._begins(places, characters, 0)]
        places = places[self._begins(places, characters, 1)]
        return np.array([at for at in places.tolist() if self._unspaced.match(characters.text, at)], np.intp)

    def _begins(self, places: Places, characters: Characters, at: int) -> NDArray[np.bool_]:
        """At which of these places a character stands that a phrase has at ``at``."""
        codes = characters.codes[np.minimum(places + at, len(characters.codes) - 1)]
        begins: NDArray[np.bool_] = self._codes_at[at][np.minimum(codes, _MOST_CODES - 1)]
        return begins

    @cached_property
    def _codes_at(self) -> NDArray[np.bool_]:
        codes = np.zeros((2, _MOST_CODES), np.bool_)
        for phrase in self._unspaced_phrases:
            codes[0, ord(phrase[0])] = codes[1, ord(phrase[1])] = True
        return codes

    def spans_in(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """First and last number, the last excluded, of the words in lower case that are phrases, in their order."""
        if self.telling_words.isdisjoint(words):
            return
        at = 0
        while at < len(words):
            length = 1
            for phrase in self._by_word.get(words[at], ()):
                if tuple(words[at : at + len(phrase)]) == phrase:
                    length = len(phrase)
                    yield at, at + length
                    break
            at += length

    def words_covered(self, words: Sequence[str]) -> int:
        """How many of these words, in lower case, belong to phrases that stand in them whole."""
        return sum(end - start for start, end in self.spans_in(words))

    def find_unspaced(self, text: str) -> Iterator[re.Match[str]]:
        """The phrases of scripts without spaces in ``text``, in lower case, the longest at each place."""
        return self._unspaced.finditer(text)

    def characters_covered(self, text: str) -> int:
        """How many characters of ``text``, in lower case, belong to phrases of scripts without spaces."""
        return sum(
            len(phrase) * text.count(phrase)
            for first in self._first_characters.intersection(text)
            for phrase in self._by_character[first]
        )


def places_of(words: Sequence[str], characters: Characters) -> Places:
    """Where these words in lower case stand in a text, in ascending order, whatever the case of their letters."""
    small = characters.small
    found: list[Places] = [np.zeros(0, np.intp)]
    for word in words:
        places = np.flatnonzero(small[: len(small) - len(word) + 1] == ord(word[0])) if word else found[0]
        for at, letter in enumerate(word):
            if not len(places):
                break
            places = places[small[places + at] == ord(letter)]
        found.append(places)
    return merge_places(*found)


def _split(table: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in table.split("|")]


BOILERPLATE: Final = PhraseIndex([phrase for table in (*PHRASES.values(), NETWORKS) for phrase in _split(table)])
SURE: Final = PhraseIndex(_split(SURE_PHRASES))
# The word of a phrase that it is told by is not its first: where a page's lines ran together, a link touches that.
_CONSENT_STARTS: Final = frozenset(words[0] for phrase in _split(CONSENT_PHRASES) if (words := WORD.findall(phrase)))
CONSENT: Final = PhraseIndex(
    _split(CONSENT_PHRASES), common=_CONSENT_STARTS | {"privacy", "website", "using", "partners"}
)


def is_surely_boilerplate(line: str) -> bool:
    """Whether a line is nothing but phrases that are of a page and not of a document."""
    lowered = line.lower()
    if len(lowered) > _SURE_CHARACTERS:
        return False
    words = words_of(line)
    if words and SURE.words_covered(words) == len(words):
        return True
    if lowered.isascii():
        return False
    return SURE.characters_covered("".join(lowered.split())) >= len(squeeze(lowered)) > 0


def squeeze(text: str) -> str:
    """The letters and digits of a text."""
    return _NO_LETTER.sub("", text)
