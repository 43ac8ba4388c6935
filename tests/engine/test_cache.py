"""Prefix reuse: what is prefilled of a turn, where a prefix broke, and what if a runtime does not reuse."""

from __future__ import annotations

import logging
from array import array
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, ChatResult, Finish, GenerateOptions, Tool
from rkllm_providers.engine import ModelClient
from rkllm_providers.engine.ledger import CacheLedger
from rkllm_providers.models.observations import observed
from tests.conftest import OpenModel, WriteModel, needs_llama

SCRIPT = """
context 4096
words alpha beta gamma delta question answer
rule "thinking"
  text "<think>\\\\nalpha\\\\n</think>\\\\n\\\\nbeta"
end
rule *
  text "alpha beta gamma delta answer"
end
"""
LONG = "alpha beta gamma delta " * 30


@pytest.fixture(params=["1.2.0", "1.2.3", "1.3.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(open_model: OpenModel, write_model: WriteModel, version: str) -> ModelClient:
    return open_model(write_model(SCRIPT), version)


def conversation(n_turns: int, system: str = "Be brief.") -> list[ChatMessage]:
    turns = [ChatMessage("system", system)] if system else []
    for number in range(n_turns):
        turns.append(ChatMessage("user", f"question {number} {LONG}"))
        turns.append(ChatMessage("assistant", "alpha beta gamma delta answer"))
    return turns[:-1]


def prefilled(finish: Finish) -> int:
    return finish.usage.prompt_tokens - finish.usage.cached_tokens


def cold(open_model: OpenModel, write_model: WriteModel, messages: list[ChatMessage], version: str) -> ChatResult:
    return open_model(write_model(SCRIPT, "cold"), version).complete(messages)


@needs_llama
def test_a_growing_chat_prefills_what_is_new(client: ModelClient) -> None:
    each = []
    for n_turns in range(1, 6):
        messages = conversation(n_turns)
        finish = client.complete(messages).finish
        each.append(prefilled(finish))
        assert finish.timings.prefix_break is None
    one_turn = client.count_tokens(conversation(2)) - client.count_tokens(conversation(1))
    assert all(tokens <= one_turn for tokens in each[1:])


@needs_llama
def test_the_same_again_an_edit_and_a_branch(
    client: ModelClient, open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    whole = conversation(4)
    first = client.complete(whole)
    again = client.complete(whole)
    assert prefilled(again.finish) <= 1
    edited = [*whole[:-1], ChatMessage("user", "question edited")]
    result = client.complete(edited)
    assert result.text == first.text == cold(open_model, write_model, edited, version).text
    assert prefilled(result.finish) < 60
    number, token = result.finish.timings.prefix_break or (-1, -1)
    assert number == len(edited) - 1
    assert token == result.finish.usage.cached_tokens
    branched = [*whole[:3], ChatMessage("user", "another branch " + LONG)]
    broken = client.complete(branched).finish
    assert (broken.timings.prefix_break or (-1,))[0] == 3
    assert prefilled(broken) < client.count_tokens(branched) / 2


@needs_llama
def test_a_switch_of_tools_and_of_thinking_costs_what_the_template_puts_first(client: ModelClient) -> None:
    whole = conversation(3)
    client.complete(whole)
    off = client.complete(whole, GenerateOptions(thinking=False)).finish
    # Only the generation prompt differs.
    assert prefilled(off) < 20
    tools = GenerateOptions(tools=(Tool("f", "A tool."),))
    with_tools = client.complete(whole, tools).finish
    assert (with_tools.timings.prefix_break or (-1,))[0] == 0
    assert prefilled(client.complete(whole, tools).finish) <= 1


@needs_llama
def test_a_clock_in_the_system_message_costs_no_more_than_its_words(client: ModelClient) -> None:
    def chat(system: str) -> int:
        total = 0
        for n_turns in range(1, 11):
            total += prefilled(client.complete(conversation(n_turns, system.format(n_turns))).finish)
        return total

    without = chat("Be brief. You are kind.")
    with_clock = chat("Be brief. Current time: 2026-11-22 05:{:02}. You are kind.")
    assert with_clock < 1.2 * without


@needs_llama
def test_it_can_be_left_where_it_is(client: ModelClient) -> None:
    options = GenerateOptions(volatile_system="keep")
    client.complete(conversation(3, "The time is 05:01."), options)
    finish = client.complete(conversation(3, "The time is 05:02."), options).finish
    assert (finish.timings.prefix_break or (-1,))[0] == 0


@needs_llama
def test_before_1_2_nothing_is_reused(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), "1.1.4")
    for _ in range(2):
        usage = client.complete(conversation(2)).finish.usage
        assert (usage.cached_tokens, usage.cached_estimated) == (0, False)


def test_a_runtime_that_does_not_reuse_is_told_of_once(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "model.rkllm").touch()
    ledger = CacheLedger("model", tmp_path / "model.rkllm")
    ledger.open("1.3.0")
    prompt = array("i", range(100))
    with caplog.at_level(logging.WARNING):
        assert ledger.note_run(prompt, [1, 2], 100).cached_tokens == 0
        for _ in range(4):
            assert ledger.note_run(prompt, [1, 2], 100) == (0, False, None)
            assert ledger.is_unreliable is (_ > 0)
    assert caplog.text.count("KV cache should have held") == 1
    assert observed(tmp_path / "model.rkllm") == [
        "Runtime 1.3.0 computed prompts anew that its KV cache should have held."
    ]
    # One turn that is reused clears it.
    ledger.note_run(prompt, [1, 2], 0)
    assert not ledger.is_unreliable
    assert observed(tmp_path / "model.rkllm") == []


def test_what_is_not_known_is_no_miss(tmp_path: Path) -> None:
    ledger = CacheLedger("model", tmp_path / "model.rkllm")
    ledger.open("1.3.0")
    prompt = array("i", range(100))
    for _ in range(5):
        ledger.note_run(prompt, [1, 2], 100)
        ledger.forget()
    assert ledger.common(prompt) is None
    assert not ledger.is_unreliable
