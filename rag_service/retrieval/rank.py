"""Which passages answer a question best: BM25 over terms, with character 4-grams, neighbours and titles beside it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Final

import numpy as np
from rank_bm25 import BM25Okapi

from rag_service.retrieval.analyse import GRAM, Analyser, plain_form
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
_LANGUAGE_SAMPLE: Final = 2_000
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

    def _initialize(self, corpus: Sequence[Sequence[str]]) -> Counter[str]:
        """Count as the library does, in how many documents each term is; a counter is several times as fast."""
        found: Counter[str] = Counter()
        for document in corpus:
            frequencies = Counter(document)
            self.doc_freqs.append(frequencies)
            found.update(frequencies.keys())
        self.corpus_size = len(corpus)
        self.doc_len = [len(document) for document in corpus] if self._among is None else self._among.own
        mean = sum(self.doc_len) / self.corpus_size if self._among is None else self._among.mean
        self.avgdl = max(1.0, mean)
        return found

    def _calc_idf(self, nd: dict[Any, int]) -> None:
        self.found = nd
        self.idf = Idf(self.corpus_size if self._among is None else self._among.documents, nd)


@dataclass(frozen=True, slots=True)
class Idf:
    """The idf of any term, made when it is asked for: a question has few of a collection's terms."""

    documents: int
    found: Mapping[str, int]

    def get(self, term: str) -> float:
        """The idf of a term among all documents, also of one that none has."""
        return lucene_idf(self.documents, self.found.get(term, 0))


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
        self.told, self.usual_language = _languages([passage.document for passage in self.passages])
        self.languages = [language or self.usual_language for language in self.told]
        self.terms = self._analysed()
        self._titles = [" \n".join((item.document.source.title, *item.headings)) for item in self.passages]
        self._terms_of_title: dict[tuple[str, str], frozenset[str]] = {}
        self._bm25 = Bm25(self.terms, self.settings.k1, self.settings.b) if self.passages else None
        self.frequencies: list[dict[str, int]] = self._bm25.doc_freqs if self._bm25 else []

    def _analysed(self) -> list[list[str]]:
        terms: list[list[str]] = [[] for _ in self.passages]
        for language in set(self.languages):
            numbers = [at for at, other in enumerate(self.languages) if other == language]
            found = self.analyser.terms_of_all((self.passages[at].text for at in numbers), language)
            for at, own in zip(numbers, found, strict=True):
                terms[at] = own
        return terms

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
            numbers = [at for at, other in enumerate(self.languages) if other == language]
            found = np.array(self._bm25.get_batch_scores(terms, numbers))
            found += self.settings.gram_weight * self._gram_scores(terms, numbers)
            found += self.settings.pair_weight * self._pair_scores(terms, numbers)
            found += self.settings.title_weight * self._title_scores(terms, language, numbers)
            scores[numbers] = found
        quality = np.array([QUALITY[passage.kind] for passage in self.passages])
        return [float(score) for score in scores * quality]

    def document_frequency(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many passages each of ``terms`` is found."""
        found = self._bm25.found if self._bm25 else {}
        return {term: found.get(term, 0) for term in set(terms)}

    def terms_with(self, grams: Iterable[str]) -> dict[str, list[str]]:
        """Which of ``grams`` each term of the passages has, where it has any."""
        terms, text, starts = self._spellings
        having: dict[str, list[str]] = {}
        for gram in set(grams):
            at = text.find(gram)
            while at >= 0:
                place = bisect_right(starts, at)
                having.setdefault(terms[place - 1], []).append(gram)
                # A gram counts once in a term: on with the next one.
                at = text.find(gram, starts[place]) if place < len(starts) else -1
        return having

    @cached_property
    def _spellings(self) -> tuple[list[str], str, list[int]]:
        """The terms that have grams, their plain forms as lines of one text, and where each line starts.

        To search this for the grams of a question takes far less than to make all grams of all terms.
        """
        terms = [term for term in self._bm25.found if len(term) >= GRAM] if self._bm25 else []
        forms = [plain_form(term) for term in terms]
        starts = list(accumulate((len(form) + 1 for form in forms[:-1]), initial=0))
        return terms, "\n".join(forms), starts

    @cached_property
    def _gram_lengths(self) -> list[int]:
        own = {term: len(term) - GRAM + 1 for term in self._spellings[0]}
        return [sum(own.get(term, 0) for term in terms) for terms in self.terms] if own else [0] * len(self.terms)

    def _gram_scores(self, terms: Sequence[str], numbers: Sequence[int]) -> Any:
        wanted = [gram for term in terms for gram in self.analyser.grams(term)]
        grams_of = self.terms_with(wanted)
        found = [
            [
                gram
                for term in grams_of.keys() & self.frequencies[number].keys()
                for gram in grams_of[term] * self.frequencies[number][term]
            ]
            for number in numbers
        ]
        return self._selected_scores(wanted, numbers, found, self._gram_lengths)

    def _pair_scores(self, terms: Sequence[str], numbers: Sequence[int]) -> Any:
        # Pairs of characters overlap already: neighbours of theirs would count the same twice.
        wanted = [f"{first} {second}" for first, second in pairwise(terms) if _is_word(first) or _is_word(second)]
        pairs = set(wanted)
        firsts, seconds = ({pair.split(" ")[part] for pair in pairs} for part in (0, 1))
        found: list[list[str]] = []
        for number in numbers:
            frequencies, own = self.frequencies[number], self.terms[number]
            likely = not (firsts.isdisjoint(frequencies) or seconds.isdisjoint(frequencies))
            found.append(
                [
                    pair
                    for first, second in (pairwise(own) if likely else ())
                    if first in firsts and (pair := f"{first} {second}") in pairs
                ]
            )
        return self._selected_scores(wanted, numbers, found, [max(0, len(own) - 1) for own in self.terms])

    def _title_scores(self, terms: Sequence[str], language: str, numbers: Sequence[int]) -> Any:
        weight = {term: self._bm25.idf.get(term) for term in terms} if self._bm25 else {}
        known = {
            title: sum(weight.get(term, 0.0) for term in self._title_terms(title, language))
            for title in {self._titles[number] for number in numbers}
        }
        return np.array([known[self._titles[number]] for number in numbers])

    def _title_terms(self, title: str, language: str) -> frozenset[str]:
        key = (title, language)
        if key not in self._terms_of_title:
            self._terms_of_title[key] = frozenset(self.analyser.terms(title, language))
        return self._terms_of_title[key]

    def _selected_scores(
        self, wanted: list[str], numbers: Sequence[int], found: list[list[str]], lengths: Sequence[int]
    ) -> Any:
        """Scores of the passages ``numbers`` from those terms of each that can match, and the lengths of all."""
        scores = np.zeros(len(numbers))
        having = [place for place, terms in enumerate(found) if terms]
        if having:
            own = [lengths[numbers[place]] for place in having]
            among = Lengths(len(lengths), sum(lengths) / len(lengths), own)
            selected = Bm25([found[place] for place in having], self.settings.k1, self.settings.b, among)
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


def _languages(documents: Sequence[Document]) -> tuple[list[str | None], str]:
    """The language of each document where it can be told, and that of most of the text, taken for the others."""
    told: dict[int, str | None] = {}
    weight: Counter[str] = Counter()
    for document in documents:
        if id(document) not in told:
            told[id(document)] = language = language_of(document.text[:_LANGUAGE_SAMPLE])
            if language is not None:
                weight[language] += len(document.text)
    usual = weight.most_common(1)[0][0] if weight else ""
    return [told[id(document)] for document in documents], usual
