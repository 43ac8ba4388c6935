"""The terms of many texts as columns of numbers: each token is analysed once, and every stage reads from here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.analyse import GRAM, Analyser, plain_form

Numbers = NDArray[np.int64]

_CACHED_GRAMS: Final = 20_000


class Columns:
    """The terms of texts, numbered: those of text ``t`` are ``ids[starts[t]:starts[t + 1]]``, in their order.

    ``number_of`` has the number of each term; the terms are in the order of their numbers.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str], analyser: Analyser) -> None:
        """Analyse ``texts``, each in its language."""
        self.number_of: dict[str, int] = {}
        by_language: dict[str, list[int]] = {}
        for place, language in enumerate(languages):
            by_language.setdefault(language, []).append(place)
        found = [
            analyser.number_terms([texts[place] for place in places], language, self.number_of)
            for language, places in by_language.items()
        ]
        # The texts of one language stand behind each other at first.
        order = np.array([place for places in by_language.values() for place in places], np.int64)
        lengths = np.concatenate([np.zeros(0, np.int64), *(own for _, own in found)])
        begins = np.zeros_like(lengths)
        begins[order] = np.cumsum(lengths) - lengths
        self.lengths: Numbers = np.zeros_like(lengths)
        self.lengths[order] = lengths
        self.starts: Numbers = np.concatenate(([0], np.cumsum(self.lengths)))
        ids = np.concatenate([np.zeros(0, np.int64), *(own for own, _ in found)])
        self.ids: Numbers = ids[np.repeat(begins - self.starts[:-1], self.lengths) + np.arange(len(ids))]
        self._having: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    def terms_of(self, text: int) -> list[str]:
        """The terms of a text in their order."""
        terms = self._terms
        return [terms[number] for number in self.ids[self.starts[text] : self.starts[text + 1]].tolist()]

    def find(self, signs: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
        """Where the texts have signs: places in ``ids``, rising, and the sign at each.

        Each of ``signs`` is a pair of a term's number and that of a sign; a term may have several, and comes once for
        each.
        """
        return find_signs(self.ids, len(self.number_of), signs)

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
        own = np.fromiter(map(len, self.number_of), np.int64, len(self.number_of)) - GRAM + 1
        sums = np.concatenate(([0], np.cumsum(np.maximum(own, 0)[self.ids])))
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    @cached_property
    def _terms(self) -> list[str]:
        return list(self.number_of)

    def _find_terms(self, gram: str) -> tuple[int, ...]:
        text, starts = self._spellings
        found: list[int] = []
        at = text.find(gram)
        while at >= 0:
            after = bisect_right(starts, at)
            found.append(after - 1)
            # A gram counts once in a term: on with the next one.
            at = text.find(gram, starts[after]) if after < len(starts) else -1
        return tuple(found)

    @cached_property
    def _spellings(self) -> tuple[str, list[int]]:
        """The plain forms of all terms as lines of one text, and where each line starts.

        To search this for the grams of a question takes far less than to make all grams of all terms.
        """
        text = plain_form("\n".join(self.number_of))
        return text, list(accumulate((len(form) + 1 for form in text.split("\n")[:-1]), initial=0))


def find_signs(ids: Numbers, terms: int, signs: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    """Where ``ids``, numbers below ``terms``, have ``signs``, as :meth:`Columns.find` tells it."""
    pairs = np.array(sorted(signs), np.int64).reshape(-1, 2)
    counts = np.bincount(pairs[:, 0], minlength=terms)
    places = np.flatnonzero(counts[ids]) if len(pairs) else np.zeros(0, np.int64)
    begins = (np.cumsum(counts) - counts)[ids[places]]
    own = counts[ids[places]]
    ends = np.cumsum(own)
    return np.repeat(places, own), pairs[np.repeat(begins - ends + own, own) + np.arange(own.sum()), 1]
