"""What clients are told, if they ask, of what was done with a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rag_service.answer_trace import MOST_CHARACTERS, MOST_NOTES, trace_answer
from rag_service.api.openai import chat_wire
from rag_service.chat_answer import ChatAnswer
from rag_service.grounding import Grounded
from rag_service.ready_answer import ReadyAnswer
from rag_service.retrieval.pipeline import Retrieved
from rag_service.retrieval.turns import Decision
from rag_service.retrieval.types import Note, Stage
from tests.conftest import needs_llama
from tests.service.conftest import serving
from tests.service.test_grounded_chats import BANANAS, DELTA, SCRIPT, TITLE, ask, sources, user

MENU = "Home | Products | About us | Contact | Login | Sitemap"
QUESTION = "When was the Oosterscheldekering finished?"
TRACED: dict[str, Any] = {"rkllm": {"trace": True}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("models"), talker=SCRIPT) as base:
        yield base


def web_page(number: int, text: str) -> str:
    head = f'<source id="{number}" name="q" resource-type="web_search" url="https://example.org/{number}">'
    return f"{head}{text}</source>\n"


@needs_llama
def test_what_became_of_every_piece(url: str) -> None:
    pages = web_page(1, f"{MENU}\n\n{DELTA}\n\n{MENU}") + web_page(2, BANANAS)
    response = ask(url, user(pages + QUESTION), **TRACED)
    told = response.json()["rkllm_trace"]
    assert (told["by"], told["task"], told["sources"]) == ("model", None, 2)
    assert told["decision"]["use"] == "passages"
    assert [(one["source_id"], one["url"]) for one in told["excerpts"]] == [("1", "https://example.org/1")]
    assert "finished in 1986" in told["excerpts"][0]["text"]
    cleaned = [note for note in told["notes"] if note["stage"] == "clean"]
    assert [MENU in note["text"] for note in cleaned] == [True, True]
    assert all(note["reason"] and not note["kept"] for note in cleaned)
    dropped = [note for note in told["notes"] if note["source_id"] == "2" and not note["kept"]]
    assert dropped[0]["stage"] in ("rank", "gate")
    assert dropped[0]["text"].startswith("Bananas")
    assert dropped[0]["reason"]
    assert told["counts"]["clean"]["dropped"] == 2
    assert told["tokens"] > 0


@needs_llama
def test_a_stream_tells_the_same_in_its_last_chunk(url: str) -> None:
    message = user(sources(BANANAS, DELTA) + QUESTION)
    whole = ask(url, message, **TRACED).json()["rkllm_trace"]
    response = ask(url, message, stream=True, **TRACED)
    chunks = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    assert [chunk["rkllm_trace"] for chunk in chunks if "rkllm_trace" in chunk] == [whole]
    assert "rkllm_trace" in chunks[-1]


@needs_llama
@pytest.mark.parametrize("stream", [False, True])
def test_it_is_made_off_the_event_loop(url: str, monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """The notes of a page of megabytes are thousands; putting them together takes a tenth of a second."""
    made_on: list[asyncio.AbstractEventLoop | None] = []

    def trace(answer: ChatAnswer) -> dict[str, Any]:
        made_on.append(asyncio._get_running_loop())
        return trace_answer(answer)

    monkeypatch.setattr(chat_wire, "trace_answer", trace)
    response = ask(url, user(sources(BANANAS, DELTA) + QUESTION), stream=stream, **TRACED)
    assert "rkllm_trace" in response.text
    assert made_on == [None]


@needs_llama
def test_nobody_is_told_who_does_not_ask(url: str) -> None:
    message = user(sources(DELTA) + QUESTION)
    asked: list[dict[str, Any]] = [{}, {"rkllm": None}, {"rkllm": {}}, {"rkllm": {"trace": False}}]
    for fields in asked:
        assert "rkllm_trace" not in ask(url, message, **fields).json()
        assert "rkllm_trace" not in ask(url, message, stream=True, **fields).text


@needs_llama
def test_requests_without_sources(url: str) -> None:
    told = ask(url, user("Without sources?"), **TRACED).json()["rkllm_trace"]
    assert told == {
        "by": "model",
        "task": None,
        "sources": 0,
        "decision": None,
        "tokens": 0,
        "excerpts": [],
        "counts": {},
        "notes": [],
    }
    told = ask(url, user(TITLE), **TRACED).json()["rkllm_trace"]
    assert (told["by"], told["task"]) == ("instant", "title")
    thanked = ask(url, user(sources(DELTA) + "thanks!"), **TRACED).json()["rkllm_trace"]
    assert thanked["decision"]["small_talk"]
    assert thanked["excerpts"] == []
    assert [note["reason"] for note in thanked["notes"]] == ["is small talk"]


@needs_llama
def test_other_fields_of_the_object_are_named_as_ignored(url: str) -> None:
    response = ask(url, user("Hi"), rkllm={"trace": True, "colour": "blue"})
    assert response.headers["x-rkllm-ignored-fields"] == "rkllm.colour"
    assert ask(url, user("Hi"), rkllm={"trace": "perhaps"}).status_code == 400


def traced(notes: list[Note]) -> dict[str, Any]:
    retrieved = Retrieved(Decision("passages", False, False, "x", False, ()), (), 0, tuple(notes))
    return trace_answer(ChatAnswer(ReadyAnswer.of_text("x"), grounded=Grounded((), (), (), retrieved), sources=1))


def noted(stage: Stage, text: str) -> Note:
    return Note(stage, "1", text, False, "because")


def test_its_size_is_bounded_and_what_was_cleaned_away_goes_first() -> None:
    many = [noted("rank", f"passage {number}") for number in range(MOST_NOTES)]
    told = traced([*many, noted("clean", "a menu"), noted("pack", "no room")])
    assert len(told["notes"]) == MOST_NOTES
    assert told["notes_left_out"] == 2
    assert {"a menu", "no room"} < {note["text"] for note in told["notes"]}
    assert told["counts"] == {"clean": {"kept": 0, "dropped": 1}, "rank": {"kept": 0, "dropped": MOST_NOTES}} | {
        "pack": {"kept": 0, "dropped": 1}
    }
    told = traced([noted("rank", "x"), noted("clean", "m" * MOST_CHARACTERS), noted("clean", "n")])
    assert [len(note["text"]) for note in told["notes"]] == [MOST_CHARACTERS]
    told = traced([noted("clean", "a"), noted("clean", "m" * MOST_CHARACTERS)])
    assert [len(note["text"]) for note in told["notes"]] == [1, MOST_CHARACTERS - 1]
    assert (told["notes_left_out"], told["notes_cut"]) == (0, 1)
