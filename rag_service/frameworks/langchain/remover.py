"""``BoilerplateRemover``: documents without what is of their page only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.documents import BaseDocumentTransformer, Document

from rag_service.frameworks.page_texts import Markup, is_markup, make_source
from rag_service.retrieval import types
from rag_service.retrieval.clean import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class BoilerplateRemover(BaseDocumentTransformer):
    """Takes menus, footers, banners and the like out of pages, be they HTML or flattened to text.

    One document comes back for each, a copy with its id and metadata; its ``page_content`` is empty where nothing
    is worth reading. A page that had no ``title`` in its metadata gets its own.

    Attributes:
        html: Whether the texts are HTML. ``"auto"`` looks at each text and at the media type in its metadata.
        kind: ``web`` pages lose all that is likely boilerplate, ``attached`` files what certainly is.
        keep_notes: Put what was taken out into the metadata, as ``removed``: a list of ``text``, ``reason``, and
            ``start`` and ``end`` in the original text (``None`` for HTML).

    Example:
        >>> remover = BoilerplateRemover()  # doctest: +SKIP
        >>> documents = remover.transform_documents(WebBaseLoader(url).load())  # doctest: +SKIP
    """

    html: Markup = "auto"
    kind: types.SourceKind = "web"
    keep_notes: bool = False

    def transform_documents(self, documents: Sequence[Document], **kwargs: Any) -> list[Document]:
        """A cleaned copy of each document, in their order. Any text is taken; keyword arguments do nothing."""
        return [self._cleaned(document) for document in documents]

    async def atransform_documents(self, documents: Sequence[Document], **kwargs: Any) -> list[Document]:
        """The asynchronous twin of ``transform_documents``: documents are read in a thread, one after the other.

        Cancelling its task stops before the next document.
        """
        return [await asyncio.to_thread(self._cleaned, document) for document in documents]

    def _cleaned(self, document: Document) -> Document:
        text, metadata = document.page_content, dict(document.metadata)
        source = make_source(text, metadata, self.kind, html=is_markup(text, metadata, self.html))
        cleaned = clean(source)
        if cleaned.source.title and not metadata.get("title"):
            metadata["title"] = cleaned.source.title
        if self.keep_notes:
            metadata["removed"] = [_told(note) for note in cleaned.notes if not note.kept]
        return document.model_copy(update={"page_content": cleaned.text, "metadata": metadata})


def _told(note: types.Note) -> dict[str, Any]:
    return {"text": note.text, "reason": note.reason, "start": note.start, "end": note.end}
