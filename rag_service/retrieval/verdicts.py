"""Which lines of a page are worth reading, by their measures, their shape and their neighbours.

Short lines between prose belong to it, short lines among menus do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from statistics import median
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.banners import is_banner
from rag_service.retrieval.boilerplate import BOILERPLATE, squeeze
from rag_service.retrieval.characters import (
    BRACE,
    CLAUSE_END,
    CODE_MARK,
    DIGIT,
    PARENTHESIS,
    SEPARATOR,
    Pieces,
    pieces_of,
)
from rag_service.retrieval.language import words_of
from rag_service.retrieval.measures import Measures, measure
from rag_service.retrieval.page_words import PageWords
from rag_service.retrieval.types import BlockKind

Verdict = Literal["good", "near", "short", "bad"]
_OPEN: Final = frozenset({"near", "short"})

_LINK_ITEM: Final = re.compile(r"\s*(?:[-*+•]\s*)?!?\[[^\]]*\]\([^)]*\)[\s|·,]*(?:!?\[[^\]]*\]\([^)]*\)[\s|·,]*)*$")
_COUNTED: Final = re.compile(r"[^.!?]{1,60}\(\d+\)\W*$")
_SEPARATORS: Final = re.compile(r"\s[|›»/•·>]\s|[›»|]\s*$|\s(?:»|›)")
_JOINS: Final = 2
# A year or a time of day: what stands beside the headlines of other pages.
_DATE: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}:\d\d")
_FACT: Final = re.compile(r"\d|[,:：，、][\s\w]")
_SCRIPT: Final = re.compile(
    r"window\.\w+\s*=|document\.(?:write|createElement|getElement|querySelector|addEventListener)|dataLayer|googletag"
    r"|\bgtag\(|\bfbq\(|_gaq|adsbygoogle|\"@context\"|\.push\(\s*[\[{(]|!function|\(function\s?\(|addEventListener\("
    r"|use strict|@media\b|!important|@font-face|\.src\s*=|var _\w+\s*=|__NEXT_DATA__|function\(\)\{"
)
_STYLE_RULE: Final = re.compile(r"\{[^{}]*[\w-]\s*:\s*[^{};]+[^{}]*\}")

# Words of a line that is a sentence even without its end, and of one that is a sentence if it has one.
_LONG_WORDS: Final = 20
_SENTENCE_WORDS: Final = 8
_SHORT_SENTENCE_WORDS: Final = 4
# Marks of clauses and of its end in a long sentence that lists names, with few function words.
_LONG_SENTENCE_MARKS: Final = 2
# Function words by word of lines that read as sentences, where the page has too few such lines to tell.
_USUAL_DENSITY: Final = 0.25
_LEAST_SENTENCES: Final = 3
_GOOD_OF_USUAL: Final = 0.5
_NEAR_OF_USUAL: Final = 0.3
# Among words, by their coverage with phrases of pages.
_PHRASE_COVERAGE: Final = 0.5
_PHRASE_WORDS: Final = 15
_SCRIPT_MARK: Final = re.compile(r"[{};=()]")
_MINIFIED_CHARACTERS: Final = 300
_SCRIPT_SHARE: Final = 0.05
_SYMBOL_SHARE: Final = 0.12
# Short lines in a row that prose on both sides may keep; more are a menu.
_SHORT_RUN: Final = 4
_LISTED_RUN: Final = 30
_HEADING_DISTANCE: Final = 2
_VERSE_RUN: Final = 3
_VERSE_SHARE: Final = 0.3
_TELLING_SHARE: Final = 0.4


def judge_lines(
    lines: Sequence[str], kinds: Sequence[BlockKind], barred: Sequence[str]
) -> tuple[list[bool], list[str]]:
    """Whether each line of a page is worth reading, and why not.

    Lines are those of one page in their order, with their kinds. One that is ``barred`` for a reason is bad for it.
    Where nothing looks like text, all stay that are not certainly something else.
    """
    pieces = pieces_of(list(lines))
    return judge_pieces(pieces, PageWords(pieces.characters), kinds, barred)


def judge_pieces(
    pieces: Pieces, words: PageWords, kinds: Sequence[BlockKind], barred: Sequence[str]
) -> tuple[list[bool], list[str]]:
    """:func:`judge_lines` for lines that are pieces of one text, with its words."""
    if not len(pieces):
        return [], []
    lines = _Lines(pieces, kinds, measure(pieces, words))
    for at, reason in enumerate(barred):
        if reason:
            lines.verdicts[at], lines.reasons[at] = "bad", reason
    for at, reason in lines.unwanted():
        if not barred[at]:
            lines.verdicts[at], lines.reasons[at] = "bad", reason
    lines.judge_structures()
    kept = lines.judge_neighbours()
    return (kept if any(kept) else [verdict != "bad" for verdict in lines.verdicts]), lines.reasons


def _is_fact(text: str, words: int) -> bool:
    return words > 1 and _FACT.search(text.strip()) is not None and _DATE.search(text) is None


class _Lines:
    """The lines of a page while they are judged."""

    def __init__(self, pieces: Pieces, kinds: Sequence[BlockKind], measures: Measures) -> None:
        self._texts: Final = pieces.texts
        self._kinds: Final = kinds
        self._pieces: Final = pieces
        self._measures: Final = measures
        self._marked: Final[list[bool]] = pieces.have(DIGIT | CLAUSE_END).tolist()
        self._words: Final[list[int]] = measures.words.tolist()
        self._stops: Final[list[int]] = measures.stops.tolist()
        self._sentence: Final[list[bool]] = measures.sentence.tolist()
        self._clause: Final[list[bool]] = measures.clause.tolist()
        numbers = _verdicts(measures).tolist()
        self.verdicts: Final[list[Verdict]] = [_VERDICTS[number][0] for number in numbers]
        self.reasons: Final[list[str]] = [_VERDICTS[number][1] for number in numbers]

    def unwanted(self) -> Iterator[tuple[int, str]]:
        """The numbers of the lines that are certainly none of the page's text, and why; the last reason counts."""
        pieces, measures, texts = self._pieces, self._measures, self._texts
        short = measures.words <= _PHRASE_WORDS
        rows = measures.joins >= np.where(measures.words > _JOINS, _JOINS, _JOINS + 1)
        yield from ((at, "a row of links") for at in _numbers(short & rows & (measures.punctuation == 0)))
        for at in _numbers(short & pieces.have(SEPARATOR) & ~measures.sentence):
            if self._kinds[at] != "table" and len(_SEPARATORS.findall(texts[at].strip())) >= 2:
                yield at, "a row of links"
        for at in _numbers(short & pieces.have(PARENTHESIS)):
            if _is_link(texts[at].strip()):
                yield at, "a link"
        for at in _numbers(short & measures.may_phrase):
            if _is_phrase(texts[at].strip().lower(), self._sentence[at]):
                yield at, "a phrase of pages"
        for at in _numbers(measures.may_banner):
            if reason := is_banner(texts[at].strip()):
                yield at, reason
        symbols = pieces.have(CODE_MARK) & (measures.symbols >= _SCRIPT_SHARE * pieces.lengths)
        for at in _numbers(symbols | pieces.have(BRACE)):
            if reason := _unwanted_script(texts[at].strip(), int(measures.symbols[at])):
                yield at, reason

    def judge_structures(self) -> None:
        """Rows of tables, code, and rows of data are kept whatever their words are."""
        start = 0
        for kind, group in groupby(self._kinds):
            end = start + len(list(group))
            if kind != "prose":
                self._judge_structure(start, end, kind)
            start = end

    def _judge_structure(self, start: int, end: int, kind: BlockKind) -> None:
        verdicts, size = self.verdicts, end - start
        if kind in ("list", "heading"):
            for at in range(start, end):
                if verdicts[at] == "short" and self._words[at] >= _SHORT_SENTENCE_WORDS:
                    verdicts[at] = "near"
        elif verdicts[start:end].count("bad") <= size / 2 and (size > 1 or kind == "code"):
            for at in range(start, end):
                if verdicts[at] != "bad" or kind == "table":
                    verdicts[at] = "near" if kind == "data" and size < 3 else "good"

    def judge_neighbours(self) -> list[bool]:
        """Which lines stay, by what is around them."""
        verdicts = self.verdicts
        kept = [verdict == "good" for verdict in verdicts]
        for start, end in _runs_of(verdicts):
            before = start > 0 and verdicts[start - 1] == "good"
            after = end < len(verdicts) and verdicts[end] == "good"
            size = end - start
            listed = before and self._texts[start - 1].rstrip().endswith((":", "："))
            if (
                (before and after and size <= _SHORT_RUN)
                or (listed and size <= _LISTED_RUN)
                or ((before or after) and self._tells(start, end))
                or self._is_verse(start, end)
            ):
                kept[start:end] = [True] * size
                continue
            for at in range(start, end):
                leads = after and end - at <= _HEADING_DISTANCE
                follows = before and at - start < _HEADING_DISTANCE
                if verdicts[at] == "near":
                    kept[at] = self._sentence[at] or leads or follows
                else:  # the heading of what follows
                    kept[at] = leads and not self._sentence[at] and self._words[at] > 0
        return kept

    def _is_verse(self, start: int, end: int) -> bool:
        """Whether lines that are short by themselves are text together: verses, dialogue, short answers."""
        size = end - start
        if size < _VERSE_RUN or sum(self._clause[start:end]) < _VERSE_SHARE * size:
            return False
        stops, words = self._stops, self._words
        near = sum(
            1
            for at in range(start, end)
            if self.verdicts[at] == "near" or (stops[at] and words[at] >= _SHORT_SENTENCE_WORDS)
        )
        return near >= 0.6 * size

    def _tells(self, start: int, end: int) -> bool:
        """Whether short lines hold facts, as ingredients, specifications and results do and menus do not."""
        if end - start < _VERSE_RUN:
            return False
        facts = sum(
            self._kinds[at] == "list" or (self._marked[at] and _is_fact(self._texts[at], self._words[at]))
            for at in range(start, end)
        )
        return facts >= _TELLING_SHARE * (end - start)


def _numbers(which: NDArray[np.bool_]) -> list[int]:
    numbers: list[int] = np.flatnonzero(which).tolist()
    return numbers


def _usual_density(measures: Measures) -> float:
    """Function words by word in the lines that read as sentences, whatever the language."""
    told = measures.sentence & (measures.words >= _SENTENCE_WORDS + 2) & np.isfinite(measures.density)
    sentences: list[float] = measures.density[told].tolist()
    if len(sentences) < _LEAST_SENTENCES:
        return min([_USUAL_DENSITY, *sentences])
    return median(sentences)


_VERDICTS: Final[tuple[tuple[Verdict, str], ...]] = (
    ("short", "a short line, and no text around it"),
    ("good", ""),
    ("near", "no sentence, and no text around it"),
    ("near", "a short line, and no text around it"),
    ("bad", "long, with hardly a function word"),
)


def _verdicts(measures: Measures) -> NDArray[np.intp]:
    """What each line is by itself, as numbers of ``_VERDICTS``."""
    usual = _usual_density(measures)
    good, near = measures.density >= _GOOD_OF_USUAL * usual, measures.density >= _NEAR_OF_USUAL * usual
    words, sentence, marked = measures.words, measures.sentence, measures.punctuation > 0
    listed = measures.punctuation >= _LONG_SENTENCE_MARKS
    verdicts: NDArray[np.intp] = np.select(
        [
            (words >= _LONG_WORDS) & good & (sentence | marked),
            (words >= _SENTENCE_WORDS) & good & sentence,
            (words >= _SENTENCE_WORDS) & near & (sentence | marked | (measures.small >= 0.5)),
            (words >= _LONG_WORDS) & sentence & listed & (measures.density > 0),
            (words >= _SHORT_SENTENCE_WORDS) & near & measures.clause,
            (words >= _LONG_WORDS) & (measures.punctuation < 2),
        ],
        [1, 1, 2, 2, 3, 4],
        0,
    )
    return verdicts


def _unwanted_script(stripped: str, symbols: int) -> str:
    if not _SCRIPT_MARK.search(stripped):
        return ""
    if symbols >= _SCRIPT_SHARE * len(stripped) and _SCRIPT.search(stripped):
        return "a script of the page"
    if len(stripped) > _MINIFIED_CHARACTERS and symbols >= _SYMBOL_SHARE * len(stripped):
        return "a script of the page"
    if "{" in stripped and sum(map(len, _STYLE_RULE.findall(stripped))) > len(stripped) / 2:
        return "a style sheet of the page"
    return ""


@lru_cache(maxsize=4096)
def _is_phrase(lowered: str, sentence: bool) -> bool:
    words = words_of(lowered)
    covered = BOILERPLATE.words_covered(words)
    if words and covered >= _PHRASE_COVERAGE * len(words):
        return True
    if not lowered.isascii():
        letters = squeeze(lowered)
        if BOILERPLATE.characters_covered("".join(lowered.split())) >= _PHRASE_COVERAGE * len(letters) > 0:
            return True
    return covered > 0 and not sentence and covered >= len(words) / 4


def _is_link(stripped: str) -> bool:
    return "(" in stripped and (_LINK_ITEM.match(stripped) or _COUNTED.match(stripped)) is not None


def _runs_of(verdicts: Sequence[Verdict]) -> Iterator[tuple[int, int]]:
    """Runs of lines that are neither good nor bad."""
    start = 0
    for open_, group in groupby(verdicts, key=_OPEN.__contains__):
        end = start + len(list(group))
        if open_:
            yield start, end
        start = end
