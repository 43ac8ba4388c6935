"""Results of Open WebUI's search tools as sources: what a model that calls tools gets instead of a context."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rag_service.openwebui.content import Message, role_of, text_of
from rag_service.retrieval.types import Source

# Built-in tools of Open WebUI 0.10 and later: hits as a JSON list, and a page as text or as a JSON object.
SEARCH_TOOLS: Final = frozenset({"search_web"})
PAGE_TOOLS: Final = frozenset({"fetch_url"})
_LINKS: Final = ("link", "url", "href", "source")
_TEXTS: Final = ("snippet", "content", "text", "description")


@dataclass(frozen=True, slots=True)
class ToolResults:
    """``sources`` of tool messages; ``spent`` are the places of the messages of which nothing else is left.

    Those are the tool messages, and the calls for them where every call of a message has become sources.
    """

    sources: tuple[Source, ...]
    spent: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: Mapping[str, Any]


def read_tool_results(messages: Sequence[Message], first: int) -> ToolResults:
    """The sources in the tool messages from ``first`` on; their ids are their numbers, from 1."""
    calls = {key: call for message in messages[first:] for key, call in _calls(message)}
    hits: list[Source] = []
    spent: set[int] = set()
    used: set[str] = set()
    for place, message in enumerate(messages[first:], first):
        if role_of(message) != "tool":
            continue
        key = message.get("tool_call_id")
        named = message.get("name")
        call = calls.get(str(key), _Call(named if isinstance(named, str) else "", {}))
        found = _sources(call, text_of(message))
        if found:
            hits += found
            spent.add(place)
            used.add(str(key))
    for place, message in enumerate(messages[first:], first):
        keys = {key for key, _ in _calls(message)}
        if keys and keys <= used and not text_of(message).strip():
            spent.add(place)
    numbered = tuple(
        Source(str(number), hit.text, hit.title, hit.url, hit.kind) for number, hit in enumerate(hits, 1)
    )
    return ToolResults(numbered, frozenset(spent))


def _calls(message: Message) -> Iterator[tuple[str, _Call]]:
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            arguments = function.get("arguments")
            if isinstance(arguments, str):
                arguments = _loaded(arguments)
            yield str(call.get("id")), _Call(function["name"], arguments if isinstance(arguments, Mapping) else {})


def _sources(call: _Call, text: str) -> list[Source]:
    """What a result holds to answer from; nothing where it is an error or another tool's."""
    content = _loaded(text)
    if isinstance(content, Mapping):
        listed = next((content[key] for key in ("results", "data") if isinstance(content.get(key), list)), None)
        content = listed if listed is not None else [content]
    if isinstance(content, list):
        known = call.name in SEARCH_TOOLS | PAGE_TOOLS
        found = [source for entry in content if (source := _hit(entry, call if known else None))]
        # A list of which a part is no hit is another tool's, or would lose that part.
        return found if len(found) == len(content) else []
    if call.name in PAGE_TOOLS and text.strip() and content is None:
        return [Source("", text, "", _address(call.arguments), "web")]
    return []


def _hit(entry: object, call: _Call | None) -> Source | None:
    if not isinstance(entry, Mapping):
        return None
    url = _address(entry) or (_address(call.arguments) if call is not None and call.name in PAGE_TOOLS else "")
    text = next((entry[key] for key in _TEXTS if isinstance(entry.get(key), str) and entry[key].strip()), "")
    title = entry.get("title")
    title = title if isinstance(title, str) else ""
    if not (text or title) or not (url or call is not None) or "error" in entry:
        return None
    return Source("", text or title, title, url, "web")


def _address(entry: Mapping[str, Any]) -> str:
    for key in _LINKS:
        value = entry.get(key)
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value
    return ""


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
