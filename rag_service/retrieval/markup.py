"""A page's markup as blocks of text: paragraphs, headings, list items, table rows, code, with where each stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree, html

from rag_service.retrieval.types import BlockKind

# HTML Living Standard, "flow content" that starts on a line of its own, and `br`.
_BLOCK_TAGS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd",
        "details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "label", "legend", "li", "main",
        "menu", "nav", "ol", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th",
        "thead", "title", "tr", "ul",
    }
)  # fmt: skip
# What a reader of the page never sees as its text.
_UNREAD_TAGS: Final = frozenset(
    {
        "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "canvas",
        "select", "option", "datalist", "textarea", "input", "head", "meta", "link", "audio", "video", "map",
    }
)  # fmt: skip
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
# Tags and ARIA roles (WAI-ARIA 1.2, landmarks) of what is around the text.
_FRAME_TAGS: Final = frozenset({"nav", "footer", "aside", "menu", "search", "dialog"})
_FRAME_ROLES: Final = frozenset(
    {"navigation", "contentinfo", "complementary", "search", "menu", "menubar", "dialog", "alertdialog", "banner"}
)
_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# XML 1.0, 2.2: what no document can hold; lxml refuses it, and lone surrogates.
_UNPARSABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATION: Final = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
_SCRIPT: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"<[!/?a-zA-Z][^<>]*(?:>|\Z)")
# How only a page's markup begins. What stands before it is bounded, as it may be anything.
_PAGE_START: Final = re.compile(
    r"\ufeff?\s{0,200}(?:<\?xml[^>]{0,200}>\s{0,200})?(?:<!--.{0,500}?-->\s{0,200}){0,5}"
    r"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
# A cell with more characters holds a part of the page, not a value.
_CELL_CHARACTERS: Final = 400
_TITLE_CHARACTERS: Final = 300


@dataclass(slots=True)
class MarkupBlock:
    """A run of text between the borders of block elements.

    ``links`` is the share of its characters inside links, ``framed`` says that it stands in a menu, a footer or the
    like, or that the page hides it at first.
    """

    text: str
    kind: BlockKind = "prose"
    level: int = 0
    links: float = 0.0
    framed: bool = False


def is_page(text: str) -> bool:
    """Whether a text is certainly the markup of a whole page."""
    return _PAGE_START.match(text) is not None


def parse_page(markup: str) -> Any:
    """The tree of a page's markup, however broken; ``None`` where there is nothing to parse."""
    text = _DECLARATION.sub("", _UNPARSABLE.sub("", markup), count=1)
    if not text.strip():
        return None
    parser = html.HTMLParser(
        collect_ids=False, remove_comments=True, remove_pis=True, encoding="utf-8", huge_tree=True
    )
    try:
        return html.document_fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None


def strip_tags(markup: str) -> str:
    """What is between the tags of markup that no parser makes sense of."""
    return _TAG.sub("\n", _SCRIPT.sub("\n", markup))


def title_of(tree: Any) -> str:
    """What the page calls itself, without line breaks; empty if it does not."""
    found = tree.find(".//title")
    return " ".join(found.text_content().split())[:_TITLE_CHARACTERS] if found is not None else ""


def read_blocks(tree: Any) -> list[MarkupBlock]:
    """All text of a page in its order, cut at the borders of block elements; scripts and hidden parts left out."""
    reader = _Reader(_layout_tables(tree))
    unread: Any = None
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if unread is None and event == "start":
            if _is_unread(element):
                unread = element
            else:
                reader.open(element)
        elif event == "end":
            if unread is None:
                reader.close(element)
            elif element is unread:
                unread = None
                reader.break_off(element.tag in _BLOCK_TAGS)
                reader.add(element.tail)
    reader.flush()
    return reader.blocks


@dataclass(slots=True)
class _Reader:
    """Collects text until a border, then makes a block of it."""

    layout: set[Any]
    blocks: list[MarkupBlock] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    linked: int = 0
    anchors: int = 0
    frames: int = 0
    preformatted: int = 0
    items: int = 0
    rows: int = 0
    level: int = 0

    def open(self, element: Any) -> None:
        tag = element.tag
        if tag in _BLOCK_TAGS:
            self.border(element)
        if tag == "a":
            self.anchors += 1
        elif tag == "pre":
            self.preformatted += 1
        elif tag in ("li", "dt", "dd"):
            self.items += 1
        elif tag == "tr" and not self.rows and element not in self.layout:
            self.rows += 1
        elif tag in _HEADINGS:
            self.level = _HEADINGS[tag]
        self.frames += _is_frame(element)
        self.add(element.text)

    def close(self, element: Any) -> None:
        tag = element.tag
        if tag == "tr" and self.rows and element not in self.layout:
            self.flush()
            self.rows -= 1
        elif tag == "pre" and not self.rows:
            self.flush()
        elif tag in _BLOCK_TAGS:
            self.border(element)
        if tag == "a":
            self.anchors -= 1
        elif tag == "pre":
            self.preformatted -= 1
        elif tag in ("li", "dt", "dd"):
            self.items -= 1
        elif tag in _HEADINGS:
            self.level = 0
        self.frames -= _is_frame(element)
        self.add(element.tail)

    def border(self, element: Any) -> None:
        """What the border of a block element does to the text before it."""
        if self.rows:
            self.parts.append("\t" if element.tag in ("td", "th") else " ")
        elif self.preformatted:
            self.parts.append("\n")
        else:
            self.flush()

    def break_off(self, block: bool) -> None:
        if self.rows or not block:
            self.parts.append(" ")
        else:
            self.flush()

    def add(self, text: str | None) -> None:
        if text:
            self.parts.append(text)
            if self.anchors:
                self.linked += len(text.strip())

    def flush(self) -> None:
        raw, linked = "".join(self.parts), self.linked
        self.parts, self.linked = [], 0
        if not raw.strip():
            return
        if self.preformatted:
            text = raw.strip("\n").rstrip()
        elif self.rows:
            cells = (" ".join(cell.split()) for cell in raw.split("\t"))
            text = "\t".join(cell for cell in cells if cell)
        else:
            text = " ".join(raw.split())
        kind: BlockKind = "prose"
        if self.preformatted:
            kind = "code"
        elif self.rows:
            kind = "table"
        elif self.level:
            kind = "heading"
        elif self.items:
            kind = "list"
        level = self.level if kind == "heading" else 0
        self.blocks.append(MarkupBlock(text, kind, level, linked / max(1, len(text)), self.frames > 0))


def _is_unread(element: Any) -> bool:
    return not isinstance(element.tag, str) or element.tag in _UNREAD_TAGS


def _is_frame(element: Any) -> bool:
    if element.tag in ("html", "body", "main", "article"):
        return False
    if element.tag in _FRAME_TAGS or element.get("role") in _FRAME_ROLES:
        return True
    style = element.get("style")
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or (style is not None and _HIDDEN_STYLE.search(style) is not None)
    )


def _layout_tables(tree: Any) -> set[Any]:
    """The rows of tables that lay out a page: with tables inside, or with cells as long as an article."""
    rows: set[Any] = set()
    for table in tree.iter("table"):
        if table.find(".//table") is not None or any(_is_part(cell) for cell in table.iter("td", "th")):
            rows.update(_own_rows(table))
    return rows


def _is_part(cell: Any) -> bool:
    length = 0
    for text in cell.itertext():
        length += len(text.strip())
        if length > _CELL_CHARACTERS:
            return True
    return False


def _own_rows(table: Any) -> Iterator[Any]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("tbody", "thead", "tfoot"):
            yield from (row for row in child if row.tag == "tr")
