"""A chat of Open WebUI, read: what the user asks, the sources that were put into it, and the rest.

Sources are in the newest user message, or in the system message, or in the results of search tools behind the
newest user message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rag_service.openwebui.attachments import without_files, without_knowledge
from rag_service.openwebui.content import Message, role_of, text_of, texts_of, with_texts
from rag_service.openwebui.source_tags import Element, Region, find_region
from rag_service.openwebui.tool_results import read_tool_results
from rag_service.retrieval.types import Source, SourceKind, Turn

Place = Literal["user", "system", "tool"]

# What Open WebUI calls the kinds of its sources (attribute ``resource-type``, 0.10 and later).
_KINDS: Final[Mapping[str, SourceKind]] = {
    "web_search": "web",
    "web": "web",
    "file": "attached",
    "collection": "attached",
    "knowledge": "attached",
    "note": "attached",
    "chat": "attached",
    "doc": "attached",
    "text": "attached",
    "url": "attached",
    "folder": "attached",
}
_ROLES: Final[Mapping[str, Literal["system", "user"]]] = {"system": "system", "user": "user"}
_WEB: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_ADDRESSES: Final = ("url", "source", "link", "href", "name", "id")
# A template of retrieval behind a persona begins like this in all versions.
_TEMPLATE: Final = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_ENRICHMENT: Final = (" Title: ", " Section: ", " Source: ", " Snippet: ")


@dataclass(frozen=True, slots=True)
class ReadChat:
    """A chat without what Open WebUI put into it.

    ``question`` is the newest user message as the user wrote it. ``turns`` is the conversation up to it.
    ``messages_without_sources`` is the request's messages with the question in its place, the system message with
    ``system_text`` alone, and without search calls whose results have become sources. ``system_text`` is what the
    system messages say beside sources, lists of attached things and a template of retrieval; ``instructions`` is
    that template, as far as it can be told. ``where`` names the messages that sources were found in.
    """

    sources: tuple[Source, ...]
    question: str
    turns: tuple[Turn, ...]
    messages_without_sources: tuple[dict[str, Any], ...]
    system_text: str
    where: tuple[Place, ...]
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class _Text:
    """A message's text, taken apart."""

    rest: str
    sources: tuple[Source, ...] = ()
    instructions: str = ""


def read_chat(messages: Sequence[Message]) -> ReadChat:
    """Take a chat apart. What cannot be read as a source stays in the question or in the system message.

    Sources keep the ids of the sender, repeated ones too; those of tool results are numbered behind them. A list of
    attached files in front of any user message is taken off.
    """
    asked = max((place for place, message in enumerate(messages) if role_of(message) == "user"), default=-1)
    tools = read_tool_results(messages, asked + 1)
    written: list[dict[str, Any]] = []
    found: dict[Place, list[Source]] = {"system": [], "user": [], "tool": []}
    instructions: list[str] = []
    system: list[str] = []
    for place, message in enumerate(messages):
        if place in tools.spent:
            continue
        role = _ROLES.get(role_of(message))
        if role is not None:
            read = [_read(text, role, newest=place == asked) for text in texts_of(message)]
            for part in read:
                found[role] += part.sources
                instructions += [part.instructions] if part.instructions else []
            rest = [part.rest for part in read]
            if role == "system":
                system += [text for text in rest if text]
                if not any(rest) and read:
                    continue
            message = with_texts(message, rest)
        written.append(dict(message))
    given = (*found["system"], *found["user"])
    sources = (*given, *_numbered_behind(given, tools.sources))
    places: tuple[Place, ...] = ("system", "user")
    where: tuple[Place, ...] = tuple(place for place in places if found[place])
    return ReadChat(
        sources=sources,
        question=_newest_question(written),
        turns=_turns(written),
        messages_without_sources=tuple(written),
        system_text="\n".join(system),
        where=(*where, "tool") if tools.sources else where,
        instructions="\n".join(instructions),
    )


def _read(text: str, role: Literal["system", "user"], *, newest: bool) -> _Text:
    if role == "user" and not newest:
        return _Text(without_files(text))
    region = find_region(text, question_follows=role == "user")
    if region is None:
        return _Text(without_files(text) if role == "user" else without_knowledge(text))
    sources = tuple(_source(element) for element in region.elements)
    return _user_text(region, sources) if role == "user" else _system_text(region, sources)


def _user_text(region: Region, sources: tuple[Source, ...]) -> _Text:
    """The question is what follows the sources; else what the template repeats of it, or what stands before them."""
    question = without_files(region.after.lstrip("\n"))
    before = region.before.strip()
    if question.strip():
        return _Text(question, sources, before)
    if region.query:
        return _Text(without_files(region.query), sources, before)
    if before and not _TEMPLATE.match(before):
        return _Text(without_files(region.before.rstrip()), sources)
    return _Text(question, sources, before)


def _system_text(region: Region, sources: tuple[Source, ...]) -> _Text:
    """A persona stands before a template that begins with a heading; without one all of it may be the persona."""
    template = _TEMPLATE.search(region.before)
    persona = region.before[: template.start()] if template else region.before
    instructions = region.before[template.start() :] if template else ""
    rest = without_knowledge("\n".join(filter(None, (persona.strip(), region.after.strip()))))
    return _Text(rest.strip(), sources, instructions.strip())


def _source(element: Element) -> Source:
    attributes = element.attributes
    name = attributes.get("name", "").strip()
    url = next((attributes[key] for key in _ADDRESSES if _WEB.fullmatch(attributes.get(key, "").strip())), "").strip()
    kind = _KINDS.get(attributes.get("resource-type", "").lower()) or ("web" if url else "attached")
    title = attributes.get("title", "").strip()
    if not title and attributes.get("resource-type", "").lower() != "web_search":
        # The name of what a search found is the queries.
        title = name or attributes.get("id", "") * (
            "name" not in attributes and not attributes.get("id", "").isdecimal()
        )
    return Source(attributes.get("id", ""), _without_enrichment(element.text, name), title, url, kind)


def _without_enrichment(text: str, name: str) -> str:
    """A chunk without the words about its file that hybrid search appends to it for ranking."""
    if not name:
        return text
    words = re.sub(r"[_.-]", " ", name)
    mark = f" Filename: {name} {words} {words}"
    start = text.rfind(mark)
    if start < 0:
        return text
    rest = text[start + len(mark) :]
    return text[:start] if not rest.strip() or rest.startswith(_ENRICHMENT) else text


def _numbered_behind(given: Sequence[Source], found: Sequence[Source]) -> list[Source]:
    last = max((int(source.id) for source in given if source.id.isdecimal() and len(source.id) < 10), default=0)
    return [
        Source(str(number), source.text, source.title, source.url, source.kind)
        for number, source in enumerate(found, last + 1)
    ]


def _newest_question(messages: Sequence[Message]) -> str:
    return next((text_of(message) for message in reversed(messages) if role_of(message) == "user"), "")


def _turns(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """The conversation as retrieval reads it: up to the newest user message, without messages that say nothing."""
    turns: list[Turn] = []
    for message in messages:
        role = role_of(message)
        text = text_of(message)
        if (role == "user" or role == "assistant") and text.strip():
            turns.append(Turn("user" if role == "user" else "assistant", text))
    while turns and turns[-1].role == "assistant":
        turns.pop()
    return tuple(turns)
