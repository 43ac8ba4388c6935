"""Which sentences tell what time it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.clocks import split_sentences, tells_the_moment


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


@given(st.text() | st.lists(st.sampled_from(["It is now 05:12.", " ", "\n", "Sunday", "2026-11-22", "a", "。"])))
def test_sentences_are_the_whole_text(text: str | list[str]) -> None:
    text = "".join(text)
    sentences = split_sentences(text)
    assert "".join(sentence.written for sentence in sentences) == text
    for sentence in sentences:
        assert sentence.at(sentence.moments) == sentence.text
        assert bool(sentence.moments) == tells_the_moment(sentence.text)
