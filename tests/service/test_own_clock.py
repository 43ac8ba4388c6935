"""Date and time that the service supplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from rag_service.api.openai.chat_messages import RequestMessage, to_chat_messages
from rag_service.chat_desk import ChatDesk
from rag_service.own_clock import tell_moment, with_moment
from rag_service.settings import ServiceSettings
from rkllm_providers.chat import ChatMessage, ChatResult, GenerateOptions
from rkllm_providers.chat.clocks import split_sentences
from rkllm_providers.engine import ModelClient
from tests.conftest import OpenModel, WriteModel, needs_llama
from tests.service.test_grounded_chats import user

NOON = datetime(2026, 11, 22, 12, 5)
SENTENCE = "It is now Sunday, 2026-11-22, 12:05."
ANSWER = {"role": "assistant", "content": "Noon."}
SYSTEM = {"role": "system", "content": "Be kind."}


def test_what_is_said_is_a_clock_to_the_engine() -> None:
    assert tell_moment("time", NOON) == SENTENCE
    assert tell_moment("date", NOON) == "Today is Sunday, 2026-11-22."
    for mode in ("date", "time"):
        (said,) = split_sentences(tell_moment(mode, NOON))
        assert said.kinds == (("weekday", "date") if mode == "date" else ("weekday", "date", "time"))


@pytest.mark.parametrize(
    ("messages", "moves", "places"),
    [
        ([user("a")], True, [("system", SENTENCE), ("user", "a")]),
        ([SYSTEM, user("a")], True, [("system", f"Be kind.\n\n{SENTENCE}"), ("user", "a")]),
        ([SYSTEM, user("a")], False, [("system", "Be kind."), ("user", f"a\n\n{SENTENCE}")]),
        ([{"role": "system", "content": "x" * 19_001}, user("a")], True, [None, ("user", f"a\n\n{SENTENCE}")]),
        (
            [user("a"), {"role": "assistant", "content": "b"}, user("c")],
            False,
            [None, None, ("user", f"c\n\n{SENTENCE}")],
        ),
    ],
)
def test_where_it_is_said(messages: list[dict[str, Any]], moves: bool, places: list[tuple[str, str] | None]) -> None:
    written = with_moment(messages, SENTENCE, moves=moves)
    assert len(written) == len(places)
    for message, place in zip(written, places, strict=True):
        assert place is None or (message["role"], message["content"]) == place


def test_parts_stay_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    (written,) = with_moment([{"role": "user", "content": parts}], SENTENCE, moves=False)
    assert written["content"] == [*parts, {"type": "text", "text": f"\n\n{SENTENCE}"}]


@pytest.mark.parametrize("content", ["Today is Monday.", [{"type": "text", "text": "Date: 2026-01-01"}]])
def test_a_clock_of_the_sender_goes_before_ours(content: Any) -> None:
    messages = [{"role": "system", "content": content}, user("a")]
    assert with_moment(messages, SENTENCE, moves=True) == messages
    assert with_moment([SYSTEM], SENTENCE, moves=True) == [SYSTEM]


def _converted(raw: Sequence[Mapping[str, Any]]) -> list[ChatMessage]:
    return to_chat_messages([RequestMessage.model_validate(message) for message in raw])


async def _answer(desk: ChatDesk, client: ModelClient, *messages: dict[str, Any]) -> ChatResult:
    opened = await desk.open(
        messages, _converted(messages), GenerateOptions(), client, {}, stream=False, convert=_converted
    )
    return await opened.answer.collect()


@needs_llama
async def test_the_model_is_told_and_the_cache_kept(open_model: OpenModel, write_model: WriteModel) -> None:
    script = 'rule "12:05"\n  text "Noon."\nend\nrule "12:06"\n  text "Later."\nend\nrule *\n  text "Never."\nend\n'
    client = open_model(write_model(script))
    moments = [NOON, NOON.replace(minute=6)]
    desk = ChatDesk(ServiceSettings(supply_clock="time").desk, lambda: moments.pop(0))
    question = user("What time is it? " + "Take your time and think about it. " * 20)
    first = await _answer(desk, client, SYSTEM, question)
    assert first.text == "Noon."
    second = await _answer(
        desk, client, SYSTEM, question, {"role": "assistant", "content": "Noon."}, user("And now?")
    )
    assert second.finish.timings.prefix_break is None
    # What the first turn was told stands there still.
    assert second.finish.usage.cached_tokens >= first.finish.usage.prompt_tokens
    silent = ChatDesk(ServiceSettings().desk)
    assert (await _answer(silent, client, SYSTEM, user("What time is it now?"))).text == "Never."
    await desk.close()
    await silent.close()
