"""Which passages answer a question best: BM25 over terms, with character 4-grams, neighbours and titles beside it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from rag_service.retrieval.analyse import Analyser
from rag_service.retrieval.columns import Columns
from rag_service.retrieval.language import language_of
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.tokens import Numbers
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
_LANGUAGE_SAMPLE: Final = 600
_WORTH_NOTING: Final = 80
_QUESTION: Final = re.compile(r"[^?？؟]+[?？؟]+")
_LONGEST_QUESTION: Final = 2_000
_MOST_QUESTIONS: Final = 4
# A part of a question with fewer terms than these says too little to be searched for alone.
FEWEST_TERMS: Final = 3

Scores = NDArray[np.float64]
# What a question asks for, by the language of the passages.
Asked = Mapping[str, Sequence[str]]


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
class Collection:
    """What BM25 knows of all documents: how many there are, their mean length, and how many have each term."""

    documents: int
    mean: float
    found: Mapping[Any, int]


class Bm25(BM25Okapi):  # type: ignore[misc]  # the library has no types
    """BM25 with the idf of Lucene's BM25Similarity, ln(1 + (N - df + 0.5) / (df + 0.5)): never negative.

    Its documents are those of a collection that can match a question, each as the frequencies of its terms.
    """

    def __init__(
        self,
        frequencies: Sequence[Mapping[Any, int]],
        lengths: Sequence[int],
        collection: Collection,
        k1: float,
        b: float,
    ) -> None:
        """Take the frequencies of terms in some documents of ``collection``, and the lengths of these in terms."""
        self._lengths = lengths
        self._collection = collection
        super().__init__(frequencies, k1=k1, b=b)

    def _initialize(self, corpus: Sequence[Mapping[Any, int]]) -> Mapping[Any, int]:
        """Take what was counted already, instead of counting in each document."""
        self.corpus_size = len(corpus)
        self.doc_freqs = list(corpus)
        self.doc_len = self._lengths
        self.avgdl = max(1.0, self._collection.mean)
        return self._collection.found

    def _calc_idf(self, nd: Mapping[Any, int]) -> None:
        self.idf = {term: lucene_idf(self._collection.documents, found) for term, found in nd.items()}


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
        self.columns = Columns([passage.text for passage in self.passages], self.languages, self.analyser)

        self._numbers_of = {
            language: np.array([at for at, other in enumerate(self.languages) if other == language])
            for language in dict.fromkeys(self.languages)
        }
        self._titles: dict[str, tuple[Columns, Numbers]] = {}

    def query_terms(self, question: str, language: str) -> list[str]:
        """The question as the passages of ``language`` see it, without the function words of its own language."""
        own = language_of(question) or self.usual_language
        return self.analyser.terms(question, language, without=own)

    def scores(self, question: str) -> list[float]:
        """The score of each passage for ``question``, 0 or more."""
        asked = {language: self.query_terms(question, language) for language in self._numbers_of}
        wanted = list(dict.fromkeys(chain.from_iterable(asked.values())))
        if not wanted:
            return [0.0] * len(self.passages)
        at, signs = self.columns.find(self.signs_of(wanted))
        texts = self.columns.texts_at(at)
        settings = self.settings
        scores, idf = self._bm25(texts, signs, wanted, asked, self.columns.lengths)
        scores += settings.title_weight * self._title_scores(dict(zip(wanted, idf, strict=True)), asked)
        scores += settings.pair_weight * self._pair_scores(at, texts, signs, wanted, asked)
        scores += settings.gram_weight * self._gram_scores(asked)
        scores *= np.array([QUALITY[passage.kind] for passage in self.passages])
        return list(map(float, scores))

    def document_frequency(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many passages each of ``terms`` is found."""
        distinct = list(dict.fromkeys(terms))
        places, signs = self.columns.find(self.signs_of(distinct))
        found = np.unique(self.columns.texts_at(places) * len(distinct) + signs) % max(1, len(distinct))
        return dict(zip(distinct, np.bincount(found, minlength=len(distinct)).tolist(), strict=True))

    def signs_of(self, terms: Sequence[str]) -> list[tuple[int, int]]:
        """The terms that the passages have, each with its place among ``terms``."""
        number_of = self.columns.number_of
        return [(number_of[term], place) for place, term in enumerate(terms) if term in number_of]

    def _gram_scores(self, asked: Asked) -> Scores:
        grams = {
            language: [gram for term in terms for gram in self.analyser.grams(term)]
            for language, terms in asked.items()
        }
        wanted = list(dict.fromkeys(chain.from_iterable(grams.values())))
        at, signs = self.columns.find(
            (number, place) for place, gram in enumerate(wanted) for number in self.columns.terms_with(gram)
        )
        return self._bm25(self.columns.texts_at(at), signs, wanted, grams, self.columns.gram_lengths)[0]

    def _pair_scores(self, at: Numbers, texts: Numbers, signs: Numbers, terms: Sequence[str], asked: Asked) -> Scores:
        """Neighbours of the question that are neighbours in a passage, from where its ``terms`` stand."""
        # Pairs of characters overlap already: neighbours of theirs would count the same twice.
        pairs = {
            language: [pair for pair in pairwise(own) if any(map(_is_word, pair))] for language, own in asked.items()
        }
        place_of = {term: place for place, term in enumerate(terms)}
        key_of = {
            pair: place_of[pair[0]] * len(terms) + place_of[pair[1]] for pair in chain.from_iterable(pairs.values())
        }
        wanted = sorted(key_of, key=key_of.__getitem__)
        keys = np.array([key_of[pair] for pair in wanted], np.int64)
        near = np.flatnonzero((np.diff(at) == 1) & (np.diff(texts) == 0))
        there = signs[near] * len(terms) + signs[near + 1]
        known = np.isin(there, keys)
        lengths = np.maximum(self.columns.lengths - 1, 0)
        return self._bm25(texts[near][known], np.searchsorted(keys, there[known]), wanted, pairs, lengths)[0]

    def _title_scores(self, idf: Mapping[str, float], asked: Asked) -> Scores:
        """For each passage the idf of those terms of the question that its title and headings have."""
        scores = np.zeros(len(self.passages))
        for language, numbers in self._numbers_of.items():
            if language not in self._titles:
                self._titles[language] = self._analysed_titles(language)
            titles, title_of = self._titles[language]
            wanted = [term for term in dict.fromkeys(asked[language]) if term in titles.number_of]
            at, signs = titles.find((titles.number_of[term], place) for place, term in enumerate(wanted))
            there = np.zeros((len(titles), len(wanted)), bool)
            there[titles.texts_at(at), signs] = True
            scores[numbers] = (there @ np.array([idf[term] for term in wanted]))[title_of]
        return scores

    def _analysed_titles(self, language: str) -> tuple[Columns, Numbers]:
        """The different titles of a language's passages, headings included, and which one each passage has."""
        place_of: dict[str, int] = {}
        passages = [self.passages[number] for number in self._numbers_of[language].tolist()]
        titles = [" \n".join((passage.document.source.title, *passage.headings)) for passage in passages]
        places = [place_of.setdefault(title, len(place_of)) for title in titles]
        return Columns(list(place_of), [language] * len(place_of), self.analyser), np.array(places, np.int64)

    def _bm25(
        self,
        texts: Numbers,
        signs: Numbers,
        wanted: Sequence[Any],
        asked: Mapping[str, Sequence[Any]],
        lengths: Numbers,
    ) -> tuple[Scores, list[float]]:
        """The score of each passage for what is ``asked`` in its language, and the idf of each of ``wanted``.

        ``texts`` and ``signs`` tell which passage has which of ``wanted``, once for each time.
        """
        width = max(1, len(wanted))
        keys, counts = np.unique(texts * width + signs, return_counts=True)
        having, first = np.unique(keys // width, return_index=True)
        found = np.bincount(keys % width, minlength=width).tolist()
        names, times = [wanted[place] for place in (keys % width).tolist()], counts.tolist()
        frequencies = [
            dict(zip(names[start:end], times[start:end], strict=True))
            for start, end in pairwise([*first.tolist(), len(keys)])
        ]
        collection = Collection(len(lengths), float(lengths.mean()), dict(zip(wanted, found, strict=False)))
        bm25 = Bm25(frequencies, lengths[having], collection, self.settings.k1, self.settings.b)
        scores = np.zeros(len(lengths))
        for language, numbers in self._numbers_of.items():
            own = np.flatnonzero(np.isin(having, numbers))
            scores[having[own]] = bm25.get_batch_scores(asked[language], own.tolist())
        return scores, [bm25.idf[term] for term in wanted]


def rank(index: Index, question: str, *, in_context: bool = False) -> tuple[list[Ranked], list[Note]]:
    """The passages that share anything with ``question``, best first, at most ``settings.candidates``.

    Where several questions are asked at once, what is best for one of them is as good as what is best for all. With
    ``in_context`` a passage is ranked by what stands around it too, and one that shares nothing may come along:
    an answer often stands behind the sentence that names its subject. Passages of equal score stay in the order of
    the index. Notes tell of those left out.
    """
    scores = _best_scores(index, question)
    if in_context:
        scores = _in_context(index, scores)
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


def _best_scores(index: Index, question: str) -> list[float]:
    whole = np.array(index.scores(question))
    questions = [part for part in _QUESTION.findall(question[:_LONGEST_QUESTION]) if _asks_much(index, part)]
    best = whole
    for part in questions[:_MOST_QUESTIONS] if len(questions) > 1 else ():
        own = np.array(index.scores(part))
        if own.any():
            best = np.maximum(best, own * (whole.max() / own.max()))
    return [float(score) for score in best]


def _in_context(index: Index, scores: Sequence[float]) -> list[float]:
    """Each score and, weighed, the best of the same document, which fades from passage to passage."""
    settings = index.settings
    context = list(scores)
    for order in (range(len(scores)), range(len(scores) - 1, -1, -1)):
        for before, at in pairwise(order):
            if index.passages[before].document is index.passages[at].document:
                context[at] = max(context[at], settings.context_fade * context[before])
    return [score + settings.context_weight * around for score, around in zip(scores, context, strict=True)]


def _asks_much(index: Index, question: str) -> bool:
    return len(set(index.query_terms(question, index.usual_language))) >= FEWEST_TERMS


def note(stage: Any, passage: Passage, *, kept: bool, reason: str, score: float | None = None) -> Note:
    """What ``stage`` did with ``passage``; of its text, the beginning."""
    document = passage.document
    text = document.text[passage.start : min(passage.end, passage.start + _WORTH_NOTING)]
    return Note(stage, document.source.id, text, kept, reason, score, passage.start, passage.end)


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
