"""Sources, documents and passages for tests."""

from __future__ import annotations

from collections.abc import Sequence

from rag_service.retrieval.rank import Index
from rag_service.retrieval.types import BlockKind, Document, Passage, Source, SourceKind


def passage(text: str, source_id: str = "1", title: str = "", kind: BlockKind = "prose") -> Passage:
    """A whole document as one passage."""
    return Passage(Document(Source(source_id, text, title), text), 0, 0, len(text), kind=kind)


def index(texts: Sequence[str], *, kind: SourceKind = "attached") -> Index:
    """Each text as a source of its own, numbered from 1."""
    documents = [Document(Source(str(number), text, kind=kind), text) for number, text in enumerate(texts, 1)]
    return Index([Passage(document, 0, 0, len(document.text)) for document in documents])


def count_bytes(text: str) -> int:
    """A stand-in for a tokenizer: four bytes a token, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)
