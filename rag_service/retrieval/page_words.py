"""The words of a page, all looked up at once: which are function words, and which tell of phrases of pages.

A word is compared as a number made from its small letters, so that no string is made of it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache, cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.boilerplate import BOILERPLATE, CONSENT
from rag_service.retrieval.characters import APOSTROPHE, LETTERS, LOWER, UNSPACED, Characters, Places, merge_places
from rag_service.retrieval.language import (
    CLUE_WORDS,
    function_endings,
    function_words,
    languages_told,
    sample_spans,
)

FUNCTION: Final = 1
PHRASE: Final = 2
BANNER: Final = 4

# Longer words are none of those that are looked for.
_LONGEST: Final = 24
# An odd number with many bits set: keys of different words differ but by a chance of one in 2^64.
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_NEXT: Final = 0xD1B54A32D192ED03
# With so many slots, one in a dozen factors gives all words different ones.
_SLOT_BITS: Final = 22


class PageWords:
    """The words of a text: where they start, in ascending order, and what each is.

    ``languages`` are those that a noticeable part of the text may be in, told from its words unless they are given.
    """

    def __init__(self, characters: Characters, languages: tuple[str, ...] | None = None) -> None:
        self._characters: Final = characters
        self.starts, self._ends = _spans(characters)
        numbers = _vocabulary().numbers_of(_keys(characters.small, self.starts, self._ends))
        self.languages: Final = self._told(numbers) if languages is None else languages
        self.signs = self._signs_of(self.starts, self._ends, numbers)

    def cut_at(self, places: Places) -> None:
        """Let words end at these places, in ascending order, though a letter follows."""
        if not len(self.starts):
            return
        numbers = np.maximum(0, np.searchsorted(self.starts, places, side="right") - 1)
        inside = (self.starts[numbers] < places) & (places < self._ends[numbers])
        if not inside.any():
            return
        cut, places = np.unique(numbers[inside]), places[inside]
        starts, ends = merge_places(self.starts[cut], places), merge_places(places, self._ends[cut])
        whole = np.ones(len(self.starts), np.bool_)
        whole[cut] = False
        order = np.argsort(np.concatenate((self.starts[whole], starts)), kind="stable")
        numbers = _vocabulary().numbers_of(_keys(self._characters.small, starts, ends))
        self.signs = np.concatenate((self.signs[whole], self._signs_of(starts, ends, numbers)))[order]
        self.starts = merge_places(self.starts[whole], starts)
        self._ends = merge_places(self._ends[whole], ends)

    def having(self, sign: int, *, capital_near: bool = False) -> Places:
        """Where the words with this sign start; with ``capital_near`` without those amid words in small letters."""
        numbers = np.flatnonzero((self.signs & sign) != 0)
        if capital_near:
            small = (self._characters.marks[self.starts] & LOWER) != 0
            amid = small[numbers] & small[np.maximum(0, numbers - 1)] & small[np.maximum(0, numbers - 2)]
            numbers = numbers[~amid]
        return self.starts[numbers]

    @cached_property
    def unspaced_phrases(self) -> Places:
        """Where phrases of pages start in scripts without spaces."""
        return BOILERPLATE.unspaced_places(self._characters)

    @cached_property
    def unspaced_clues(self) -> Places:
        """Where words stand that phrases which ask for consent hold in scripts without spaces."""
        has_any = self._characters.has(UNSPACED)
        return CONSENT.unspaced_clues_in(self._characters) if has_any else np.zeros(0, np.intp)

    def small(self) -> Places:
        """Where the words start that begin with a small letter."""
        small: Places = self.starts[(self._characters.marks[self.starts] & LOWER) != 0]
        return small

    def _told(self, numbers: NDArray[np.uint16]) -> tuple[str, ...]:
        """The languages of the text, by the words with these numbers that are in its sample."""
        spans = sample_spans(len(self._characters.codes))
        starts, ends = zip(*spans, strict=True)
        firsts, lasts = np.searchsorted(self.starts, starts), np.searchsorted(self._ends, ends, side="right")
        inside = [numbers[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
        counts = np.bincount(np.concatenate(inside), minlength=len(CLUE_WORDS) + 1)
        codes = np.concatenate([self._characters.codes[start:end] for start, end in spans])
        return languages_told(codes, counts[1 : len(CLUE_WORDS) + 1])

    def _signs_of(self, starts: Places, ends: Places, numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
        signs: NDArray[np.uint8] = _signs(self.languages)[numbers]
        small = self._characters.small
        for length, endings in _endings(self.languages):
            long = np.flatnonzero(ends - starts >= length)
            found = np.isin(_keys(small, ends[long] - length, ends[long]), endings)
            signs[long[found]] |= FUNCTION
        return signs


def _spans(characters: Characters) -> tuple[Places, Places]:
    """Starts and ends of all words: letters, and apostrophes between letters."""
    letters = np.zeros(len(characters.marks) + 2, np.bool_)
    letters[1:-1] = (characters.marks & LETTERS) != 0
    marks = characters.places(APOSTROPHE) + 1
    letters[marks[letters[marks - 1] & letters[marks + 1]]] = True
    borders = np.flatnonzero(letters[1:] != letters[:-1])
    return borders[::2], borders[1::2]


def _keys(small: NDArray[np.uint32], starts: Places, ends: Places) -> NDArray[np.uint64]:
    """A number for each word; 0 for those too long to be looked for."""
    lengths = ends - starts
    lengths = np.where(lengths <= _LONGEST, lengths, 0).astype(np.int8)
    # The longest first, so that those that have another character stand together.
    order = np.argsort(-lengths, kind="stable")
    places = starts[order]
    having = len(lengths) - np.cumsum(np.bincount(lengths, minlength=_LONGEST + 1))
    sorted_keys = np.zeros(len(starts), np.uint64)
    for at, number in enumerate(having.tolist()):
        if not number:
            break
        some = sorted_keys[:number]
        some += small[places[:number] + at]
        some *= _FACTOR
    keys = np.empty_like(sorted_keys)
    keys[order] = sorted_keys
    return keys


def _keys_of(words: Collection[str]) -> NDArray[np.uint64]:
    characters = Characters(" ".join(words))
    lengths = np.fromiter(map(len, words), np.intp, len(words))
    ends = np.cumsum(lengths + 1) - 1
    return _keys(characters.small, ends - lengths, ends)


_WORDS: Final = tuple(
    dict.fromkeys((*CLUE_WORDS, *sorted(BOILERPLATE.telling_words), *sorted(CONSENT.telling_words)))
)


@lru_cache(maxsize=32)
def _signs(languages: tuple[str, ...]) -> NDArray[np.uint8]:
    """The sign of each of ``_WORDS`` by its number, where these languages are read."""
    groups = (
        (FUNCTION, function_words(languages)),
        (PHRASE, BOILERPLATE.telling_words),
        (BANNER, CONSENT.telling_words),
    )
    signs = (sum(sign for sign, words in groups if word in words) for word in _WORDS)
    return np.fromiter((0, *signs), np.uint8, len(_WORDS) + 1)


@cache
def _vocabulary() -> _Vocabulary:
    return _Vocabulary(_keys_of(_WORDS))


@lru_cache(maxsize=32)
def _endings(languages: tuple[str, ...]) -> tuple[tuple[int, NDArray[np.uint64]], ...]:
    endings = function_endings(languages)
    lengths = sorted(set(map(len, endings)))
    return tuple((length, _keys_of([one for one in endings if len(one) == length])) for length in lengths)


class _Vocabulary:
    """Keys of words, each found by a slot of its own. A word's number is its key's place, from 1 on."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._factor = _FACTOR
        while len(np.unique(slots := self._slots(keys))) < len(keys):
            self._factor = np.uint64(int(self._factor) * _NEXT % 2**64)
        self._numbers = np.zeros(1 << _SLOT_BITS, np.uint16)
        self._numbers[slots] = np.arange(1, len(keys) + 1)
        self._keys = np.concatenate((np.zeros(1, np.uint64), keys))

    def numbers_of(self, keys: NDArray[np.uint64]) -> NDArray[np.uint16]:
        """The number of each of these keys, 0 for those that are not here."""
        numbers = self._numbers[self._slots(keys)]
        known: NDArray[np.uint16] = numbers * (self._keys[numbers] == keys)
        return known

    def _slots(self, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (keys * self._factor) >> np.uint64(64 - _SLOT_BITS)
