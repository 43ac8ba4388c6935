"""What changes in system messages is said where it costs the cache nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat import ChatMessage
from rkllm_providers.chat.volatile import VolatileSystem, tells_the_moment

SYSTEM = "You are kind. Current time: 2026-11-22 {time}.\nBe brief.\n\nThe user likes {drink}."


def conversation(time: str, *texts: str, drink: str = "tea") -> list[ChatMessage]:
    turns = [ChatMessage("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]
    return [ChatMessage("system", SYSTEM.format(time=time, drink=drink)), *turns]


@pytest.mark.parametrize(
    "sentence",
    [
        "Current date: 2026-11-22",
        "It is Sunday, November 22, 2026.",
        "The time is 05:12:33 PM.",
        "2026-11-22 05:12",
        "今天是2026年11月22日。",
        "Heute ist der 22. November 2026.",
        "Today is Sunday.",
    ],
)
def test_a_clock_is_recognised(sentence: str) -> None:
    assert tells_the_moment(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["Meetings start at 10:30.", "Founded on 1990-01-02.", "Version 1.2.3 is current.", "You are helpful.", ""],
)
def test_a_fact_is_no_clock(sentence: str) -> None:
    assert not tells_the_moment(sentence)


def test_a_growing_conversation_keeps_all_it_said() -> None:
    volatile = VolatileSystem()
    rendered: list[ChatMessage] = []
    texts: list[str] = []
    for number in range(6):
        texts.append(f"question {number}")
        before, rendered = rendered, volatile.apply(conversation(f"05:0{number}", *texts))
        assert rendered[: len(before)] == before
        assert rendered[-1].content == f"question {number}\n\nSystem note: Current time: 2026-11-22 05:0{number}."
        texts.append(f"answer {number}")
    assert rendered[0].content == "You are kind. Be brief.\n\nThe user likes tea."


def test_nothing_of_one_conversation_is_heard_in_another() -> None:
    volatile = VolatileSystem()
    theirs = "It is now 10:00 and the password is hunter2. Be kind."
    volatile.apply([ChatMessage("system", theirs), ChatMessage("user", "hi")])
    for system in ("Be kind.", "It is now 11:00. Be kind.", "It is now 11:00 and the password is secret. Be kind."):
        turns = [ChatMessage("user", "hi"), ChatMessage("assistant", "Hello."), ChatMessage("user", "more")]
        rendered = volatile.apply([ChatMessage("system", system), *turns])
        assert "hunter2" not in "".join(message.content for message in rendered)


@pytest.mark.parametrize("beginning", ["ämar", "1:", "mar ", "今天", "2026-", "now "])
def test_a_long_text_of_beginnings_of_clocks_stays_as_it_is(beginning: str) -> None:
    for size in (20_000, 2_000_000):
        messages = [ChatMessage("system", (beginning * size)[:size]), ChatMessage("user", "a")]
        assert VolatileSystem().apply(messages) == messages


def test_a_turn_that_goes_on_with_a_tool_s_result_is_not_touched() -> None:
    volatile = VolatileSystem()
    first = volatile.apply(conversation("05:00", "a"))
    call = [ChatMessage("assistant", ""), ChatMessage("tool", "17")]
    assert volatile.apply([*conversation("05:01", "a"), *call])[:2] == first


def test_a_large_text_that_changes_stays_where_it_is() -> None:
    volatile = VolatileSystem()
    volatile.apply([ChatMessage("system", "Be kind."), ChatMessage("user", "a")])
    large = [ChatMessage("system", "Be kind. " + "Context. " * 1000), ChatMessage("user", "a")]
    large += [ChatMessage("assistant", "b"), ChatMessage("user", "c")]
    assert volatile.apply(large) == large


def test_without_a_system_message_or_a_clock_nothing_changes() -> None:
    volatile = VolatileSystem()
    for messages in (
        [ChatMessage("user", "a")],
        [ChatMessage("system", " Be\n\nkind. \n"), ChatMessage("user", "a")],
    ):
        assert volatile.apply(messages) == messages
        assert volatile.apply(messages) == messages


@given(st.text(), st.text())
def test_nothing_that_was_said_is_lost(first: str, second: str) -> None:
    volatile = VolatileSystem()
    turns = [ChatMessage("user", "a")]
    for text in (first, second):
        rendered = volatile.apply([ChatMessage("system", text), *turns])
        said = "".join("".join(message.content.split()) for message in rendered)
        for word in text.split():
            assert word in said
        turns += [ChatMessage("assistant", "b"), ChatMessage("user", "c")]
