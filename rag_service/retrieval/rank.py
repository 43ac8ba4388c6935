"""Which passages answer a question best: BM25 over terms, with character 4-grams, neighbours and titles beside it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
from rank_bm25 import BM25Okapi

from rag_service.retrieval.analyse import GRAM, Analyser
from rag_service.retrieval.language import language_of
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import BlockKind, Document, Note, Passage

# What a kind of text is worth beside prose that matches as well: a heading says what follows, not what is asked.
QUALITY: Final[dict[BlockKind, float]] = {
    "prose": 1.0,
    "list": 0.97,
    "table": 0.97,
    "code": 0.95,
    "data": 0.92,
    "heading": 0.85,
}
_LANGUAGE_SAMPLE: Final = 4_000
_WORTH_NOTING: Final = 80


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its score, of which only the order within one question means something.

    ``number`` is the passage's place in the index. ``relevance`` is calibrated: 0..1, and comparable.
    """

    passage: Passage
    number: int
    score: float
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many documents a collection has, how long they are on average, and how long those at hand are, in terms."""

    documents: int
    mean: float
    own: list[int]


class Bm25(BM25Okapi):  # type: ignore[misc]  # the library has no types
    """BM25 with the idf of Lucene's BM25Similarity, ln(1 + (N - df + 0.5) / (df + 0.5)): never negative."""

    def __init__(self, documents: Sequence[Sequence[str]], k1: float, b: float, among: Lengths | None = None) -> None:
        """Index ``documents``, of which there is at least one.

        ``among`` tells of the whole collection, where these are the documents and terms of it that can match.
        """
        self._among = among
        super().__init__(documents, k1=k1, b=b)
        if among is not None:
            self.doc_len = among.own
        total = sum(self.doc_len) / self.corpus_size if among is None else among.mean
        self.avgdl = max(1.0, total)

    def _calc_idf(self, nd: dict[Any, int]) -> None:
        documents = self.corpus_size if self._among is None else self._among.documents
        self.idf = {term: lucene_idf(documents, found) for term, found in nd.items()}


def lucene_idf(documents: int, found: int) -> float:
    """The idf of a term that ``found`` of ``documents`` documents have, as in Lucene's BM25Similarity."""
    return math.log(1 + (documents - found + 0.5) / (found + 0.5))


class Index:
    """Passages made ready for any number of questions."""

    def __init__(
        self,
        passages: Sequence[Passage],
        analyser: Analyser | None = None,
        settings: RetrievalSettings | None = None,
    ) -> None:
        self.passages = tuple(passages)
        self.analyser = analyser or Analyser()
        self.settings = settings or RetrievalSettings()
        self.languages, self.usual_language = _languages([passage.document for passage in self.passages])
        self.terms = [
            self.analyser.terms(passage.text, language)
            for passage, language in zip(self.passages, self.languages, strict=True)
        ]
        self._titles = [" \n".join((item.document.source.title, *item.headings)) for item in self.passages]
        self._terms_of_title: dict[tuple[str, str], frozenset[str]] = {}
        self._bm25 = Bm25(self.terms, self.settings.k1, self.settings.b) if self.passages else None
        self.frequencies: list[dict[str, int]] = self._bm25.doc_freqs if self._bm25 else []

    def query_terms(self, question: str, language: str) -> list[str]:
        """The question as the passages of ``language`` see it, without the function words of its own language."""
        own = language_of(question) or self.usual_language
        return self.analyser.terms(question, language, without=own)

    def scores(self, question: str) -> list[float]:
        """The score of each passage for ``question``, 0 or more."""
        scores = np.zeros(len(self.passages))
        if self._bm25 is None:
            return []
        for language in sorted(set(self.languages)):
            terms = self.query_terms(question, language)
            if not terms:
                continue
            of_language = np.array([at for at, other in enumerate(self.languages) if other == language])
            found = np.zeros(len(self.passages))
            found[of_language] = self._bm25.get_batch_scores(terms, of_language.tolist())
            found = found + self.settings.gram_weight * self._gram_scores(terms)
            found = found + self.settings.pair_weight * self._pair_scores(terms)
            found = found + self.settings.title_weight * self._title_scores(terms, language)
            scores[of_language] = found[of_language]
        quality = np.array([QUALITY[passage.kind] for passage in self.passages])
        return [float(score) for score in scores * quality]

    def document_frequency(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many passages each of ``terms`` is found."""
        return {term: sum(term in found for found in self.frequencies) for term in set(terms)}

    @cached_property
    def terms_of_gram(self) -> dict[str, list[str]]:
        """The terms that have a gram, for each gram."""
        having: dict[str, list[str]] = {}
        for term in {term for found in self.frequencies for term in found}:
            for gram in self.analyser.grams(term):
                having.setdefault(gram, []).append(term)
        return having

    @cached_property
    def _gram_lengths(self) -> list[int]:
        return [
            sum(times * (len(term) - GRAM + 1) for term, times in found.items() if len(term) >= GRAM)
            for found in self.frequencies
        ]

    def _gram_scores(self, terms: Sequence[str]) -> Any:
        wanted = [gram for term in terms for gram in self.analyser.grams(term)]
        grams_of: dict[str, list[str]] = {}
        for gram in set(wanted):
            for term in self.terms_of_gram.get(gram, ()):
                grams_of.setdefault(term, []).append(gram)
        return self._selected_scores(
            wanted,
            [
                [gram for term in found.keys() & grams_of.keys() for gram in grams_of[term] * found[term]]
                for found in self.frequencies
            ],
            self._gram_lengths,
        )

    def _pair_scores(self, terms: Sequence[str]) -> Any:
        # Pairs of characters overlap already: neighbours of theirs would count the same twice.
        wanted = [f"{first} {second}" for first, second in pairwise(terms) if _is_word(first) or _is_word(second)]
        firsts, pairs = {pair.partition(" ")[0] for pair in wanted}, set(wanted)
        found = [
            [pair for first, second in pairwise(terms) if first in firsts and (pair := f"{first} {second}") in pairs]
            if not firsts.isdisjoint(frequencies)
            else []
            for terms, frequencies in zip(self.terms, self.frequencies, strict=True)
        ]
        return self._selected_scores(wanted, found, [max(0, len(terms) - 1) for terms in self.terms])

    def _title_scores(self, terms: Sequence[str], language: str) -> Any:
        idf = self._bm25.idf if self._bm25 else {}
        unmet = lucene_idf(len(self.passages), 0)
        weight = {term: idf.get(term, unmet) for term in terms}
        known = {
            title: sum(weight.get(term, 0.0) for term in self._title_terms(title, language))
            for title in set(self._titles)
        }
        return np.array([known[title] for title in self._titles])

    def _title_terms(self, title: str, language: str) -> frozenset[str]:
        key = (title, language)
        if key not in self._terms_of_title:
            self._terms_of_title[key] = frozenset(self.analyser.terms(title, language))
        return self._terms_of_title[key]

    def _selected_scores(self, wanted: list[str], found: list[list[str]], lengths: Sequence[int]) -> Any:
        """Scores from those terms of each passage that can match."""
        scores = np.zeros(len(self.passages))
        having = [number for number, terms in enumerate(found) if terms]
        if having:
            among = Lengths(len(found), sum(lengths) / len(found), [lengths[number] for number in having])
            selected = Bm25([found[number] for number in having], self.settings.k1, self.settings.b, among)
            scores[having] = selected.get_scores(wanted)
        return scores


def rank(index: Index, question: str) -> tuple[list[Ranked], list[Note]]:
    """The passages that share anything with ``question``, best first, at most ``settings.candidates``.

    Passages of equal score stay in the order of the index. Notes tell of those left out.
    """
    scores = index.scores(question)
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    limit = index.settings.candidates
    kept: list[Ranked] = []
    notes: list[Note] = []
    for place, number in enumerate(order):
        passage, score = index.passages[number], scores[number]
        if score > 0 and place < limit:
            kept.append(Ranked(passage, number, score))
            continue
        reason = "shares no term with the question" if score <= 0 else f"not among the best {limit} passages"
        notes.append(note("rank", passage, kept=False, reason=reason, score=score))
    return kept, notes


def note(stage: Any, passage: Passage, *, kept: bool, reason: str, score: float | None = None) -> Note:
    """What ``stage`` did with ``passage``; of its text, the beginning."""
    source_id = passage.document.source.id
    text = passage.text[:_WORTH_NOTING]
    return Note(stage, source_id, text, kept, reason, score, passage.start, passage.end)


def _is_word(term: str) -> bool:
    return len(term) > 2


def _languages(documents: Sequence[Document]) -> tuple[list[str], str]:
    """The language of each document, and that of most of the text, which is taken for one that cannot be told."""
    told: dict[int, str | None] = {}
    weight: Counter[str] = Counter()
    for document in documents:
        if id(document) not in told:
            told[id(document)] = language = language_of(document.text[:_LANGUAGE_SAMPLE])
            if language is not None:
                weight[language] += len(document.text)
    usual = weight.most_common(1)[0][0] if weight else ""
    return [told[id(document)] or usual for document in documents], usual
