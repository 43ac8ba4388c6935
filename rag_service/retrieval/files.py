"""Files and fetched pages as they are, in bytes: what of them is worth reading."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import Any, Final

from rag_service.retrieval.clean import clean
from rag_service.retrieval.types import Source, SourceKind

_HTML_TYPES: Final = frozenset({"text/html", "application/xhtml+xml"})
_HTML_ENDINGS: Final = (".html", ".htm", ".xhtml")
_TEXT_TYPES: Final = re.compile(
    r"text/(?!rtf).+|(?:application|message)/(?:.+\+)?(?:json|jsonl|xml|yaml|x-yaml|toml|javascript|x-javascript|sql|rfc822"
    r"|x-ndjson|x-sh)"
)
_UNKNOWN_TYPES: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/unknown"})
_HTML_START: Final = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*){0,5}<(?:!doctype html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_HEAD: Final = 4096
_PDF_MARK: Final = b"%PDF-"
_PDF_HEAD: Final = 1024
# A broken file can fail anywhere in a library that trusts it.
_BROKEN: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError, OSError)
_MOST_PDF_PAGES: Final = 2_000
_GUESSED_BYTES: Final = 200_000
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# WHATWG Encoding Standard: what pages mean by names of smaller sets.
_MEANT: Final = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_FEW_CONTROLS: Final = 0.01


class UnreadableFileError(ValueError):
    """A file of which no text can be read; the message says why, and what can be."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file as it came. ``media_type`` and ``charset`` are what its sender says, ``name`` its name or path."""

    body: bytes
    media_type: str = ""
    charset: str = ""
    name: str = ""
    kind: SourceKind = "attached"


@dataclass(frozen=True, slots=True)
class FilePage:
    """The text of a file, or of one of its pages, which are counted from 0."""

    text: str
    title: str = ""
    page: int | None = None


def read_file(file: RawFile) -> list[FilePage]:
    """The text of a file that is worth reading: of a PDF by pages, of all else as one.

    A web page (``kind`` is ``web``) is cleaned as a page is; of files that somebody chose goes only what is certainly
    no part of them.

    Raises:
        UnreadableFileError: There is no text in it that can be read here.
    """
    if _PDF_MARK in file.body[:_PDF_HEAD]:
        pages = _read_pdf(file.body)
    elif _is_html(file):
        markup = decode(file.body, file.charset or _declared(file.body))
        document = clean(Source("", markup, kind=file.kind, html=True))
        pages = [FilePage(document.text, document.source.title)]
    elif _is_text(file):
        # A text that is fetched is a file, and not the text of a page.
        document = clean(Source("", decode(file.body, file.charset)))
        pages = [FilePage(document.text)]
    else:
        what = file.media_type or "unknown type"
        raise UnreadableFileError(
            f"A file of {what} cannot be read: HTML, plain text, Markdown and the like, and PDF can."
        )
    pages = [page for page in pages if page.text.strip()]
    if not pages:
        raise UnreadableFileError(f"No text was found in {len(file.body)} bytes; a scan, for one, is pictures alone.")
    return pages


def decode(body: bytes, charset: str = "") -> str:
    """Bytes as text: by their mark, the charset they are said to have, as UTF-8, or as what they look like."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    told = _codec(charset)
    for name in dict.fromkeys((told, "utf-8") if told else ("utf-8",)):
        try:
            return body.decode(name)
        except UnicodeDecodeError:
            continue
    # What was cut off, or has one wrong byte, still is what it says.
    return body.decode(told or _guessed(body), "replace")


def _codec(charset: str) -> str:
    """The codec that a charset's name means; empty where it means none."""
    try:
        found = codecs.lookup(charset.strip()).name if charset.strip() else ""
        b"text".decode(found or "ascii")  # some codecs are not for text
    except (LookupError, ValueError):
        return ""
    return _MEANT.get(found, found)


def _guessed(body: bytes) -> str:
    from charset_normalizer import from_bytes  # large tables

    best = from_bytes(body[:_GUESSED_BYTES]).best()
    return best.encoding if best is not None else "cp1252"


def _declared(body: bytes) -> str:
    found = _META_CHARSET.search(body[:_HEAD])
    return found[1].decode("ascii") if found else ""


def _is_html(file: RawFile) -> bool:
    if file.media_type in _HTML_TYPES:
        return True
    if file.media_type in _UNKNOWN_TYPES and file.name.lower().endswith(_HTML_ENDINGS):
        return True
    return file.media_type in _UNKNOWN_TYPES and _HTML_START.match(file.body[:_HEAD]) is not None


def _is_text(file: RawFile) -> bool:
    """Whether a file is text by its type, or where that says nothing, by having no bytes that texts do not have."""
    if file.body.startswith(tuple(mark for mark, _ in _BOMS)):
        return True
    if not (_TEXT_TYPES.fullmatch(file.media_type) or file.media_type in _UNKNOWN_TYPES):
        return False
    head = file.body[:_GUESSED_BYTES]
    return b"\x00" not in head and len(_CONTROLS.findall(head)) <= _FEW_CONTROLS * len(head)


def _read_pdf(body: bytes) -> list[FilePage]:
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise UnreadableFileError(
            "PDF files are read by pypdf, which is not installed: pip install 'rkllm-providers[pdf]'."
        ) from error
    try:
        reader = PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFileError("The PDF file is locked with a password.")
        if len(reader.pages) > _MOST_PDF_PAGES:
            raise UnreadableFileError(
                f"The PDF file has {len(reader.pages)} pages, and {_MOST_PDF_PAGES} are read at most."
            )
        title = _title(reader.metadata)
        return [
            FilePage(clean(Source("", page.extract_text())).text, title, number)
            for number, page in enumerate(reader.pages)
        ]
    except UnreadableFileError:
        raise
    except (PyPdfError, *_BROKEN) as error:
        raise UnreadableFileError(f"The PDF file is broken ({type(error).__name__}).") from error


def _title(metadata: Any) -> str:
    title = getattr(metadata, "title", None)
    return " ".join(title.split()) if isinstance(title, str) else ""
