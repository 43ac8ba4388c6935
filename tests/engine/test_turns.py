"""Whose turn it is: priorities, places in the queue, and limits on silence."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, TextDelta
from rkllm_providers.chat.types import Priority
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.errors import QueueFull, RequestTimeout
from tests.conftest import OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
word " la"
rule "quiet"
  sleep 30000
  text "late"
end
rule "stalls"
  text "so far"
  sleep 30000
  text "late"
end
rule "holds"
  sleep 60000
  text "held"
end
rule "request {name}"
  text "answer to {name}"
end
rule *
  text "Hello."
end
"""


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - an engine has no event for this
        await asyncio.sleep(0.003)


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


@pytest.fixture
def client(open_model: OpenModel, write_model: WriteModel) -> ModelClient:
    return open_model(write_model(SCRIPT), limits=EngineLimits(queue=3, bulk_queue=50, abort_seconds=5))


def test_a_chat_comes_before_background_work_and_that_before_bulk(client: ModelClient) -> None:
    done: list[str] = []

    async def one(name: str, priority: Priority) -> None:
        await client.acomplete(ask(f"request {name}"), GenerateOptions(priority=priority))
        done.append(name)

    async def all_of_them() -> None:
        holding = asyncio.create_task(client.acomplete(ask("holds")))
        await until(lambda: client.engine.info is not None and not client.engine.waiting)
        waiting = []
        for name, priority in (("d", "bulk"), ("c", "background"), ("a", "chat"), ("b", "chat"), ("e", "bulk")):
            waiting.append(asyncio.create_task(one(name, priority)))  # type: ignore[arg-type]
            await until(lambda: client.engine.waiting >= len(waiting))
        holding.cancel()
        await asyncio.gather(*waiting)

    asyncio.run(all_of_them())
    assert done == ["a", "b", "c", "d", "e"]


def test_bulk_work_neither_fills_the_queue_nor_is_kept_out_by_it(
    client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def many() -> None:
        holding = asyncio.create_task(client.acomplete(ask("holds")))
        await until(lambda: client.engine.info is not None and not client.engine.waiting)
        bulk = [
            asyncio.create_task(client.acomplete(ask(f"request b{number}"), GenerateOptions(priority="bulk")))
            for number in range(50)
        ]
        chats = [asyncio.create_task(client.acomplete(ask(f"request c{number}"))) for number in range(3)]
        await until(lambda: client.engine.waiting >= 53)
        with pytest.raises(QueueFull, match="3 requests are waiting"):
            await client.acomplete(ask("one more"))
        with pytest.raises(QueueFull, match="50 requests are waiting"):
            await client.acomplete(ask("one more"), GenerateOptions(priority="bulk"))
        monkeypatch.setattr(client, "_answer", None)
        with pytest.raises(QueueFull):  # before a prompt is written for it
            await client.acomplete(ask("one more"))
        holding.cancel()
        results = await asyncio.gather(*bulk, *chats)
        assert [result.text for result in results[-3:]] == ["answer to c0", "answer to c1", "answer to c2"]

    asyncio.run(many())


def test_no_first_token_in_time(client: ModelClient) -> None:
    with pytest.raises(RequestTimeout, match=r"no first token within 0\.2 s") as caught:
        client.complete(ask("quiet"), GenerateOptions(first_token_timeout=0.2))
    assert caught.value.phase == "first token"
    assert client.complete(ask("Hi!")).text == "Hello."


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("prompt", "phase"), [("quiet", "first token"), ("stalls", "token")])
def test_a_library_that_falls_silent_is_given_up(
    open_model: OpenModel, write_model: WriteModel, prompt: str, phase: str, asynchronous: bool
) -> None:
    limits = EngineLimits(first_token_seconds=0.4, token_seconds=0.4, abort_seconds=5)
    client = open_model(write_model(SCRIPT), limits=limits)
    client.complete(ask("Hi!"))
    with pytest.raises(RequestTimeout) as caught:
        asyncio.run(client.acomplete(ask(prompt))) if asynchronous else client.complete(ask(prompt))
    assert caught.value.phase == phase
    assert client.complete(ask("Hi!")).text == "Hello."


def test_a_first_token_in_time_is_all_that_limit_asks_for(client: ModelClient) -> None:
    client.complete(ask("Hi!"))
    stream = client.stream(ask("stalls"), GenerateOptions(first_token_timeout=5, timeout=1.0))
    first = next(stream)
    assert isinstance(first, TextDelta)
    with pytest.raises(RequestTimeout, match=r"not complete after 1\.0 s"):
        list(stream)


def test_a_place_in_the_queue_is_known(client: ModelClient) -> None:
    from rkllm_providers.engine.run import Run
    from rkllm_providers.engine.streams import SyncStream

    holding = client.engine.submit(client._answer(ask("holds"), GenerateOptions()).request, SyncStream())
    while client.engine.info is None or client.engine.waiting:
        threading.Event().wait(0.005)
    answers = [client._answer(ask(f"request {number}"), GenerateOptions()) for number in range(3)]
    streams = [SyncStream() for _ in answers]
    runs: list[Run] = [
        client.engine.submit(answer.request, stream) for answer, stream in zip(answers, streams, strict=True)
    ]
    while client.engine.position(runs[2]) != 2:
        threading.Event().wait(0.002)
    assert [client.engine.position(run) for run in runs] == [0, 1, 2]
    client.engine.cancel(runs[0])
    while client.engine.position(runs[2]) == 2:
        threading.Event().wait(0.002)
    client.engine.cancel(holding)
    while client.engine.position(runs[2]) is not None:
        threading.Event().wait(0.002)
