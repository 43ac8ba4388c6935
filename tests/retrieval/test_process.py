from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator

import pytest

from rag_service.retrieval import messages
from rag_service.retrieval.pipeline import retrieve
from rag_service.retrieval.process import RetrievalProcess
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Source, Turn
from rkllm_providers.errors import EngineClosed, QueueFull, RequestTimeout, WorkerCrashed
from tests.retrieval.documents import count_bytes

SOURCES = (
    Source(
        "7", "The old harbour of the town was built in 1904. Half a pair: \ud83d.", 'A "title" <b>', "https://a.test/"
    ),
    Source("8", "<p>Bread is baked in the morning.</p>", html=True),
)
TURNS = (Turn("user", "When was the old harbour built?"),)
SETTINGS = RetrievalSettings()


@pytest.fixture
async def process() -> AsyncIterator[RetrievalProcess]:
    made = RetrievalProcess(seconds=60)
    yield made
    await made.close()


async def test_it_gives_what_the_pipeline_gives(process: RetrievalProcess) -> None:
    wanted = retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)
    found = await asyncio.gather(
        *(process.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100) for _ in range(3))
    )
    assert found == [wanted] * 3
    assert "1904" in wanted.excerpts[0].text


async def test_a_job_over_its_limit_is_ended(process: RetrievalProcess) -> None:
    short = RetrievalProcess(seconds=0.01)
    with pytest.raises(RequestTimeout, match=r"2 sources took more than 0\.01 s") as caught:
        await short.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)
    assert caught.value.phase == "retrieval"
    await short.close()


async def test_a_cancelled_job_leaves_the_next_one_right(process: RetrievalProcess) -> None:
    counting, release = threading.Event(), threading.Event()

    def count(text: str) -> int:
        counting.set()
        release.wait(30)
        return count_bytes(text)

    job = asyncio.ensure_future(process.retrieve(SOURCES, TURNS, SETTINGS, count, budget=100))
    assert await asyncio.to_thread(counting.wait, 60)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    release.set()
    result = await process.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)
    assert result == retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)


async def test_a_process_that_dies_fails_its_job_only(process: RetrievalProcess) -> None:
    def kill(text: str) -> int:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        return count_bytes(text)

    with pytest.raises(WorkerCrashed):
        await process.retrieve(SOURCES, TURNS, SETTINGS, kill, budget=100)
    assert (await process.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)).tokens > 0


async def test_what_count_raises_reaches_the_caller(process: RetrievalProcess) -> None:
    def fail(text: str) -> int:
        raise LookupError("no tokenizer")

    with pytest.raises(LookupError, match="no tokenizer"):
        await process.retrieve(SOURCES, TURNS, SETTINGS, fail, budget=100)


async def test_the_queue_is_bounded_and_the_closed_refuse() -> None:
    full = RetrievalProcess(seconds=60, queue=0)
    first = asyncio.ensure_future(full.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await full.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)
    assert (await first).tokens > 0
    with pytest.raises(ValueError, match="-1 tokens"):
        await full.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=-1)
    await full.close()
    with pytest.raises(EngineClosed):
        await full.retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)


def test_limits_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="0 s"):
        RetrievalProcess(seconds=0)


@pytest.mark.parametrize("texts", [[], [""], ["one\nline", "", "\ud83d half a pair", '"}\n{'], ["見出し" * 1000]])
def test_texts_go_through_as_they_are(texts: list[str]) -> None:
    frame = messages.pack_frame({"kind": "job", "texts": texts})
    assert messages.frame_size(frame[: messages.HEAD_BYTES]) == len(frame) - messages.HEAD_BYTES
    assert messages.unpack_frame(frame[messages.HEAD_BYTES :]) == {"kind": "job", "texts": texts}


def test_texts_that_are_cut_off_are_no_message() -> None:
    frame = messages.pack_frame({"kind": "job", "texts": ["some text"]})
    with pytest.raises(ValueError, match="8 bytes, and 9 were announced"):
        messages.unpack_frame(frame[messages.HEAD_BYTES : -1])


def test_notes_are_read_when_they_are_looked_at() -> None:
    result = retrieve(SOURCES, TURNS, SETTINGS, count_bytes, budget=100)
    packed = messages.pack_retrieved(result)
    found = messages.unpack_retrieved(packed)
    assert found == result
    assert (len(found.notes), found.notes[0], found.notes[-1]) == (
        len(result.notes),
        result.notes[0],
        result.notes[-1],
    )
    assert found.notes == messages.unpack_retrieved(packed).notes
    assert found.notes != result.notes[1:]
    assert hash(found.notes) == hash(tuple(result.notes))
