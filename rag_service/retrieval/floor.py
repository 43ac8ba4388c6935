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

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag_service.retrieval.language import language_of
from rag_service.retrieval.rank import Index, Ranked, lucene_idf, note
from rag_service.retrieval.sentences import sentences
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
_FEWEST_TERMS: Final = 3
# What is left of the floor for a source where another one reaches it.
_OF_OTHERS: Final = 0.5


class Relevance:
    """The relevance of texts to one question, among the passages of an index."""

    def __init__(self, index: Index, question: str) -> None:
        self._index = index
        self._language = language_of(question)
        self._wanted = {
            language: _Wanted.of(index, index.query_terms(question, language)) for language in set(index.languages)
        }
        self._parts = {
            language: _parts_of(index, question, language, whole) for language, whole in self._wanted.items()
        }

    def of_passage(self, number: int) -> float:
        """The relevance of a passage of the index, 0..1."""
        index = self._index
        document = index.passages[number].document
        around = [
            place
            for place in range(max(0, number - 1), min(len(index.passages), number + 2))
            if index.passages[place].document is document
        ]
        return max(
            part.relevance(index.terms[number], [index.frequencies[place] for place in around])
            for part in self._parts[index.languages[number]]
        )

    def comparable(self, number: int) -> bool:
        """Whether a passage's document and the question are certainly in one script and language."""
        return self._language is not None and self._language == self._index.told[number]

    def shares(self, number: int) -> dict[str, float]:
        """The terms of the question that a passage has, each with its share of the question's weight."""
        wanted = self._wanted[self._index.languages[number]]
        total = sum(wanted.weight.values())
        found = self._index.frequencies[number]
        return {term: weight / total for term, weight in wanted.weight.items() if term in found}

    def of_text(self, text: str, number: int) -> float:
        """What a piece of that passage covers, 0..1."""
        language = self._index.languages[number]
        terms = self._index.analyser.terms(text, language)
        return max(part.covered(terms) for part in self._parts[language])

    def holds_all(self, text: str, number: int) -> bool:
        """Whether a piece of that passage has every term of the question."""
        language = self._index.languages[number]
        wanted = self._wanted[language]
        return bool(wanted.terms) and set(self._index.analyser.terms(text, language)).issuperset(wanted.terms)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A question's terms in their order, what each weighs and all together, the grams of each, those of the passages'
    terms, and the neighbours of pairs of characters.
    """

    terms: tuple[str, ...]
    weight: dict[str, float]
    grams: dict[str, list[str]]
    touching: dict[str, list[str]]
    neighbours: dict[str, list[tuple[str, str]]]
    total: float

    @classmethod
    def of(cls, index: Index, terms: Sequence[str]) -> _Wanted:
        documents = BACKGROUND + len(index.passages)
        found = index.document_frequency(terms)
        weight = {term: lucene_idf(documents, df) ** RARITY for term, df in found.items()}
        grams = {term: index.analyser.grams(term) for term in found}
        touching = index.terms_with(gram for own in grams.values() if len(own) > 1 for gram in own)
        return cls(tuple(terms), weight, grams, touching, _neighbours(terms), sum(weight.values()))

    def relevance(self, terms: Sequence[str], around: Sequence[Collection[str]]) -> float:
        """The mean of what ``around`` covers and what the best stretch of ``terms`` does."""
        telling = self.telling(terms)
        places = [place for place, term in enumerate(terms) if term in telling]
        starts = [place for place in places if terms[place] in self.weight]
        if not starts:
            return self.covered(telling)
        wide = self.covered(term for having in around for term in self.telling(having))
        length = _STRETCH_PAIRS if len(terms[starts[0]]) <= 2 else _STRETCH_TERMS
        if len(terms) <= length:
            return (wide + self.covered(telling)) / 2
        stretches = {
            frozenset(
                terms[place] for place in places[bisect_left(places, start) : bisect_left(places, start + length)]
            )
            for start in starts[:: max(1, len(starts) // _MOST_STRETCHES)]
        }
        return (wide + max(map(self.covered, stretches))) / 2

    def telling(self, terms: Iterable[str]) -> set[str]:
        """Those of ``terms`` that cover anything."""
        there = set(terms)
        return (self.weight.keys() & there) | (self.touching.keys() & there)

    def covered(self, terms: Iterable[str]) -> float:
        """The share of the weight that these terms cover."""
        there = self.telling(terms)
        if not there:
            return 0.0
        grams = {gram for term in self.touching.keys() & there for gram in self.touching[term]}
        value = 0.0
        for term, weight in self.weight.items():
            value += weight if term in there else weight * self._resemblance(term, there, grams)
        return value / self.total

    def _resemblance(self, term: str, there: set[str], grams: set[str]) -> float:
        """What a term that is not there counts by what is."""
        neighbours = self.neighbours.get(term)
        if neighbours is not None:
            return _NEIGHBOUR * max((before in there) + (after in there) for before, after in neighbours)
        own = self.grams[term]
        if not grams or len(own) < 2:
            return 0.0
        share = sum(gram in grams for gram in own) / len(own)
        return RESEMBLANCE * share if share >= _RESEMBLES else 0.0


def _neighbours(terms: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The pairs of characters that share one with a pair, before and behind it, wherever it stands; "" for none."""
    found: dict[str, list[tuple[str, str]]] = {}
    for before, term, after in zip(("", *terms), terms, (*terms[1:], ""), strict=False):
        if len(term) == 2 and not term.isascii():
            pair = (before if before[-1:] == term[0] else "", after if after[:1] == term[1] else "")
            found.setdefault(term, []).append(pair)
    return found


def _parts_of(index: Index, question: str, language: str, whole: _Wanted) -> list[_Wanted]:
    """The whole question, and its sentences where it has several that each ask much: what answers one is relevant."""
    spans = list(sentences(question[:_LONGEST_QUESTION]))[:_MOST_PARTS]
    if len(spans) < 2:
        return [whole]
    parts = [_Wanted.of(index, index.query_terms(question[start:end], language)) for start, end in spans]
    return [whole, *[part for part in parts if len(part.weight) >= _FEWEST_TERMS]]


def judge(ranked: Sequence[Ranked], relevance: Relevance) -> list[Ranked]:
    """``ranked`` with the relevance of each passage."""
    return [replace(one, relevance=relevance.of_passage(one.number)) for one in ranked]


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
