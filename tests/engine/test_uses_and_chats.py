"""Other uses of a model beside chats: turns in the queue, the account of the KV cache, and what each leaves alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, TextDelta, Tool
from rkllm_providers.engine import EngineLimits, ModelClient
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
context 1024
words hm so then again cat
rule "<|im_start|>user\\nbudget{thoughts}</think>\\n\\n"
  text "At last."
end
rule "budget"
  text "<think>\\nhm again"
  forever " hm again"
end
rule *
  text "<think>\\nhm so\\n</think>\\n\\nHello."
end
"""
ASK = [ChatMessage("user", "Hi, once more and again")]


@pytest.fixture
def model(write_model: WriteModel) -> Path:
    return write_model(SCRIPT)


def adapter(model: Path, name: str, content: str) -> None:
    path = model.parent / "lora" / f"{name}.rkllm"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!rkllm-script 1\n{content}")


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("It never came true.")


def test_texts_wait_until_no_chat_does(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("decode_ms 10\n" + SCRIPT))
    client.complete(ASK)

    async def all_of_them() -> list[str]:
        ended: list[str] = []

        async def note(name: str, priority: str) -> None:
            if priority == "bulk":
                await client.aembed(["cat"])
            else:
                question = [ChatMessage("user", "budget")] if name == "running" else ASK
                options = GenerateOptions(priority=priority, max_tokens=60)  # type: ignore[arg-type]
                await client.acomplete(question, options)
            ended.append(name)

        tasks = [asyncio.create_task(note("running", "chat"))]
        await asyncio.to_thread(wait_for, lambda: client.engine.is_busy and not client.engine.waiting)
        tasks.append(asyncio.create_task(note("text", "bulk")))
        await asyncio.to_thread(wait_for, lambda: client.engine.waiting > 0)
        for name, priority in (("background", "background"), ("chat", "chat")):
            tasks.append(asyncio.create_task(note(name, priority)))
        await asyncio.gather(*tasks)
        return ended

    assert asyncio.run(all_of_them()) == ["running", "chat", "background", "text"]


def test_texts_do_not_keep_a_chat_out(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model("prefill_base_ms 50\n" + SCRIPT), limits=EngineLimits(queue=1))
    client.embed(["cat"])
    threads = [threading.Thread(target=client.embed, args=(["cat"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: client.engine.waiting >= 2)
    assert client.complete(ASK).text == "Hello."
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_the_account_of_the_cache_stays_true(open_model: OpenModel, model: Path, version: str) -> None:
    adapter(model, "pirate", 'rule *\n  text "arr"\nend\n')
    client = open_model(model, version)

    reuses = version >= "1.2"

    def cached(lora: str | None = None) -> int:
        finish = client.complete(ASK, GenerateOptions(lora=lora)).finish
        assert finish.timings.prefix_break is None or finish.usage.cached_tokens > 0 or not reuses
        return finish.usage.cached_tokens

    assert cached() == 0
    again = cached()
    assert (again > 0) is reuses
    for _ in range(3):
        client.embed(["cat"])
        assert cached() == 0
        assert cached("pirate") == 0
        assert cached("pirate") == again
        assert cached() == 0
        assert cached() == again
        client.complete_text("cat", GenerateOptions(lora="pirate"))
        assert cached() == 0
    assert not client.engine.ledger.is_unreliable


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_a_segment_has_the_adapter_of_its_request(open_model: OpenModel, model: Path, version: str) -> None:
    adapter(model, "pirate", SCRIPT.replace("At last", "Arr"))
    client = open_model(model, version)
    options = GenerateOptions(thinking_budget=3, lora="pirate", max_tokens=100)
    assert client.complete([ChatMessage("user", "budget")], options).text == "Arr."
    assert client.complete([ChatMessage("user", "budget")], GenerateOptions(thinking_budget=3)).text == "At last."


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_what_goes_on_from_a_text_is_text(open_model: OpenModel, model: Path, version: str) -> None:
    client = open_model(model, version)
    tools = GenerateOptions(tools=(Tool("look"),), tool_choice="required", thinking_budget=1, max_tokens=50)
    for options in (None, tools):
        result = client.complete_text("cat", options)
        assert (result.text, result.reasoning) == ("<think>\nhm so\n</think>\n\nHello.", "")
        assert not result.tool_calls
        assert result.finish.usage.reasoning_tokens == 0
    assert client.complete(ASK).reasoning.strip() == "hm so"

    async def streamed() -> str:
        events = [event async for event in client.astream_text("cat", GenerateOptions(stop=("so",)))]
        return "".join(event.text for event in events if isinstance(event, TextDelta))

    assert asyncio.run(streamed()) == "<think>\nhm "


def test_a_request_of_several_runs_loads_its_model_once(open_model: OpenModel, model: Path) -> None:
    client = open_model(model, limits=EngineLimits(keep_alive=0))
    pids: set[int | None] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.001):
            pids.add(client.engine.worker_pid)

    def use(client: ModelClient) -> None:
        client.embed(["cat"] * 20)
        client.complete([ChatMessage("user", "budget")], GenerateOptions(thinking_budget=3))

    watch = threading.Thread(target=look)
    watch.start()
    use(client)
    done.set()
    watch.join()
    assert len(pids - {None}) == 1
    wait_for(lambda: client.engine.worker_pid is None)


FORKING = r"""
import asyncio, os, sys
from rkllm_providers.engine import open_model
async def embed():
    await client.aembed(["cat"])
client = open_model(sys.argv[1])
asyncio.run(embed())
if os.fork() == 0:
    client = open_model(sys.argv[1])
    asyncio.run(embed())
    os.write(1, b"child")
    client.engine.close()
    os._exit(0)
os.wait()
"""


def test_a_forked_child_embeds_with_threads_of_its_own(model: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKING, str(model)]
    assert subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True).stdout == b"child"
