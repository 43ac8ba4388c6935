"""Titles, tags and queries without a model: of chats in five languages, and in Open WebUI's own forms."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.openwebui.instant import (
    QueryCache,
    instant_reply,
    make_queries,
    make_tags,
    make_title,
    wants_emoji,
)
from rag_service.openwebui.phrases import MOST_WORDS, count_words
from rag_service.openwebui.subject_table import SUBJECTS
from rag_service.openwebui.task_table import TaskKind
from rag_service.openwebui.tasks import Task
from rag_service.openwebui.title_table import GENERAL, SMALL_TALK
from rag_service.retrieval.types import Turn


@dataclass(frozen=True)
class Chat:
    """``broad`` is a tag that must be there, ``title`` words of the title, ``keep`` what the queries must name."""

    language: str
    turns: tuple[Turn, ...]
    broad: str
    title: tuple[str, ...]
    keep: tuple[str, ...]
    small_talk: bool
    no_query: bool

    @classmethod
    def of(cls, line: str) -> Chat:
        read: dict[str, Any] = json.loads(line)
        turns = tuple(Turn(turn["role"], turn["text"]) for turn in read.pop("turns"))
        title, keep = tuple(read.pop("title")), tuple(read.pop("keep"))
        return cls(turns=turns, title=title, keep=keep, **read)


CHATS = [Chat.of(line) for line in (Path(__file__).parent / "data" / "chats.jsonl").read_text().splitlines()]
every_chat = pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat.turns[0].text[:40])


def _said(chat: Chat) -> str:
    return "\n".join(turn.text for turn in chat.turns).casefold()


def _task(kind: TaskKind, turns: Sequence[Turn], instructions: str = "") -> Task:
    return Task(kind, tuple(turns), "", instructions, "shape")


def test_there_are_chats_in_five_languages() -> None:
    assert len(CHATS) >= 40
    assert {chat.language for chat in CHATS} == {"en", "de", "fr", "es", "zh"}


@every_chat
def test_titles(chat: Chat) -> None:
    title = make_title(chat.turns)
    assert 0 < count_words(title) <= MOST_WORDS
    assert len(title.split()) <= MOST_WORDS
    if chat.small_talk:
        assert title == SMALL_TALK[chat.language]
        return
    for word in chat.title:
        assert word.casefold() in title.casefold()
    # Made of the chat's own words, so in its language, and written as the user wrote them.
    assert all(phrase.casefold() in _said(chat) for phrase in title.split(", "))
    assert all(phrase[1:] in "\n".join(turn.text for turn in chat.turns) for phrase in title.split(", "))


@every_chat
def test_tags(chat: Chat) -> None:
    tags = make_tags(chat.turns)
    assert 1 <= len(tags) <= 5
    assert len({tag.casefold() for tag in tags}) == len(tags)
    if chat.small_talk:
        assert tags == [GENERAL[chat.language]]
        return
    if chat.broad:
        assert chat.broad in tags
    named = {subject.names[chat.language] for subject in SUBJECTS}
    assert len([tag for tag in tags if tag in named]) <= 3
    specific = [tag for tag in tags if tag not in named]
    assert specific
    assert all(tag.casefold() in _said(chat) for tag in specific)


@every_chat
def test_queries(chat: Chat) -> None:
    queries = make_queries(chat.turns)
    assert len(queries) <= 3
    assert not (chat.no_query and queries)
    assert chat.no_query or queries
    for word in chat.keep:
        assert any(word in query for query in queries)


def test_tags_differ_between_topics() -> None:
    told = [make_tags(chat.turns) for chat in CHATS if not chat.small_talk]
    specific = [tuple(tags) for tags in told]
    assert len(set(specific)) == len(specific)


def test_a_pasted_document_is_not_cut_off_for_a_title() -> None:
    text = "The harbour of Brixen was dredged again. " * 40
    for asked in (f"Summarise this:\n\n{text}", f"{text}\n\nSummarise this."):
        title = make_title([Turn("user", asked)])
        assert not title.startswith("The harbour of Brixen was")
        assert "harbour" in title.casefold()
        assert len(title.split()) <= MOST_WORDS


def test_a_question_of_code_alone_is_named_by_its_subject() -> None:
    turns = [Turn("user", "Can you fix this?\n\n```python\ndef add(a, b):\n    return a - b\n```")]
    assert make_title(turns) == "Programming"


def test_an_address_is_named_by_its_host() -> None:
    title = make_title([Turn("user", "https://www.puffins.test/a/b?c=d summarise this page")])
    assert title == "puffins.test"


def test_tables_are_built_ahead() -> None:
    code = (
        "from rag_service.openwebui import content_words, instant, subjects\n"
        "from rag_service.retrieval import smalltalk\n"
        "tables = [smalltalk._courtesies, smalltalk._fillers, subjects._index, content_words._plain_phrases]\n"
        "print([table.cache_info().currsize for table in tables])\n"
        "instant.build_tables()\n"
        "print([table.cache_info().currsize for table in tables])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    before, after = (json.loads(line) for line in run.stdout.splitlines())
    assert before == [0, 0, 0, 0]
    # One of courtesies for all languages, and at least one for each language of the others.
    assert after[:2] == [1, 1]
    assert min(after[2:]) >= 5


def test_casing_is_the_users() -> None:
    title = make_title([Turn("user", "How do I connect an iPhone to NumPy with pyMobileDevice?")])
    assert "iPhone" in title
    assert "NumPy" in title


def test_an_emoji_only_where_it_is_asked_for() -> None:
    turns = [Turn("user", "Which bread needs no yeast?")]
    plain = instant_reply(_task("title", turns, '{ "title": "x" }\n- Do not use emojis or quotes.'))
    asked = instant_reply(_task("title", turns, 'A title with an emoji.\n{ "title": "🍪 Cookies" }'))
    assert plain is not None
    assert asked is not None
    assert json.loads(plain) == {"title": make_title(turns)}
    assert json.loads(asked) == {"title": f"🍳 {make_title(turns)}"}


@pytest.mark.parametrize(
    ("instructions", "wanted"),
    [
        ("Write a title with an emoji.", True),
        ("Use emojis that help, but avoid quotation marks.", True),
        ('- { "title": "📉 Stocks" }', True),
        ("Schreibe einen Titel mit einem Emoji.", True),
        ("Do not use emojis, quotation marks, or formatting.", False),
        ("A title without any emojis (this is important).", False),
        ("Kein Emoji.", False),
        ("不要使用 emoji。", False),
        ("Write a title.", False),
    ],
)
def test_when_a_template_asks_for_an_emoji(instructions: str, wanted: bool) -> None:
    assert wants_emoji(instructions) is wanted


def test_forms() -> None:
    turns = [Turn("user", 'What is the {"queries"} key in Open WebUI?')]
    assert json.loads(str(instant_reply(_task("tags", turns)))).keys() == {"tags"}
    queries = str(instant_reply(_task("queries", turns)))
    # Read from the last brace on.
    assert json.loads(queries[queries.rindex("{") :])["queries"]
    assert instant_reply(_task("queries", [Turn("user", "thanks")])) == '{"queries": []}'
    assert instant_reply(_task("follow_ups", turns)) == '{"follow_ups": []}'
    assert instant_reply(_task("autocomplete", turns)) == '{"text": ""}'
    assert instant_reply(_task("emoji", turns)) == ""
    assert all(instant_reply(_task(kind, turns)) is None for kind in _NEED_A_MODEL)
    assert instant_reply(_task("title", [])) == json.dumps({"title": SMALL_TALK["en"]})


_NEED_A_MODEL: tuple[TaskKind, ...] = ("image_prompt", "moa", "function_calling")


def test_equal_conversations_are_answered_from_the_cache() -> None:
    made: list[int] = []

    def make(turns: Sequence[Turn]) -> list[str]:
        made.append(len(turns))
        return [turns[0].text]

    cache = QueryCache(limit=2)
    one, two, three = ([Turn("user", text)] for text in ("one", "two", "three"))
    assert [cache.get(turns, make) for turns in (one, one, two, one, three)] == [
        ["one"],
        ["one"],
        ["two"],
        ["one"],
        ["three"],
    ]
    assert len(made) == 3
    assert len(cache) == 2
    # What was asked for the longest ago has gone.
    cache.get(one, make)
    assert len(made) == 3
    cache.get(two, make)
    assert len(made) == 4
    assert instant_reply(_task("queries", one), cache) == '{"queries": ["one"]}'


def test_roles_tell_conversations_apart() -> None:
    cache = QueryCache()
    cache.get([Turn("user", "a")], lambda _: ["user"])
    assert cache.get([Turn("assistant", "a")], lambda _: ["assistant"]) == ["assistant"]


_TURNS = st.lists(
    st.builds(
        Turn,
        st.sampled_from(["user", "assistant"]),
        st.text(max_size=80)
        | st.sampled_from(["# Heading\n" + "word " * 200, "```\n[", "{}", "，。", "?", "[1]", "東京の天気"]),
    ),
    max_size=5,
).map(tuple)


@settings(deadline=None, max_examples=40)
@given(_TURNS)
def test_any_chat_has_an_answer(turns: tuple[Turn, ...]) -> None:
    title = make_title(turns)
    assert title.strip()
    assert count_words(title) <= MOST_WORDS
    tags = make_tags(turns)
    assert 1 <= len(tags) <= 5
    assert all(tag.strip() for tag in tags)
    for query in make_queries(turns):
        assert query.strip()
        assert not {"{", "}"}.intersection(query)
