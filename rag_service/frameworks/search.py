"""A search among the passages of texts: what the retrievers of both frameworks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rag_service.retrieval.dedupe import drop_copies, drop_near_copies
from rag_service.retrieval.floor import Relevance, apply_floor, judge
from rag_service.retrieval.rank import Index, Ranked, rank
from rag_service.retrieval.segment import segment
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Document, Passage, Source

# More than any text has: it is one passage then.
_WHOLE: Final = 10**12


def passages_of(source: Source, passage_tokens: int | None) -> list[Passage]:
    """The passages of a text as it is, of about ``passage_tokens`` tokens; for ``None`` one, or none without text."""
    return segment(Document(source, source.text), tokens=_WHOLE if passage_tokens is None else passage_tokens)


class PassageSearch:
    """Passages of texts, made ready for any number of questions, also from several threads at once.

    Of passages with the same text the first is searched. What is found names its text by ``source.id``.
    """

    def __init__(self, sources: Sequence[Source], passage_tokens: int | None, settings: RetrievalSettings) -> None:
        passages = [passage for source in sources for passage in passages_of(source, passage_tokens)]
        distinct, _ = drop_copies(passages)
        self._index = Index(distinct, settings=settings)
        self._has_web = any(source.kind == "web" for source in sources)

    def search(self, question: str, k: int) -> list[Ranked]:
        """The passages that match best, at most ``k``, each with score and relevance.

        Left out are passages that share nothing with the question, those that better ones repeat, and what the
        relevance floor drops of ``web`` sources.

        Raises:
            ValueError: ``k`` is less than 1.
        """
        if k < 1:
            raise ValueError(f"{k} passages cannot be found; ask for 1 or more.")
        ranked, _ = rank(self._index, question)
        if not ranked:
            return []
        settings = self._index.settings
        relevance = Relevance(self._index, question)
        if self._has_web:
            ranked, _ = apply_floor(judge(ranked, relevance), relevance, settings.floor)
        return judge(_distinct(ranked, k, settings.duplicate_share), relevance)


def _distinct(ranked: Sequence[Ranked], k: int, share: float) -> list[Ranked]:
    """The first ``k`` without near copies; what comes after them is not looked at."""
    looked = 2 * k
    while True:
        kept, _ = drop_near_copies(ranked[:looked], share)
        if len(kept) >= k or looked >= len(ranked):
            return kept[:k]
        looked *= 2
