"""Answers to background tasks without a model, in the form that Open WebUI parses.

Titles, tags and search queries are made from the words of the chat, in its language. Suggestions and completions are
declined: an empty answer is shown as none. An image prompt, a choice of tools and the merging of answers need a
model.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from rag_service.openwebui import title_table
from rag_service.openwebui.phrases import MOST_WORDS, choose_words, count_words, find_phrases
from rag_service.openwebui.subjects import rank_subjects
from rag_service.openwebui.task_table import NEGATIONS, TaskKind
from rag_service.openwebui.tasks import Task
from rag_service.openwebui.terms import rank_terms
from rag_service.openwebui.topics import Subjects, find_heading, read_subjects, shorten, weigh_texts
from rag_service.retrieval.queries import search_queries
from rag_service.retrieval.turn_tokens import Phrases, split_clauses, split_tokens
from rag_service.retrieval.types import Turn

# What declines: of JSON an empty value, of an emoji no text at all (Open WebUI looks for one in the text).
_DECLINED: Final[dict[TaskKind, str]] = {
    "follow_ups": '{"follow_ups": []}',
    "autocomplete": '{"text": ""}',
    "emoji": "",
}
_MOST_BROAD: Final = 2
_MOST_SPECIFIC: Final = 3
_LONGEST_TITLE: Final = 80
_BRACES: Final = re.compile(r"[{}]+")
# Tables are built by language, at the first word of it.
_SAMPLES: Final = tuple(
    (Turn("user", question), Turn("assistant", "42."), Turn("user", follow_up))
    for question, follow_up in (
        ("How deep is the old harbour, please?", "thanks, and in 2023?"),
        ("Wie tief ist der alte Hafen, bitte?", "danke, und im Jahr 2023?"),
        ("Quelle est la profondeur du vieux port ?", "merci, et en 2023 ?"),
        ("¿Qué profundidad tiene el puerto viejo?", "gracias, ¿y en 2023?"),
        ("这个老港口有多深？", "谢谢，那2023年呢？"),
    )
)
_EMOJI_IN_EXAMPLE: Final = re.compile(r"\"title\"\s*:\s*\"[^\"\n]*[\U0001F300-\U0001FAFF☀-➿]")


class QueryCache:
    """Queries by conversation: Open WebUI asks for them twice in one turn, in the same words.

    Holds digests and not conversations, at most ``limit`` of them; what was not asked for the longest goes first. May
    be used from several threads.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit: Final = limit
        self._made: Final[OrderedDict[bytes, tuple[str, ...]]] = OrderedDict()
        self._lock: Final = threading.Lock()

    def get(self, turns: Sequence[Turn], make: Callable[[Sequence[Turn]], Sequence[str]]) -> list[str]:
        """The queries of a conversation, made if they are not held."""
        key = hashlib.sha256(json.dumps([(turn.role, turn.text) for turn in turns]).encode()).digest()
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return list(self._made[key])
        queries = tuple(make(turns))
        with self._lock:
            self._made[key] = queries
            while len(self._made) > self._limit:
                self._made.popitem(last=False)
        return list(queries)

    def __len__(self) -> int:
        return len(self._made)


def instant_reply(task: Task, cache: QueryCache | None = None) -> str | None:
    """The content of the answer to a task; ``None`` where it takes a model."""
    if task.kind == "title":
        return _json("title", make_title(task.turns, emoji=wants_emoji(task.instructions)))
    if task.kind == "tags":
        return _json("tags", make_tags(task.turns))
    if task.kind == "queries":
        queries = make_queries(task.turns) if cache is None else cache.get(task.turns, make_queries)
        return _json("queries", queries)
    return _DECLINED.get(task.kind)


def build_tables() -> None:
    """Build what titles, tags and queries are made with, so that no chat waits for it: most of a second.

    It is built once in a process, whoever asks first.
    """
    for turns in _SAMPLES:
        make_title(turns, emoji=True)
        make_tags(turns)
        make_queries(turns)


def make_title(turns: Sequence[Turn], *, emoji: bool = False) -> str:
    """A title of at most six words, of the words of the first question or of the text pasted with it.

    ``emoji`` puts one in front, of the chat's broad subject.
    """
    subjects = read_subjects(turns)
    if subjects.small_talk:
        title = title_table.SMALL_TALK.get(subjects.language, title_table.SMALL_TALK["en"])
        return f"{title_table.SMALL_TALK_EMOJI} {title}" if emoji else title
    title = _title_words(subjects)
    if title and not emoji:
        return title
    broad = next(iter(rank_subjects(weigh_texts(turns), _languages(subjects))), None)
    if not title:
        names = broad.names if broad else title_table.GENERAL
        title = names.get(subjects.language, names["en"])
    return f"{broad.emoji if broad else title_table.SMALL_TALK_EMOJI} {title}" if emoji else title


def make_tags(turns: Sequence[Turn]) -> list[str]:
    """One or two broad tags where the subject is known, and up to three of the chat's own terms, all different."""
    subjects = read_subjects(turns)
    general = title_table.GENERAL.get(subjects.language, title_table.GENERAL["en"])
    if subjects.small_talk:
        return [general]
    texts = weigh_texts(turns)
    broad = rank_subjects(texts, _languages(subjects))[:_MOST_BROAD]
    tags = [subject.names.get(subjects.language, subject.names["en"]) for subject in broad]
    for term in rank_terms(texts, subjects.tables):
        if len(tags) - len(broad) == _MOST_SPECIFIC:
            break
        if all(not _same(term, tag) for tag in tags):
            tags.append(term)
    return tags or [general]


def make_queries(turns: Sequence[Turn]) -> list[str]:
    """What to search for, at most three queries; none for small talk.

    Braces become spaces, since Open WebUI reads the answer from its last one on.
    """
    queries = (" ".join(_BRACES.sub(" ", query).split()) for query in search_queries(shorten(turns)))
    return list(dict.fromkeys(query for query in queries if query))


def wants_emoji(instructions: str) -> bool:
    """Whether a title's template asks for an emoji: an example has one, or a clause names them without forbidding."""
    if _EMOJI_IN_EXAMPLE.search(instructions):
        return True
    for line in instructions.splitlines():
        for clause in split_clauses(split_tokens(line)):
            named = next((place for place, token in enumerate(clause) if token.folded.startswith("emoji")), None)
            if named is not None and not _negations().places(clause[:named]):
                return True
    return False


def _title_words(subjects: Subjects) -> str:
    phrases = find_phrases(subjects.question, subjects.tables)
    title = choose_words(phrases)
    if subjects.pasted and sum(phrase.content for phrase in phrases) < 2:
        title = find_heading(subjects.pasted) or _key_terms(subjects) or title
    if not title:
        title = choose_words(find_phrases(subjects.question, subjects.tables, meta=True))
    return _capitalised(" ".join(_BRACES.sub(" ", title).split()))[:_LONGEST_TITLE].rstrip()


def _key_terms(subjects: Subjects) -> str:
    pasted = rank_terms([(subjects.pasted, 1.0)], subjects.tables)
    chosen: list[str] = []
    for term in pasted:
        if len(chosen) == _MOST_SPECIFIC or count_words(" ".join([*chosen, term])) > MOST_WORDS:
            break
        chosen.append(term)
    return ", ".join(chosen)


def _capitalised(title: str) -> str:
    """A title with a capital in front, unless its first word is written in a way of its own."""
    first = title.split(" ", 1)[0]
    return title[0].upper() + title[1:] if first.rstrip(",").isalpha() and first.islower() else title


def _languages(subjects: Subjects) -> tuple[str, ...]:
    return tuple(dict.fromkeys((subjects.language, *subjects.tables.languages)))[:2]


def _same(term: str, tag: str) -> bool:
    one, other = term.casefold(), tag.casefold()
    return one in other.split() or other in one.split() or one == other


@cache
def _negations() -> Phrases:
    return Phrases(NEGATIONS.split(", "))


def _json(key: str, value: str | list[str]) -> str:
    return json.dumps({key: value}, ensure_ascii=False)
