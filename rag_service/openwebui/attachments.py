"""The lists of attached things that Open WebUI writes into messages: names and ids without any text."""

from __future__ import annotations

import re
from typing import Final

# Open WebUI 0.10 and later, native function calling: files before the user's text, knowledge in the system message.
_FILES: Final = re.compile(
    r"\s*<attached_files>[ \t\r]*\n(?:[ \t]*<file\b[^\n]*/>[ \t\r]*\n)*[ \t]*</attached_files>[ \t\r]*(?:\n+|\Z)"
)
_KNOWLEDGE: Final = re.compile(
    r"(?:^|(?<=\n))[ \t]*<attached_knowledge>[ \t\r]*\n(?:[ \t]*<knowledge\b[^\n]*/>[ \t\r]*\n)*"
    r"[ \t]*</attached_knowledge>[ \t\r]*(?:\n+|\Z)"
)


def without_files(text: str) -> str:
    """A user's text without the list of files in front of it; a list within the text is the user's own."""
    found = _FILES.match(text)
    return text[found.end() :] if found else text


def without_knowledge(text: str) -> str:
    """A system message without its lists of knowledge."""
    return _KNOWLEDGE.sub("", text)
