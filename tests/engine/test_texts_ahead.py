"""Micro-batches: what is sent together, who goes between them, and that no call costs another."""

from __future__ import annotations

import asyncio
import os
import signal
from array import array

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.engine.queue import RunQueue
from rkllm_providers.engine.rows_runs import RowsWanted
from rkllm_providers.engine.run import Run, RunRequest
from rkllm_providers.engine.streams import NoStream
from rkllm_providers.engine.texts_ahead import MOST_TEXTS, MOST_TOKENS, TextsAhead
from rkllm_providers.errors import ContextLengthExceeded, QueueFull, RequestTimeout, WorkerCrashed
from tests.conftest import OpenModel, WriteModel, needs_llama

SCRIPT = """
context 256
prefill_base_ms 20
words cat mat dog
rule *
  text "Hello there."
end
"""


@pytest.fixture
def client(open_model: OpenModel, write_model: WriteModel) -> ModelClient:
    client = open_model(write_model(SCRIPT))
    client.embed(["cat"])
    return client


def queued(*sizes: int, rows: bool = True) -> tuple[RunQueue, list[Run]]:
    queue = RunQueue(4, 4)
    runs = [
        Run(
            number,
            RunRequest(array("i", [0] * size), 1, priority="bulk", rows=RowsWanted() if rows else None),
            NoStream(),
        )
        for number, size in enumerate(sizes)
    ]
    for run in runs:
        queue.append(run)
    return queue, runs


def sent_with_first(queue: RunQueue) -> list[int]:
    first = queue.first()
    assert first is not None
    queue.remove(first)
    return [run.id for run in TextsAhead(queue).mates(first)]


def test_a_batch_is_bounded_by_its_texts_and_by_its_tokens() -> None:
    queue, _ = queued(*[1] * (MOST_TEXTS + 3))
    assert sent_with_first(queue) == list(range(1, MOST_TEXTS))
    assert sent_with_first(queue) == [MOST_TEXTS + 1, MOST_TEXTS + 2]
    queue, _ = queued(MOST_TOKENS - 10, 10, 1)
    assert sent_with_first(queue) == [1]
    queue, _ = queued(MOST_TOKENS + 1, 1)
    assert sent_with_first(queue) == []
    queue, _ = queued(1, 1, rows=False)
    assert sent_with_first(queue) == []


def test_what_was_cancelled_is_in_no_batch_and_does_not_come_back() -> None:
    queue, runs = queued(1, 1, 1, 1)
    runs[1].cancelled = True
    queue.remove(runs[0])
    ahead = TextsAhead(queue)
    for run in ahead.mates(runs[0]):
        ahead.append(run)
    assert [run.id for run in ahead] == [2, 3]
    runs[2].cancelled = True
    ahead.put_back()
    assert [run.id for run in queue] == [3]
    assert not len(ahead)


def test_calls_that_began_are_not_refused_in_their_middle() -> None:
    queue = RunQueue(4, 4)
    request = RunRequest(array("i", [0]), 1, priority="bulk", rows=RowsWanted())
    for number in range(4):
        queue.reserve(Run(number, request, NoStream()))
    with pytest.raises(QueueFull, match="4"):
        queue.reserve(Run(4, request, NoStream()))
    queue.reserve(Run(5, RunRequest(request.prompt, 1, priority="bulk", admitted=True), NoStream()))
    assert queue.waiting == 5


def test_texts_may_wait_for_longer_than_chats() -> None:
    limits = EngineLimits()
    assert limits.bulk_queue >= 2000
    assert limits.bulk_queue_seconds > limits.queue_seconds


@needs_llama
def test_every_call_gets_its_own_and_a_bad_one_fails_alone(client: ModelClient) -> None:
    texts = ["cat", "cat" * 300, "mat", "dog cat", "cat mat"]
    expected = {text: client.embed([text]).vectors[0] for text in texts if len(text) < 100}

    async def calls() -> list[object]:
        return await asyncio.gather(*(client.aembed([text]) for text in texts * 8), return_exceptions=True)

    for text, result in zip(texts * 8, asyncio.run(calls()), strict=True):
        if text in expected:
            np.testing.assert_array_equal(result.vectors[0], expected[text])  # type: ignore[attr-defined]
        else:
            assert isinstance(result, ContextLengthExceeded)


@needs_llama
def test_a_caller_that_leaves_costs_nobody_else(client: ModelClient) -> None:
    async def calls() -> tuple[list[bool], list[object]]:
        tasks = [asyncio.create_task(client.aembed(["cat"])) for _ in range(12)]
        while not any(task.done() for task in tasks):  # noqa: ASYNC110 - the others are sent, or wait
            await asyncio.sleep(0.001)
        left = [number % 3 == 1 and task.cancel() for number, task in enumerate(tasks)]
        return left, await asyncio.gather(*tasks, return_exceptions=True)

    left, results = asyncio.run(calls())
    assert [isinstance(result, asyncio.CancelledError) for result in results] == left
    assert not any(isinstance(result, Exception) for result in results)
    assert client.embed(["cat"]).prompt_tokens == 1


@needs_llama
def test_a_chat_goes_between_two_batches(client: ModelClient) -> None:
    async def both() -> list[str]:
        ended: list[str] = []

        async def embed() -> None:
            await client.aembed(["cat"])
            ended.append("text")

        async def chat() -> None:
            await client.acomplete([ChatMessage("user", "Hi")])
            ended.append("chat")

        texts = [asyncio.create_task(embed()) for _ in range(6 * MOST_TEXTS)]
        while not ended:  # noqa: ASYNC110 - the first has been answered: the rest waits, or is sent
            await asyncio.sleep(0.001)
        await asyncio.gather(chat(), *texts)
        return ended

    ended = asyncio.run(both())
    assert len(ended) == 6 * MOST_TEXTS + 1
    assert ended[-1] == "text"


@needs_llama
def test_a_worker_that_dies_costs_the_text_under_way_and_no_other(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_model(SCRIPT.replace("prefill_base_ms 20", "prefill_base_ms 100")))
    client.embed(["cat"])

    async def calls() -> list[object]:
        tasks = [asyncio.create_task(client.aembed(["cat"])) for _ in range(2 * MOST_TEXTS)]
        while not any(task.done() for task in tasks):  # noqa: ASYNC110 - the worker is in the midst of a batch
            await asyncio.sleep(0.001)
        pid = client.engine.worker_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(calls())
    failed = [result for result in results if isinstance(result, BaseException)]
    assert [type(error) for error in failed] == [WorkerCrashed]
    assert client.engine.worker_deaths == 1


@needs_llama
def test_a_text_that_was_sent_keeps_its_time_limit(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT.replace("prefill_base_ms 20", "prefill_base_ms 400")))
    client.embed(["cat"])

    async def calls() -> tuple[object, ...]:
        limited = client.aembed(["mat"], timeout=0.1)
        return await asyncio.gather(client.aembed(["cat"]), limited, client.aembed(["dog"]), return_exceptions=True)

    first, second, third = asyncio.run(calls())
    assert isinstance(second, RequestTimeout)
    assert not isinstance(first, BaseException)
    assert not isinstance(third, BaseException)
