"""What LlamaIndex asks of a model: its eight methods, each with text, thinking, tools and errors."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.llms import LLM
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM

from rkllm_providers.errors import ContextLengthExceeded, GenerationError, InvalidRequest
from rkllm_providers.llama_index import RKLLM
from tests.conftest import needs_llama
from tests.llama_index.conftest import HELLO, OpenLLM
from tests.llama_index.drive import CHATS, COMPLETIONS, METHODS, ask, called, said, thought, timeless, tools

pytestmark = needs_llama


def test_it_is_a_model_that_calls_functions() -> None:
    assert {FunctionCallingLLM, LLM} <= set(RKLLM.__mro__)
    assert CustomLLM not in RKLLM.__mro__
    assert not RKLLM.__abstractmethods__
    for method in METHODS:
        assert method in RKLLM.__dict__
    assert RKLLM.class_name() == "RKLLM"


def test_metadata_is_that_of_the_model(open_llm: OpenLLM) -> None:
    metadata = open_llm().metadata
    assert (metadata.context_window, metadata.num_output) == (2048, 512)
    assert metadata.model_name == "scripted"
    assert metadata.is_chat_model
    assert metadata.is_function_calling_model
    small = open_llm(context_length=512, max_tokens=100, function_calling=False)
    assert (small.metadata.context_window, small.metadata.num_output) == (512, 100)
    assert not small.metadata.is_function_calling_model
    small.complete("Hi!")
    assert small.metadata.context_window == 512


@pytest.mark.parametrize("method", METHODS)
async def test_text(llm: RKLLM, method: str) -> None:
    items = await ask(llm, method, "Hi!")
    last = items[-1]
    assert said(last) == HELLO
    assert thought(last) == ""
    assert last.raw["model"] == "scripted"
    assert last.raw["finish_reason"] == "stop"
    usage = last.raw["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > 1 < usage["completion_tokens"]
    assert usage["prompt_tokens_details"]["cached_tokens"] <= usage["prompt_tokens"]
    assert last.raw["timings"]["prefill_ms"] >= 0
    if "stream" not in method:
        assert last.delta is None
        return
    assert len(items) > 3
    so_far = ""
    for item in items:
        so_far += item.delta
        assert said(item) == so_far
    assert [item.raw is None for item in items] == [True] * (len(items) - 1) + [False]


@pytest.mark.parametrize("method", METHODS)
async def test_thinking(llm: RKLLM, method: str) -> None:
    items = await ask(llm, method, "think")
    last = items[-1]
    assert said(last) == HELLO
    assert thought(last) == "hm so"
    usage = last.raw["usage"]
    assert 2 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]
    if method in CHATS:
        assert [type(block).__name__ for block in last.message.blocks] == ["ThinkingBlock", "TextBlock"]
        assert last.message.blocks[0].num_tokens == usage["completion_tokens_details"]["reasoning_tokens"]
    if "stream" in method:
        deltas = [item.additional_kwargs.get("thinking_delta", "") for item in items]
        assert "".join(deltas) == "hm so"
        assert not any(delta and item.delta for delta, item in zip(deltas, items, strict=True))
        assert "".join(item.delta for item in items) == HELLO


@pytest.mark.parametrize("method", CHATS)
async def test_a_tool(llm: RKLLM, method: str) -> None:
    items = await ask(llm, method, "one after the other", tools=tools())
    last = items[-1]
    assert called(last) == [("get_weather", {"city": "Lima"})]
    assert said(last).strip() == "I look."
    assert thought(last) == "hm so"
    assert sum(isinstance(block, TextBlock) for block in last.message.blocks) == 1
    assert last.raw["finish_reason"] == "tool_calls"
    # Agents act on every call they see in a stream.
    assert not any(called(item) for item in items[:-1])
    if "stream" in method:
        assert len(items) > 3


@pytest.mark.parametrize("method", COMPLETIONS)
async def test_completions_call_no_tools(llm: RKLLM, method: str) -> None:
    with pytest.raises(InvalidRequest, match="A completion cannot call tools"):
        await ask(llm, method, "one after the other", tools=tools())


@pytest.mark.parametrize("method", METHODS)
async def test_an_error(open_llm: OpenLLM, method: str) -> None:
    seen = LlamaDebugHandler(print_trace_on_end=False)
    llm = open_llm(callback_manager=CallbackManager([seen]))
    with pytest.raises(GenerationError):
        await ask(llm, method, "fail")
    ((_, end),) = seen.get_event_pairs(CBEventType.LLM)
    assert isinstance((end.payload or {})["exception"], GenerationError)
    assert said((await ask(llm, method, "Hi!"))[-1]) == HELLO


@pytest.mark.parametrize("question", ["Hi!", "think", "one after the other", "both at once", "broken", "cut off"])
async def test_every_way_gives_the_same(llm: RKLLM, question: str) -> None:
    async def seen(methods: tuple[str, ...], **arguments: Any) -> list[dict[str, Any]]:
        return [timeless((await ask(llm, method, question, max_tokens=60, **arguments))[-1]) for method in methods]

    first, *others = await seen(CHATS, tools=tools())
    assert others == [first] * 3
    first, *others = await seen(COMPLETIONS)
    assert others == [first] * 3
    first, *others = await seen(COMPLETIONS, formatted=True)
    assert others == [first] * 3


@pytest.mark.parametrize("method", METHODS)
async def test_a_prompt_too_long_is_refused_with_its_numbers(open_llm: OpenLLM, method: str) -> None:
    llm = open_llm(context_length=256)
    with pytest.raises(ContextLengthExceeded) as caught:
        await ask(llm, method, "weather " * 300)
    assert caught.value.n_ctx == 256
    assert caught.value.n_prompt_tokens > 256
    assert said((await ask(llm, method, "Hi!"))[-1]) == HELLO


def test_a_conversation_that_grows_is_read_once(llm: RKLLM) -> None:
    history = [
        ChatMessage(role="system", content="You are kind. " * 20),
        ChatMessage(role="user", content="Hi!"),
    ]
    usages = []
    for _ in range(3):
        response = llm.chat(history)
        usages.append(response.raw["usage"])
        history += [response.message, ChatMessage(role="user", content="And then?")]
    read = [usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
    assert read[1] == read[2] < read[0] / 5
    assert usages[2]["prompt_tokens"] > usages[1]["prompt_tokens"] > usages[0]["prompt_tokens"]
    # Another conversation has only its beginning in common with this one.
    other = llm.chat([history[0], ChatMessage(role="user", content="Ask me.")]).raw["usage"]
    assert (
        100 < other["prompt_tokens_details"]["cached_tokens"] <= usages[0]["prompt_tokens"] - len(llm.tokenize("Hi!"))
    )
