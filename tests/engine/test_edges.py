"""What happens at the edges: time limits at full speed, loops that close or stall, forks, dying workers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, ChatResult, GenerateOptions, Sampling, TextDelta
from rkllm_providers.engine import RuntimeInfo
from rkllm_providers.errors import (
    ContextLengthExceeded,
    EngineClosed,
    GenerationError,
    InvalidRequest,
    RequestTimeout,
    RKLLMError,
)
from tests.conftest import OpenModel, WriteModel, needs_llama
from tests.engine.test_supervision import wait_until_gone

pytestmark = needs_llama

SCRIPT = """
context 4096
word " la"
rule "endless"
  forever " la"
end
rule "slow"
  sleep 400
  text "late"
end
rule "fail"
  text "so far "
  error
end
rule *
  text "Hello there."
end
"""


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


def test_nothing_follows_a_time_limit_at_full_speed(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT.replace("context 4096", "context 1000000")), context_length=900_000)
    client.complete(ask("Hi!"))

    async def one() -> None:
        with pytest.raises(RequestTimeout):
            await client.acomplete(ask("endless"), GenerateOptions(timeout=0.02))

    for _ in range(12):
        asyncio.run(one())
        with pytest.raises(RequestTimeout):
            client.complete(ask("endless"), GenerateOptions(timeout=0.02))
    assert client.complete(ask("Hi!")).text == "Hello there."


def test_a_loop_that_closes_in_mid_run_loses_nothing_of_others(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_model("decode_ms 1\n" + SCRIPT))
    client.complete(ask("Hi!"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        loop = asyncio.new_event_loop()
        answer = loop.run_until_complete(client.aopen(ask("endless")))
        loop.run_until_complete(answer.__anext__())
        loop.close()
        assert client.complete(ask("Hi!")).text == "Hello there."
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_loop_that_stalls_does_not_stall_the_model(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT.replace("context 4096", "context 32768")), context_length=20_000)
    client.complete(ask("Hi!"))

    async def stalled() -> int:
        answer = await client.aopen(ask("endless"))
        count = len(await anext(answer))
        time.sleep(2.5)  # noqa: ASYNC251 - the stall that is tested
        async for events in answer:
            count += len(events)
        return count

    assert asyncio.run(stalled()) > 19_000


def test_a_worker_that_dies_between_two_runs_costs_nothing(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    for _ in range(3):
        assert client.complete(ask("Hi!")).text == "Hello there."
        pid = client.engine.worker_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)

        async def three() -> list[str]:
            results = await asyncio.gather(*(client.acomplete(ask("Hi!")) for _ in range(3)))
            return [result.text for result in results]

        assert asyncio.run(three()) == ["Hello there."] * 3


def test_a_load_that_nobody_can_be_told_of_does_not_end_the_engine(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_model(SCRIPT))

    def broken(outcome: RuntimeInfo | RKLLMError) -> None:
        raise RuntimeError("nobody listens")

    client.engine.load(broken)
    deadline = time.monotonic() + 20
    while True:
        try:
            assert client.complete(ask("Hi!")).text == "Hello there."
            return
        except GenerationError:  # the load that met the fault; the next one does not
            assert time.monotonic() < deadline


def test_tokens_before_an_error_are_delivered(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    client.complete(ask("Hi!"))
    stream = client.stream(ask("fail"))
    seen = ""
    while seen != "so far ":
        event = next(stream)
        assert isinstance(event, TextDelta)
        seen += event.text
    with pytest.raises(GenerationError):
        next(stream)


def test_an_engine_that_retires_answers_those_it_has(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    client.complete(ask("Hi!"))
    pid = client.engine.worker_pid
    assert pid is not None

    async def retire() -> ChatResult:
        answer = await client.aopen(ask("slow"))
        client.engine.retire()
        with pytest.raises(EngineClosed):
            await client.acomplete(ask("Hi!"))
        return await answer.collect()

    assert asyncio.run(retire()).text == "late"
    wait_until_gone(pid)


FORKING = r"""
import os, sys
from rkllm_providers.chat import ChatMessage
from rkllm_providers.engine import open_model
from rkllm_providers.errors import EngineClosed
client = open_model(sys.argv[1])
stream = client.stream([ChatMessage("user", "endless")])
next(stream)
worker = client.engine.worker_pid
if os.fork() == 0:
    try:
        client.complete([ChatMessage("user", "Hi!")])
    except EngineClosed as error:
        os.write(1, f"child: {'forked' in str(error)}\n".encode())
    sys.stdin.read()
    os._exit(0)
os.write(1, f"worker: {worker}\n".encode())
sys.stdin.read()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_neither_uses_nor_keeps_the_worker(write_model: WriteModel) -> None:
    path = write_model("decode_ms 1\n" + SCRIPT)
    with subprocess.Popen(
        [sys.executable, "-c", FORKING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        lines = sorted(parent.stdout.readline().strip() for _ in range(2))
        assert lines[0] == "child: True"
        worker = int(lines[1].removeprefix("worker: "))
        assert Path(f"/proc/{worker}").exists()
        parent.kill()  # the child lives on, until its standard input closes
        wait_until_gone(worker)
        parent.stdin.close()


def test_sampling_out_of_bounds_is_refused_before_it_is_queued(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_model(SCRIPT), "1.2.3")
    for sampling in (Sampling(top_k=10**12), Sampling(repeat_penalty=1e-50), Sampling(temperature=-1)):
        with pytest.raises(InvalidRequest, match="must be between"):
            client.complete(ask("Hi!"), GenerateOptions(sampling=sampling))
    assert client.engine.worker_pid is None


def test_a_prompt_the_library_finds_too_long_gives_both_numbers(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    from rkllm_providers.emulator import build_library
    from rkllm_providers.engine import Engine, LoadSpec, ModelClient
    from rkllm_providers.models import ModelCard, ModelEntry, ModelFormat

    path = write_model(SCRIPT)
    spec = LoadSpec("bare", path, emulated=False, context_length=128, library=str(build_library()))
    engine = Engine(spec)
    card = ModelCard(ModelEntry("bare", path, ModelFormat.RKLLM, 0), 128, None, None, frozenset())
    with pytest.raises(ContextLengthExceeded) as caught:
        ModelClient(card, engine).complete(ask("你好世界" * 20))
    assert caught.value.n_prompt_tokens > caught.value.n_ctx == 128
    engine.close()
