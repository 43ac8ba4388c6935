"""From text to the terms that rank it: one analyser for documents and for questions.

Words of spaced scripts are case-folded, freed of function words and stemmed (Snowball, https://snowballstem.org);
scripts without spaces become pairs of characters, as Lucene's CJKAnalyzer makes them; numbers and identifiers stay
whole.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import chain
from operator import add
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
_CACHED_PIECES: Final = 200_000
_WORTH_LEARNING: Final = 64

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
_PLAIN_WORD_OR_END: Final = re.compile(rf"{_PLAIN_WORD.pattern}|\n")
_MARKED_WORD_OR_END: Final = re.compile(rf"{_MARKED_WORD.pattern}|\n")
_GROUPED: Final = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
# Accents, points and vowel signs that are optional in writing: Latin, Greek, Cyrillic; Hebrew; Arabic and tatweel.
_OPTIONAL_MARK: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")


class Analyser:
    """Makes terms. Holds the terms of what it has met, and may be used from several threads."""

    def terms(self, text: str, language: str | None = None, *, without: str = "") -> list[str]:
        """The terms of ``text`` in their order.

        ``language`` is an ISO 639-1 code; ``None`` has it told from the text, and "" is none that is known (no stems,
        no function words). What is compared must be analysed in one language. A question of another
        language loses the function words of that one too if ``without`` names it.
        """
        return self.terms_of_all([text], language_of(text) if language is None else language, without=without)[0]

    def terms_of_all(self, texts: Iterable[str], language: str | None, *, without: str = "") -> list[list[str]]:
        """The terms of each of ``texts``, all of one language, as ``terms`` gives them; in far less time."""
        known = _terms_of(language, without)
        pieces = [text.split() for text in texts]
        known.learn([piece for piece in set(chain.from_iterable(pieces)) if piece not in known])
        return [list(chain.from_iterable(map(known.__getitem__, own))) for own in pieces]

    def grams(self, term: str) -> list[str]:
        """The runs of four characters of a term, without accents: what related words and compounds share."""
        plain = plain_form(term)
        return [plain[start : start + GRAM] for start in range(len(plain) - GRAM + 1)]


class _Terms(dict[str, tuple[str, ...]]):
    """The terms of each piece of text between white space, in one language.

    Most pieces of a text occur again and again in it, so that most of its terms are only looked up.
    """

    def __init__(self, language: str, without: str) -> None:
        super().__init__()
        algorithm = _ALGORITHMS.get(language)
        self._stemmer = Stemmer.Stemmer(algorithm, 0) if algorithm in Stemmer.algorithms() else None
        self._without = FUNCTION_WORDS.get(language, frozenset()) | FUNCTION_WORDS.get(without, frozenset())
        self._of_word: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def __missing__(self, piece: str) -> tuple[str, ...]:
        terms = self._of_piece(piece)
        if len(piece) <= _LONGEST_WORD:
            with self._lock:
                if len(self) >= _CACHED_PIECES:
                    self.clear()
                self[piece] = terms
        return terms

    def learn(self, pieces: Collection[str]) -> None:
        """Find the terms of many pieces at once; those in unspaced scripts are left until they are asked for."""
        pieces = [piece for piece in pieces if len(piece) <= _LONGEST_WORD]
        if len(pieces) < _WORTH_LEARNING:
            return
        words: dict[str, str] = {}
        for ascii_only in (True, False):
            own = [piece for piece in pieces if piece.isascii() is ascii_only]
            # No piece has a line feed, and no character has a form that holds one.
            text = _folded("\n".join(own))
            unspaced = not ascii_only and _UNSPACED_RUN.search(text) is not None
            for piece, form, found in zip(own, text.split("\n"), _found_by_line(text), strict=False):
                if "_" not in form and not (unspaced and _UNSPACED_RUN.search(form)):
                    words[piece] = found
        self._learn_words(set(" ".join(words.values()).split()).difference(self._of_word))
        terms = {
            piece: tuple(chain.from_iterable(map(self._of, own.split()))) if " " in own or not own else self._of(own)
            for piece, own in words.items()
        }
        with self._lock:
            if len(self) + len(terms) > _CACHED_PIECES:
                self.clear()
            self.update(terms)

    def _learn_words(self, words: Collection[str]) -> None:
        """Stem many words in one call."""
        stemmer = self._stemmer
        if stemmer is None:
            return
        plain = [
            word
            for word in words
            if word not in self._without and len(word) <= _LONGEST_WORD and (word.isalpha() or not word.isascii())
        ]
        with self._lock:
            stems = stemmer.stemWords(plain)
            if len(self._of_word) + len(plain) > _CACHED_PIECES:
                self._of_word.clear()
            self._of_word.update((word, (stem or word,)) for word, stem in zip(plain, stems, strict=True))

    def _of_piece(self, piece: str) -> tuple[str, ...]:
        folded = _folded(piece)
        if folded.isalpha() and folded.isascii():
            return self._of(folded)
        if folded.isascii() or _UNSPACED_RUN.search(folded) is None:
            return self._spaced(folded)
        terms: list[str] = []
        for number, part in enumerate(_UNSPACED_RUN.split(folded)):
            # What stands between is mostly the same few signs.
            terms += _pairs(part) if number % 2 else self[part]
        return tuple(terms)

    def _spaced(self, folded: str) -> tuple[str, ...]:
        """The terms of a folded text without unspaced scripts."""
        words = _found(folded)
        if "_" in folded:
            words = [part for word in words for part in _parts(word)]
        return self._of(words[0]) if len(words) == 1 else tuple(chain.from_iterable(map(self._of, words)))

    def _of(self, word: str) -> tuple[str, ...]:
        """The term of a word; none of a function word."""
        known = self._of_word.get(word)
        if known is None:
            term = self._term(word)
            known = (term,) if term else ()
            with self._lock:
                if len(self._of_word) >= _CACHED_PIECES:
                    self._of_word.clear()
                self._of_word[word] = known
        return known

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


def _found(text: str) -> list[str]:
    return (_PLAIN_WORD if text.isascii() or _MARK.search(text) is None else _MARKED_WORD).findall(text)


def _found_by_line(text: str) -> list[str]:
    """The words of each line, a space between them."""
    plain = text.isascii() or _MARK.search(text) is None
    words = (_PLAIN_WORD_OR_END if plain else _MARKED_WORD_OR_END).findall(text)
    # One text, not a list for each line: a hundred thousand lists would be work for the garbage collector.
    return " ".join(words).replace(" \n", "\n").replace("\n ", "\n").split("\n")


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
