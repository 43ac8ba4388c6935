"""The messages of a request as they arrive: their text, and copies with another text.

A message is a JSON object of the OpenAI chat API; its content is a string, an array of parts, or missing. Whatever
else a client sends there counts as no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]


def role_of(message: Message) -> str:
    """The message's role; empty where it has none. ``developer`` is another word for ``system``."""
    role = message.get("role")
    if not isinstance(role, str):
        return ""
    return "system" if role == "developer" else role


def text_of(message: Message) -> str:
    """The text of a message: the string, or the texts of its parts on lines of their own."""
    return "\n".join(texts_of(message))


def texts_of(message: Message) -> list[str]:
    """The text of each part that has one; of a string, the string alone."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        return []
    return [part["text"] for part in content if _is_text(part)]


def is_text_alone(message: Message) -> bool:
    """Whether the message holds nothing but text."""
    content = message.get("content")
    return isinstance(content, str) or (isinstance(content, list) and all(_is_text(part) for part in content))


def with_texts(message: Message, texts: list[str]) -> dict[str, Any]:
    """A copy of the message with these texts in the place of those of ``texts_of``, one for each.

    A part whose text becomes empty is left out of an array, unless nothing else is in it.
    """
    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": texts[0] if texts else content}
    if not isinstance(content, list):
        return dict(message)
    left = iter(texts)
    parts = [{**part, "text": next(left)} if _is_text(part) else part for part in content]
    spoken = [part for part in parts if not _is_text(part) or part["text"]]
    return {**message, "content": spoken or parts[:1]}


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("text"), str)
