"""How relevant a passage is to a question, from 0 to 1, and what is too far from it to be read at all.

The relevance is the share of the question's weight that is covered: the mean of what the passage with its neighbours
in the text covers, and of what its best stretch does, for words that belong together stand together. A term weighs
its idf among the passages at hand and ``BACKGROUND`` imagined ones without it, so that one passage alone, or twenty
on one subject, are judged alike; to the power ``RARITY``, as a rare word tells more of the subject than its idf says
(on 400 questions that did not choose it, 3 to 9 of 100 sets of strange pages more are dropped). A term that is not
there is covered in part by what resembles it: half or more of its 4-grams (an inflected form, a part of a compound)
count ``RESEMBLANCE`` times their share; of a pair of characters, each neighbouring pair that is there counts half, as
it shares a character. Without this the same question is covered less in a language that compounds or sets no spaces.
With it one threshold holds for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_service.retrieval.language import language_of
from rag_service.retrieval.rank import FEWEST_TERMS, Index, Ranked, lucene_idf, note
from rag_service.retrieval.sentences import sentences
from rag_service.retrieval.tokens import Numbers
from rag_service.retrieval.types import Note

BACKGROUND: Final = 100
RARITY: Final = 1.4
RESEMBLANCE: Final = 0.7
_RESEMBLES: Final = 0.5
_NEIGHBOUR: Final = 0.5
_STRETCH_TERMS: Final = 30
_STRETCH_PAIRS: Final = 60
_MOST_STRETCHES: Final = 32
_LONGEST_QUESTION: Final = 2_000
_MOST_PARTS: Final = 4
# What is left of the floor for a source where another one reaches it.
_OF_OTHERS: Final = 0.5

Values = NDArray[np.float64]
Signs = NDArray[np.bool_]


class Relevance:
    """The relevance of texts to one question, among the passages of an index."""

    def __init__(self, index: Index, question: str) -> None:
        self._index = index
        self._question = question
        self._language = language_of(question)
        self._parts: dict[str, list[_Wanted]] = {}

    def of_passages(self, numbers: Sequence[int]) -> list[float]:
        """The relevance of passages of the index, 0..1 each."""
        relevance: dict[int, float] = {}
        for language, own in self._by_language(numbers).items():
            found = np.max([part.of_passages(own) for part in self._wanted(language)], axis=0)
            relevance.update(zip(own, found.tolist(), strict=True))
        return [relevance[number] for number in numbers]

    def comparable(self, number: int) -> bool:
        """Whether a passage's document and the question are certainly in one script and language."""
        return self._language is not None and self._language == self._index.told[number]

    def of_pieces(self, texts: Sequence[str], numbers: Sequence[int]) -> list[tuple[float, bool]]:
        """What each piece of a passage covers, 0..1, and whether it has every term of the question.

        ``numbers`` has the passage that each piece is of.
        """
        found: dict[int, tuple[float, bool]] = {}
        places: dict[str, list[int]] = {}
        for place, number in enumerate(numbers):
            places.setdefault(self._index.languages[number], []).append(place)
        for language, own in places.items():
            terms = self._index.analyser.terms_of_all([texts[place] for place in own], language)
            parts = self._wanted(language)
            covered = np.max([part.of_terms(terms) for part in parts], axis=0).tolist()
            found.update(zip(own, zip(covered, map(parts[0].are_in, terms), strict=True), strict=True))
        return [found[place] for place in range(len(texts))]

    def _by_language(self, numbers: Iterable[int]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number in dict.fromkeys(numbers):
            found.setdefault(self._index.languages[number], []).append(number)
        return found

    def _wanted(self, language: str) -> list[_Wanted]:
        """The question as the passages of a language see it: as a whole, and its parts."""
        if language not in self._parts:
            self._parts[language] = _parts_of(self._index, self._question, language)
        return self._parts[language]


class _Wanted:
    """The terms of a question, what each weighs, and what of the passages' terms is one of them or resembles it.

    Texts are rows of signs: first the question's terms, then their grams.
    """

    def __init__(self, index: Index, terms: Sequence[str]) -> None:
        self._columns = index.columns
        self._passages = index.passages
        self._terms = list(dict.fromkeys(terms))
        found = index.document_frequency(self._terms)
        documents = BACKGROUND + len(index.passages)
        self._weight = np.array([lucene_idf(documents, found[term]) ** RARITY for term in self._terms])
        self._total = float(self._weight.sum()) or 1.0
        grams = [index.analyser.grams(term) for term in self._terms]
        grams = [own if len(own) > 1 else [] for own in grams]
        self._grams = list(dict.fromkeys(chain.from_iterable(grams)))
        place_of = {gram: place for place, gram in enumerate(self._grams)}
        # The share of each term's grams that a gram is.
        self._share_of = np.zeros((len(self._grams), len(self._terms)))
        for place, own in enumerate(grams):
            for gram in own:
                self._share_of[place_of[gram], place] += 1 / len(own)
        self._neighbours = _neighbours(terms, self._terms)
        exact = index.signs_of(self._terms)
        alike = [
            (number, len(self._terms) + place)
            for place, gram in enumerate(self._grams)
            for number in self._columns.terms_with(gram)
        ]
        self._signs = [*exact, *alike]
        self._signs_of: dict[str, list[int]] = {}
        for number, sign in self._signs:
            self._signs_of.setdefault(self._columns.term(number), []).append(sign)

    @property
    def size(self) -> int:
        """How many different terms the question has."""
        return len(self._terms)

    def of_passages(self, numbers: Sequence[int]) -> Values:
        """For each passage the mean of what it and its neighbours cover and of what its best stretch does."""
        own = np.zeros((len(self._columns) + 2, self._width), bool)
        _, texts, signs = self._found
        own[texts, signs] = True
        # A neighbour of another document is an empty row.
        passages, nothing = self._passages, len(self._columns)
        before, after = (
            [
                at if 0 <= at < nothing and passages[at].document is passages[number].document else nothing
                for number in numbers
                for at in (number + step,)
            ]
            for step in (-1, 1)
        )
        alone = self._covered(own[numbers])
        wide = self._covered(own[numbers] | own[before] | own[after])
        near = self._best_stretches(numbers, alone)
        # What only resembles the question has no stretch.
        return np.where(own[numbers, : self.size].any(axis=1), (wide + near) / 2, alone)

    def of_terms(self, texts: Sequence[Sequence[str]]) -> Values:
        """The share of the weight that the terms of each text cover."""
        rows = np.zeros((len(texts), self._width), bool)
        for row, terms in zip(rows, texts, strict=True):
            for term in self._signs_of.keys() & terms:
                row[self._signs_of[term]] = True
        return self._covered(rows)

    def are_in(self, terms: Iterable[str]) -> bool:
        """Whether a text with these terms has all of the question's, of which there is at least one."""
        return bool(self._terms) and set(terms).issuperset(self._terms)

    @property
    def _width(self) -> int:
        return len(self._terms) + len(self._grams)

    @cached_property
    def _found(self) -> tuple[Numbers, Numbers, Numbers]:
        """Where in the columns signs are, the passage of each, and which sign it is."""
        at, signs = self._columns.find(self._signs)
        return at, self._columns.texts_at(at), signs

    def _best_stretches(self, numbers: Sequence[int], alone: Values) -> Values:
        """What the best stretch of each passage covers; of one no longer than a stretch, what all of it does."""
        at, texts, signs = self._found
        pairs = sum(_is_pair(term) for term in self._terms)
        length = _STRETCH_PAIRS if pairs > len(self._terms) / 2 else _STRETCH_TERMS
        long = np.zeros(len(self._columns), bool)
        long[numbers] = self._columns.lengths[numbers] > length
        starts = np.flatnonzero(long[texts] & (signs < self.size))
        if not len(starts):
            return alone
        starts = starts[_some_of_each(texts[starts], _MOST_STRETCHES)]
        ends = np.minimum(at[starts] + length, self._columns.starts[texts[starts] + 1])
        sizes = np.searchsorted(at, ends) - starts
        rows = np.zeros((len(starts), self._width), bool)
        inside = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        rows[np.repeat(np.arange(len(starts)), sizes), signs[inside]] = True
        best = np.zeros(len(self._columns))
        best[numbers] = np.where(long[numbers], 0.0, alone)
        np.maximum.at(best, texts[starts], self._covered(rows))
        return best[numbers]

    def _covered(self, rows: Signs) -> Values:
        """The share of the weight that each row covers."""
        exact = rows[:, : self.size]
        alike = rows[:, self.size :].astype(float) @ self._share_of
        covered = np.where(alike >= _RESEMBLES, RESEMBLANCE * alike, 0.0)
        for place, around in self._neighbours.items():
            there = [exact[:, list(own)].sum(axis=1) for own in around]
            covered[:, place] = _NEIGHBOUR * np.max(there, axis=0)
        shares: Values = np.where(exact, 1.0, covered) @ (self._weight / self._total)
        return shares


def _neighbours(terms: Sequence[str], distinct: Sequence[str]) -> dict[int, list[tuple[int, ...]]]:
    """The pairs of characters that share one with a pair, before and behind it, wherever it stands; all by place."""
    place_of = {term: place for place, term in enumerate(distinct)}
    found: dict[int, list[tuple[int, ...]]] = {}
    for before, term, after in zip(("", *terms), terms, (*terms[1:], ""), strict=False):
        if _is_pair(term):
            near = [
                other for other, shared in ((before, before[-1:] == term[0]), (after, after[:1] == term[1])) if shared
            ]
            found.setdefault(place_of[term], []).append(tuple(place_of[other] for other in near))
    return found


def _is_pair(term: str) -> bool:
    return len(term) == 2 and not term.isascii()


def _some_of_each(owners: Numbers, most: int) -> Numbers:
    """The places of at most about ``most`` evenly chosen items of each owner; ``owners`` rise."""
    _, first, counts = np.unique(owners, return_index=True, return_counts=True)
    place = np.arange(len(owners)) - np.repeat(first, counts)
    return np.flatnonzero(place % np.repeat(np.maximum(1, counts // most), counts) == 0)


def _parts_of(index: Index, question: str, language: str) -> list[_Wanted]:
    """The whole question, and its sentences where it has several that each ask much: what answers one is relevant."""
    whole = _Wanted(index, index.query_terms(question, language))
    spans = list(sentences(question[:_LONGEST_QUESTION]))[:_MOST_PARTS]
    if len(spans) < 2:
        return [whole]
    parts = [_Wanted(index, index.query_terms(question[start:end], language)) for start, end in spans]
    return [whole, *[part for part in parts if part.size >= FEWEST_TERMS]]


def judge(ranked: Sequence[Ranked], relevance: Relevance) -> list[Ranked]:
    """``ranked`` with the relevance of each passage."""
    found = relevance.of_passages([one.number for one in ranked])
    return [replace(one, relevance=value) for one, value in zip(ranked, found, strict=True)]


def apply_floor(ranked: Sequence[Ranked], relevance: Relevance, floor: float) -> tuple[list[Ranked], list[Note]]:
    """``ranked`` without what a search found that has too little to do with the question.

    Only ``web`` sources can fall, and only those in the question's script and language: words of another language
    cannot be compared. All such sources fall when none of their passages reaches ``floor``: the search found nothing.
    Where one does, another source falls below ``floor / 2``: it is on the subject, and may say the same otherwise.
    """
    best: dict[int, float] = {}
    for one in ranked:
        document = one.passage.document
        best[id(document)] = max(best.get(id(document), 0.0), one.relevance)
    judged = {id(one.passage.document) for one in ranked if _may_fall(one, relevance)}
    met = any(best[document] >= floor for document in judged)
    limit = floor * _OF_OTHERS if met else floor
    kept: list[Ranked] = []
    notes: list[Note] = []
    for one in ranked:
        document = one.passage.document
        if id(document) in judged and best[id(document)] < limit:
            reason = f"its source's relevance of {best[id(document)]:.2f} is below {limit:.2f}"
            notes.append(note("gate", one.passage, kept=False, reason=reason, score=one.relevance))
        else:
            kept.append(one)
    return kept, notes


def _may_fall(one: Ranked, relevance: Relevance) -> bool:
    return one.passage.document.source.kind == "web" and relevance.comparable(one.number)
