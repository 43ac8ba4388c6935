"""Lines of pages that were flattened without separators: ``SectionsSearchLog InThe first sentence.The second.``"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.banners import cut_banner, lines_with_banners
from rag_service.retrieval.boilerplate import BOILERPLATE
from rag_service.retrieval.characters import (
    APOSTROPHE,
    CLOSER,
    DIGIT,
    END,
    JOINT,
    LETTERS,
    LOWER,
    OPENER,
    SPACE,
    SYMBOL,
    UPPER,
    Characters,
    Places,
)
from rag_service.retrieval.language import UNSPACED, words_of
from rag_service.retrieval.page_words import PageWords

# Alphabets with two cases, up to the end of the Georgian block.
_UPPER: Final = "".join(letter for letter in map(chr, range(0x41, 0x1100)) if letter.isupper())

# The end of a sentence that touches the start of the next; not in 3.5, U.S.A., e.g., example.com or node.js.
_SENTENCE_JOIN: Final = re.compile(rf"[.!?…][\"”’»)]?(?=[{_UPPER}]|[\"“‘„«¿¡(]\w)(?![{_UPPER}]\w*\()")
_MARK_JOIN: Final = re.compile(r"[؟۔।](?=\w)")
_COPYRIGHT_JOIN: Final = re.compile(r"[\w.!?。！？](?=©)")
_SPACE_MARKS: Final = ("   ", "\t", "\xa0")
_UNSPACED_LETTER: Final = re.compile(f"[{UNSPACED}]")
_NAME: Final = re.compile(r"\w+")
# Words of one letter that a sentence begins with, in languages with capitals.
_ONE_LETTER_WORDS: Final = frozenset("AIEOYÀÈÉÓАВИКОСУЯЄІ")

_SCRIPT_SHARE: Final = 0.12
# What is quoted is seldom longer.
_QUOTE_CHARACTERS: Final = 2_000
# Lines shorter than this are not looked into; so many words make a piece that may be text.
_LONG_LINE: Final = 60
_PIECE_WORDS: Final = 6
# So many short pieces in a row are a menu.
_MENU_PIECES: Final = 3
# Kinds of borders: certain ones, those that may be inside a name, and between runs of spaces.
_CUT: Final = 0
_JOIN: Final = 1
_GAP: Final = 2


def cut_glued(characters: Characters, starts: Places, words: PageWords) -> list[int]:
    """Where to cut lines that start at ``starts``: between sentences that touch, around menus and banners.

    A name with a capital inside is no cut: only runs of at least three short pieces without the end of a sentence
    are set apart, or phrases of pages. Text that was not glued comes back uncut.
    """
    text = characters.text
    asking = lines_with_banners(characters, starts, words)
    lengths = np.diff(starts, append=len(text))
    symbols = np.searchsorted(characters.places(SYMBOL), np.append(starts, len(text)))
    # Of a script no piece is kept.
    written = np.diff(symbols) < _SCRIPT_SHARE * lengths
    found: dict[int, list[tuple[int, int]]] = {number: [] for number in asking}
    for kind, places, least in (
        (_JOIN, _joins(characters), _LONG_LINE),
        (_CUT, np.array(list(_sentence_joins(characters)), np.intp), _LONG_LINE),
        (_CUT, np.array(list(_copyright_joins(text)), np.intp), 0),
        (_GAP, _gaps(characters), 2 * _LONG_LINE),
    ):
        numbers = np.searchsorted(starts, places, side="right") - 1
        long = (lengths >= least)[numbers] & written[numbers]
        for at, number in zip(places[long].tolist(), numbers[long].tolist(), strict=True):
            found.setdefault(number, []).append((at, kind))
    cuts: list[int] = []
    for number in sorted(found):
        start = int(starts[number])
        line = text[start : start + int(lengths[number])]
        borders = [(at - start, kind) for at, kind in found[number]]
        if number in asking:
            borders += [(at, _CUT) for at in cut_banner(line)]
        cuts += [start + at for at in _cuts_of(line, borders)]
    return cuts


def _joins(characters: Characters) -> Places:
    """Capitals that touch what seems to be the end of another piece: a small letter, a digit, a bracket."""
    marks = characters.marks
    capitals = characters.places(UPPER)
    touched = (marks[capitals - 1] & (LOWER | DIGIT | JOINT)) != 0
    capitals = capitals[touched & (capitals > 0)]
    followed = (marks[np.minimum(capitals + 1, len(marks) - 1)] & (LETTERS | APOSTROPHE | SPACE)) != 0
    joins: Places = capitals[followed]
    return joins


def _sentence_joins(characters: Characters) -> Iterator[int]:
    """Ends of sentences that touch the start of the next."""
    text, marks = characters.text, characters.marks
    last = len(marks) - 1
    stops = characters.places(END)
    after, second = marks[np.minimum(stops + 1, last)], marks[np.minimum(stops + 2, last)]
    begun = ((after & (UPPER | OPENER)) != 0) | (((after & CLOSER) != 0) & ((second & (UPPER | OPENER)) != 0))
    for at in stops[begun].tolist():
        match = _SENTENCE_JOIN.match(text, at)
        if match and _ends_word(text, match):
            yield match.end() + _closes_german(text, match.end())
    yield from _caseless_joins(marks, stops)
    if any(map(text.__contains__, "؟۔।")):
        yield from (match.end() for match in _MARK_JOIN.finditer(text))


def _closes_german(text: str, at: int) -> bool:
    """Whether the mark here, which opens a quote in English, closes a German one."""
    first = max(0, at - _QUOTE_CHARACTERS)
    return text[at] == "“" and text.rfind("„", first, at) > text.rfind("“", first, at)


def _caseless_joins(marks: NDArray[np.uint32], stops: Places) -> list[int]:
    """Full stops between words of alphabets that have no capitals, of two letters at least each."""
    inner = stops[(stops >= 2) & (stops + 2 < len(marks))]
    for step in (-2, -1, 1, 2):
        inner = inner[(marks[inner + step] & (LETTERS | UPPER | LOWER)) == LETTERS]
    joins: list[int] = (inner + 1).tolist()
    return joins


def _copyright_joins(text: str) -> Iterator[int]:
    at = text.find("©")
    while at >= 0:
        match = _COPYRIGHT_JOIN.match(text, at - 1) if at else None
        if match and (match.group() not in ".!?" or _ends_word(text, match)):
            yield at
        at = text.find("©", at + 1)


def _gaps(characters: Characters) -> Places:
    """Ends of runs of at least three blanks."""
    if not any(map(characters.text.__contains__, _SPACE_MARKS)):
        return np.zeros(0, np.intp)
    blanks = np.zeros(len(characters.marks) + 3, np.bool_)
    blanks[3:] = (characters.codes == ord(" ")) | (characters.codes == ord("\t")) | (characters.codes == 0xA0)
    return np.flatnonzero(blanks[:-3] & blanks[1:-2] & blanks[2:-1] & ~blanks[3:])


def _ends_word(text: str, match: re.Match[str]) -> bool:
    """Whether what stands before the join is a word of two letters or more, no capitals, or a closing mark."""
    before = text[max(0, match.start() - 2) : match.start()]
    return len(match.group()) > 1 or (len(before) == 2 and before.isalpha() and before == before.lower())


def _cuts_of(line: str, borders: Sequence[tuple[int, int]]) -> list[int]:
    """Which of its possible borders a line is cut at."""
    cuts = {at for at, kind in borders if kind != _JOIN}
    places = sorted({at for at, _ in borders})
    for start, end in _menus(line, [0, *places, len(line)]):
        cuts |= {start, end}
    return sorted(cuts - {0, len(line)})


def _menus(line: str, borders: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of short pieces between these borders, and pieces that are phrases of pages and nothing else."""
    run: list[int] = []
    mixed = not line.isascii() and _UNSPACED_LETTER.search(line) is not None
    for start, end in zip(borders, [*borders[1:], len(line) + 1], strict=True):
        piece = line[start:end]
        letter = _UNSPACED_LETTER.search(piece, 0, _LONG_LINE) if mixed else None
        head = piece[: letter.start()] if letter else piece
        if _is_short(head):
            run.append(start)
            if not letter:
                continue
            # The last of the words before the letter may be the first of its sentence: it is counted, but not cut.
        if run:
            yield from _menus_of(line, run, start)
            run = []


def _is_short(piece: str) -> bool:
    words = len(piece.split(None, _PIECE_WORDS))
    return 0 < words < _PIECE_WORDS and not piece.rstrip().endswith((".", ",", ";"))


def _menus_of(line: str, run: list[int], end: int) -> Iterator[tuple[int, int]]:
    """What of a run of short pieces, which start at these places and end at ``end`` or before, is a menu."""
    places = [*run, end] if run[-1] < end else run
    if len(run) >= _MENU_PIECES:
        yield run[0], _before_name(line, places)
        return
    for start, stop in pairwise(places):
        words = words_of(line[start:stop])
        if words and BOILERPLATE.words_covered(words) == len(words):
            yield start, stop


def _before_name(line: str, places: list[int]) -> int:
    """Where a menu ends: before its last piece if that is half of a name, which the line has again or goes on so."""
    end = places[-1]
    if end - places[-2] >= _LONG_LINE or not line[end - 1 : end + 1].isalnum():
        return end
    name, rest = _NAME.match(line, places[-2]), _NAME.match(line, end)
    again = name is not None and name.end() > end and line.count(name.group()) > 1
    single = rest is not None and len(rest.group()) == 1 and rest.group() not in _ONE_LETTER_WORDS
    return places[-2] if again or single else end
