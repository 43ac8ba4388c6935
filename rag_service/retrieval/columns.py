"""The terms of many texts as columns of numbers: each token is analysed once, and every stage reads from here."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import Final

import numpy as np

from rag_service.retrieval.analyse import GRAM, Analyser, plain_form
from rag_service.retrieval.folding import codes_of
from rag_service.retrieval.tokens import (
    FIRST_PAIR,
    Numbers,
    find_numbers,
    is_pair,
    pair_number,
    pair_of,
    slots_of,
    split_texts,
)

_CACHED_GRAMS: Final = 20_000
# Plain forms of Hangul syllables and of kana are longer than one character, so that pairs of them have grams.
_LONG_FORMS: Final = ((0x3040, 0x30FF), (0xAC00, 0xD7A3))


class TermNumbers:
    """The number of each term: of the words of some texts, counted from 1 on, and of any pair of characters."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self.words: Final = words

    def __contains__(self, term: str) -> bool:
        return term in self.words or is_pair(term)

    def __getitem__(self, term: str) -> int:
        return self.words[term] if term in self.words else pair_number(term)


class Columns:
    """The terms of texts, numbered: those of text ``t`` are ``ids[starts[t]:starts[t + 1]]``, in their order.

    ``number_of`` has the number of each term.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str], analyser: Analyser) -> None:
        """Analyse ``texts``, each in its language."""
        tokens = split_texts(texts)
        number_of: defaultdict[str, int] = defaultdict(count(1).__next__)
        number_of[""] = 0  # for words that make no term
        ids = tokens.ids.copy()
        language_of = np.repeat(_places(languages), tokens.lengths)
        for language, number in zip(dict.fromkeys(languages), count()):
            places = np.flatnonzero((language_of == number) & (tokens.ids < FIRST_PAIR))
            met = np.flatnonzero(np.bincount(tokens.ids[places], minlength=len(tokens.words)))
            terms = analyser.terms_of_words([tokens.words[word] for word in met.tolist()], language)
            numbers = np.zeros(len(tokens.words), np.int64)
            numbers[met] = np.fromiter(map(number_of.__getitem__, terms), np.int64, len(terms))
            ids[places] = numbers[tokens.ids[places]]
        self.number_of: Final = TermNumbers(dict(number_of))
        kept = np.concatenate(([0], np.cumsum(ids > 0)))
        self.starts: Numbers = kept[np.concatenate(([0], np.cumsum(tokens.lengths)))]
        self.lengths: Numbers = np.diff(self.starts)
        self.ids: Numbers = ids[ids > 0]
        self._having: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    def term(self, number: int) -> str:
        """The term that has this number."""
        return self._words[number] if number < FIRST_PAIR else pair_of(number)

    def terms_of(self, text: int) -> list[str]:
        """The terms of a text in their order."""
        return list(map(self.term, self.ids[self.starts[text] : self.starts[text + 1]].tolist()))

    def find(self, signs: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
        """Where the texts have signs: places in ``ids``, rising, and the sign at each.

        Each of ``signs`` is a pair of a term's number and that of a sign; a term may have several, and comes once for
        each.
        """
        pairs = np.array(sorted(signs), np.int64).reshape(-1, 2)
        wanted, first, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
        places = find_numbers(wanted, self.ids, self._slots)
        found = np.searchsorted(wanted, self.ids[places])
        own = counts[found]
        ends = np.cumsum(own)
        return np.repeat(places, own), pairs[np.repeat(first[found] - ends + own, own) + np.arange(own.sum()), 1]

    def texts_at(self, places: Numbers) -> Numbers:
        """The text that each place in ``ids`` is in."""
        return np.searchsorted(self.starts, places, "right") - 1

    def terms_with(self, gram: str) -> tuple[int, ...]:
        """The numbers of the terms that have a run of ``GRAM`` characters, accents left out."""
        found = self._having.get(gram)
        if found is None:
            if len(self._having) >= _CACHED_GRAMS:
                self._having = {}
            self._having[gram] = found = self._find_terms(gram)
        return found

    @cached_property
    def gram_lengths(self) -> Numbers:
        """How many grams each text has."""
        own = np.fromiter(map(len, self._words), np.int64, len(self._words)) - GRAM + 1
        grams = np.zeros(len(self.ids), np.int64)
        words = self.ids < FIRST_PAIR
        grams[words] = np.maximum(own, 0)[self.ids[words]]
        sums = np.concatenate(([0], np.cumsum(grams)))
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    @cached_property
    def _words(self) -> list[str]:
        return list(self.number_of.words)

    @cached_property
    def _slots(self) -> Numbers:
        return slots_of(self.ids)

    def _find_terms(self, gram: str) -> tuple[int, ...]:
        text, starts, numbers = self._spellings
        found: list[int] = []
        at = text.find(gram)
        while at >= 0:
            after = bisect_right(starts, at)
            found.append(numbers[after - 1])
            # A gram counts once in a term: on with the next one.
            at = text.find(gram, starts[after]) if after < len(starts) else -1
        return tuple(found)

    @cached_property
    def _spellings(self) -> tuple[str, list[int], list[int]]:
        """The plain forms of terms as lines of one text, where each line starts, and the number of its term.

        To search this for the grams of a question takes far less than to make all grams of all terms.
        """
        pairs = self._long_pairs()
        text = plain_form("\n".join((*self._words, *map(pair_of, pairs))))
        breaks: list[int] = np.flatnonzero(codes_of(text) == ord("\n")).tolist()
        return text, [0, *(place + 1 for place in breaks)], [*range(len(self._words)), *pairs]

    def _long_pairs(self) -> list[int]:
        """The pairs in the texts whose plain forms may be long enough for a gram."""
        pairs = self.ids[self.ids >= FIRST_PAIR]
        long = np.zeros(len(pairs), np.bool_)
        for first, last in _LONG_FORMS:
            long |= (pairs >= pair_number(chr(first))) & (pairs < pair_number(chr(last + 1)))
        numbers: list[int] = np.unique(pairs[long]).tolist()
        return numbers


def _places(languages: Sequence[str]) -> Numbers:
    """For each language its place among the different ones."""
    place_of: defaultdict[str, int] = defaultdict(count().__next__)
    return np.fromiter(map(place_of.__getitem__, languages), np.int64, len(languages))
