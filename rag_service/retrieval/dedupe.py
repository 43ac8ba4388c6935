"""Passages that say again what a better one says: exact copies before ranking, near copies after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from rag_service.retrieval.folding import fold
from rag_service.retrieval.rank import Ranked, note
from rag_service.retrieval.types import Note, Passage

Shingle = str | tuple[str, ...]

SHINGLE_WORDS: Final = 3
SHINGLE_CHARACTERS: Final = 6
# From this share of characters beyond the last block of alphabets on, a text is shingled by characters.
_UNSPACED_SHARE: Final = 0.3
# A passage so many times as long as its copy says more than that one.
_SAYS_MORE: Final = 1.5
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"\d+(?:[.,:/]\d+)*")
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)


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
    shown: list[_Shingled] = []
    met: set[Shingle] = set()
    for candidate in ranked:
        own = _Shingled(fold(candidate.passage.text))
        # Most passages repeat too little of all better ones to repeat much of one.
        likely = len(own.shingles & met) >= share * len(own.shingles) / _SAYS_MORE
        place = _repeated(own, shown, share) if likely else None
        if place is not None:
            reason = f"nearly the same as {_place(kept[place].passage)}"
            notes.append(note("dedupe", candidate.passage, kept=False, reason=reason, score=candidate.score))
            continue
        met |= own.shingles
        shown.append(own)
        kept.append(candidate)
    return kept, notes


class _Shingled:
    """A folded text with what it is compared by."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.shingles = shingles_of(text)

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(_NUMBER.findall(self._text))


def _repeated(candidate: _Shingled, shown: Sequence[_Shingled], share: float) -> int | None:
    """The place of the better text that has most of a candidate's shingles, and its numbers, if one has enough."""
    size = len(candidate.shingles)
    best, most = None, 0
    for place, other in enumerate(shown):
        if size > _SAYS_MORE * len(other.shingles):
            continue
        shared = len(candidate.shingles & other.shingles)
        enough = shared > most and shared >= share * min(size, len(other.shingles))
        if enough and candidate.numbers <= other.numbers:
            best, most = place, shared
    return best


def shingles_of(text: str) -> frozenset[Shingle]:
    """The runs of three words of a folded text, or of six characters where a script sets no spaces.

    A shorter text is one shingle. Digits count as they are.
    """
    words = _WORD.findall(text)
    if not text.isascii():
        letters = "".join(words)
        if len(_UNSPACED.findall(letters)) >= _UNSPACED_SHARE * max(1, len(letters)):
            return frozenset(_runs(letters, SHINGLE_CHARACTERS)) or frozenset({letters})
    return frozenset(zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False)) or frozenset(
        {tuple(words)}
    )


def _runs(text: str, length: int) -> Iterable[str]:
    return (text[start : start + length] for start in range(len(text) - length + 1))


def _place(passage: Passage) -> str:
    return f"passage {passage.number} of source {passage.document.source.id}"
