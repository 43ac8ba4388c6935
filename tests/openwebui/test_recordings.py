"""Requests recorded from Open WebUI, where their folder is at hand: what each is, by its file's name."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from rag_service.openwebui.sources import read_chat
from rag_service.openwebui.tasks import recognise_task

FOLDER = Path(
    os.environ.get("RKLLM_OPENWEBUI_RECORDINGS", Path(__file__).resolve().parents[3] / "shared" / "openwebui")
)
KINDS = {
    "title": "title",
    "tags": "tags",
    "follow_ups": "follow_ups",
    "query_generation": "queries",
    "autocomplete": "autocomplete",
    "emoji": "emoji",
    "image_prompt": "image_prompt",
    "moa": "moa",
    "tools_prompt": "function_calling",
}
CHATS = ("chat", "rag_chat")
RECORDINGS = [
    (path, found[1])
    for path in sorted(FOLDER.glob("requests/*.json"))
    if (found := re.search(r"__\d+_(\w+)$", path.stem)) and found[1] in (*KINDS, *CHATS)
]

pytestmark = pytest.mark.skipif(not RECORDINGS, reason=f"no recorded requests in {FOLDER}")


def _request(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    recorded = json.loads(path.read_text())
    return recorded["body"], recorded["headers"]


@pytest.mark.parametrize(("path", "kind"), RECORDINGS, ids=[path.stem for path, _ in RECORDINGS])
def test_it_is_recognised_with_and_without_its_headers(path: Path, kind: str) -> None:
    body, headers = _request(path)
    for given in ({}, headers):
        task = recognise_task(body["messages"], given, stream=body["stream"])
        assert (task.kind if task else None) == KINDS.get(kind)
        if task is not None:
            assert task.turns
            assert all("<chat_history>" not in turn.text for turn in task.turns)


@pytest.mark.parametrize(
    "path", [path for path, kind in RECORDINGS if kind == "rag_chat"], ids=lambda path: path.stem
)
def test_sources_and_question_come_apart(path: Path) -> None:
    body, _ = _request(path)
    written = json.dumps(body["messages"])
    chat = read_chat(body["messages"])
    assert len(chat.sources) == written.count("<source id=") - written.count("(e.g., <source id=")
    assert all(source.id and source.text.strip() for source in chat.sources)
    assert all(source.kind == ("web" if "web_search" in written else "attached") for source in chat.sources)
    assert all("Filename:" not in source.text for source in chat.sources)
    assert chat.where == (("system",) if body["messages"][0]["role"] == "system" else ("user",))
    assert "\n" not in chat.question
    assert body["messages"][-1]["content"].endswith(chat.question)
    assert "<source" not in json.dumps(chat.messages_without_sources)
    assert "### Task" not in json.dumps(chat.messages_without_sources)
    assert chat.turns[-1].text == chat.question


@pytest.mark.parametrize("path", [path for path, kind in RECORDINGS if kind == "chat"], ids=lambda path: path.stem)
def test_a_chat_without_sources_stays_as_it_is(path: Path) -> None:
    body, _ = _request(path)
    chat = read_chat(body["messages"])
    assert chat.sources == ()
    assert chat.where == ()
    assert list(chat.messages_without_sources) == body["messages"]


def test_every_kind_is_among_them() -> None:
    assert {kind for _, kind in RECORDINGS} == {*KINDS, *CHATS}
