"""Coroutines: nothing blocks their loop, and cancelling one ends its run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage

from rkllm_providers.engine import ModelClient
from rkllm_providers.engine.leases import ModelLeases
from rkllm_providers.engine.streams import SyncStream
from rkllm_providers.langchain import RKLLM, ChatRKLLM, RKLLMEmbeddings, RKLLMReranker
from tests.conftest import needs_llama
from tests.langchain.test_tools import look

pytestmark = needs_llama

BLOCKING: list[tuple[Any, str]] = [
    (SyncStream, "get"),
    (ModelLeases, "take"),
    (time, "sleep"),
    (Path, "open"),
    (Path, "read_bytes"),
    (Path, "read_text"),
]
"""What waits for the model, opens it, or reads files."""


@pytest.fixture
def no_blocking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From the call on, what blocks raises on the thread that made it, where the loop runs."""
    loop_thread: list[int] = []

    def guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            assert threading.get_ident() not in loop_thread, f"{name} was called on the event loop's thread"
            return function(*args, **kwargs)

        return call

    for owner, name in BLOCKING:
        monkeypatch.setattr(owner, name, guarded(getattr(owner, name), name))
    yield lambda: loop_thread.append(threading.get_ident())
    loop_thread.clear()


async def test_nothing_blocks_the_loop(models_dir: Path, no_blocking: Callable[[], None]) -> None:
    where: dict[str, Any] = {"model": "talker", "models_dir": str(models_dir)}
    chat, llm, embeddings = ChatRKLLM(**where), RKLLM(**where), RKLLMEmbeddings(**where)
    no_blocking()
    assert (await chat.ainvoke("Hi!")).content
    assert [chunk async for chunk in chat.bind_tools([look]).astream("two calls")]
    assert await chat.abatch(["Hi!", "two calls"])
    assert await chat.with_structured_output({"title": "person", "type": "object"}).ainvoke("a person")
    assert await llm.ainvoke("Hi!")
    assert [piece async for piece in llm.astream("Hi!")]
    assert await embeddings.aembed_query("Hi!")
    assert await embeddings.aembed_documents(["one", "two"])
    for one in (chat, llm, embeddings):
        await one.aclose()


async def test_the_guard_sees_what_blocks(talker: ChatRKLLM, no_blocking: Callable[[], None]) -> None:
    no_blocking()
    with pytest.raises(AssertionError, match="event loop's thread"):
        talker.invoke("Hi!")


async def begun(task: asyncio.Task[Any], chat: ChatRKLLM) -> None:
    """Wait until the engine runs something."""
    model = await chat._aopen()
    assert isinstance(model, ModelClient)
    async with asyncio.timeout(60):
        while not model.engine.is_busy and not task.done():  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0)


@pytest.mark.parametrize("way", ["ainvoke", "astream", "abatch", "structured"])
async def test_cancelling_ends_the_run(talker: ChatRKLLM, way: str) -> None:
    async def stream() -> None:
        async for _ in talker.astream("endless"):
            pass

    ways: dict[str, Callable[[], Awaitable[Any]]] = {
        "ainvoke": lambda: talker.ainvoke("endless"),
        "astream": stream,
        "abatch": lambda: talker.abatch(["endless", "endless"]),
        "structured": lambda: talker.with_structured_output({"title": "x", "type": "object"}).ainvoke("endless"),
    }
    await talker.ainvoke("Hi!")
    task = asyncio.ensure_future(ways[way]())
    await begun(task, talker)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # An endless run that went on would keep this one waiting for ever.
    assert (await talker.ainvoke("Hi!")).content == "Hello there, 你好."


async def test_leaving_a_stream_ends_the_run(talker: ChatRKLLM) -> None:
    stream: Any = talker.astream("endless")
    assert (await anext(stream)).content == " la"
    await stream.aclose()
    assert (await talker.ainvoke("Hi!")).content
    for chunk in talker.stream("endless"):
        assert chunk.content == " la"
        break
    assert talker.invoke("Hi!").content


async def test_threads_and_tasks_together(talker: ChatRKLLM) -> None:
    countries = ["Peru", "Chad", "Iran", "Oman"]

    def asked(name: str) -> str:
        return str(talker.invoke([HumanMessage(f"The capital of {name}?")]).content)

    async def aasked(name: str) -> str:
        return str((await talker.ainvoke(f"The capital of {name}?")).content)

    results = await asyncio.gather(
        *(asyncio.to_thread(asked, name) for name in countries), *(aasked(name) for name in countries)
    )
    assert results == [f"You asked about {name}." for name in countries] * 2


async def test_a_reranker_without_documents_opens_nothing() -> None:
    reranker = RKLLMReranker(model="nobody")
    assert reranker.compress_documents([], "x") == await reranker.acompress_documents([], "x") == []
    assert Document("x").metadata == {}
