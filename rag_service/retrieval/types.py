"""What goes from stage to stage of the retrieval: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SourceKind = Literal["web", "attached"]
BlockKind = Literal["prose", "heading", "list", "table", "code", "data"]
Stage = Literal["clean", "segment", "rank", "dedupe", "gate", "pack"]


@dataclass(frozen=True, slots=True)
class Source:
    """A text to answer from, as it arrived: a page, a file, a piece of a collection.

    ``id`` is the sender's own. ``web`` sources were found by a search that nobody has looked at; ``attached`` ones
    were chosen by the user. ``html`` says that ``text`` is a page's markup.
    """

    id: str
    text: str
    title: str = ""
    url: str = ""
    kind: SourceKind = "attached"
    html: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What a stage did with a piece of text, and why.

    ``start`` and ``end`` are offsets in the document's text, or in the source's for what was cleaned away; ``None``
    where a piece has no place of its own.
    """

    stage: Stage
    source_id: str
    text: str
    kept: bool
    reason: str
    score: float | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document's text of one kind: ``document.text[start:end]``. ``level`` is 1–6 for headings."""

    start: int
    end: int
    kind: BlockKind
    level: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a source that is worth reading. Its characters are those of the source, in their order.

    ``blocks`` are what its markup said of it, in the text's order; empty where there was none. ``line_kinds`` are
    the kinds of its lines where they were told already, and empty where they were not. A page whose sender gave no
    title has its own in ``source.title``.
    """

    source: Source
    text: str
    notes: tuple[Note, ...] = ()
    blocks: tuple[Block, ...] = ()
    line_kinds: tuple[BlockKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: ``text`` is ``document.text[start:end]``.

    ``number`` counts the passages of a document from 0. ``headings`` are those it stands under, the outermost first;
    they may be part of ``text`` too.
    """

    document: Document
    number: int
    start: int
    end: int
    headings: tuple[str, ...] = ()
    kind: BlockKind = "prose"

    @property
    def text(self) -> str:
        """The passage itself."""
        return self.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a source that goes into the prompt: ``text`` from offset ``start`` to ``end`` of its cleaned text.

    ``source_id`` is the sender's own, empty where the source has none.
    """

    text: str
    source_id: str = ""
    title: str = ""
    url: str = ""
    start: int = 0
    end: int = 0

    @classmethod
    def of(cls, passage: Passage) -> Excerpt:
        """The passage, with its source's id, title and url."""
        source = passage.document.source
        return cls(passage.text, source.id, source.title, source.url, passage.start, passage.end)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of the conversation, as far as retrieval looks at it."""

    role: Literal["user", "assistant"]
    text: str
