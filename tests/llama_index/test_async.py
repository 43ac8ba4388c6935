"""Asynchronous calls block no loop, and end when they are left."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage

from rkllm_providers.engine import ModelAddress, ModelClient
from rkllm_providers.engine.language_model import LanguageModel
from rkllm_providers.llama_index import RKLLM
from tests.conftest import WriteModel, needs_llama
from tests.llama_index.conftest import HELLO, OpenLLM
from tests.llama_index.drive import METHODS, ask, said, tools

pytestmark = needs_llama

ASYNC = [method for method in METHODS if method.startswith("a")]
SYNC_WORK = ("stream", "complete", "stream_text", "complete_text", "embed", "rerank", "count_tokens")


def engine_of(llm: RKLLM) -> Any:
    client = llm._opened()
    assert isinstance(client, ModelClient)
    return client.engine


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - an engine has no event for this
            await asyncio.sleep(0.002)


@pytest.fixture
def no_sync_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The synchronous ways into a model are closed, and none is opened on the loop's thread."""
    loop_thread = threading.get_ident()

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a synchronous call in an asynchronous path")

    for name in SYNC_WORK:
        monkeypatch.setattr(ModelClient, name, refuse)
    open_model = ModelAddress.open

    def open_elsewhere(self: ModelAddress) -> LanguageModel:
        assert threading.get_ident() != loop_thread, "a model was opened on the loop"
        return open_model(self)

    monkeypatch.setattr(ModelAddress, "open", open_elsewhere)


@pytest.mark.parametrize("method", ASYNC)
@pytest.mark.usefixtures("no_sync_work")
async def test_nothing_blocks_the_loop(llm: RKLLM, method: str) -> None:
    assert said((await ask(llm, method, "think"))[-1]) == HELLO
    assert said((await ask(llm, method, "Hi!", **({"formatted": True} if "complete" in method else {})))[-1])
    if "complete" not in method:
        assert (await ask(llm, method, "one after the other", tools=tools()))[-1].raw["finish_reason"] == "tool_calls"


@pytest.mark.usefixtures("no_sync_work")
async def test_the_loop_goes_on_while_a_model_answers(llm: RKLLM) -> None:
    task = asyncio.create_task(llm.acomplete("slow"))
    beats = 0
    async with asyncio.timeout(20):
        while beats < 20:
            await asyncio.sleep(0.005)
            beats += 1
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await llm.acomplete("Hi!")).text == HELLO


# The framework looks for an agent's steps among all attributes of a pydantic object.
@pytest.mark.filterwarnings("ignore:The `.*` attribute is deprecated:pydantic.PydanticDeprecatedSince20")
@pytest.mark.filterwarnings("ignore:Accessing the '.*' attribute on the instance:pydantic.PydanticDeprecatedSince211")
@pytest.mark.usefixtures("no_sync_work")
async def test_an_agent_does_not_block_the_loop(open_llm: OpenLLM) -> None:
    async with open_llm() as llm:
        assert (
            str(await FunctionAgent(tools=tools(), llm=llm).run("one after the other")) == "It is 17 degrees at noon."
        )


@pytest.mark.parametrize("method", ASYNC)
async def test_cancelling_a_task_aborts_its_run(llm: RKLLM, method: str) -> None:
    await ask(llm, "achat", "Hi!")
    engine = engine_of(llm)
    await until(lambda: not engine.is_busy)
    task = asyncio.create_task(ask(llm, method, "slow"))
    await until(lambda: engine.is_busy)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not engine.is_busy)
    assert said((await ask(llm, method, "Hi!"))[-1]) == HELLO


@pytest.mark.parametrize("method", ["astream_chat", "astream_complete"])
async def test_leaving_a_stream_aborts_its_run(llm: RKLLM, method: str) -> None:
    asked: Any = "slow" if "complete" in method else [ChatMessage("slow")]
    for leave in ("aclose", "drop"):
        stream: AsyncIterator[Any] | None = await getattr(llm, method)(asked)
        assert stream is not None
        first = await anext(stream)
        assert first.delta == " la"
        engine = engine_of(llm)
        assert engine.is_busy
        if leave == "aclose":
            await stream.aclose()  # type: ignore[attr-defined]
        else:
            stream = None
            gc.collect()
        await until(lambda: not engine.is_busy)  # noqa: B023
        assert said((await ask(llm, method, "Hi!"))[-1]) == HELLO


@pytest.mark.parametrize("method", ["stream_chat", "stream_complete"])
async def test_leaving_a_synchronous_stream_aborts_its_run(llm: RKLLM, method: str) -> None:
    asked: Any = "slow" if "complete" in method else [ChatMessage("slow")]
    stream = getattr(llm, method)(asked)
    assert next(stream).delta == " la"
    stream.close()
    engine = engine_of(llm)
    await until(lambda: not engine.is_busy)
    for item in getattr(llm, method)(asked):
        assert item.delta == " la"
        break
    del item
    assert said((await ask(llm, method, "Hi!"))[-1]) == HELLO


async def test_many_at_once_are_answered_apart(open_llm: OpenLLM) -> None:
    llms = [open_llm() for _ in range(2)]

    async def one(number: int) -> str:
        return str((await llms[number % 2].acomplete(f"Answer me twice: n{number}.")).text)

    def other(number: int) -> str:
        return str(llms[number % 2].complete(f"Answer me twice: t{number}.").text)

    answers = await asyncio.gather(
        *(one(number) for number in range(8)), *(asyncio.to_thread(other, number) for number in range(8))
    )
    assert answers == [f"{kind}{number}, {kind}{number}" for kind in "nt" for number in range(8)]


async def test_a_context_opens_and_gives_back(open_llm: OpenLLM, write_model: WriteModel) -> None:
    async with open_llm() as llm:
        (lease,) = llm._leases._held.values()
        client = lease._model
        assert isinstance(client, ModelClient)
        assert (await llm.acomplete("Hi!")).text == HELLO
        engine = client.engine
    assert engine.closed
