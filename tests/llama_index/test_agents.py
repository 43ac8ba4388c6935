"""LlamaIndex's agents on a scripted model: two tools, one after the other, and an answer."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentStream,
    AgentWorkflow,
    FunctionAgent,
    ToolCallResult,
)
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer

from rkllm_providers.llama_index import RKLLM
from tests.conftest import needs_llama
from tests.llama_index.conftest import OpenLLM
from tests.llama_index.drive import tools

pytestmark = [
    needs_llama,
    # The framework looks for an agent's steps among all attributes of a pydantic object, those included that pydantic
    # will drop.
    pytest.mark.filterwarnings("ignore:The `.*` attribute is deprecated:pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings(
        "ignore:Accessing the '.*' attribute on the instance:pydantic.PydanticDeprecatedSince211"
    ),
]

QUESTION = "one after the other"


def agent_of(kind: str, llm: RKLLM, streaming: bool) -> Any:
    agent = FunctionAgent(tools=tools(), llm=llm, streaming=streaming, system_prompt="You look things up.")
    return agent if kind == "agent" else AgentWorkflow(agents=[agent])


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("kind", ["agent", "workflow"])
async def test_two_tools_and_an_answer(llm: RKLLM, kind: str, streaming: bool) -> None:
    handler = agent_of(kind, llm, streaming).run(user_msg=QUESTION)
    streamed: list[AgentStream] = []
    results: list[ToolCallResult] = []
    async for event in handler.stream_events():
        if isinstance(event, AgentStream):
            streamed.append(event)
        elif isinstance(event, ToolCallResult):
            results.append(event)
    output = await handler
    assert output.response.content == "It is 17 degrees at noon."
    assert [(result.tool_name, result.tool_output.content) for result in results] == [
        ("get_weather", "17"),
        ("get_time", "noon"),
    ]
    assert len({result.tool_id for result in results}) == 2
    if streaming:
        assert "".join(event.thinking_delta or "" for event in streamed) == "hm so"
        assert "".join(event.delta for event in streamed).endswith("It is 17 degrees at noon.")
        last: Any = streamed[-1].raw
        assert last["usage"]["prompt_tokens"] > 0
    else:
        assert not streamed


async def test_two_calls_of_one_tool_are_two(llm: RKLLM) -> None:
    handler = agent_of("agent", llm, True).run(user_msg="both at once")
    results = [event async for event in handler.stream_events() if isinstance(event, ToolCallResult)]
    await handler
    both = [result.tool_kwargs for result in results if result.tool_name == "get_weather"]
    assert sorted(both, key=str) == [{"city": "Lima", "days": 2}, {"city": "北京"}]
    assert len({result.tool_id for result in results}) == len(results)


async def test_the_first_tool_can_be_chosen(llm: RKLLM) -> None:
    agent = FunctionAgent(tools=tools(), llm=llm, initial_tool_choice="get_time")
    handler = agent.run(user_msg="Hi!")
    results = [event async for event in handler.stream_events() if isinstance(event, ToolCallResult)]
    assert [result.tool_name for result in results] == ["get_time"]
    assert str(await handler) == "It is 17 degrees at noon."


async def test_a_call_that_cannot_be_read_is_shown(llm: RKLLM) -> None:
    output = await agent_of("agent", llm, True).run(user_msg="broken")
    assert output.tool_calls == []
    assert "get_weather" in output.response.content
    ((broken),) = output.raw["invalid_tool_calls"]
    assert broken["problem"]


async def test_a_memory_goes_on(llm: RKLLM) -> None:
    memory = ChatMemoryBuffer.from_defaults(token_limit=1000, tokenizer_fn=llm.tokenizer)
    agent = agent_of("agent", llm, True)
    await agent.run(user_msg=QUESTION, memory=memory)
    held = await memory.aget_all()
    assert [message.role.value for message in held] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    # The whole history, calls and results included, is a conversation that the model takes.
    answer = await llm.achat([*held, ChatMessage(role="user", content="Thank you.")])
    assert answer.raw["usage"]["prompt_tokens"] == llm.count_tokens(
        [*held, ChatMessage(role="user", content="Thank you.")]
    )


async def test_several_agents_hand_over(open_llm: OpenLLM, llm: RKLLM) -> None:
    looker = FunctionAgent(name="looker", description="Looks up.", tools=tools(), llm=llm)
    other = FunctionAgent(name="other", description="Waits.", llm=open_llm(), can_handoff_to=["looker"])
    workflow = AgentWorkflow(agents=[looker, other], root_agent="looker")
    assert str(await workflow.run(user_msg=QUESTION)) == "It is 17 degrees at noon."


def test_predict_and_call(llm: RKLLM) -> None:
    assert llm.predict_and_call(tools(), user_msg=QUESTION).response == "17"
    with pytest.raises(ValueError, match="called no tool"):
        llm.predict_and_call(tools(), user_msg="Hi!")
    both = llm.predict_and_call(tools(), user_msg="both at once", allow_parallel_tool_calls=True)
    assert len(both.sources) == 2
    # Only one may be called: the rest is left out, and said to be.
    assert len(llm.predict_and_call(tools(), user_msg="both at once").sources) == 1
