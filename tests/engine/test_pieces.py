"""Prompts that are read in pieces, and beginnings that are read ahead."""

from __future__ import annotations

import asyncio
import threading
import time
from array import array

import pytest

from rkllm_providers.chat import ChatMessage, Finish, GenerateOptions, TextDelta, Tool
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.engine.run import PrefillProgress, RunRequest
from rkllm_providers.engine.streams import SyncStream
from rkllm_providers.errors import GenerationError, UnsupportedFeature
from tests.conftest import OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
context 4096
words alpha beta gamma delta question answer slow quick
rule "crash"
  crash
end
rule *
  text "alpha beta gamma delta answer"
end
"""
SLOW = f"prefill_ms 1\n{SCRIPT}"
LONG = "alpha beta gamma delta " * 100
LIMITS = EngineLimits(prefill_chunk=100)


def ask(text: str, system: str = "") -> list[ChatMessage]:
    turns = [ChatMessage("system", system)] if system else []
    return [*turns, ChatMessage("user", text)]


def ids_of(client: ModelClient, text: str) -> RunRequest:
    return RunRequest(array("i", client.tokenize(text)), max_tokens=4)


def items_of(client: ModelClient, request: RunRequest) -> list[object]:
    stream = SyncStream()
    client.engine.submit(request, stream)
    items: list[object] = []
    while not items or (isinstance(items[-1], PrefillProgress | tuple) and not hasattr(items[-1], "max_tokens")):
        items += stream.get(20)
    return items


@pytest.mark.parametrize("version", ["1.2.0", "1.2.3", "1.3.0"])
def test_a_prompt_in_pieces_gives_the_same_answer_and_account(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    pieces = open_model(write_model(SCRIPT, "pieces"), version, LIMITS)
    whole = open_model(write_model(SCRIPT, "whole"), version)
    for messages in (ask(LONG), ask(LONG + "question"), ask("question", LONG), ask("quick", LONG)):
        one, other = pieces.complete(messages), whole.complete(messages)
        assert one.text == other.text
        assert one.finish.usage == other.finish.usage
        assert one.finish.timings.prefix_break == other.finish.timings.prefix_break


def test_progress_is_told(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", LIMITS)
    client.complete(ask("Hi!"))
    items = items_of(client, ids_of(client, LONG))
    told = [item for item in items if isinstance(item, PrefillProgress)]
    assert [item.n_read for item in told] == [100, 200, 300, 400][: len(told)]
    assert len(told) >= 3
    assert all(item.n_tokens > 400 for item in told)


async def test_a_coroutine_sees_the_progress(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", LIMITS)
    answer = await client.aopen(ask(LONG))
    assert (await answer.collect()).text == "alpha beta gamma delta answer"
    assert answer.progress is not None
    assert answer.progress.n_read == 400 < answer.progress.n_tokens


def test_a_chat_goes_between_the_pieces_of_a_task(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SLOW), "1.3.0", LIMITS)
    client.complete(ask("Hi!"))
    ended: list[str] = []

    def task() -> None:
        for event in client.stream(ask(LONG), GenerateOptions(priority="background")):
            if isinstance(event, Finish):
                ended.append("task")

    thread = threading.Thread(target=task)
    thread.start()
    while not client.engine.is_busy:
        time.sleep(0.001)
    assert client.complete(ask("quick")).text == "alpha beta gamma delta answer"
    ended.append("chat")
    thread.join(20)
    assert ended == ["chat", "task"]


def test_a_cancel_takes_effect_at_the_next_piece(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(f"prefill_ms 10\n{SCRIPT}"), "1.3.0", LIMITS)
    client.complete(ask("Hi!"))
    with pytest.raises(TimeoutError):
        client.complete(ask(LONG), GenerateOptions(timeout=0.1))
    after = client.complete(ask("quick")).finish
    # The whole prompt is 4 s; a piece is one.
    assert after.timings.queue_ms < 2500


async def test_a_cancelled_task_between_pieces_leaves_nothing(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SLOW), "1.3.0", LIMITS)
    await client.acomplete(ask("Hi!"))
    answer = await client.aopen(ask(LONG))
    waiting = asyncio.create_task(answer.collect())
    while answer.progress is None:  # noqa: ASYNC110 - what the engine reports cannot be waited for otherwise
        await asyncio.sleep(0.001)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await client.acomplete(ask(LONG))).text == "alpha beta gamma delta answer"


def test_a_worker_that_dies_between_pieces_costs_that_request(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", LIMITS)
    with pytest.raises(GenerationError):
        client.complete(ask(f"{LONG} crash"))
    assert client.complete(ask(LONG)).text == "alpha beta gamma delta answer"


def test_a_runtime_that_reuses_nothing_reads_in_one(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), "1.1.4", LIMITS)
    items = items_of(client, ids_of(client, LONG))
    # Reading in pieces would read everything again for each of them.
    assert not [item for item in items if isinstance(item, PrefillProgress)]


def test_a_beginning_is_read_ahead(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    n_tokens = client.warm(LONG)
    assert n_tokens > 400
    usage = client.complete(ask("question", LONG)).finish.usage
    assert usage.cached_tokens == n_tokens
    assert usage.prompt_tokens - n_tokens < 20


async def test_tools_and_clocks_belong_to_it(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    options = GenerateOptions(tools=(Tool("search", "Looks things up."),))
    system = f"You are kind. Current date and time: 2026-11-22 05:{{}}. {LONG}"
    n_tokens = await client.awarm(system.format("01"), options)
    finish = (await client.acomplete(ask("question", system.format("02")), options)).finish
    assert finish.usage.cached_tokens == n_tokens > 400


def test_it_is_read_again_when_the_model_was_loaded_anew(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    n_tokens = client.warm(LONG)
    client.engine.unload()
    loaded = threading.Event()
    while client.engine.info is not None:
        time.sleep(0.001)
    client.engine.load(lambda _: loaded.set())
    assert loaded.wait(20)
    assert client.complete(ask("question", LONG)).finish.usage.cached_tokens == n_tokens


def test_a_model_without_a_tokenizer_cannot(open_model: OpenModel, write_model: WriteModel) -> None:
    with_tokenizer = open_model(write_model(SCRIPT))
    client = ModelClient(with_tokenizer.card.without_tokenizer(), with_tokenizer.engine)
    with pytest.raises(UnsupportedFeature, match="read ahead"):
        client.warm(LONG)


def test_other_events_are_as_ever(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", LIMITS)
    events = list(client.stream(ask(LONG)))
    assert isinstance(events[0], TextDelta)
    assert isinstance(events[-1], Finish)
