"""What is counted in the lines of a page: words, function words, ends of sentences, and signs of what is no text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from rag_service.retrieval.boilerplate import BOILERPLATE, CONSENT
from rag_service.retrieval.language import (
    UNSPACED,
    function_characters,
    function_endings,
    function_words,
    languages_in,
    words_of,
)
from rag_service.retrieval.types import BlockKind

Verdict = Literal["good", "near", "short", "bad"]

_UNSPACED_RUN: Final = re.compile(f"[{UNSPACED}]+")
# A set of two ranges is tested much faster, and rules most texts out.
_BEYOND_ALPHABETS: Final = re.compile("[^\x00-\u0dff\u2000-\u2fff]")
# How sentences and clauses end, and what may close after it: quotes, brackets, numbers of footnotes.
_SENTENCE_ENDS: Final = tuple(".!?…。！？।؟۔:：")
_SENTENCE_CLOSERS: Final = "\"'”’»」』）)]*"
_FOOTNOTES: Final = re.compile(r"(?:\[\d+\])+$")
_CLAUSE_ENDS: Final = tuple(",.;:!?—–…。！？，、；：।؟،؛")
_CLAUSE_CLOSERS: Final = "\"'”’»」』）)"
# Characters that say as much as a word, in scripts without spaces.
_CHARACTERS_OF_WORD: Final = 2.0

# Words, function words and signs in one number, so that a line is measured by a single sum. Signs come last: more of
# one kind than it has room for only make a line be looked into in vain.
_FUNCTION_WORD: Final = 1 << 24
_PHRASE_SIGN: Final = 1 << 48
_BANNER_SIGN: Final = 1 << 55
_COUNT: Final = _FUNCTION_WORD - 1
# Marks around a word that are neither part of it nor a sign.
_MARKS: Final = ".,;:!?…\"'“”„»«’‘[]"
_BANNER_PARTS: Final = ("copyright", "©", "(c)")


@dataclass(slots=True)
class Line:
    """A line, or a piece of one, with what was found out about it. Offsets are in the source's text.

    ``may_banner``
    and ``may_phrase`` are false only where a line holds nothing that banners and phrases of pages are known by.
    """

    start: int
    end: int
    text: str
    unspaced: int = 0
    words: int = 0
    density: float = 0.0
    stops: int = 0
    sentence: bool = False
    clause: bool = False
    may_banner: bool = True
    may_phrase: bool = True
    kind: BlockKind = "prose"
    verdict: Verdict = "short"
    reason: str = ""


def measure_lines(lines: Iterable[Line], text: str) -> None:
    """Fill in what can be counted in each line; ``text`` is that of them all, to tell its languages from."""
    languages = languages_in(text)
    characters = function_characters(languages)
    measures = _RunMeasures(function_words(languages), function_endings(languages))
    for line in lines:
        stripped = line.text.strip()
        if not stripped[-1:].isalpha():
            line.sentence = _ends_sentence(stripped)
            line.clause = stripped.rstrip(_CLAUSE_CLOSERS).endswith(_CLAUSE_ENDS)
        if not stripped.isascii() and _BEYOND_ALPHABETS.search(stripped):
            line.unspaced = sum(map(len, _UNSPACED_RUN.findall(stripped)))
        if line.unspaced > len(stripped) / 3:
            line.words = round(line.unspaced / _CHARACTERS_OF_WORD)
            line.stops = sum(map(characters.__contains__, stripped))
        else:
            measure = sum(map(measures.__getitem__, stripped.split()))
            line.words, line.stops = measure & _COUNT, measure // _FUNCTION_WORD & _COUNT
            line.may_phrase = measure >= _PHRASE_SIGN or line.unspaced > 0
            line.may_banner = measure >= _BANNER_SIGN or line.unspaced > 0
        line.density = line.stops / max(1, line.words)


class _RunMeasures(dict[str, int]):
    """For runs of characters without white space the number of their words, of the function words, and of signs.

    Words never cross white space and most runs of a page come again: each is looked into once. Function words count
    as multiples of ``_FUNCTION_WORD``, signs as multiples of theirs.
    """

    def __init__(self, words: Collection[str], endings: tuple[str, ...]) -> None:
        super().__init__()
        self._words = words
        self._endings = endings

    def __missing__(self, run: str) -> int:
        lowered = run.lower()
        word = lowered.strip(_MARKS)
        measure = self._of_word(word) if word.isalpha() else sum(map(self._of_word, words_of(lowered)))
        if any(map(lowered.__contains__, _BANNER_PARTS)):
            measure += _BANNER_SIGN
        self[run] = measure
        return measure

    def _of_word(self, word: str) -> int:
        measure = 1
        if word in self._words or word.endswith(self._endings):
            measure += _FUNCTION_WORD
        if word in BOILERPLATE.telling_words:
            measure += _PHRASE_SIGN
        if word in CONSENT.telling_words:
            measure += _BANNER_SIGN
        return measure


def _ends_sentence(text: str) -> bool:
    if text.rstrip(_SENTENCE_CLOSERS).endswith(_SENTENCE_ENDS):
        return True
    return text.endswith("]") and _FOOTNOTES.sub("", text).rstrip(_SENTENCE_CLOSERS).endswith(_SENTENCE_ENDS)
