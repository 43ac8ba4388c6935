"""The elements that Open WebUI writes sources into, found in a text that may hold any tags of its own.

Three forms are read. Since 0.6 ``<source id="1" name="…" …>text</source>``, whose name is written as it is and whose
other attributes are escaped as in HTML; before, ``<source><source_id>…</source_id><source_context>text
</source_context></source>``, also without the id. A template may put all of it between ``<context>`` tags, and the
question between others behind it. Texts are written as they are, so they may hold any of these tags.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_OPENING: Final = re.compile(r"<source(?=[\s>])")
# What an opening tag stands behind: nothing in its line, or another tag; the first one also a label of the template.
_BORDERS: Final = ("</source>", "<context>")
_LONGEST_LABEL: Final = 400
_LONGEST_QUOTE: Final = 4_000
_LABEL_ENDS: Final = (":", "：", ">")
_NAME: Final = r"[A-Za-z_][\w:.-]{0,60}"
_ATTRIBUTE: Final = rf"\s+{_NAME}\s*=\s*(?:\"[^\"<>]{{0,4000}}\"|'[^'<>]{{0,4000}}'|[^\s\"'<>=]{{1,400}})"
_PLAIN_TAG: Final = re.compile(rf"(?P<attributes>(?:{_ATTRIBUTE}){{1,20}})\s*>")
# The name as it is, quotes and brackets within: up to the attributes that follow it, or to the end of the tag.
_OPEN_NAME: Final = re.compile(
    r"(?P<before>(?:\s+(?!name\b)[\w-]{1,60}=\"[^\"\n]{0,400}\"){0,5})[ \t]+name=\"(?P<name>[^\n]{0,1000}?)\""
    r"(?P<after>(?:[ \t]+[\w-]{1,60}=\"[^\"]{0,4000}\"){0,20})[ \t]*>"
)
_TYPED_NAME: Final = re.compile(
    r"(?P<before>(?:\s+(?!name\b)[\w-]{1,60}=\"[^\"\n]{0,400}\"){0,5})[ \t]+name=\"(?P<name>[^\n]{0,1000}?)\""
    r"(?P<after>[ \t]+resource-type=\"[^\"]{0,400}\"(?:[ \t]+[\w-]{1,60}=\"[^\"]{0,4000}\"){0,20})[ \t]*>"
)
_PAIR: Final = re.compile(
    rf"(?P<key>{_NAME})\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>=]+))"
)
_NESTED: Final = re.compile(
    r">\s*(?:<source_id>(?P<id>[^\n]{0,2000}?)</source_id>\s*)?<source_context>", re.IGNORECASE
)
_NESTED_END: Final = "</source_context>"
_CLOSING: Final = "</source>"
_CLOSING_LINE: Final = re.compile(r"</source>(?=[ \t\r]*(?:\n|\Z|</context>|<source[\s>]))")
_WRAPPED_END: Final = re.compile(r"</source>[ \t\r]*\n?[ \t]*</(?:context|sources|documents?)>[ \t\r]*(?=\n|\Z)")
_WRAPPER: Final = re.compile(r"<(?:context|sources|documents?)>\s*\Z")
_WRAPPER_END: Final = re.compile(r"\s*</(?:context|sources|documents?)>[ \t\r]*(?=\n|\Z)")
# Templates up to 0.5.20 repeat the question in the first of these.
_QUERY: Final = re.compile(r"(?:^|\A)[ \t]*<(?P<name>user_query|user_question|user_input)>", re.MULTILINE)


class Element(NamedTuple):
    """One source as it was written: its attributes, freed of escapes, and its text, in which nothing is changed."""

    attributes: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Region:
    """Sources in a text, and the text around them.

    ``before`` and ``after`` have no wrapping tags. ``query`` is what stood between query tags behind the sources.
    """

    elements: tuple[Element, ...]
    before: str
    after: str
    query: str = field(default="")


class _Opening(NamedTuple):
    start: int
    body: int
    attributes: Mapping[str, str]
    nested: bool


def find_region(text: str, *, question_follows: bool) -> Region | None:
    """The sources of a text and what is around them; ``None`` where there are none.

    A source ends at the last closing tag before the next one, the last source at the last closing tag that ends a
    line; where ``question_follows``, one behind which there is something. What is not closed is no source, and stays
    where it is.
    """
    if _CLOSING not in text:
        return None
    openings = _openings(text)
    if not openings:
        return None
    wrapped = _WRAPPER.search(text, max(0, openings[0].start - 40), openings[0].start)
    end = _region_end(text, openings, wrapped=wrapped is not None, question_follows=question_follows)
    if end is None:
        return None
    elements = _elements(text, [opening for opening in openings if opening.body <= end], end)
    if not elements:
        return None
    before = text[: wrapped.start() if wrapped else openings[0].start]
    return _around(elements, before, text[end:], question_follows=question_follows)


def _openings(text: str) -> list[_Opening]:
    found: list[_Opening] = []
    for match in _OPENING.finditer(text):
        line = _line_before(text, match.start())
        if line and not line.endswith(_BORDERS) and (found or not line.endswith(_LABEL_ENDS)):
            continue
        opening = _read_opening(text, match.start(), match.end())
        if opening is not None:
            found.append(opening)
    return found


def _line_before(text: str, place: int) -> str:
    """What stands before a place in its line, without blanks at the end; of a long line its last characters."""
    first = max(0, place - _LONGEST_LABEL)
    return text[max(first, text.rfind("\n", first, place) + 1) : place].rstrip()


def _read_opening(text: str, start: int, end: int) -> _Opening | None:
    """The opening tag whose name ends at ``end``; ``None`` where it is another element, as HTML has one too."""
    nested = _NESTED.match(text, end)
    if nested is not None:
        return _Opening(start, nested.end(), {"id": nested["id"]} if nested["id"] else {}, True)
    tag = _TYPED_NAME.match(text, end) or _PLAIN_TAG.match(text, end) or _OPEN_NAME.match(text, end)
    if tag is None:
        return None
    groups = tag.groupdict()
    if "attributes" in groups:
        attributes = _pairs(groups["attributes"])
    else:
        attributes = {**_pairs(groups["before"]), "name": groups["name"], **_pairs(groups["after"])}
    if "id" not in attributes and "name" not in attributes:
        return None
    return _Opening(start, tag.end(), attributes, False)


def _pairs(written: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for match in _PAIR.finditer(written):
        value = match["double"] or match["single"] or match["bare"] or ""
        # The name is the one attribute that is not escaped.
        pairs.setdefault(match["key"].lower(), value if match["key"].lower() == "name" else html.unescape(value))
    return pairs


def _region_end(text: str, openings: list[_Opening], *, wrapped: bool, question_follows: bool) -> int | None:
    """Where the sources end: behind the last closing tag of theirs."""
    first = openings[0].body
    if wrapped:
        last = next(reversed([match.start() for match in _WRAPPED_END.finditer(text, first)]), None)
        if last is not None:
            return last + len(_CLOSING)
    ends = [match.end() for match in _CLOSING_LINE.finditer(text, first) if not _closes_quoted(text, match.start())]
    if not ends:
        return None
    if question_follows and not text[ends[-1] :].strip() and len(ends) > 1:
        behind = text[ends[-2] : ends[-1]]
        start = ends[-2] + len(behind) - len(behind.lstrip())
        if all(opening.start < start for opening in openings):
            return ends[-2]
    return ends[-1]


def _closes_quoted(text: str, closing: int) -> bool:
    """Whether the tag closes one that stands within its line: somebody writes about sources."""
    first = max(0, closing - _LONGEST_QUOTE)
    line = max(first, text.rfind("\n", first, closing) + 1)
    opening = next(reversed([match.start() for match in _OPENING.finditer(text, line, closing)]), None)
    if opening is None:
        return False
    before = _line_before(text, opening)
    return bool(before) and not before.endswith(_BORDERS)


def _elements(text: str, openings: list[_Opening], end: int) -> tuple[Element, ...]:
    elements: list[Element] = []
    ends = [opening.start for opening in openings[1:]] + [end]
    place = 0
    while place < len(openings):
        opening = openings[place]
        if place + 1 < len(openings) and _quotes_next(text, opening, openings[place + 1], ends[place + 1]):
            place += 1
        elements.append(Element(opening.attributes, _body(text[opening.body : ends[place]], nested=opening.nested)))
        place += 1
    return tuple(elements)


def _quotes_next(text: str, opening: _Opening, following: _Opening, end: int) -> bool:
    """Whether the next source is part of this one's text: it begins before anything closes, and two close behind."""
    return _CLOSING not in text[opening.body : following.start] and text.count(_CLOSING, following.body, end) > 1


def _body(segment: str, *, nested: bool) -> str:
    """A source's text, from what is between its opening tag and the next one's.

    What stands behind the last closing tag belongs to it too: only a text that holds such tags can have that.
    """
    body = segment.rstrip()
    if not body.endswith(_CLOSING):
        return body
    body = body.removesuffix(_CLOSING)
    return body.rstrip().removesuffix(_NESTED_END) if nested else body


def _around(elements: tuple[Element, ...], before: str, after: str, *, question_follows: bool) -> Region:
    """The region with the closing tag of a wrapper taken off, and the query that a template repeats."""
    closing = _WRAPPER_END.match(after)
    if closing is not None:
        after = after[closing.end() :]
    opening = _QUERY.search(after)
    ends = list(re.finditer(rf"</{opening['name']}>[ \t\r]*(?=\n|\Z)", after)) if opening else []
    if opening is None or not ends or ends[-1].start() < opening.end():
        return Region(elements, before, after)
    query = after[opening.end() : ends[-1].start()].strip()
    between, behind = after[: opening.start()].strip(), after[ends[-1].end() :]
    if question_follows and between and behind.strip() != query:
        # The tags are the user's own.
        return Region(elements, before, after)
    return Region(elements, "\n".join(filter(None, (before, between))), behind, query)
