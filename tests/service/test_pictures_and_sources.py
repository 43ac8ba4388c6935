"""Chats that have pictures and sources, tasks about them, and the answer cache beside them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rag_service.settings import ServiceSettings
from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.emulator import write_vision_encoder
from tests.conftest import needs_llama
from tests.engine.pictures import CONTROLS, GREEN, N_TOKENS, RED, picture, seen
from tests.openwebui.prompts import TEMPLATES
from tests.service.conftest import running
from tests.service.test_grounded_chats import BANANAS, DELTA, sources, text_of

pytestmark = needs_llama

QUESTION = "When was the Oosterscheldekering finished?"
# Tells what it saw, and whether the passage that answers was in its prompt.
SCRIPT = f"""
context 4096
{CONTROLS}
rule "Name this chat"
  text "{{\\"title\\": \\"The barrier\\"}}"
end
rule "finished in 1986"
  text "Read. {{n_pictures}} seen: {{pictures}}"
end
rule *
  text "Nothing read. {{n_pictures}} seen: {{pictures}}"
end
"""
_chats = itertools.count()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "qwen2-vl-2b.rkllm").write_text(f"#!rkllm-script 1\n{SCRIPT}")
    write_vision_encoder(folder / "qwen2-vl-2b.rknn", n_tokens=N_TOKENS)
    with running(ServiceSettings(port=0, models_dir=folder, answer_cache_ttl=600)) as base:
        yield base


def ask(url: str, *messages: dict[str, Any], headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    content = {"model": "qwen2-vl-2b", "messages": list(messages), "max_tokens": 300, **body}
    return httpx.post(f"{url}/v1/chat/completions", json=content, headers=headers, timeout=60)


def said(text: str, *pictures: ImagePart) -> dict[str, Any]:
    """A user's turn as Open WebUI sends it: the text, and the pictures behind it."""
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": data_url(one)}} for one in pictures]
    return {"role": "user", "content": [{"type": "text", "text": text}, *parts] if parts else text}


SOURCED = sources(BANANAS, DELTA)
CHATS: dict[str, list[dict[str, Any]]] = {
    "in the turn of the pictures": [said(SOURCED + QUESTION, RED, GREEN)],
    "in a turn behind them": [
        said("Look.", RED, GREEN),
        {"role": "assistant", "content": "I see."},
        said(SOURCED + QUESTION),
    ],
    "in the system message": [{"role": "system", "content": SOURCED}, said(QUESTION, RED, GREEN)],
    "with more pictures": [
        said("Look.", RED),
        {"role": "assistant", "content": "I see."},
        said(SOURCED + QUESTION, GREEN),
    ],
}


@pytest.mark.parametrize("place", CHATS)
def test_sources_leave_the_pictures_in_their_chat(url: str, place: str) -> None:
    read, _, told = text_of(ask(url, *CHATS[place])).partition(". ")
    assert (read, seen(told)) == ("Read", ["255,0,0", "0,255,0"])


@pytest.mark.parametrize("place", CHATS)
def test_so_it_is_with_ollama_s_form(url: str, place: str) -> None:
    messages = []
    for message in CHATS[place]:
        content = message["content"]
        if isinstance(content, list):
            shown = [part["image_url"]["url"].partition(",")[2] for part in content[1:]]
            message = {"role": message["role"], "content": content[0]["text"], "images": shown}
        messages.append(message)
    body = {"model": "qwen2-vl-2b", "messages": messages, "stream": False}
    answer = httpx.post(f"{url}/api/chat", json=body, timeout=60).json()["message"]["content"]
    read, _, told = answer.partition(". ")
    assert (read, seen(told)) == ("Read", ["255,0,0", "0,255,0"])


def test_a_title_for_a_chat_about_a_picture(url: str) -> None:
    history = "USER: What does this puffin eat?\nASSISTANT: Fish, as it seems."
    task = said(TEMPLATES["title"].replace("{history}", history))
    told = json.loads(text_of(ask(url, task, headers={"X-OpenWebUI-Task": "title_generation"})))
    assert "puffin" in told["title"].lower()
    # A turn that is a picture alone has no words to make a title of.
    alone = said(TEMPLATES["title"].replace("{history}", "USER: \nASSISTANT: A red square."))
    assert json.loads(text_of(ask(url, alone)))["title"]


def test_a_title_by_the_model_that_sees(url: str) -> None:
    task = said(TEMPLATES["title"].replace("{history}", "USER: Look.\nASSISTANT: I see."), RED)
    # A task has no pictures; with one it is a question like any other, and the model answers it.
    assert json.loads(text_of(ask(url, task))) == {"title": "The barrier"}


@pytest.mark.parametrize("content", [said("What is it?", picture((9, 8, 7))), said(SOURCED + QUESTION, RED)])
def test_the_answer_cache_keeps_nothing_of_pictures(url: str, content: dict[str, Any]) -> None:
    for _ in range(2):
        answer = ask(url, content, headers={"X-OpenWebUI-Chat-Id": f"chat-{next(_chats)}"}, temperature=0)
        assert "x-rkllm-answer-cache" not in answer.headers
        assert answer.json()["usage"]["total_tokens"] > 0
    plain = [
        ask(url, said("What is it?"), headers={"X-OpenWebUI-Chat-Id": f"chat-{next(_chats)}"}, temperature=0)
        for _ in range(2)
    ]
    assert ["x-rkllm-answer-cache" in answer.headers for answer in plain][1] is True
