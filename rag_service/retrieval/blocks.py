"""The blocks of a document whose markup is not known: from blank lines, marks and shapes of lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from rag_service.retrieval.characters import Characters, Pieces
from rag_service.retrieval.shapes import heading_level, heads, kinds_of
from rag_service.retrieval.types import Block, BlockKind

# What a line that only looks like a heading counts as: below any marked one.
_UNMARKED_LEVEL: Final = 6
_UNDERLINE_LEVEL: Final = {"=": 1, "-": 2}


def find_blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs, headings, lists, tables, code and data in a plain text or in Markdown, in their order.

    Blocks are trimmed of line breaks at both ends; what is between them is white space.
    """
    lines = text.split("\n")
    lengths = np.fromiter(map(len, lines), np.intp, len(lines)) + 1
    starts = np.cumsum(lengths) - lengths
    kinds = kinds_of(Pieces(Characters(text + "\n"), starts, lines))
    filled = [bool(line) and not line.isspace() for line in lines]
    for at, line in enumerate(lines):
        if filled[at] and kinds[at] == "prose" and not (at and filled[at - 1]):
            after = next((other for other in lines[at + 1 : at + 3] if other.strip()), "")
            if heads(line, "", after):
                kinds[at] = "heading"
    places = starts.tolist()
    return tuple(
        Block(places[first], places[last] + len(lines[last]), kind, _level(lines, first, last, kind))
        for first, last, kind in _groups(lines, filled, kinds)
    )


def _groups(lines: list[str], filled: list[bool], kinds: list[BlockKind]) -> Iterator[tuple[int, int, BlockKind]]:
    """First and last line of each block. A blank line ends prose and headings, and nothing else."""
    at = 0
    while at < len(lines):
        if not filled[at]:
            at += 1
            continue
        kind, last, next_at = kinds[at], at, at + 1
        while next_at < len(lines) and (not filled[next_at] or kinds[next_at] == kind):
            if filled[next_at]:
                if next_at - last > 1 and kind in ("prose", "heading"):
                    break
                if kind == "heading" and heading_level(lines[next_at]):
                    break
                last = next_at
            next_at += 1
        yield at, last, kind
        at = last + 1


def _level(lines: list[str], first: int, last: int, kind: BlockKind) -> int:
    if kind != "heading":
        return 0
    if marked := heading_level(lines[first]):
        return marked
    if last > first:
        return _UNDERLINE_LEVEL.get(lines[last].strip()[:1], _UNMARKED_LEVEL)
    return _UNMARKED_LEVEL
