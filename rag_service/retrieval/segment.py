"""The second stage: a document as passages of about one size, on the borders of its blocks and sentences."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from rag_service.retrieval.blocks import find_blocks
from rag_service.retrieval.sentences import estimate_pieces, estimate_spans, sentence_spans
from rag_service.retrieval.types import Block, BlockKind, Document, Passage

DEFAULT_TOKENS: Final = 120
# A passage may be so much larger than asked for, where that keeps a rest from standing alone.
_STRETCH: Final = 1.35
# A rest smaller than this share of a passage joins the one before it.
_REST: Final = 0.3
# From this share of its size on, a passage ends where a heading or a paragraph that will not fit begins.
_FULL: Final = 0.5
# A row, or a line of code, of so many times the size is cut all the same.
_LONGEST_ROW: Final = 8
_CLAUSE: Final = re.compile(r"[,;:–—]\s+|[，、；：،؛]\s*|\s+")
_MARKS: Final = re.compile(r"^[\s#]+|[\s#]+$|\n\s*[=~^-]{3,}\s*$")

# Tokens of the text from one offset to another.
_Sizes = Callable[[int, int], int]


class _Atom(NamedTuple):
    """What is never cut: a sentence, a row, a line, a heading."""

    start: int
    end: int
    kind: BlockKind
    tokens: int
    headings: tuple[str, ...]
    opens: bool


def segment(document: Document, *, tokens: int = DEFAULT_TOKENS) -> list[Passage]:
    """Cut a document into passages of about ``tokens`` tokens, by estimate, and at most a third more.

    All its text but white space is in exactly one passage. A heading stands in the passage of what follows it, a
    sentence or the row of a table is never cut unless it is larger than a passage (a row: eight passages). Passages
    carry the headings above them; those that continue a table carry its first row as the last of these.

    Raises:
        ValueError: if ``tokens`` is less than 1.
    """
    if tokens < 1:
        raise ValueError(f"Passages of {tokens} tokens cannot be made; ask for 1 or more.")
    groups = _grouped(_atoms(document, tokens), tokens)
    return [
        Passage(document, number, group[0].start, group[-1].end, _headings(group), _kind(group))
        for number, group in enumerate(groups)
    ]


def _atoms(document: Document, tokens: int) -> list[_Atom]:
    """The pieces of the document in their order, each with the headings it stands under."""
    text = document.text
    blocks = document.blocks or find_blocks(text)
    spans_of = [_spans(text, block) for block in blocks]
    sizes = iter(estimate_spans(text, [span for spans in spans_of for span in spans]))
    sizer = _Sizer(text)
    atoms: list[_Atom] = []
    above: list[tuple[int, str]] = []
    headings: tuple[str, ...] = ()
    for block, spans in zip(blocks, spans_of, strict=True):
        if block.kind == "heading":
            above = [(level, title) for level, title in above if level < block.level]
            headings = tuple(title for _, title in above)
            title = _MARKS.sub("", text[block.start : block.end])
            atoms.append(_Atom(block.start, block.end, "heading", next(sizes), headings, True))
            above.append((block.level, title))
            headings = (*headings, title)
            continue
        limit = tokens * (_LONGEST_ROW if block.kind in ("table", "code") else _STRETCH)
        opens, under = True, headings
        for (start, end), size in zip(spans, sizes, strict=False):
            pieces = ((start, end, size),) if size <= limit else _cut(text, start, end, block.kind, tokens, sizer)
            for first, last, own in pieces:
                atoms.append(_Atom(first, last, block.kind, own, under, opens))
                if opens and block.kind == "table":
                    under = (*headings, text[first:last].strip())
                opens = False
    return atoms


def _spans(text: str, block: Block) -> list[tuple[int, int]]:
    """Sentences of prose, lines of all else, a heading whole."""
    if block.kind == "heading":
        return [(block.start, block.end)]
    if block.kind in ("table", "code", "data", "list"):
        return list(_lines(text, block))
    return sentence_spans(text, block.start, block.end)


def _cut(
    text: str, start: int, end: int, kind: BlockKind, tokens: int, sizer: _Sizer
) -> Iterator[tuple[int, int, int]]:
    """A piece that is too large for a passage in parts, each with its tokens."""
    for span in sentence_spans(text, start, end) if kind == "list" else [(start, end)]:
        for part in _parts(text, *span, tokens, sizer.size_of):
            yield *part, sizer.size_of(*part)


class _Sizer:
    """Sizes of parts of a text, which few texts need."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def size_of(self) -> _Sizes:
        """Tokens of the text from one offset to another."""
        return estimate_pieces(self._text)


def _lines(text: str, block: Block) -> Iterator[tuple[int, int]]:
    start = block.start
    for line in text[block.start : block.end].splitlines(keepends=True):
        stripped = line.rstrip()
        if stripped:
            yield start, start + len(stripped)
        start += len(line)


def _parts(text: str, start: int, end: int, tokens: int, size_of: _Sizes) -> Iterator[tuple[int, int]]:
    """Parts of a piece that fits nowhere, each within ``tokens``, cut between clauses or words if there are any."""
    borders = [match.end() for match in _CLAUSE.finditer(text, start, end)]
    while start < end:
        length = min(end - start, _characters(start, end, tokens, size_of))
        stop = start + length
        if stop < end:
            border = borders[bisect_right(borders, stop) - 1] if borders and borders[0] <= stop else 0
            stop = border if border > start + length // 2 else stop
        last = stop
        while last > start and text[last - 1].isspace():
            last -= 1
        if last > start:
            yield start, last
        start = stop


def _characters(start: int, end: int, tokens: int, size_of: _Sizes) -> int:
    """How many characters from ``start`` on are about ``tokens`` tokens, by the text's beginning; 1 at least."""
    length = min(end - start, 4 * tokens)
    while length > 1 and size_of(start, start + length) > tokens:
        length = max(1, length * 3 // 4)
    return max(1, length)


def _grouped(atoms: Sequence[_Atom], tokens: int) -> list[list[_Atom]]:
    groups: list[list[_Atom]] = []
    group: list[_Atom] = []
    size = 0
    for at, atom in enumerate(atoms):
        if group and _starts_new(atoms, at, group, size, tokens):
            groups.append(group)
            group, size = [], 0
        group.append(atom)
        size += atom.tokens
    if group:
        groups.append(group)
    return _joined(groups, tokens)


def _starts_new(atoms: Sequence[_Atom], at: int, group: Sequence[_Atom], size: int, tokens: int) -> bool:
    """Whether a passage ends before this atom."""
    atom = atoms[at]
    if group[-1].kind == "heading":
        return size + atom.tokens > 2 * tokens and (
            atom.kind == "heading" or any(other.kind != "heading" for other in group)
        )
    if atom.kind == "heading":
        return size >= _FULL * tokens or size + atom.tokens + _ahead(atoms, at + 1, tokens) > tokens
    if size + atom.tokens > tokens:
        return True
    return atom.opens and size >= _FULL * tokens and size + _ahead(atoms, at, tokens) > tokens


def _ahead(atoms: Sequence[_Atom], at: int, tokens: int) -> int:
    """Tokens from an atom to the end of its block, or until they are more than a passage."""
    total = 0
    for number in range(at, len(atoms)):
        if (number > at and atoms[number].opens) or total > tokens:
            break
        total += atoms[number].tokens
    return total


def _joined(groups: list[list[_Atom]], tokens: int) -> list[list[_Atom]]:
    """The same groups, small rests joined to the one before where no heading parts them."""
    joined: list[list[_Atom]] = []
    previous = 0
    for group in groups:
        size = sum(atom.tokens for atom in group)
        alone = group[0].kind == "heading" and any(atom.kind != "heading" for atom in group)
        if joined and not alone and size < _REST * tokens and previous + size <= _STRETCH * tokens:
            joined[-1].extend(group)
            previous += size
        else:
            joined.append(group)
            previous = size
    return joined


def _headings(group: Sequence[_Atom]) -> tuple[str, ...]:
    """The headings of a passage: those above its first piece that is none itself."""
    return next((atom.headings for atom in group if atom.kind != "heading"), group[-1].headings)


def _kind(group: Sequence[_Atom]) -> BlockKind:
    """The kind that most of a passage is of."""
    kinds = {atom.kind for atom in group}
    if len(kinds) == 1:
        return kinds.pop()
    sizes: dict[BlockKind, int] = {}
    for atom in group:
        if atom.kind != "heading":
            sizes[atom.kind] = sizes.get(atom.kind, 0) + atom.tokens
    return max(sizes, key=lambda kind: sizes[kind])
