"""The settings of retrieval: one set for every language and every kind of text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """What the stages are set to. The defaults are what ships; nothing is chosen per language or corpus.

    Attributes:
        k1: How soon a repeated term stops counting (BM25).
        b: How much a long passage is discounted, 0..1 (BM25).
        gram_weight: Weight of the field of character 4-grams beside that of terms.
        pair_weight: Weight of the field of neighbouring terms beside that of terms.
        title_weight: What a term of the question adds by standing in title or headings, as a share of its idf.
        context_weight: What the best score of its document adds to a passage's own.
        context_fade: What is left of that from one passage to the next.
        candidates: Passages, best first, that go on from ranking.
        duplicate_share: Share of a passage's shingles in better passages, from which on it repeats them.
        floor: Relevance (0..1) below which a web result is dropped.
        relative_floor: Share of the best sentence's worth below which one is left out, also where there is room.
        source_share: Share of the budget that one source may take while others want some.
        gap: What stands between two pieces of a source that do not touch.
    """

    k1: float = 1.2
    b: float = 0.75
    gram_weight: float = 0.15
    pair_weight: float = 0.3
    title_weight: float = 0.2
    context_weight: float = 2.0
    context_fade: float = 0.9
    candidates: int = 300
    duplicate_share: float = 0.8
    floor: float = 0.25
    relative_floor: float = 0.33
    source_share: float = 0.75
    gap: str = "\n…\n"

    def __post_init__(self) -> None:
        shares = ("b", "context_fade", "duplicate_share", "floor", "relative_floor", "source_share")
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}.")
        for name in ("k1", "gram_weight", "pair_weight", "title_weight", "context_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is a weight of 0 or more, not {getattr(self, name)}.")
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}: at least one passage has to go on.")
