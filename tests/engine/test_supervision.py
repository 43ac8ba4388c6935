"""Queues, cancels, crashes: no request hurts another, and no worker is left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, TextDelta
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.errors import (
    EngineClosed,
    GenerationError,
    ModelLoadError,
    QueueFull,
    RequestTimeout,
    WorkerCrashed,
)
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
word " la"
decode_ms 1
rule "crash"
  text "so far "
  crash
end
rule "error"
  text "so far "
  error
end
rule "refuse"
  fail
end
rule "hang"
  text "so far "
  hang
end
rule "endless"
  forever " la"
end
rule "request {name}"
  text "This is the answer to {name}, and to {name} only: {name}."
end
rule *
  text "Hello there."
end
"""


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A dead process whose other threads are still ending holds its sockets open.
    return state != "Z" or threads > 1


def wait_until_gone(pid: int, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there after {seconds} s"
        threading.Event().wait(0.02)


def start(client: ModelClient, text: str) -> None:
    """Take the first token of an endless answer, so that it is under way, and drop the stream."""
    stream = client.stream(ask(text))
    assert isinstance(next(stream), TextDelta)
    stream.close()


@pytest.fixture(params=ABI_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_leaving_a_stream_frees_the_worker(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_model(SCRIPT), version)
    start(client, "endless")
    assert client.complete(ask("Hi!")).text == "Hello there."
    pid = client.engine.worker_pid
    start(client, "endless")
    assert client.complete(ask("Hi!")).text == "Hello there."
    assert client.engine.worker_pid == pid


def test_a_crash_fails_one_request_and_the_next_is_served(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    client = open_model(write_model(SCRIPT), version)
    with pytest.raises(WorkerCrashed, match="signal"):
        client.complete(ask("crash"))
    assert client.complete(ask("Hi!")).text == "Hello there."


def test_killing_the_worker_fails_one_request_and_the_next_is_served(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_model(SCRIPT))
    stream = client.stream(ask("endless"))
    next(stream)
    pid = client.engine.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerCrashed, match="signal 9"):
        list(stream)
    assert client.complete(ask("Hi!")).text == "Hello there."
    assert client.engine.worker_pid != pid


def test_those_who_wait_are_served_after_a_crash(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))

    async def both() -> tuple[object, object]:
        return await asyncio.gather(
            client.acomplete(ask("crash")), client.acomplete(ask("request 7")), return_exceptions=True
        )

    crashed, served = asyncio.run(both())
    assert isinstance(crashed, WorkerCrashed)
    assert "answer to 7" in str(served)


@pytest.mark.parametrize("kind", ["error", "refuse"])
def test_a_failed_run_is_an_error_with_the_library_s_words(
    open_model: OpenModel, write_model: WriteModel, version: str, kind: str
) -> None:
    client = open_model(write_model(SCRIPT), version)
    with pytest.raises(GenerationError) as caught:
        client.complete(ask(kind))
    assert not isinstance(caught.value, WorkerCrashed)
    assert any("rkllm" in line for line in caught.value.log_tail)
    assert client.complete(ask("Hi!")).text == "Hello there."


def test_a_hanging_run_ends_at_its_time_limit(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), limits=EngineLimits(abort_seconds=0.2))
    client.complete(ask("Hi!"))
    with pytest.raises(RequestTimeout, match=r"not complete after 0\.3 s"):
        client.complete(ask("hang"), GenerateOptions(timeout=0.3))
    assert client.complete(ask("Hi!")).text == "Hello there."


def test_waiting_has_a_limit(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), limits=EngineLimits(queue_seconds=0.2))
    client.complete(ask("Hi!"))
    blocking = client.stream(ask("endless"))
    next(blocking)
    with pytest.raises(RequestTimeout, match="in the queue"):
        client.complete(ask("Hi!"))
    blocking.close()


def test_the_queue_has_a_bound(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT), limits=EngineLimits(queue=2))

    async def flood() -> list[object]:
        blocking = client.astream(ask("endless"))
        await anext(blocking)
        work = [asyncio.create_task(client.acomplete(ask(f"request {n}"))) for n in range(3)]
        done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        await blocking.aclose()
        assert len(done) == 1
        return await asyncio.gather(*work, return_exceptions=True)

    results = asyncio.run(flood())
    refused = [result for result in results if isinstance(result, QueueFull)]
    assert len(refused) == 1
    assert refused[0].retry_after >= 1
    assert sum("answer to" in str(result) for result in results) == 2


def test_every_request_gets_its_own_tokens(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT.replace("decode_ms 1", "decode_ms 0")))

    async def one(number: int) -> None:
        name = f"n{number}"
        if number % 5 == 4:
            answer = await client.aopen(ask(f"request {name}"))
            await anext(answer)
            answer.close()
            return
        limit = 3 if number % 5 == 3 else None
        result = await client.acomplete(ask(f"request {name}"), GenerateOptions(max_tokens=limit))
        whole = f"This is the answer to {name}, and to {name} only: {name}."
        assert whole.startswith(result.text)
        assert result.text == whole or limit

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(60)))

    asyncio.run(all_of_them())


def test_one_load_however_many_ask(open_model: OpenModel, write_model: WriteModel) -> None:
    path = write_model(SCRIPT)
    before = children()
    clients = [open_model(path) for _ in range(4)]
    assert len({id(client.engine) for client in clients}) == 1

    async def ask_all() -> None:
        await asyncio.gather(*(client.acomplete(ask("Hi!")) for client in clients))

    asyncio.run(ask_all())
    assert set(children()) - set(before) == {clients[0].engine.worker_pid}


def children() -> list[int]:
    """Process ids of this process's children that still run."""
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            found += map(int, (task / "children").read_text().split())
    return [pid for pid in found if alive(pid)]


def test_a_model_that_cannot_be_loaded_is_an_error_for_all_who_wait(open_model: OpenModel, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0" + b"\0" * 16 + b"not a model")
    client = open_model(path)

    async def both() -> list[object]:
        return await asyncio.gather(*(client.acomplete(ask("Hi!")) for _ in range(2)), return_exceptions=True)

    for error in asyncio.run(both()):
        assert isinstance(error, ModelLoadError)
        assert "rkllm_init" in str(error)


def test_a_closed_engine_says_so(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    stream = client.stream(ask("endless"))
    next(stream)
    pid = client.engine.worker_pid
    assert pid is not None
    client.engine.close()
    client.engine.close()
    wait_until_gone(pid)
    with pytest.raises(EngineClosed):
        list(stream)
    with pytest.raises(EngineClosed):
        client.complete(ask("Hi!"))


def test_cancelling_a_task_frees_its_caller_at_once(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("prefill_ms 50\n" + SCRIPT))
    client.complete(ask("Hi!"))

    async def cancel_during_prefill() -> None:
        task = asyncio.create_task(client.acomplete(ask("something quite different to read")))
        while not client.engine.is_busy:  # noqa: ASYNC110 - an engine has no event for this
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_during_prefill())
    # The prefill itself takes seconds, and cannot be cut short.
    assert client.engine.is_busy
    assert client.complete(ask("Hi!")).text == "Hello there."


def test_the_event_loop_is_never_blocked(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("prefill_base_ms 2000\n" + SCRIPT))

    async def longest_gap() -> float:
        longest, last = 0.0, time.monotonic()
        task = asyncio.create_task(client.acomplete(ask("Hi!")))
        while not task.done():
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        await task
        return longest

    # The prefill takes longer than this, and so does the load where the machine is busy.
    assert asyncio.run(longest_gap()) < 1.5


PARENT = """
import sys
from rkllm_providers.chat import ChatMessage
from rkllm_providers.engine import open_model
client = open_model(sys.argv[1])
stream = client.stream([ChatMessage("user", sys.argv[2])])
next(stream)
print(client.engine.worker_pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("doing", ["endless", "hang", "Hi!"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_no_worker_survives_its_parent(write_model: WriteModel, doing: str, how: signal.Signals | None) -> None:
    path = write_model(SCRIPT)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path), doing], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        if how is None:
            parent.stdin.close()
        else:
            parent.send_signal(how)
        parent.wait(20)
        wait_until_gone(pid)
    assert not alive(pid)
