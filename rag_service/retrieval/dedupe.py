"""Passages that say again what a better one says: exact copies before ranking, near copies after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from rag_service.retrieval.folding import BORDER, fold_texts
from rag_service.retrieval.rank import Ranked, note
from rag_service.retrieval.shingles import QuickTest, Shingle, shingles_of
from rag_service.retrieval.types import Note, Passage

# A passage so many times as long as its copy says more than that one.
_SAYS_MORE: Final = 1.5
_NUMBER: Final = re.compile(r"\d+(?:[.,:/]\d+)*")


def drop_copies(passages: Sequence[Passage]) -> tuple[list[Passage], list[Note]]:
    """``passages`` without those whose text, but for case and white space, came before."""
    # Texts in full are compared only where they begin and end with the same word.
    alike: dict[str, list[int]] = {}
    for place, passage in enumerate(passages):
        text = passage.text
        ends = text.split(None, 1)[:1] + text.rsplit(None, 1)[-1:]
        alike.setdefault(" ".join(ends).casefold(), []).append(place)
    first: dict[str, Passage] = {}
    copy_of: dict[int, Passage] = {}
    for places in alike.values():
        for place in places if len(places) > 1 else ():
            text = " ".join(passages[place].text.casefold().split())
            better = first.setdefault(text, passages[place])
            if better is not passages[place]:
                copy_of[place] = better
    notes = [
        note("dedupe", passages[place], kept=False, reason=f"the same as {_place(copy_of[place])}")
        for place in sorted(copy_of)
    ]
    return [passage for place, passage in enumerate(passages) if place not in copy_of], notes


def drop_near_copies(ranked: Sequence[Ranked], share: float) -> tuple[list[Ranked], list[Note]]:
    """``ranked`` without those that better ones repeat.

    A passage goes when it and a better one share at least ``share`` (0..1) of the shingles of the shorter of both,
    unless it is half as long again as that one and so says more, and when the better one has all its numbers: rows
    that differ in a digit are two facts.
    """
    kept: list[Ranked] = []
    notes: list[Note] = []
    shown: dict[int, _Shingled] = {}
    folded = fold_texts([candidate.passage.text for candidate in ranked]).split(BORDER) if ranked else []
    # Most passages repeat too little of all better ones to repeat much of one, and the others of most.
    quick, least = QuickTest(folded), share / _SAYS_MORE
    for number, (candidate, likely) in enumerate(zip(ranked, quick.repeating(least), strict=True)):
        own = _Shingled(folded[number])
        better = [place for place in quick.alike(number, least) if place in shown] if likely else []
        repeated = _repeated(own, {place: shown[place] for place in better}, share)
        if repeated is not None:
            reason = f"nearly the same as {_place(ranked[repeated].passage)}"
            notes.append(note("dedupe", candidate.passage, kept=False, reason=reason, score=candidate.score))
            continue
        shown[number] = own
        kept.append(candidate)
    return kept, notes


class _Shingled:
    """A folded text with what it is compared by."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def shingles(self) -> frozenset[Shingle]:
        return shingles_of(self._text)

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(_NUMBER.findall(self._text))


def _repeated(candidate: _Shingled, better: Mapping[int, _Shingled], share: float) -> int | None:
    """The number of the better text that has most of a candidate's shingles, and its numbers, if one has enough."""
    best, most = None, 0
    for place, other in better.items():
        size = len(candidate.shingles)
        if size > _SAYS_MORE * len(other.shingles):
            continue
        shared = len(candidate.shingles & other.shingles)
        enough = shared > most and shared >= share * min(size, len(other.shingles))
        if enough and candidate.numbers <= other.numbers:
            best, most = place, shared
    return best


def _place(passage: Passage) -> str:
    return f"passage {passage.number} of source {passage.document.source.id}"
