"""From text to the terms that rank it: one analyser for documents and for questions.

Words of spaced scripts are case-folded, freed of function words and stemmed (Snowball, https://snowballstem.org, and a few rules
for languages it has not); scripts without spaces become pairs of characters, as Lucene's CJKAnalyzer makes them; numbers and identifiers stay
whole.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from operator import add
from typing import Final

import numpy as np
import Stemmer
from numpy.typing import NDArray

from rag_service.retrieval.language import language_of
from rag_service.retrieval.light_stems import LIGHT_STEMS, StemWords
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
    "fa": "persian",
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
_CACHED_WORDS: Final = 200_000

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
_MARKS: Final = "".join(map(re.escape, sorted(_MARK)))
_UNSPACED_RUN: Final = re.compile(f"([{_UNSPACED}]+)")
# A set of two ranges is tested much faster than the scripts, and rules out most texts with accents and quotes.
_BEYOND_LATIN: Final = re.compile("[^\x00-\u02ff\u2000-\u20cf]")
_REST_OF_WORD: Final = r"(?:(?:[.,](?<=\d[.,])\d++)++|\+\+|#(?!\w))?+"
_PLAIN_WORD: Final = re.compile(rf"\w++{_REST_OF_WORD}")
_MARKED_WORD: Final = re.compile(rf"[\w{_MARKS}]++{_REST_OF_WORD}")
# Where neither this nor a plus or a number sign stands, words are what lies between other characters.
_DECIMAL: Final = re.compile(r"[.,](?<=\d[.,])\d")
_LATIN: Final = range(0x20D0)
_SPACED: Final = np.array([code if re.match(r"\w", chr(code)) else ord(" ") for code in _LATIN], "<u4")
_SPACED_ASCII: Final = bytes(_SPACED[:128].tolist()).ljust(256)
_GROUPED: Final = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
# Accents, points and vowel signs that are optional in writing: Latin, Greek, Cyrillic; Hebrew; Arabic and tatweel.
_OPTIONAL_MARK: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")


class Analyser:
    """Makes terms. Holds the terms of words it has met, and may be used from several threads."""

    def terms(self, text: str, language: str | None = None, *, without: str = "") -> list[str]:
        """The terms of ``text`` in their order.

        ``language`` is an ISO 639-1 code; ``None`` has it told from the text, and "" is none that is known (no stems,
        no function words). What is compared must be analysed in one language. A question of another
        language loses the function words of that one too if ``without`` names it.
        """
        return self.terms_of_all([text], language_of(text) if language is None else language, without=without)[0]

    def terms_of_all(self, texts: Iterable[str], language: str | None, *, without: str = "") -> list[list[str]]:
        """The terms of each of ``texts``, all of one language, as ``terms`` gives them; in less time."""
        words = [_words(text) for text in texts]
        term_of = _terms_of(language, without).learn(set(chain.from_iterable(words)))
        return [[term for word in own if (term := term_of[word])] for own in words]

    def number_terms(
        self, texts: Iterable[str], language: str, number_of: dict[str, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The terms of ``texts`` as numbers, one text behind the other, and how many each text has.

        ``number_of`` has the number of each term; new ones are added to it.
        """
        words = [_words(text) for text in texts]
        tokens = list(chain.from_iterable(words))
        distinct = dict.fromkeys(tokens)
        term_of = _terms_of(language, "").learn(distinct)
        numbers: dict[str, int] = {}
        for word in distinct:
            term = term_of[word]
            numbers[word] = number_of.setdefault(term, len(number_of)) if term else -1
        ids = np.fromiter(map(numbers.__getitem__, tokens), np.int64, len(tokens))
        before = np.concatenate(([0], np.cumsum(ids >= 0)))
        borders = before[np.cumsum([0, *map(len, words)])]
        return ids[ids >= 0], np.diff(borders)

    def grams(self, term: str) -> list[str]:
        """The runs of four characters of a term, without accents: what related words and compounds share."""
        plain = plain_form(term)
        return [plain[start : start + GRAM] for start in range(len(plain) - GRAM + 1)]


class _Terms:
    """The term of each word of a language, "" for those that make none. Words come again and again."""

    def __init__(self, language: str, without: str) -> None:
        algorithm = _ALGORITHMS.get(language)
        self._stem_words: StemWords = LIGHT_STEMS.get(language, list)
        if algorithm in Stemmer.algorithms():
            self._stem_words = Stemmer.Stemmer(algorithm, 0).stemWords
        self._without = FUNCTION_WORDS.get(language, frozenset()) | FUNCTION_WORDS.get(without, frozenset())
        self._term_of: dict[str, str] = {}
        self._lock = threading.Lock()

    def learn(self, words: Collection[str]) -> Mapping[str, str]:
        """The terms of many words, and maybe of others, at once."""
        with self._lock:
            known = self._term_of
            fresh = [word for word in words if word not in known]
            if len(known) + len(fresh) > _CACHED_WORDS:
                # Who holds the old ones keeps them.
                known, fresh = {}, list(words)
            known.update(self._found(fresh))
            self._term_of = known
            return known

    def _found(self, words: Iterable[str]) -> dict[str, str]:
        terms: dict[str, str] = {}
        letters: list[str] = []
        for word in words:
            if word in self._without:
                terms[word] = ""
            elif word.isascii() and not word.isalpha():
                terms[word] = _GROUPED.sub(_ungrouped, word) if word[0].isdigit() else word[:_LONGEST_WORD]
            elif len(word) > _LONGEST_WORD:
                terms[word] = word[:_LONGEST_WORD]
            else:
                letters.append(word)
        stems = self._stem_words(letters)
        terms.update((word, stem or word) for word, stem in zip(letters, stems, strict=True))
        return terms


def _words(text: str) -> list[str]:
    """The words, numbers and identifiers of a text, and the pairs of characters of its unspaced scripts."""
    folded = _folded(text)
    if folded.isascii() or _BEYOND_LATIN.search(folded) is None:
        return _with_parts(_latin_words(folded), folded)
    pattern = _PLAIN_WORD if _MARK.isdisjoint(folded) else _MARKED_WORD
    if _UNSPACED_RUN.search(folded) is None:
        return _spaced(folded, pattern)
    words: list[str] = []
    for number, part in enumerate(_UNSPACED_RUN.split(folded)):
        if number % 2:
            words += _pairs(part)
        elif part:
            words += _spaced(part, pattern)
    return words


def _spaced(folded: str, pattern: re.Pattern[str]) -> list[str]:
    """The words of a folded text without unspaced scripts."""
    return _with_parts(pattern.findall(folded), folded)


def _latin_words(folded: str) -> list[str]:
    """The words of a folded text without characters ``_BEYOND_LATIN``."""
    if "+" in folded or "#" in folded or _DECIMAL.search(folded):
        words: list[str] = _PLAIN_WORD.findall(folded)
        return words
    if folded.isascii():
        return folded.encode("ascii").translate(_SPACED_ASCII).decode("ascii").split()
    spaced: NDArray[np.uint32] = _SPACED[np.frombuffer(folded.encode("utf-32-le"), "<u4")]
    return spaced.tobytes().decode("utf-32-le").split()


def _with_parts(words: list[str], folded: str) -> list[str]:
    """The words of a folded text, and the words that identifiers among them are made of."""
    return [part for word in words for part in _parts(word)] if "_" in folded else words


def plain_form(term: str) -> str:
    """``term`` without accents and other marks that are optional in writing."""
    return term if term.isascii() else _OPTIONAL_MARK.sub("", unicodedata.normalize("NFKD", term))


def unify(text: str) -> str:
    """``text`` with its case and compatible forms of characters made equal: what an exact copy shares."""
    return _folded(text)


def _terms_of(language: str | None, without: str) -> _Terms:
    """The terms of a language, without the function words of another: of both, those that are known."""
    own = language if language is not None and language in _KNOWN else ""
    return _shared_terms(own, without if without in FUNCTION_WORDS and without != own else "")


@cache
def _shared_terms(language: str, without: str) -> _Terms:
    return _Terms(language, without)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # A dotted capital I would leave its dot behind.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("i\u0307", "i")


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
    return [pair for pair in map(add, run, run[1:]) if pair not in FUNCTION_PAIRS]
