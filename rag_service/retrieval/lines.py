"""Cleaning of a text without markup: it is cut into lines and pieces of lines, and these are judged.

:mod:`rag_service.retrieval.verdicts` judges them; here is what is around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from rag_service.retrieval.banners import cut_bar, cut_tail, cut_unspaced_bar
from rag_service.retrieval.boilerplate import is_surely_boilerplate
from rag_service.retrieval.characters import (
    MARK_END,
    ODD_SPACE,
    UNSPACED,
    Characters,
    Pieces,
    cut_pieces,
    line_starts,
    merge_places,
)
from rag_service.retrieval.glue import cut_glued
from rag_service.retrieval.page_words import PHRASE, PageWords
from rag_service.retrieval.shapes import kinds_of
from rag_service.retrieval.types import BlockKind, Note, Source
from rag_service.retrieval.verdicts import judge_pieces

# Phrases of a bar begin within so many characters of each other; in scripts without spaces a line of so many
# characters may hold one, of so many phrases.
_BAR_DISTANCE: Final = 25
_BAR_PHRASES: Final = 2
_BAR_CHARACTERS: Final = 60


def clean_web_lines(source: Source) -> tuple[str, tuple[Note, ...]]:
    """The lines of a flattened page that carry its text, and a note on each run of lines left out."""
    if not source.text.strip():
        return "", ()
    characters = Characters(source.text)
    starts = line_starts(characters)
    words = PageWords(characters)
    cuts = np.array(cut_glued(characters, starts, words), np.intp)
    words.cut_at(cuts)
    pieces = cut_pieces(characters, merge_places(starts, cuts))
    bars = _cut_bars(pieces, words)
    if bars:
        pieces = cut_pieces(characters, merge_places(pieces.starts, np.unique(bars)))
    kinds = kinds_of(pieces)
    kept, reasons = judge_pieces(pieces, words, kinds, [""] * len(pieces))
    return _assemble(source, pieces, kept, reasons, kinds)


def clean_attached_lines(source: Source) -> tuple[str, tuple[Note, ...]]:
    """A text the user chose, less the lines that are certainly of the page and not of the document."""
    characters = Characters(source.text)
    pieces = cut_pieces(characters, line_starts(characters))
    sure = [is_surely_boilerplate(line) for line in pieces.texts]
    return _assemble(source, pieces, [not one for one in sure], ["a phrase of pages" if one else "" for one in sure])


def _cut_bars(pieces: Pieces, words: PageWords) -> list[int]:
    """Where to cut pieces that hold bars of links beside text."""
    starts = pieces.starts.tolist()
    cuts: list[int] = []
    for at in _bar_pieces(pieces, words):
        cuts += [starts[at] + cut for cut in cut_bar(pieces.texts[at])]
    if pieces.characters.has(UNSPACED):
        found = words.unspaced_phrases
        for at in np.flatnonzero(pieces.count(found) >= _BAR_PHRASES).tolist():
            cuts += [starts[at] + cut for cut in cut_unspaced_bar(pieces.texts[at])]
        long = pieces.have(UNSPACED) & (pieces.lengths >= _BAR_CHARACTERS)
        for at in np.flatnonzero(long & pieces.have(MARK_END)).tolist():
            cuts += [starts[at] + cut for cut in cut_tail(pieces.texts[at])]
    return cuts


def _bar_pieces(pieces: Pieces, words: PageWords) -> list[int]:
    """The numbers of the pieces where two phrases of pages seem to stand side by side, and something else, too."""
    telling = words.having(PHRASE, capital_near=True)
    numbers = np.searchsorted(pieces.starts, telling, side="right") - 1
    close = (np.diff(telling) <= _BAR_DISTANCE) & (numbers[1:] == numbers[:-1])
    found = np.unique(numbers[1:][close])
    told: list[int] = found[pieces.lengths[found] > _BAR_DISTANCE].tolist()
    return told


def _assemble(
    source: Source,
    pieces: Pieces,
    kept: Sequence[bool],
    reasons: Sequence[str],
    kinds: Sequence[BlockKind] | None = None,
) -> tuple[str, tuple[Note, ...]]:
    """The kept lines as one text, with a blank line where one stood or something was left out; and the notes.

    Without ``kinds`` lines are kept as they are, else white space inside of prose becomes single spaces.
    """
    text, starts, ends = source.text, pieces.starts.tolist(), pieces.ends.tolist()
    loose = (pieces.have(ODD_SPACE) | pieces.gaps | (pieces.firsts > pieces.starts)).tolist()
    parts: list[str] = []
    last = 0
    for at, line in enumerate(pieces.texts):
        if not kept[at]:
            continue
        if parts:
            left_out = at - last > 1
            parts.append("\n\n" if left_out or text.count("\n", ends[last], starts[at]) > 1 else "\n")
        if loose[at] and kinds is not None and kinds[at] not in ("code", "table"):
            line = " ".join(line.split())
        parts.append(line)
        last = at
    return "".join(parts), tuple(_notes(source, starts, ends, kept, reasons))


def _notes(
    source: Source, starts: Sequence[int], ends: Sequence[int], kept: Sequence[bool], reasons: Sequence[str]
) -> Iterator[Note]:
    """One note for each run of neighbours left out for one reason."""
    at = 0
    while at < len(kept):
        first = at
        at += 1
        if kept[first]:
            continue
        while at < len(kept) and not kept[at] and reasons[at] == reasons[first]:
            at += 1
        start, end = starts[first], ends[at - 1]
        yield Note("clean", source.id, source.text[start:end], False, reasons[first], start=start, end=end)
