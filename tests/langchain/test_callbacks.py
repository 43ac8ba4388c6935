"""What callbacks are told, that streams say everything once, and that all ways give one message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import AIMessage

from rkllm_providers.langchain import RKLLM, ChatRKLLM
from tests.conftest import needs_llama
from tests.langchain.test_tools import joined, look

pytestmark = needs_llama

METADATA = {"model_name", "model_provider", "finish_reason", "timings"}


class Tokens(BaseCallbackHandler):
    def __init__(self) -> None:
        self.told: list[str] = []

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.told.append(str(token))


class AsyncTokens(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.told: list[str] = []

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.told.append(str(token))


async def test_a_chat_model_tells_each_chunk_once(talker: ChatRKLLM) -> None:
    tokens, later = Tokens(), AsyncTokens()
    chunks = list(talker.stream("Hi!", config={"callbacks": [tokens]}))
    assert tokens.told == [chunk.content for chunk in chunks]
    achunks = [chunk async for chunk in talker.astream("Hi!", config={"callbacks": [later]})]
    assert later.told == [chunk.content for chunk in achunks]
    assert len(achunks) == len(chunks) > 5


@pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
async def test_events_come_once(talker: ChatRKLLM) -> None:
    tokens = Tokens()
    events = list(talker.stream_events("Hi!", version="v3", config={"callbacks": [tokens]}))
    stream = await talker.astream_events("Hi!", version="v3")
    assert len([event async for event in stream]) == len(events) > 5
    assert tokens.told == []
    older = [event async for event in talker.astream_events("Hi!", version="v2")]
    assert len([one for one in older if one["event"] == "on_chat_model_stream"]) == len(list(talker.stream("Hi!")))


async def test_a_completion_tells_each_chunk_once(talker: ChatRKLLM) -> None:
    tokens, later = Tokens(), AsyncTokens()
    with RKLLM(model="talker", models_dir=talker.models_dir) as llm:
        pieces = list(llm.stream("two", config={"callbacks": [tokens]}))
        apieces = [piece async for piece in llm.astream("two", config={"callbacks": [later]})]
    # LangChain does not pass on what has no text, such as the end.
    assert [one for one in tokens.told if one] == [one for one in pieces if one]
    assert later.told == tokens.told
    assert "".join(apieces) == "".join(pieces)
    assert len(pieces) > 3


@pytest.mark.parametrize("question", ["Hi!", "reason then call", "two calls"])
def test_metadata_is_there_once(talker: ChatRKLLM, question: str) -> None:
    chunks: list[Any] = list(talker.bind_tools([look]).stream(question))
    whole = joined(chunks)
    assert set(whole.response_metadata) == METADATA
    assert whole.response_metadata["model_name"] == "talker"
    assert whole.response_metadata["model_provider"] == "rkllm"
    assert whole.response_metadata["finish_reason"] in ("stop", "tool_calls")
    assert set(whole.response_metadata["timings"]) >= {"queue_ms", "load_ms", "prefill_ms", "decode_ms"}
    assert [chunk.usage_metadata is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]


def alike(message: AIMessage) -> dict[str, Any]:
    """What does not depend on time, on made-up ids, or on what the KV cache happened to hold."""
    usage = message.usage_metadata
    assert usage is not None
    return {
        "content": message.content,
        "kwargs": message.additional_kwargs,
        "calls": [(call["name"], call["args"]) for call in message.tool_calls],
        "invalid": len(message.invalid_tool_calls),
        "usage": (usage["input_tokens"], usage["output_tokens"], usage["output_token_details"]),
        "finish": message.response_metadata["finish_reason"],
        "warnings": message.response_metadata.get("warnings"),
    }


@pytest.mark.parametrize(
    ("question", "settings"),
    [
        ("Hi!", {}),
        ("Hi!", {"max_tokens": 12}),
        ("Hi!", {"stop": ["there"]}),
        ("Hi!", {"reasoning": False}),
        ("think hard", {"thinking_budget": 5}),
        ("reason then call", {}),
        ("text then call", {}),
        ("two calls", {}),
        ("two calls", {"max_tokens": 36}),
        ("broken call", {}),
        ("Hi!", {"tool_choice": "look"}),
        ("a person", {"response_format": {"type": "json_object"}}),
    ],
)
async def test_all_ways_give_one_message(talker: ChatRKLLM, question: str, settings: dict[str, Any]) -> None:
    chat = talker.bind_tools([look], **settings)
    messages = [
        chat.invoke(question),
        await chat.ainvoke(question),
        joined(list(chat.stream(question))),
        joined([chunk async for chunk in chat.astream(question)]),
        chat.batch([question])[0],
        (await chat.abatch([question]))[0],
    ]
    streaming = talker.model_copy(update={"streaming": True})
    streaming.model_fields_set.add("streaming")
    messages.append(streaming.bind_tools([look], **settings).invoke(question))
    streaming.close()
    assert [alike(message) for message in messages] == [alike(messages[0])] * len(messages)
