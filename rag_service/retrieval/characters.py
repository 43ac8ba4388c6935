"""The characters of a text, each with marks of what it is.

A page of a megabyte has ten thousand lines: what is told from characters is told for all of them by a few passes over
the whole text, and each line is looked into only where a mark says that there is something to find.
"""

from __future__ import annotations

import re
import sys
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.folding import codes_of
from rag_service.retrieval.language import LETTER, SCRIPT_RANGES, UNSPACED_SCRIPTS

Places = NDArray[np.intp]

SPACE: Final = 1 << 0
BREAK: Final = 1 << 1
LETTERS: Final = 1 << 2
UPPER: Final = 1 << 3
LOWER: Final = 1 << 4
DIGIT: Final = 1 << 5
UNSPACED: Final = 1 << 6
END: Final = 1 << 7
"""Ends a sentence if white space follows."""
MARK_END: Final = 1 << 8
"""Ends a sentence, in scripts whose marks serve for nothing else."""
CLAUSE_END: Final = 1 << 9
CLOSER: Final = 1 << 10
OPENER: Final = 1 << 11
JOINT: Final = 1 << 12
"""What stands before a capital where two pieces of text touch, beside small letters and digits."""
SYMBOL: Final = 1 << 13
BRACE: Final = 1 << 14
SEPARATOR: Final = 1 << 15
PARENTHESIS: Final = 1 << 16
COLON: Final = 1 << 17
VALUE_MARK: Final = 1 << 18
HASH: Final = 1 << 19
FENCE: Final = 1 << 20
PIPE: Final = 1 << 21
TAB: Final = 1 << 22
BULLET: Final = 1 << 23
"""What a list item may begin with, letters left out."""
APOSTROPHE: Final = 1 << 24
WIDE_PUNCTUATION: Final = 1 << 25
PUNCTUATION: Final = 1 << 26
STOPLESS: Final = 1 << 27
"""Letters of scripts that set no mark at the end of a sentence, or seldom."""
UNTOLD: Final = 1 << 28
"""Letters of scripts without spaces for which no function characters are known."""
UNDERLINE: Final = 1 << 29
CODE_MARK: Final = 1 << 30
ODD_SPACE: Final = 1 << 31
"""White space inside of lines that is no blank."""

_SETS: Final = {
    BREAK: "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029",
    END: ".!?…",
    MARK_END: "。！？｡؟۔।॥។៕။",
    CLAUSE_END: ",;:—–，、；：،؛၊",
    CLOSER: "\"'”’»」』）)]*",
    OPENER: '"“‘„«¿¡(',
    JOINT: ")»”:",
    SYMBOL: "{}()[]=<>;_\\|&",
    BRACE: "{}",
    SEPARATOR: "|›»/•·>",
    PARENTHESIS: "(",
    COLON: ":：=",
    VALUE_MARK: ",;",
    HASH: "#",
    FENCE: "`~",
    PIPE: "|",
    TAB: "\t",
    BULLET: "•‣◦▪▫●○■□∙※◆◇►▶✓✔☐☑①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳（(一二三四五六七八九十-*+–—·",
    APOSTROPHE: "'’",
    WIDE_PUNCTUATION: "。，、；：！？،؛؟।۔",
    PUNCTUATION: ",.;:!?…",
    UNDERLINE: "=-~^",
    CODE_MARK: "=@(;{}",
}
_STOPLESS_SCRIPTS: Final = ("Thai", "Lao", "Khmer", "Myanmar")
_UNTOLD_SCRIPTS: Final = ("Lao", "Khmer", "Myanmar")
# No alphabet with two cases that occurs on pages lies beyond the first, and no letter at all beyond the second.
_CASED: Final = 0x2000
_ASSIGNED: Final = 0x33480
_RANGE: Final = re.compile("(.)-(.)|.", re.DOTALL)


def _make_marks() -> NDArray[np.uint32]:
    marks = np.zeros(sys.maxunicode + 1, np.uint32)
    every = np.arange(_ASSIGNED, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for mark, pattern in ((SPACE, r"\s+"), (LETTERS, f"(?:{LETTER})+"), (DIGIT, r"\d+")):
        for match in re.finditer(pattern, every):
            marks[match.start() : match.end()] |= mark
    cased = every[:_CASED]
    marks[[code for code, character in enumerate(cased) if character.isupper()]] |= UPPER
    marks[[code for code, character in enumerate(cased) if character.islower()]] |= LOWER
    for mark, characters in _SETS.items():
        marks[codes_of(characters)] |= mark
    for mark, scripts in ((UNSPACED, UNSPACED_SCRIPTS), (STOPLESS, _STOPLESS_SCRIPTS), (UNTOLD, _UNTOLD_SCRIPTS)):
        for match in _RANGE.finditer("".join(SCRIPT_RANGES[script] for script in sorted(scripts))):
            marks[ord(match.group()[0]) : ord(match.group()[-1]) + 1] |= mark
    odd = (marks & (SPACE | BREAK)) == SPACE
    odd[ord(" ")] = False
    marks[odd] |= ODD_SPACE
    return marks


def _make_small() -> NDArray[np.uint32]:
    """For each character its small letter, and the straight apostrophe for the other."""
    small = np.arange(sys.maxunicode + 1, dtype=np.uint32)
    for code in range(_CASED):
        lowered = chr(code).lower()
        if len(lowered) == 1:
            small[code] = ord(lowered)
    small[ord("’")] = ord("'")
    return small


_MARKS: Final = _make_marks()
_SMALL: Final = _make_small()


def merge_places(*groups: Places) -> Places:
    """All these places in one ascending order; each group is in its own already."""
    return np.sort(np.concatenate(groups), kind="stable")


class Characters:
    """A text as an array of marks, one for each of its characters: sums of the constants of this module."""

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self.codes: Final = codes_of(text)
        self.marks: Final[NDArray[np.uint32]] = _MARKS.take(self.codes)
        self._places: Final[dict[int, Places]] = {}

    @cached_property
    def small(self) -> NDArray[np.uint32]:
        """The characters in lower case, where that is one character, with straight apostrophes."""
        small: NDArray[np.uint32] = _SMALL.take(self.codes)
        return small

    @cached_property
    def _all(self) -> int:
        return int(np.bitwise_or.reduce(self.marks)) if len(self.marks) else 0

    def has(self, mark: int) -> bool:
        """Whether any character has one of these marks."""
        return bool(self._all & mark)

    @cached_property
    def solid(self) -> Places:
        """Where the characters stand that are no white space."""
        return np.flatnonzero((self.marks & SPACE) == 0)

    def places(self, mark: int) -> Places:
        """Where the characters with one of these marks stand."""
        if mark not in self._places:
            self._places[mark] = np.flatnonzero((self.marks & mark) != 0)
        return self._places[mark]


def line_starts(characters: Characters) -> Places:
    """Where the lines of a text start, as ``str.splitlines`` cuts them."""
    codes = characters.codes
    starts = np.flatnonzero((characters.marks & BREAK) != 0) + 1
    if "\r" in characters.text:
        inner = starts < len(codes)
        inner[inner] = (codes[starts[inner]] == ord("\n")) & (codes[starts[inner] - 1] == ord("\r"))
        starts = starts[~inner]
    starts = starts[starts < len(codes)]
    return np.concatenate((np.zeros(min(1, len(codes)), np.intp), starts))


class Pieces:
    """Pieces of a text in their order: each of ``texts`` stands in it at its offset in ``starts``.

    What lies between two pieces is counted to the first and must be white space.
    """

    def __init__(self, characters: Characters, starts: Places, texts: list[str]) -> None:
        self.characters: Final = characters
        self.starts: Final = starts
        self.texts: Final = texts
        self.lengths: Final[Places] = np.fromiter(map(len, texts), np.intp, len(texts))

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def marks(self) -> NDArray[np.uint32]:
        """For each piece the marks of all its characters together."""
        if not len(self.starts):
            return np.zeros(0, np.uint32)
        together: NDArray[np.uint32] = np.bitwise_or.reduceat(self.characters.marks, self.starts)
        return together

    def have(self, mark: int) -> NDArray[np.bool_]:
        """For each piece whether a character of it has one of these marks."""
        having: NDArray[np.bool_] = (self.marks & mark) != 0
        return having

    def count(self, places: Places) -> Places:
        """For each piece how many of these places, in ascending order, are in it."""
        before = np.searchsorted(places, self._borders)
        return before[1:] - before[:-1]

    @cached_property
    def _borders(self) -> Places:
        return np.append(self.starts, len(self.characters.codes))

    @cached_property
    def firsts(self) -> Places:
        """For each piece the place of its first character that is no white space, or its end."""
        firsts = self.starts.copy()
        inside = np.minimum(firsts, max(0, len(self.characters.marks) - 1))
        for at in np.flatnonzero((self.characters.marks[inside] & SPACE) != 0).tolist():
            firsts[at] += len(self.texts[at]) - len(self.texts[at].lstrip())
        return firsts

    @cached_property
    def gaps(self) -> NDArray[np.bool_]:
        """For each piece whether two blanks stand side by side in it or behind it."""
        blank = self.characters.codes == ord(" ")
        having: NDArray[np.bool_] = self.count(np.flatnonzero(blank[1:] & blank[:-1])) > 0
        return having

    @cached_property
    def ends(self) -> Places:
        """For each piece the place behind its last character."""
        return self.starts + self.lengths


def cut_pieces(characters: Characters, borders: Places) -> Pieces:
    """The pieces of a text from border to border that are not blank, without the white space at their end."""
    solid = characters.solid
    first = np.searchsorted(solid, borders)
    after = np.append(first[1:], len(solid))
    filled = first < after
    starts, ends = borders[filled], solid[after[filled] - 1] + 1
    text = characters.text
    texts = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return Pieces(characters, starts, texts)


def pieces_of(texts: list[str]) -> Pieces:
    """Pieces that are not parts of one text, such as the blocks of a page."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    starts = np.cumsum(lengths + 1) - lengths - 1
    return Pieces(Characters("\n".join(texts) + "\n" if texts else ""), starts, texts)
