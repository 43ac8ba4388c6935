"""From text to the terms that rank it: one analyser for documents and for questions.

Words of spaced scripts are case-folded, freed of function words and stemmed (Snowball, https://snowballstem.org);
scripts without spaces become pairs of characters, as Lucene's CJKAnalyzer makes them; numbers and identifiers stay
whole.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Final

import Stemmer

from rag_service.retrieval.language import language_of
from rag_service.retrieval.ranking_words import FUNCTION_PAIRS, FUNCTION_WORDS

GRAM: Final = 4
"""Characters in a gram of ``Analyser.grams``."""

# Snowball's algorithm by ISO 639-1 code; one that the installed PyStemmer lacks is left out.
_ALGORITHMS: Final = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
_KNOWN: Final = frozenset(_ALGORITHMS) | frozenset(FUNCTION_WORDS)
_LONGEST_WORD: Final = 64
_CACHED_WORDS: Final = 100_000

# Blocks of scripts written without spaces between words, and Hangul, whose words carry their particles
# (https://www.unicode.org/Public/UCD/latest/ucd/Blocks.txt): Thai to Myanmar, Khmer, Hangul, kana, Han.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# What ``\w`` leaves out of words: marks that combine with a letter, as most vowels of Indic scripts do.
_MARKS: Final = "".join(
    re.escape(chr(code))
    for first, last in ((0x300, 0x1DFF), (0x20D0, 0x20FF), (0xA600, 0xABFF), (0x11000, 0x11FFF))
    for code in range(first, last + 1)
    if unicodedata.category(chr(code)).startswith("M")
)
_UNSPACED_RUN: Final = re.compile(f"([{_UNSPACED}]+)")
_MARK: Final = re.compile(f"[{_MARKS}]")
_PLAIN_WORD: Final = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:\+\+|#(?!\w))?")
_MARKED_WORD: Final = re.compile(rf"\d+(?:[.,]\d+)+|[\w{_MARKS}]+(?:\+\+|#(?!\w))?")
_GROUPED: Final = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
# Accents, points and vowel signs that are optional in writing: Latin, Greek, Cyrillic; Hebrew; Arabic and tatweel.
_OPTIONAL_MARK: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")


class Analyser:
    """Makes terms. Holds the stems of words it has met, and may be used from several threads."""

    def terms(self, text: str, language: str | None = None, *, without: str = "") -> list[str]:
        """The terms of ``text`` in their order.

        ``language`` is an ISO 639-1 code; ``None`` has it told from the text, and "" is none that is known (no stems,
        no function words). What is compared must be analysed in one language. A question of another
        language loses the function words of that one too if ``without`` names it.
        """
        words = self._words(language_of(text) if language is None else language, without)
        text = _folded(text)
        if _UNSPACED_RUN.search(text) is None:
            return words.terms(text)
        terms: list[str] = []
        for number, piece in enumerate(_UNSPACED_RUN.split(text)):
            if number % 2:
                terms += _pairs(piece)
            elif piece:
                terms += words.terms(piece)
        return terms

    def grams(self, term: str) -> list[str]:
        """The runs of four characters of a term, without accents: what related words and compounds share."""
        if not term.isascii():
            term = _OPTIONAL_MARK.sub("", unicodedata.normalize("NFKD", term))
        return [term[start : start + GRAM] for start in range(len(term) - GRAM + 1)]

    @staticmethod
    def _words(language: str | None, without: str) -> _Words:
        return _words_of(language if language in _KNOWN else "", without if without in FUNCTION_WORDS else "")


class _Words(dict[str, str]):
    """The term of each word of a language; of a function word, none ("")."""

    def __init__(self, language: str, without: str) -> None:
        super().__init__()
        algorithm = _ALGORITHMS.get(language)
        self._stemmer = Stemmer.Stemmer(algorithm) if algorithm in Stemmer.algorithms() else None
        self._without = FUNCTION_WORDS.get(language, frozenset()) | FUNCTION_WORDS.get(without, frozenset())
        self._lock = threading.Lock()

    def __missing__(self, word: str) -> str:
        term = self._term(word)
        with self._lock:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = term
        return term

    def terms(self, text: str) -> list[str]:
        """The terms of a folded text without unspaced scripts."""
        words = _found(text)
        if "_" in text:
            words = [part for word in words for part in _parts(word)]
        return [term for word in words if (term := self[word])]

    def _term(self, word: str) -> str:
        if word in self._without:
            return ""
        if word.isascii() and not word.isalpha():
            return _GROUPED.sub(_ungrouped, word) if word[0].isdigit() else word[:_LONGEST_WORD]
        if self._stemmer is None or len(word) > _LONGEST_WORD:
            return word[:_LONGEST_WORD]
        with self._lock:
            stem: str = self._stemmer.stemWord(word)
        return stem or word


@cache
def _words_of(language: str, without: str) -> _Words:
    return _Words(language, "" if without == language else without)


def unify(text: str) -> str:
    """``text`` with its case and compatible forms of characters made equal: what an exact copy shares."""
    return _folded(text)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # A dotted capital I would leave its dot behind.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("i\u0307", "i")


def _found(text: str) -> list[str]:
    return (_PLAIN_WORD if text.isascii() or _MARK.search(text) is None else _MARKED_WORD).findall(text)


def _parts(word: str) -> Iterator[str]:
    """An identifier, and the words it is made of."""
    if "_" not in word:
        yield word
        return
    parts = [part for part in word.split("_") if part]
    if len(parts) > 1:
        yield word
    yield from parts


def _ungrouped(match: re.Match[str]) -> str:
    return match.group().replace(",", "").replace(".", "")


def _pairs(run: str) -> list[str]:
    if len(run) == 1:
        return [run]
    return [pair for pair in map("".join, pairwise(run)) if pair not in FUNCTION_PAIRS]
