"""A remote model gives what a model of this machine gives: events, counts, errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.chat import (
    ChatEvent,
    ChatMessage,
    Finish,
    GenerateOptions,
    InvalidToolCall,
    ReasoningDelta,
    Sampling,
    TextDelta,
    Timings,
    Tool,
    ToolCall,
    ToolCallDelta,
)
from rkllm_providers.chat.types import ResponseFormat
from rkllm_providers.engine import LanguageModel, ModelAddress, ModelClient
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest, RequestTimeout, RKLLMError
from rkllm_providers.remote import RemoteModel
from tests.conftest import OpenModel, WriteModel, needs_llama
from tests.service.conftest import StartService

pytestmark = needs_llama

SCRIPT = """
context 600
decode_ms 0.2
words hm so then again call weather sunny yes no cat mat dog
word " la"
word " tick"
rule "<Document>: good"
  text "yes"
end
rule "<Document>"
  text "no"
end
rule "<tool_response>\\n17"
  text "It is 17 degrees."
end
rule "budget{thoughts}</think>\\n\\n"
  text "At last."
end
rule "</think>\\n\\n<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": "
  text "{\\"city\\": \\"Lima\\"}}\\n</tool_call>"
end
rule "stubborn{rest}</think>\\n\\n<tool_call>\\n"
  text "I will not."
end
rule "budget"
  text "<think>\\nhm again and again"
  forever " hm again"
end
rule "forecast"
  text "<think>\\nso a call\\n</think>\\n\\nI look. "
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"Lima\\"}}\\n</tool_call>"
end
rule "broken"
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": </tool_call>"
end
rule "unknown"
  text "<tool_call>\\n{\\"name\\": \\"fly\\", \\"arguments\\": {}}\\n</tool_call>"
end
rule "person"
  text "{\\"name\\": \\"Ada\\", \\"age\\": 36}"
end
rule "endless"
  forever " la"
end
rule "drag"
  repeat 20 " tick"
  sleep 20000
  text "done"
end
rule "late"
  sleep 20000
  text "done"
end
rule "fault"
  text "so far"
  error
end
rule "crash"
  text "so far"
  crash
end
rule *
  text "Hello, \\"wörld\\"\\n你好 👋"
end
"""
FACTS = """
capabilities = ["embedding", "reranking", "thinking", "tools"]
[reranking]
prompt = "<Query>: {query}\\n<Document>: {document}<|im_end|>"
"""
WEATHER = Tool("get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})
TOOLS = (WEATHER, Tool("get_time"))
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
CALLED = (
    ChatMessage("user", "forecast"),
    ChatMessage(
        "assistant", "I look.", reasoning="hm", tool_calls=(ToolCall("c1", "get_weather", '{"city": "Lima"}'),)
    ),
    ChatMessage("tool", "17", tool_call_id="c1"),
)


def ask(text: str) -> tuple[ChatMessage, ...]:
    return (ChatMessage("user", text),)


Asked = tuple[Sequence[ChatMessage], GenerateOptions]
ANSWERS: dict[str, Asked] = {
    "text": (ask("Hi"), GenerateOptions()),
    "again": (ask("Hi"), GenerateOptions(keep_alive=60, priority="background", timeout=60, first_token_timeout=50)),
    "branched": ((ChatMessage("system", "Be kind."), *ask("Hi")), GenerateOptions(sampling=Sampling(top_k=3))),
    "limit": (ask("endless"), GenerateOptions(max_tokens=7, sampling=Sampling(temperature=0.5))),
    "window": (ask("endless"), GenerateOptions()),
    "stop": (ask("Hi"), GenerateOptions(stop=('"wör', "never"))),
    "not thinking": (ask("Hi"), GenerateOptions(thinking=False, keep_alive=float("inf"))),
    "budget": (ask("budget"), GenerateOptions(thinking_budget=5, max_tokens=60)),
    "effort": (ask("Hi"), GenerateOptions(effort="low", old_reasoning="all", volatile_system="keep")),
    "call": (ask("forecast"), GenerateOptions(tools=TOOLS)),
    "no call": (ask("forecast"), GenerateOptions(tools=TOOLS, tool_choice="none")),
    "forced call": (ask("Hi"), GenerateOptions(tools=TOOLS, forced_tool="get_weather")),
    "broken call": (ask("broken"), GenerateOptions(tools=TOOLS)),
    "unknown call": (ask("unknown"), GenerateOptions(tools=TOOLS)),
    "result": (CALLED, GenerateOptions(tools=TOOLS)),
    "named result": ((*CALLED[:2], replace(CALLED[2], name="get_weather")), GenerateOptions(tools=TOOLS)),
    "json": (ask("person"), GenerateOptions(response_format=ResponseFormat(PERSON, "person"), thinking=False)),
    "any json": (ask("person"), GenerateOptions(response_format=ResponseFormat(), thinking=False)),
    "surrogates": (ask("Hi \ud800"), GenerateOptions()),
}
REFUSED: dict[str, Asked] = {
    "too long": (ask("word " * 900), GenerateOptions()),
    "no tokens": (ask("Hi"), GenerateOptions(max_tokens=0)),
    "no tool": (ask("Hi"), GenerateOptions(tools=TOOLS, forced_tool="fly")),
    "stubborn": (ask("stubborn"), GenerateOptions(tools=TOOLS, tool_choice="required")),
    "no json": (ask("Hi"), GenerateOptions(response_format=ResponseFormat(), thinking=False)),
    "not by the schema": (ask("person"), GenerateOptions(response_format=ResponseFormat({"type": "array"}))),
    "no schema": (ask("Hi"), GenerateOptions(response_format=ResponseFormat({"type": "nonsense"}), thinking=False)),
    "no adapter": (ask("Hi"), GenerateOptions(lora="pirate")),
    "timeout": (ask("late"), GenerateOptions(timeout=0.3)),
    "first token": (ask("late"), GenerateOptions(first_token_timeout=0.3)),
    "fault": (ask("fault"), GenerateOptions()),
    "crash": (ask("crash"), GenerateOptions()),
}


@pytest.fixture
def path(write_model: WriteModel) -> Path:
    path = write_model(SCRIPT, "talker")
    path.with_suffix(".toml").write_text(FACTS)
    return path


@pytest.fixture
def local(path: Path, open_model: OpenModel) -> ModelClient:
    return open_model(path)


@pytest.fixture
def remote(path: Path, start_service: StartService) -> Iterator[RemoteModel]:
    model = RemoteModel("talker", f"{start_service()}/v1")
    yield model
    model.release()


def untimed(events: Sequence[ChatEvent]) -> list[ChatEvent]:
    """Events without what differs from one run to the next: times, and the ids of calls."""
    return [
        replace(event, timings=Timings(0, 0, 0, 0, event.timings.prefix_break))
        if isinstance(event, Finish)
        else replace(event, id=event.id and "id")
        if isinstance(event, ToolCallDelta)
        else event
        for event in events
    ]


async def gathered(model: LanguageModel, asked: Asked) -> list[ChatEvent]:
    async with aclosing(model.astream(*asked)) as events:
        return [event async for event in events]


def test_the_same_events(local: ModelClient, remote: RemoteModel) -> None:
    kinds: set[type] = set()
    for name, asked in ANSWERS.items():
        expected = untimed(list(local.stream(*asked)))
        assert untimed(list(remote.stream(*asked))) == expected, name
        kinds |= {type(event) for event in expected}
    assert kinds == {TextDelta, ReasoningDelta, ToolCallDelta, InvalidToolCall, Finish}
    # Once more, on caches that hold the same: on an event loop, and collected.
    for name, asked in ANSWERS.items():
        expected = untimed(asyncio.run(gathered(local, asked)))
        assert untimed(asyncio.run(gathered(remote, asked))) == expected, name
    for name in ("text", "not thinking", "json", "window"):
        here, there = local.complete(*ANSWERS[name]), remote.complete(*ANSWERS[name])
        assert (there.text, there.reasoning, there.finish.usage) == (here.text, here.reasoning, here.finish.usage)
        awaited = asyncio.run(remote.acomplete(*ANSWERS[name]))
        assert (awaited.text, awaited.reasoning) == (here.text, here.reasoning)


def same_error(here: RKLLMError, there: RKLLMError) -> None:
    assert type(there) is type(here)
    assert vars(there).keys() == vars(here).keys()
    told = {name: value for name, value in vars(here).items() if name != "log_tail"}
    assert {name: vars(there)[name] for name in told} == told
    assert str(there).partition("\n")[0] == str(here).partition("\n")[0]


@pytest.mark.parametrize("name", REFUSED)
def test_the_same_errors(local: ModelClient, remote: RemoteModel, name: str) -> None:
    assert remote.complete(ask("Hi")).text == local.complete(ask("Hi")).text  # loads it, which takes time
    for run in (
        lambda model: list(model.stream(*REFUSED[name])),
        lambda model: asyncio.run(gathered(model, REFUSED[name])),
    ):
        with pytest.raises(RKLLMError) as here:
            run(local)
        with pytest.raises(RKLLMError) as there:
            run(remote)
        same_error(here.value, there.value)
    assert remote.complete(ask("Hi")).text == local.complete(ask("Hi")).text


def test_texts_that_are_gone_on_with(local: ModelClient, remote: RemoteModel) -> None:
    for prompt, options, special in (
        ("Once", None, False),
        ("endless", GenerateOptions(max_tokens=3), False),
        ("<|im_start|>user\nHi", None, True),
        ("<|im_start|>user\nHi", None, False),
    ):
        expected = untimed(list(local.stream_text(prompt, options, parse_special=special)))
        assert untimed(list(remote.stream_text(prompt, options, parse_special=special))) == expected
        here = local.complete_text(prompt, options, parse_special=special)
        there = asyncio.run(remote.acomplete_text(prompt, options, parse_special=special))
        assert (there.text, there.finish.usage) == (here.text, here.finish.usage)
    with pytest.raises(InvalidRequest, match="prompt is empty"):
        remote.complete_text("")


def test_vectors_and_rankings(local: ModelClient, remote: RemoteModel) -> None:
    texts = ["a cat", "a dog on a mat", "你好"]
    for options in ({}, {"dimensions": 8}, {"truncate": True, "timeout": 60.0}, {"kind": "query"}):
        here, there = local.embed(texts, **options), remote.embed(texts, **options)
        awaited = asyncio.run(remote.aembed(texts, **options))
        assert there.vectors.dtype == here.vectors.dtype
        assert there.vectors.tolist() == here.vectors.tolist() == awaited.vectors.tolist()
        assert there.prompt_tokens == here.prompt_tokens
    assert remote.embed([]).vectors.shape == local.embed([]).vectors.shape
    documents = ["bad", "good", "bad"]
    assert remote.rerank("q", documents) == local.rerank("q", documents)
    assert asyncio.run(remote.arerank("q", documents, top_n=1)) == local.rerank("q", documents, top_n=1)
    uses: list[Callable[[LanguageModel], Any]] = [
        lambda model: model.embed(["cat", "cat" * 700]),
        lambda model: model.embed(["cat"], dimensions=65),
        lambda model: model.embed(["cat"], dimensions=0),
        lambda model: model.embed("cat"),
        lambda model: model.embed(["cat"], kind="query", instruction="x"),
        lambda model: model.rerank("q", ["x"], top_n=0),
        lambda model: model.rerank("q", "x"),
    ]
    for use in uses:
        with pytest.raises(InvalidRequest) as here_error:
            use(local)
        with pytest.raises(InvalidRequest) as there_error:
            use(remote)
        same_error(here_error.value, there_error.value)
    with pytest.raises(ContextLengthExceeded) as caught:
        remote.embed(["cat", "cat" * 700])
    assert caught.value.index == 1


def test_tokens_and_facts(local: ModelClient, remote: RemoteModel) -> None:
    text = "a cat\n你好 <|im_end|>"
    assert remote.tokenize(text) == local.tokenize(text)
    assert remote.detokenize(remote.tokenize(text)) == text
    with pytest.raises(InvalidRequest) as here:
        local.detokenize([10**7])
    with pytest.raises(InvalidRequest) as there:
        remote.detokenize([10**7])
    same_error(here.value, there.value)
    for messages, options in ANSWERS.values():
        assert remote.count_tokens(messages, options) == local.count_tokens(messages, options)
    assert remote.count_tokens(ask("word " * 900)) == local.count_tokens(ask("word " * 900))
    assert remote.facts == local.facts


def test_a_stream_that_is_closed_frees_the_model(remote: RemoteModel) -> None:
    with closing(remote.stream(ask("drag"))) as events:
        assert next(events) == TextDelta(" tick")
    assert remote.complete(ask("Hi")).finish.timings.queue_ms < 10_000


async def test_a_task_that_is_cancelled_frees_the_model(remote: RemoteModel) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in remote.astream(ask("drag")):
            begun.set()

    for use in (read, lambda: remote.acomplete(ask("late"))):
        task = asyncio.create_task(use())
        if use is read:
            await begun.wait()
        else:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await remote.acomplete(ask("Hi"))).finish.timings.queue_ms < 10_000


async def test_left_by_break_it_frees_the_model_too(remote: RemoteModel) -> None:
    async with aclosing(remote.astream(ask("drag"))) as events:
        async for _ in events:
            break
    assert (await remote.acomplete(ask("Hi"))).finish.timings.queue_ms < 10_000


async def test_many_at_once(remote: RemoteModel) -> None:
    answers = await asyncio.gather(*(remote.acomplete(ask(f"Hi {number}")) for number in range(20)))
    assert len({answer.text for answer in answers}) == 1


def test_an_address_opens_it(path: Path, start_service: StartService) -> None:
    url = start_service()
    model = ModelAddress("TALKER", base_url=url).open()
    assert isinstance(model, RemoteModel)
    assert model.facts.id == "talker"
    assert model.complete(ask("Hi")).finish.reason == "stop"
    model.release()
    assert model.closed
    with pytest.raises(RKLLMError, match="talk") as caught:
        ModelAddress("nobody", base_url=url).open()
    assert type(caught.value).__name__ == "ModelNotFound"
    assert vars(caught.value)["model"] == "nobody"


def test_the_service_s_own_limit_on_time(path: Path, start_service: StartService) -> None:
    model = RemoteModel("talker", start_service(run_seconds=0.3))
    with pytest.raises(RequestTimeout) as caught:
        model.complete(ask("drag"))
    assert (caught.value.phase, caught.value.limit_seconds) == ("run", 0.3)
    model.release()
