"""From text to its tokens: words, numbers and identifiers, and pairs of characters of unspaced scripts.

:func:`split_text` finds the tokens of one text, :func:`split_texts` the same ones in many texts by passes over all
their characters. There pairs are numbers and no strings: Chinese pages have thousands of different ones, of which a
question asks for ten.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from operator import add
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.folding import BORDER, codes_of, fold, fold_texts
from rag_service.retrieval.ranking_words import FUNCTION_PAIRS

Numbers = NDArray[np.int64]
Places = NDArray[np.intp]

# Blocks of scripts written without spaces between words, and Hangul, whose words carry their particles
# (https://www.unicode.org/Public/UCD/latest/ucd/Blocks.txt): Thai to Myanmar, Khmer, Hangul, kana, Han.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# What ``\w`` leaves out of words: marks that combine with a letter, as most vowels of Indic scripts do.
_MARK: Final = frozenset(
    chr(code)
    for first, last in ((0x300, 0x1DFF), (0x20D0, 0x20FF), (0xA600, 0xABFF), (0x11000, 0x11FFF))
    for code in range(first, last + 1)
    if unicodedata.category(chr(code)).startswith("M")
)
_LETTERS: Final = rf"[\w{''.join(map(re.escape, sorted(_MARK)))}]"
_WORD: Final = re.compile(rf"{_LETTERS}++(?:(?:[.,](?<=\d[.,])\d++)++|\+\+|#(?!\w))?+")
_NAME_PART: Final = re.compile("[^_]++")
_UNSPACED_RUN: Final = re.compile(f"([{_UNSPACED}]+)")
_RANGE: Final = re.compile("(.)-(.)")

# Kinds of characters in the table of all: what words may hold, and what makes a word be looked into.
_PART: Final = 1 << 0
_PAIRED: Final = 1 << 1
_DIGIT: Final = 1 << 2
_POINT: Final = 1 << 3
_SIGN: Final = 1 << 4
# No letter, digit or mark of a spaced script is beyond.
_ASSIGNED: Final = 0x33480
# The first character of a pair is so many times the second one's room; no word has so high a number.
_PAIR_BITS: Final = 21
FIRST_PAIR: Final = 1 << 32
"""From here on a token's number is that of a pair."""
# An odd number with many bits set, and how many bits of its product tell numbers apart at first.
_FACTOR: Final = 0x1E3779B97F4A7C15
_SLOT_SHIFT: Final = 40
_SLOTS: Final = 1 << 16


class Tokens(NamedTuple):
    """The tokens of texts, those of each text in their order behind those of the text before.

    ``ids`` has a number for each: the place of a word in ``words``, in which each word is once, or what
    :func:`pair_number` gives. ``lengths`` has how many tokens each text has.
    """

    words: list[str]
    ids: Numbers
    lengths: Numbers


def split_text(text: str) -> list[str]:
    """The tokens of a text."""
    tokens: list[str] = []
    for number, part in enumerate(_UNSPACED_RUN.split(fold(text))):
        if number % 2:
            tokens += _pairs(part)
        else:
            tokens += [part[start:end] for start, end in _spans(part, 0, len(part))]
    return tokens


def split_texts(texts: Sequence[str]) -> Tokens:
    """The tokens of texts, each as :func:`split_text` finds them."""
    folded = fold_texts(texts)
    codes = codes_of(folded)
    kinds = _kinds()[codes]
    places, ends = _word_spans(folded, kinds)
    ids, some = _numbered(codes, places, ends)
    words = _spelled(codes, places[some], ends[some])
    if (kinds & _PAIRED).any():
        pairs, their_places = _paired(codes, kinds)
        # Both stand in order already: a sort that merges is quick.
        places = np.concatenate((places, their_places))
        order = np.argsort(places, kind="stable")
        places, ids = places[order], np.concatenate((ids, pairs))[order]
    borders = np.flatnonzero(codes == ord(BORDER))
    until = np.append(np.searchsorted(places, borders), len(places))[: len(texts)]
    return Tokens(words, ids, np.diff(until, prepend=0))


def spelling_keys(codes: NDArray[np.uint32], starts: Places, ends: Places) -> NDArray[np.uint64]:
    """A key for each piece of a text between these places, the same for the same spelling and hardly for another.

    It is the sum of the characters times powers of a factor, modulo 2^64: no strings are made to compare them.
    """
    powers = np.multiply.accumulate(np.full(len(codes) + 1, _FACTOR, np.uint64))
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * powers[:-1], out=sums[1:])
    # The same word has higher powers the later it stands: all are brought to the highest.
    keys: NDArray[np.uint64] = (sums[ends] - sums[starts]) * powers[len(codes) - starts]
    return keys


def is_pair(token: str) -> bool:
    """Whether a token is a pair of characters of an unspaced script, or one such character that stood alone."""
    return len(token) <= 2 and _UNSPACED_RUN.match(token) is not None


def pair_number(pair: str) -> int:
    """The number of a pair in :class:`Tokens`, of a character that stood alone that with none behind it."""
    return ord(pair[0]) << _PAIR_BITS | ord(pair[1:] or "\0")


def pair_of(number: int) -> str:
    """The pair that has this number."""
    first, second = divmod(number, 1 << _PAIR_BITS)
    return chr(first) + (chr(second) if second else "")


def _spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The words of a piece of a folded text without unspaced scripts, and those that identifiers are made of."""
    for match in _WORD.finditer(text, start, end):
        parts = [part.span() for part in _NAME_PART.finditer(text, *match.span())]
        if len(parts) > 1:
            yield match.span()
        yield from parts


def _pairs(run: str) -> list[str]:
    if len(run) == 1:
        return [run]
    return [pair for pair in map(add, run, run[1:]) if pair not in FUNCTION_PAIRS]


@cache
def _kinds() -> NDArray[np.uint8]:
    """The kinds of each character of Unicode."""
    kinds = np.zeros(sys.maxunicode + 1, np.uint8)
    every = np.arange(_ASSIGNED, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for kind, pattern in ((_PART, f"{_LETTERS}+"), (_DIGIT, r"\d+")):
        for match in re.finditer(pattern, every):
            kinds[match.start() : match.end()] |= kind
    for match in _RANGE.finditer(_UNSPACED):
        kinds[ord(match.group(1)) : ord(match.group(2)) + 1] = _PAIRED
    kinds[codes_of(".,")] = _POINT
    kinds[codes_of("+#")] = _SIGN
    kinds[ord("_")] = _PART | _SIGN
    return kinds


def _word_spans(folded: str, kinds: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Where the tokens of spaced scripts start and end."""
    inside = np.zeros(len(kinds) + 2, np.bool_)
    inside[1:-1] = (kinds & (_PART | _SIGN)) != 0
    points = _decimal_points(kinds)
    inside[points + 1] = True
    borders = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = borders[::2], borders[1::2]
    # What holds more than letters and digits may be none, one or several tokens.
    plain = np.ones(len(starts), np.bool_)
    plain[np.searchsorted(starts, np.append(np.flatnonzero((kinds & _SIGN) != 0), points), "right") - 1] = False
    others = zip(starts[~plain].tolist(), ends[~plain].tolist(), strict=True)
    found = np.array([span for other in others for span in _spans(folded, *other)], np.intp).reshape(-1, 2)
    starts, ends = np.append(starts[plain], found[:, 0]), np.append(ends[plain], found[:, 1])
    order = np.argsort(starts, kind="stable")
    return starts[order], ends[order]


def _numbered(codes: NDArray[np.uint32], starts: Places, ends: Places) -> tuple[Numbers, Places]:
    """For each word between these places the number of all that are spelled like it, and for each number one word."""
    keys = spelling_keys(codes, starts, ends)
    order = np.argsort(keys)
    keys = keys[order]
    new = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers, order[new]


def _spelled(codes: NDArray[np.uint32], starts: Places, ends: Places) -> list[str]:
    """The words between these places, cut at once: each is written out with a blank behind it."""
    lengths = ends - starts + 1
    until = np.cumsum(lengths)
    written = np.repeat(starts - until + lengths, lengths) + np.arange(lengths.sum())
    letters = codes[np.minimum(written, len(codes) - 1)]
    letters[until - 1] = ord(" ")
    words: list[str] = letters.tobytes().decode("utf-32-le").split()
    return words


def _decimal_points(kinds: NDArray[np.uint8]) -> Places:
    """Where points and commas stand between digits."""
    points = np.flatnonzero((kinds & _POINT) != 0)
    points = points[(points > 0) & (points < len(kinds) - 1)]
    between: Places = points[((kinds[points - 1] & kinds[points + 1]) & _DIGIT) != 0]
    return between


def _paired(codes: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> tuple[Numbers, Places]:
    """The numbers of the pairs, without those that are grammar, and where each starts."""
    paired = np.zeros(len(kinds) + 2, np.bool_)
    paired[1:-1] = (kinds & _PAIRED) != 0
    after = paired[2:]
    places = np.flatnonzero(paired[1:-1] & (after | ~paired[:-2]))
    numbers = codes[places].astype(np.int64) << _PAIR_BITS
    followed = after[places]
    numbers[followed] |= codes[places[followed] + 1]
    left = np.ones(len(numbers), np.bool_)
    left[find_numbers(np.array(sorted(map(pair_number, FUNCTION_PAIRS))), numbers, slots_of(numbers))] = False
    return numbers[left], places[left]


def slots_of(numbers: Numbers) -> Numbers:
    """For each number a small one that few others have."""
    return (numbers * _FACTOR >> _SLOT_SHIFT) & (_SLOTS - 1)


def find_numbers(wanted: Numbers, numbers: Numbers, slots: Numbers) -> Places:
    """The places in ``numbers``, which have these ``slots``, of those that are ``wanted``, in ascending order."""
    having = np.zeros(_SLOTS, np.bool_)
    having[slots_of(wanted)] = True
    places = np.flatnonzero(having[slots])
    found = np.searchsorted(wanted, numbers[places])
    found[found == len(wanted)] = 0
    return places[wanted[found] == numbers[places]] if len(wanted) else places
