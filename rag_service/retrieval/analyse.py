"""From text to the terms that rank it: one analyser for documents and for questions.

Words of spaced scripts are case-folded, freed of function words and stemmed (Snowball, https://snowballstem.org, and
a few rules for languages it has not); scripts without spaces become pairs of characters, as Lucene's CJKAnalyzer
makes them; numbers and identifiers stay whole.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import Stemmer

from rag_service.retrieval.language import language_of
from rag_service.retrieval.light_stems import LIGHT_STEMS, StemWords
from rag_service.retrieval.ranking_words import FUNCTION_WORDS
from rag_service.retrieval.tokens import FIRST_PAIR, pair_of, split_text, split_texts

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
        tokens = split_text(text)
        term_of = _terms_of(language_of(text) if language is None else language, without).learn(tokens)
        return [term for token in tokens if (term := term_of[token])]

    def terms_of_all(self, texts: Sequence[str], language: str | None, *, without: str = "") -> list[list[str]]:
        """The terms of each of ``texts``, all of one language, as ``terms`` gives them; in less time."""
        tokens = split_texts(texts)
        term_of = self.terms_of_words(tokens.words, language, without=without)
        terms = [term_of[number] if number < FIRST_PAIR else pair_of(number) for number in tokens.ids.tolist()]
        ends = np.cumsum(tokens.lengths).tolist()
        return [list(filter(None, terms[start:end])) for start, end in pairwise([0, *ends])]

    def terms_of_words(self, words: Collection[str], language: str | None, *, without: str = "") -> list[str]:
        """The term of each word (a token that is no pair) of a text in this language, "" where it makes none."""
        term_of = _terms_of(language, without).learn(words)
        return [term_of[word] for word in words]

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
            elif len(word) <= _LONGEST_WORD and (word.isalpha() or not word.isascii()):
                letters.append(word)
            elif word[0].isdigit() and word.isascii():
                terms[word] = _GROUPED.sub(_ungrouped, word)
            else:
                terms[word] = word[:_LONGEST_WORD]
        stems = self._stem_words(letters)
        terms.update(zip(letters, stems, strict=True))
        # A stemmer may leave nothing of a word.
        terms.update((word, word) for word, stem in zip(letters, stems, strict=True) if not stem)
        return terms


def plain_form(term: str) -> str:
    """``term`` without accents and other marks that are optional in writing."""
    return term if term.isascii() else _OPTIONAL_MARK.sub("", unicodedata.normalize("NFKD", term))


def _terms_of(language: str | None, without: str) -> _Terms:
    """The terms of a language, without the function words of another: of both, those that are known."""
    own = language if language is not None and language in _KNOWN else ""
    return _shared_terms(own, without if without in FUNCTION_WORDS and without != own else "")


def forget_words() -> None:
    """Forget the terms of all words that were met; they are made again where they are met again."""
    _shared_terms.cache_clear()


@cache
def _shared_terms(language: str, without: str) -> _Terms:
    return _Terms(language, without)


def _ungrouped(match: re.Match[str]) -> str:
    return match.group().replace(",", "").replace(".", "")
