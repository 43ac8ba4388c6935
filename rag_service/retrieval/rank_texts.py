"""Texts by how well they answer a query, without a model: the index and the relevance that chats with sources use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rag_service.retrieval.analyse import Analyser
from rag_service.retrieval.floor import Relevance
from rag_service.retrieval.rank import Index
from rag_service.retrieval.segment import segment
from rag_service.retrieval.types import Document, Passage, Source

# A text up to this length is judged as a whole; of a longer one its passages are, and the best counts.
_LONGEST_WHOLE: Final = 2_000


def rank_texts(analyser: Analyser, query: str, texts: Sequence[str]) -> list[tuple[int, float]]:
    """The places of ``texts``, each with its relevance to ``query`` (0..1), the best first.

    Equal relevance is decided by BM25, then by the order given. The relevance is that of the gate for web results.
    """
    passages: list[Passage] = []
    owners: list[int] = []
    for place, text in enumerate(texts):
        own = _passages(str(place), text)
        passages += own
        owners += [place] * len(own)
    best = [(0.0, 0.0)] * len(texts)
    index = Index(passages, analyser)
    scores = index.scores(query)
    found = [number for number, score in enumerate(scores) if score > 0]
    relevance = Relevance(index, query).of_passages(found) if found else []
    for number, covered in zip(found, relevance, strict=True):
        best[owners[number]] = max(best[owners[number]], (covered, float(scores[number])))
    order = sorted(range(len(texts)), key=lambda place: (-best[place][0], -best[place][1], place))
    return [(place, best[place][0]) for place in order]


def _passages(name: str, text: str) -> list[Passage]:
    document = Document(Source(name, text), text)
    if len(text) <= _LONGEST_WHOLE:
        return [Passage(document, 0, 0, len(text))] if text.strip() else []
    return segment(document)
