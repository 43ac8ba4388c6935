"""Content blocks of the first standard version, whole and streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.langchain import ChatRKLLM
from tests.conftest import needs_llama
from tests.langchain.test_tools import joined, look

pytestmark = [
    needs_llama,
    pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"),
]

ORDERS = {
    "reason then call": ["reasoning", "tool_call"],
    "text then call": ["text", "tool_call"],
    "call then text": ["tool_call", "text"],
    "two calls": ["tool_call", "tool_call"],
    "Hi!": ["reasoning", "text"],
}


@pytest.mark.parametrize("question", ORDERS)
@pytest.mark.parametrize("way", ["stream", "astream", "events"])
async def test_streamed_blocks_stay_apart(models_dir: Path, question: str, way: str) -> None:
    chat = ChatRKLLM(model="talker", models_dir=str(models_dir), output_version="v1")
    bound = chat.bind_tools([look])
    whole = bound.invoke(question)
    if way == "events":
        events: Any = bound.stream_events(question, version="v3")
        streamed = events.output
    elif way == "stream":
        streamed = joined(bound.stream(question))
    else:
        streamed = joined([one async for one in bound.astream(question)])
    blocks = streamed.content_blocks
    assert [block["type"] for block in blocks] == ORDERS[question]
    assert sorted(block["type"] for block in whole.content_blocks) == sorted(ORDERS[question])
    for block in blocks:
        if block["type"] == "tool_call":
            assert (block["name"], set(block["args"]) >= {"at"}) == ("look", True)
        elif block["type"] == "reasoning":
            assert set(block) - {"index"} == {"type", "reasoning"}
    assert [call["args"] for call in streamed.tool_calls] == [call["args"] for call in whole.tool_calls]
    chat.close()


def test_blocks_without_a_version(talker: ChatRKLLM) -> None:
    bound = talker.bind_tools([look])
    for message in (bound.invoke("reason then call"), joined(bound.stream("reason then call"))):
        assert message.content == ""
        assert [block["type"] for block in message.content_blocks] == ["reasoning", "tool_call"]
        assert message.text == ""


def test_an_answer_of_blocks_goes_back_into_the_conversation(models_dir: Path) -> None:
    with ChatRKLLM(model="talker", models_dir=str(models_dir), output_version="v1") as chat:
        said = chat.bind_tools([look]).invoke("reason then call")
        assert isinstance(said.content, list)
        assert chat.invoke([("human", "Look."), said, ("human", "Goodbye")]).text == "Goodbye."
