"""Agents of LangChain: they call tools, and answer in a form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from pydantic import BaseModel

from rkllm_providers.langchain import ChatRKLLM
from tests.conftest import WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = r"""
context 8192
rule "<think>\n\n</think>\n\n<tool_call>\n"
  text "{\"name\": \"Trip\", \"arguments\": {\"place\": \"Oslo\", \"coat\": true}}\n</tool_call>"
end
rule "JSON schema{rest}It is 3 degrees."
  text "<think>\nCold.\n</think>\n\n{\"place\": \"Oslo\", \"coat\": true}"
end
rule "It is 3 degrees."
  text "<think>\nCold.\n</think>\n\nOslo is cold: take a coat."
end
rule "She lives in {place}."
  text "<think>\nNow the weather.\n</think>\n\n<tool_call>\n"
  text "{\"name\": \"temperature\", \"arguments\": {\"place\": \"{place}\"}}\n</tool_call>"
end
rule *
  text "<think>\nWhere is she?\n</think>\n\n<tool_call>\n"
  text "{\"name\": \"home_of\", \"arguments\": {\"person\": \"Ada\"}}\n</tool_call>"
end
"""


class Trip(BaseModel):
    """What to pack."""

    place: str
    coat: bool


@tool
def home_of(person: str) -> str:
    """Where somebody lives."""
    return "She lives in Oslo." if person == "Ada" else "Nobody knows."


@tool
def temperature(place: str) -> str:
    """How warm it is somewhere."""
    return "It is 3 degrees." if place == "Oslo" else "Nobody knows."


@pytest.fixture
def chat(write_model: WriteModel) -> Any:
    with ChatRKLLM(model=str(write_model(SCRIPT, "agent"))) as made:
        yield made


QUESTION: Any = {"messages": [("human", "I visit Ada. What shall I pack?")]}


def called(messages: list[Any]) -> list[tuple[str, Any]]:
    return [
        (call["name"], call["args"])
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]


async def test_two_tools_and_an_answer(chat: ChatRKLLM) -> None:
    agent = create_agent(chat, [home_of, temperature])
    for result in (agent.invoke(QUESTION), await agent.ainvoke(QUESTION)):
        messages = result["messages"]
        assert called(messages) == [("home_of", {"person": "Ada"}), ("temperature", {"place": "Oslo"})]
        told = [message.content for message in messages if isinstance(message, ToolMessage)]
        assert told == ["She lives in Oslo.", "It is 3 degrees."]
        assert messages[-1].content == "Oslo is cold: take a coat."


def test_tokens_stream_out_of_an_agent(chat: ChatRKLLM) -> None:
    agent = create_agent(chat, [home_of, temperature])
    pieces: list[Any] = [chunk for chunk, _ in agent.stream(QUESTION, stream_mode="messages")]
    said = [piece.text for piece in pieces if isinstance(piece, AIMessage) and piece.content]
    assert "".join(said) == "Oslo is cold: take a coat."
    assert len(said) > 3
    assert any(piece.additional_kwargs.get("reasoning_content") for piece in pieces)


@pytest.mark.parametrize("strategy", [Trip, ProviderStrategy(Trip)], ids=["chosen", "provider"])
async def test_an_answer_in_a_form_by_its_text(chat: ChatRKLLM, strategy: Any) -> None:
    agent = create_agent(chat, [home_of, temperature], response_format=strategy)
    for result in (agent.invoke(QUESTION), await agent.ainvoke(QUESTION)):
        assert result["structured_response"] == Trip(place="Oslo", coat=True)
        assert called(result["messages"]) == [("home_of", {"person": "Ada"}), ("temperature", {"place": "Oslo"})]


def test_an_answer_in_a_form_by_a_call(chat: ChatRKLLM) -> None:
    agent = create_agent(chat, [home_of], response_format=ToolStrategy(Trip))
    result = agent.invoke(QUESTION)
    assert result["structured_response"] == Trip(place="Oslo", coat=True)


@pytest.mark.real
def test_a_chain_over_the_real_model(real_model: Path) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "Name a {thing}.")])
    with ChatRKLLM(model=str(real_model), temperature=0, max_tokens=20) as chat:
        chain = prompt | chat | StrOutputParser()
        first = chain.invoke({"thing": "colour"})
        assert first.strip()
        assert "<|im_" not in first
        assert "".join(chain.stream({"thing": "colour"})) == first
