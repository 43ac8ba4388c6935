"""The first stage: of each source the text that is worth reading, and notes on the rest."""

from __future__ import annotations

from dataclasses import replace

from rag_service.retrieval.lines import clean_attached_lines, clean_web_lines
from rag_service.retrieval.markup import is_page, strip_tags
from rag_service.retrieval.page import clean_page
from rag_service.retrieval.types import Document, Source


def clean(source: Source) -> Document:
    """The text of a source without what is of its page only: menus, footers, banners.

    Apart from white space, the text is a subsequence of the source's characters (of a page's, as a reader sees them:
    entities resolved, scripts and comments left out). Everything left out is in the document's notes, neighbours
    with one reason together; their offsets are in the source's text, or ``None`` for a page's markup.

    Sources of the kind ``attached`` lose only what is certainly no part of them. A found page is read as markup where
    its text begins as a page's does, also if its sender did not say so; an attached one may be there for its markup.
    """
    if source.html or (source.kind == "web" and is_page(source.text)):
        page = clean_page(source)
        return _clean_tagless(source) if page is None else page
    return _clean_lines(source)


def _clean_tagless(source: Source) -> Document:
    """What line cleaning finds in markup that holds no readable block."""
    found = _clean_lines(replace(source, text=strip_tags(source.text)))
    return replace(found, source=source, notes=tuple(replace(note, start=None, end=None) for note in found.notes))


def _clean_lines(source: Source) -> Document:
    return clean_web_lines(source) if source.kind == "web" else clean_attached_lines(source)
