"""The first stage: of each source the text that is worth reading, and notes on the rest."""

from __future__ import annotations

from rag_service.retrieval.lines import clean_attached_lines, clean_web_lines
from rag_service.retrieval.page import clean_page
from rag_service.retrieval.types import Document, Source


def clean(source: Source) -> Document:
    """The text of a source without what is of its page only: menus, footers, banners.

    Apart from white space, the text is a subsequence of the source's characters (of a page's, as a reader sees them:
    entities resolved, scripts and comments left out). Everything left out is in the document's notes, neighbours
    with one reason together; their offsets are in the source's text, or ``None`` for a page's markup.

    Sources of the kind ``attached`` lose only what is certainly no part of them.
    """
    if source.html:
        page = clean_page(source)
        if page is not None:
            return page
    cleaned = clean_web_lines if source.kind == "web" else clean_attached_lines
    text, notes = cleaned(source)
    return Document(source, text, notes)
