"""What passages are compared by to find near copies: runs of three words, or of six characters."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.folding import BORDER, codes_of
from rag_service.retrieval.tokens import Places, spelling_keys

Shingle = str | tuple[str, ...]
Keys = NDArray[np.uint64]

SHINGLE_WORDS: Final = 3
SHINGLE_CHARACTERS: Final = 6
# From this share of characters beyond the last block of alphabets on, a text is shingled by characters.
_UNSPACED_SHARE: Final = 0.3
_WORD: Final = re.compile(r"\w+")
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]+"
)
# An odd number that makes one key of several, and the bits of a key by which it is looked up.
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_SLOT_BITS: Final = 18
# No letter or digit is beyond.
_ASSIGNED: Final = 0x40000


def shingles_of(text: str) -> frozenset[Shingle]:
    """The runs of three words of a folded text, or of six characters where a script sets no spaces.

    A shorter text is one shingle. Digits count as they are.
    """
    words = _WORD.findall(text)
    if not text.isascii():
        letters = "".join(words)
        if sum(map(len, _UNSPACED.findall(letters))) >= _UNSPACED_SHARE * max(1, len(letters)):
            return frozenset(_runs(letters, SHINGLE_CHARACTERS)) or frozenset({letters})
    return frozenset(zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False)) or frozenset(
        {tuple(words)}
    )


class QuickTest:
    """Which of some folded texts may share how many shingles: told from numbers that a few others may have too."""

    def __init__(self, texts: Sequence[str]) -> None:
        codes = codes_of(BORDER.join(texts))
        number_of = np.cumsum(codes == ord(BORDER))
        letters, unspaced = (table.take(codes) for table in _letters())
        keys, owners = _word_runs(codes, letters, number_of)
        if unspaced.any():
            sizes = np.bincount(number_of[letters], minlength=len(texts))
            share_of = np.bincount(number_of[unspaced], minlength=len(texts)) / np.maximum(1, sizes)
            by_character = share_of >= _UNSPACED_SHARE
            words, characters = ~by_character[owners], letters & by_character[number_of]
            runs, runs_of = _joined(codes[characters].astype(np.uint64), number_of[characters], SHINGLE_CHARACTERS)
            keys, owners = np.append(keys[words], runs), np.append(owners[words], runs_of)
        self._slots: Final = (keys >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)
        self._owners: Final = owners
        self._count: Final = len(texts)

    def repeating(self, share: float) -> list[bool]:
        """For each text whether at least ``share`` of its shingles may be in texts before it.

        What a text has again counts as if it were in one before, so that no text is ruled out that has so many.
        """
        first = np.empty(1 << _SLOT_BITS, np.int32)
        places = np.arange(len(self._slots), dtype=np.int32)
        # Of places with one slot the last that is written stays: the first.
        first[self._slots[::-1]] = places[::-1]
        again = np.bincount(self._owners[first[self._slots] != places], minlength=self._count)
        total = np.bincount(self._owners, minlength=self._count)
        likely: list[bool] = ((total == 0) | (again >= share * total)).tolist()
        return likely

    def alike(self, number: int, share: float) -> list[int]:
        """The numbers of the texts before a text that may have at least ``share`` of its shingles."""
        own = np.unique(self._slots[self._owners == number])
        if not len(own):  # too short a text to be looked up
            return list(range(number))
        having = np.zeros(1 << _SLOT_BITS, np.bool_)
        having[own] = True
        shared = np.bincount(self._owners[having[self._slots]], minlength=self._count)[:number]
        alike: list[int] = np.flatnonzero(shared >= share * len(own)).tolist()
        return alike


def _word_runs(codes: NDArray[np.uint32], letters: NDArray[np.bool_], number_of: Places) -> tuple[Keys, Places]:
    """Keys of the runs of words between characters that are no letters, and the number of the text of each."""
    starts = np.flatnonzero(letters & ~np.append(False, letters[:-1]))
    ends = np.flatnonzero(letters & ~np.append(letters[1:], False)) + 1
    return _joined(spelling_keys(codes, starts, ends), number_of[starts], SHINGLE_WORDS)


def _joined(keys: Keys, owners: Places, length: int) -> tuple[Keys, Places]:
    """One key for each run of ``length`` keys of one owner, and the owners of these."""
    count = max(0, len(keys) - length + 1)
    joined = np.zeros(count, np.uint64)
    for start in range(length):
        joined = joined * _FACTOR + keys[start : start + count]
    whole = owners[:count] == owners[length - 1 : length - 1 + count]
    return joined[whole] * _FACTOR, owners[:count][whole]


@cache
def _letters() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each character whether it is of a word, and whether of an unspaced script's."""
    every = np.arange(_ASSIGNED, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    tables = np.zeros((2, sys.maxunicode + 1), np.bool_)
    for table, pattern in zip(tables, (_WORD, _UNSPACED), strict=True):
        for match in pattern.finditer(every):
            table[match.start() : match.end()] = True
    tables[1] &= tables[0]
    return tables[0], tables[1]


def _runs(text: str, length: int) -> Iterable[str]:
    return (text[start : start + length] for start in range(len(text) - length + 1))
