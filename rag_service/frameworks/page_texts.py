"""Whether a text is a page's markup, as far as it and what its loader said of it tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from rag_service.retrieval.types import Source, SourceKind

Markup = bool | Literal["auto"]

# Where loaders of both frameworks, and HTTP clients, put a text's media type.
_TYPE_KEYS: Final = ("content_type", "Content-Type", "content-type", "mimetype", "mime_type", "file_type")
_HTML_TYPES: Final = ("text/html", "application/xhtml+xml")
_HEAD_CHARACTERS: Final = 4_000
_BLOCK_TAGS: Final = (
    "address|article|aside|blockquote|div|dl|footer|form|h[1-6]|header|main|nav|ol|p|section|table|ul"
)
_OPENING: Final = re.compile(
    rf"\ufeff?\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|{_BLOCK_TAGS})\b[^<]*>",
    re.IGNORECASE | re.DOTALL,
)
_ANY_TAG: Final = re.compile(rf"</(?:{_BLOCK_TAGS}|html|head|body|title|li|td|tr|span|a)\s*>", re.IGNORECASE)


def is_markup(text: str, metadata: Mapping[str, Any], markup: Markup) -> bool:
    """Whether to read ``text`` as HTML.

    ``markup`` is the caller's word for it. With ``"auto"`` a text that begins with a page's or a block's tag is, and
    one that its media type in the metadata calls HTML if there is a tag in it: loaders keep the type of pages whose
    text they have taken out. Another media type says that it is not.
    """
    if markup != "auto":
        return markup
    media_type = next((str(metadata[key]).lower() for key in _TYPE_KEYS if metadata.get(key)), "")
    if media_type.startswith(_HTML_TYPES):
        return _OPENING.match(text[:_HEAD_CHARACTERS]) is not None or _ANY_TAG.search(text) is not None
    return not media_type and _OPENING.match(text[:_HEAD_CHARACTERS]) is not None


def make_source(
    text: str, metadata: Mapping[str, Any], kind: SourceKind, *, id: str = "", html: bool = False
) -> Source:
    """A framework's text as a source, with the title and address of its metadata where they are text."""
    title = next((found for key in ("title", "document_title", "file_name") if (found := _text(metadata, key))), "")
    url = next((found for key in ("source", "url", "file_path") if (found := _text(metadata, key))), "")
    return Source(id, text, title, url, kind, html)


def _text(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
