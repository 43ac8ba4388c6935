"""Events that Open WebUI shows over an answer, beside the chunks of the OpenAI API: a status line, and sources.

They are chunks without ``choices`` (Open WebUI 0.12), which other clients need not bear: they are for those alone who
show by a header that they are Open WebUI, or for all where a setting says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rag_service.retrieval.types import Excerpt, Source

_HEADERS: Final = "x-openwebui-"


def is_openwebui(headers: Mapping[str, str]) -> bool:
    """Whether a request is Open WebUI's, be the header one of its own or one that its connection adds."""
    return any(name.lower().startswith(_HEADERS) for name in headers)


def status_event(description: str, *, done: bool = False, hidden: bool = False) -> dict[str, Any]:
    """A status line. One that is ``done`` stays over the answer, unless it is ``hidden``."""
    data: dict[str, Any] = {"description": description, "done": done}
    return {"event": {"type": "status", "data": data | ({"hidden": True} if hidden else {})}}


def source_events(shown: Sequence[Source], excerpts: Sequence[Excerpt]) -> list[dict[str, Any]]:
    """One event for each source, with the texts that the model was given of it.

    Open WebUI joins them with its own by ``source`` of the metadata: the address, or the name of a file. Sources that
    have neither are left out, since it would count them as others.
    """
    events: list[dict[str, Any]] = []
    for source in shown:
        texts = [one.text for one in excerpts if one.source_id == source.id]
        known = source.url or source.title
        if not texts or not known:
            continue
        about = {"name": source.title or source.url} | ({"url": source.url} if source.url else {})
        metadata = [{"source": known, "name": about["name"]} for _ in texts]
        data = {"source": about, "document": texts, "metadata": metadata}
        events.append({"event": {"type": "source", "data": data}})
    return events
