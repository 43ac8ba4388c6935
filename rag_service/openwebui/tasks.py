"""Open WebUI's background tasks, told from the user's chats.

A connection that sends the task as a header says it all. Else the shape of the prompt decides: one user message that
holds a chat as data, and instructions around it that ask for the one JSON key which Open WebUI will read. Sentences
of its templates decide nothing: administrators rewrite them, and users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from rag_service.openwebui.content import Message, is_text_alone, role_of, text_of
from rag_service.openwebui.history import first_speaker, names_speakers, parse_history
from rag_service.openwebui.task_table import (
    HEADER_KINDS,
    HISTORY_TAGS,
    JSON_KINDS,
    TASK_HEADER,
    TELLING_KEYS,
    TaskKind,
)
from rag_service.retrieval.types import Turn

_TAG_NAMES: Final = "|".join(HISTORY_TAGS)
_OPENING: Final = re.compile(rf"^[ \t]*<(?P<name>{_TAG_NAMES})>[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_SOURCES: Final = re.compile(r"^[ \t]*<(?:source\b|sources>|context>)", re.MULTILINE)
_KEY: Final = re.compile(rf"\{{\s*[\"'`]?(?P<key>{'|'.join(JSON_KINDS)})[\"'`]?\s*:")
_NAMED_KEY: Final = re.compile(rf"[\"'`](?P<key>{'|'.join(sorted(TELLING_KEYS))})[\"'`]")
_JSON: Final = re.compile(r"\bjson\b", re.IGNORECASE)
_FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_ASKING: Final = re.compile(r"[?？؟]")
_STRUCTURE: Final = re.compile(r"[ \t]*(?:#{1,6}[ \t]|</?[\w-]+>|[-{}*]|$)")
_TYPED_TEXT: Final = re.compile(r"<type>(?P<type>[^<]*)</type>\s*<text>(?P<text>.*?)</text>", re.DOTALL)

_EMOJI: Final = re.compile(r"[\U0001F300-\U0001FAFF☀-➿]")
_LEAST_EMOJIS: Final = 2
_EMOJI_MESSAGE: Final = re.compile(r"^[^\n`]{1,40}:[ \t\r]*\n?```", re.MULTILINE)
_MOA_QUERY: Final = re.compile(r'\A(?P<opening>[^"]{10,400})"(?P<text>.*)"[ \t\r]*\n', re.DOTALL)
_MOA_ANSWERS: Final = re.compile(r'^(?P<label>[^\n"]{3,80}:)[ \t\r]*\n?"""', re.MULTILINE)
_MODELS: Final = re.compile(
    r"\b(?:models?|llms?)\b|模型|モデル|модел|modelos?\b|modèles?\b|modelle[ns]?\b", re.IGNORECASE
)
_TOOL_QUERY: Final = re.compile(r"\A(?:History:\n(?P<history>.*)\n)?Query: ?(?P<text>.*)\Z", re.DOTALL)
_TOOL_CALLS: Final = re.compile(r"\"tool_calls\"\s*:\s*\[")
_TOOL_LIST: Final = re.compile(r":\s*\[\s*(?:\]|\{)")


@dataclass(frozen=True, slots=True)
class Task:
    """A background task of Open WebUI.

    ``turns`` is the chat it is about, without empty turns. ``text`` is what the task is about beside a chat: the text
    to complete, the message to find an emoji for, the question that several models have answered or that needs a
    tool. ``instructions`` is the prompt without the chat. ``told_by`` says how the task was recognised.
    """

    kind: TaskKind
    turns: tuple[Turn, ...]
    text: str
    instructions: str
    told_by: Literal["header", "shape"]


class _Parts(NamedTuple):
    before: str
    history: str
    after: str

    @property
    def instructions(self) -> str:
        return f"{self.before}\n{self.after}"


def recognise_task(
    messages: Sequence[Message], headers: Mapping[str, str], *, stream: bool | None = None
) -> Task | None:
    """The background task that a request is; ``None`` for a chat of a user.

    An empty task header says that it is a chat; a header that names no task known here, or whose variable was not
    filled in, says nothing. ``stream`` is what the request asks for, where that is known: Open WebUI streams no task
    but the merging of answers, so that a whole task prompt pasted into its chat is a chat.
    """
    named = next((value for name, value in headers.items() if name.lower() == TASK_HEADER), None)
    if named is not None:
        kind = HEADER_KINDS.get(named.strip().lower())
        if kind is not None:
            return _named_task(kind, messages)
        if not named.strip():
            return None
    if not all(is_text_alone(message) for message in messages):
        return None
    users = [message for message in messages if role_of(message) == "user"]
    if len(users) != 1 or any(role_of(message) not in ("system", "user") for message in messages):
        return None
    if role_of(messages[-1]) != "user":
        return None
    return _shaped_task(text_of(users[0]), _system_text(messages), streamed=stream is True)


def _shaped_task(text: str, system: str, *, streamed: bool) -> Task | None:
    moa = _read_moa(text)
    if moa is not None or streamed:
        return moa
    return _read_tools(text, system) or _read_emoji(text) or _read_json_task(text)


def _named_task(kind: TaskKind, messages: Sequence[Message]) -> Task:
    """A task whose kind is known: as much of its prompt is read as can be."""
    text = next((text_of(message) for message in reversed(messages) if role_of(message) == "user"), "")
    read = {
        "moa": lambda: _read_moa(text),
        "emoji": lambda: _read_emoji(text),
        "function_calling": lambda: _read_tools(text, _system_text(messages)),
    }.get(kind, lambda: None)()
    if read is not None:
        return Task(read.kind, read.turns, read.text, read.instructions, "header")
    parts = _part(text)
    if parts is None:
        return Task(kind, (), text, text, "header")
    about = _typed_text(parts) if kind == "autocomplete" else ""
    return Task(kind, parse_history(parts.history), about, parts.instructions, "header")


def _read_json_task(text: str) -> Task | None:
    parts = _part(text)
    if parts is None or _is_quoted(parts):
        return None
    kind = _asked_kind(parts.instructions)
    if kind is None:
        return None
    if kind == "autocomplete":
        if "</text>" not in parts.after or _TYPED_TEXT.search(parts.after) is None:
            return None
        return Task(kind, parse_history(parts.history), _typed_text(parts), parts.instructions, "shape")
    if not names_speakers(parts.history):
        return None
    return Task(kind, parse_history(parts.history), "", parts.instructions, "shape")


def _part(text: str) -> _Parts | None:
    """The prompt before, in and behind the chat it holds; ``None`` where it holds none.

    A message may quote any tag, so that the chat goes from the first opening tag on a line of its own to the last
    closing one. Where templates have no tags, it goes from the first line with a role to the end.
    """
    opening = _OPENING.search(text)
    if opening is not None:
        closing = re.compile(rf"^[ \t]*</{opening['name']}>[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
        last = next(reversed(list(closing.finditer(text, opening.end()))), None)
        if last is not None:
            return _Parts(text[: opening.start()], text[opening.end() : last.start()], text[last.end() :])
    start = first_speaker(text)
    if start > 0 and _HEADING.match(text.lstrip()):
        return _Parts(text[:start], text[start:], "")
    return None


def _asked_kind(instructions: str) -> TaskKind | None:
    """The task whose key is the only one that the instructions show in JSON, or else name."""
    kinds = {JSON_KINDS[match["key"]] for match in _KEY.finditer(instructions)}
    if not kinds and _JSON.search(instructions):
        kinds = {JSON_KINDS[match["key"]] for match in _NAMED_KEY.finditer(instructions)}
    return kinds.pop() if len(kinds) == 1 else None


def _is_quoted(parts: _Parts) -> bool:
    """Whether somebody shows a prompt: within a fence, among sources, or with words of their own around it."""
    if _SOURCES.search(parts.before) or len(_FENCE.findall(parts.before)) % 2:
        return True
    heading = _HEADING.search(parts.before)
    lead = parts.before[: heading.start()].strip() if heading else ""
    if lead and (_ASKING.search(lead) or lead.endswith((":", "："))):
        return True
    prose = [line for line in parts.after.splitlines() if not _STRUCTURE.match(line)]
    if not prose:
        return False
    added = "\n".join(prose)
    return bool(_ASKING.search(added)) or not (_JSON.search(added) or _KEY.search(parts.after))


def _typed_text(parts: _Parts) -> str:
    found = _TYPED_TEXT.search(parts.after) if "</text>" in parts.after else None
    return found["text"] if found else ""


def _read_emoji(text: str) -> Task | None:
    """A message in a fence behind its label, and instructions that show which emojis are meant."""
    text = text.rstrip()
    found = _EMOJI_MESSAGE.search(text) if text.endswith("```") else None
    if found is None or len(text) < found.end() + 3:
        return None
    instructions = text[: found.start()]
    if "emoji" not in instructions.lower() or len(_EMOJI.findall(instructions)) < _LEAST_EMOJIS:
        return None
    if _ASKING.search(instructions):
        return None
    said = text[found.end() : -3].strip()
    return Task("emoji", (Turn("user", said),) if said else (), said, instructions, "shape")


def _read_moa(text: str) -> Task | None:
    """A question in quotes, and behind a label answers of models in triple quotes up to the end."""
    text = text.rstrip()
    answers = _MOA_ANSWERS.search(text) if text.endswith('"""') else None
    if answers is None or len(text) < answers.end() + 3 or not _MODELS.search(answers["label"]):
        return None
    query = _MOA_QUERY.match(text[: answers.start()] + "\n")
    if query is None or not _MODELS.search(query["opening"]):
        return None
    asked = query["text"]
    turns = (Turn("user", asked),) if asked.strip() else ()
    return Task("moa", turns, asked, text[: answers.start()], "shape")


def _read_tools(text: str, system: str) -> Task | None:
    """A system message that lists tools and asks for calls as JSON text, and a query behind its label."""
    found = _TOOL_QUERY.match(text)
    if found is None or not (_TOOL_CALLS.search(system) and _TOOL_LIST.search(system) and '"parameters"' in system):
        return None
    history = parse_history(found["history"] or "")
    return Task("function_calling", (*history, Turn("user", found["text"])), found["text"], system, "shape")


def _system_text(messages: Sequence[Message]) -> str:
    return "\n".join(text_of(message) for message in messages if role_of(message) == "system")
