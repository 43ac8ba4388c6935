"""The chat that a task is about, parsed back from the prompt it was written into."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from rag_service.openwebui.attachments import without_files
from rag_service.retrieval.types import Turn

_Speaker = Literal["user", "assistant", ""]

_SPEAKERS: Final[dict[str, _Speaker]] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "system": "",
    "developer": "",
    "tool": "",
    "function": "",
}
_NAMES: Final = "|".join(_SPEAKERS)
# Open WebUI writes roles in capitals; templates' own code may write them otherwise, and then throughout.
_CAPITAL_LINE: Final = re.compile(rf"^(?P<role>{_NAMES.upper()}):(?:[ \t\r]|$)", re.MULTILINE)
_ANY_LINE: Final = re.compile(
    rf"^[ \t]*(?:[-*][ \t]+)?(?P<mark>\*{{0,2}})(?P<role>{_NAMES})(?::(?P=mark)|(?P=mark):)(?:[ \t\r]|$)",
    re.MULTILINE | re.IGNORECASE,
)
_ELEMENT: Final = re.compile(
    rf"^[ \t]*<(?:message[ \t]+role=[\"']?(?P<role>{_NAMES})[\"']?|(?P<name>{_NAMES}))>", re.MULTILINE | re.IGNORECASE
)
_ELEMENT_END: Final = re.compile(rf"</(?:message|{_NAMES})>[ \t]*\Z", re.IGNORECASE)
_QUOTED: Final = re.compile(r'\A"""(.*)"""\Z', re.DOTALL)


def parse_history(text: str) -> tuple[Turn, ...]:
    """The turns of users and assistants in a history, without empty ones; none where nobody is named.

    Read are lines that begin with a role (``USER: …``), JSON messages as a list or one a line, and elements
    (``<user>…</user>``, ``<message role="user">…</message>``).
    """
    turns = (
        _from_json(text) or _from_lines(text, _CAPITAL_LINE) or _from_elements(text) or _from_lines(text, _ANY_LINE)
    )
    return tuple(turns)


def first_speaker(text: str) -> int:
    """Where the first line begins that Open WebUI wrote a role before; -1 where there is none."""
    found = _CAPITAL_LINE.search(text)
    return found.start() if found else -1


def names_speakers(text: str) -> bool:
    """Whether a text names who speaks, be it with nothing said."""
    return bool(_CAPITAL_LINE.search(text)) or bool(parse_history(text))


def _from_lines(text: str, line: re.Pattern[str]) -> list[Turn]:
    found = list(line.finditer(text))
    if not found:
        return []
    ends = [match.start() for match in found[1:]] + [len(text)]
    spoken = ((match["role"], text[match.end() : end]) for match, end in zip(found, ends, strict=True))
    return _turns(spoken)


def _from_elements(text: str) -> list[Turn]:
    found = list(_ELEMENT.finditer(text))
    if not found:
        return []
    ends = [match.start() for match in found[1:]] + [len(text)]
    spoken = []
    for match, end in zip(found, ends, strict=True):
        said, closed = _ELEMENT_END.subn("", text[match.end() : end].rstrip())
        if closed:
            spoken.append((match["role"] or match["name"], html.unescape(said)))
    return _turns(spoken)


def _from_json(text: str) -> list[Turn]:
    stripped = text.strip()
    if not stripped.startswith(("[", "{")):
        return []
    whole = _loaded(stripped)
    if isinstance(whole, dict):
        whole = whole.get("messages", [whole])
    if whole is None:
        whole = [_loaded(line) for line in stripped.splitlines() if line.strip()]
    if not isinstance(whole, list) or not all(isinstance(entry, dict) for entry in whole):
        return []
    return _turns((str(entry.get("role", "")), _content(entry.get("content"))) for entry in whole)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def _turns(spoken: Iterable[tuple[str, str]]) -> list[Turn]:
    turns = []
    for name, text in spoken:
        role = _SPEAKERS.get(name.lower(), "")
        text = _QUOTED.sub(r"\1", text.strip())
        if role == "user":
            text = without_files(text)
        if role and text.strip():
            turns.append(Turn(role, text.strip()))
    return turns
