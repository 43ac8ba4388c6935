"""Cleaning of a page's markup: trafilatura says what the page is about, its own blocks give the text.

Where trafilatura finds nothing, or nothing that the page says, the blocks are judged one by one as the lines of a
flattened page are, with what the markup tells besides: links, menus, footers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from lxml import etree

from rag_service.retrieval.alignment import compact, find_kept
from rag_service.retrieval.banners import is_banner
from rag_service.retrieval.boilerplate import is_surely_boilerplate
from rag_service.retrieval.markup import MarkupBlock, parse_page, read_blocks, title_of
from rag_service.retrieval.sentences import estimate_tokens
from rag_service.retrieval.types import Block, Document, Note, Source
from rag_service.retrieval.verdicts import judge_lines

# Pages with more blocks are judged block by block: trafilatura's time grows faster than the page.
_MOST_BLOCKS: Final = 20_000
_MOST_CHARACTERS: Final = 2_500_000
# So do pages of tables in tables, of which its time is the square.
_MOST_NESTED_TABLES: Final = 300
_LINK_SHARE: Final = 0.5
# A main text below so many tokens is doubted, and given up where far more on the page reads as text.
_SHORT_TOKENS: Final = 100
_LARGER: Final = 1.5
# Of trafilatura's characters, how many must be found among the page's blocks.
_FOUND_SHARE: Final = 0.5
# Inline elements in trafilatura's own markup of what it found.
_INLINE: Final = frozenset({"hi", "ref", "del", "span", "graphic"})


def clean_page(source: Source) -> Document | None:
    """The text of a page that is worth reading; ``None`` where no block of text can be read from it."""
    tree = parse_page(source.text)
    if tree is None:
        return None
    blocks = read_blocks(tree)
    if not blocks:
        return None
    title = source.title or title_of(tree)
    source = replace(source, title=title)
    if source.kind == "attached":
        kept, reasons = _keep_most(blocks)
        return _assemble(source, blocks, kept, reasons)
    main = _main_blocks(tree, blocks, len(source.text))
    if main is not None and _tokens(blocks, main) >= _SHORT_TOKENS:
        return _assemble(source, blocks, *_without_banners(blocks, main))
    kept, reasons = _judge(blocks)
    if main is not None and _tokens(blocks, kept) < _LARGER * _tokens(blocks, main):
        return _assemble(source, blocks, *_without_banners(blocks, main))
    return _assemble(source, blocks, kept, reasons)


def _tokens(blocks: Sequence[MarkupBlock], kept: Sequence[bool]) -> int:
    """The size of the kept blocks outside menus and footers."""
    return estimate_tokens(
        "".join(block.text for block, keep in zip(blocks, kept, strict=True) if keep and not block.framed)
    )


def _without_banners(blocks: Sequence[MarkupBlock], main: Sequence[bool]) -> tuple[list[bool], list[str]]:
    reasons = [
        (is_banner(block.text) if inside else "outside the main text")
        for block, inside in zip(blocks, main, strict=True)
    ]
    return [not reason for reason in reasons], reasons


def _keep_most(blocks: Sequence[MarkupBlock]) -> tuple[list[bool], list[str]]:
    """For a file the user chose: all but menus and footers, and phrases that no document is written for."""
    reasons = []
    for block in blocks:
        if block.framed and block.links > _LINK_SHARE:
            reasons.append("links of a menu or a footer")
        else:
            reasons.append("a phrase of pages" if is_surely_boilerplate(block.text) else "")
    return [not reason for reason in reasons], reasons


def _judge(blocks: Sequence[MarkupBlock]) -> tuple[list[bool], list[str]]:
    return judge_lines([block.text for block in blocks], [block.kind for block in blocks], list(map(_barred, blocks)))


def _barred(block: MarkupBlock) -> str:
    if block.framed:
        return "in a menu, a footer or the like"
    return "mostly links" if block.links > _LINK_SHARE and block.kind != "table" else ""


def _main_blocks(tree: Any, blocks: Sequence[MarkupBlock], size: int) -> list[bool] | None:
    """Which blocks trafilatura counts to the main text; ``None`` if it cannot say."""
    if len(blocks) > _MOST_BLOCKS or size > _MOST_CHARACTERS:
        return None
    if sum(table.find(".//table") is not None for table in tree.iter("table")) > _MOST_NESTED_TABLES:
        return None
    pieces = list(_extract(tree))
    framed = {number for number, block in enumerate(blocks) if block.framed}
    kept = find_kept([block.text for block in blocks], pieces, framed)
    found = sum(len(compact(block.text)) for block, keep in zip(blocks, kept, strict=True) if keep)
    wanted = sum(len(compact(piece)) for piece in pieces)
    return kept if found and found >= _FOUND_SHARE * wanted else None


def _extract(tree: Any) -> Iterator[str]:
    """Pieces of what trafilatura calls the text of the page."""
    from trafilatura import bare_extraction  # takes half a second to import

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    document = bare_extraction(tree, include_comments=False, fast=True)
    body = getattr(document, "body", None)
    if body is None:
        return
    parts: list[str] = []
    for event, element in etree.iterwalk(body, events=("start", "end")):
        if element.tag not in _INLINE and parts:
            yield "".join(parts)
            parts.clear()
        text = element.text if event == "start" else element.tail
        if text and text.strip():
            parts.append(text)
    if parts:
        yield "".join(parts)


def _assemble(
    source: Source, blocks: Sequence[MarkupBlock], kept: Sequence[bool], reasons: Sequence[str]
) -> Document:
    """The kept blocks, a blank line between them except between items, rows and lines of one list or table."""
    pieces: list[str] = []
    places: list[Block] = []
    at = 0
    for number, block in enumerate(blocks):
        if not kept[number]:
            continue
        if pieces:
            same = block.kind == places[-1].kind and block.kind in ("list", "table") and kept[number - 1]
            pieces.append("\n" if same else "\n\n")
            at += len(pieces[-1])
        pieces.append(block.text)
        places.append(Block(at, at + len(block.text), block.kind, block.level))
        at += len(block.text)
    notes = [
        Note("clean", source.id, "\n".join(block.text for block, _, _ in run), False, reason)
        for (keep, reason), run in groupby(zip(blocks, kept, reasons, strict=True), key=lambda of: (of[1], of[2]))
        if not keep
    ]
    return Document(source, "".join(pieces), tuple(notes), tuple(places))
