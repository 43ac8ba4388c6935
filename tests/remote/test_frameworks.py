"""The frameworks' objects on a model behind a base URL."""

import asyncio

import pytest
from langchain_core.messages import HumanMessage
from llama_index.core.llms import ChatMessage

from rkllm_providers.langchain import ChatRKLLM
from rkllm_providers.llama_index import RKLLM
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

pytestmark = needs_llama


@pytest.fixture
def url(start_service: StartService, write_model: WriteModel) -> str:
    write_model('rule *\n  text "Hello there."\nend\n', "talker")
    return f"{start_service()}/v1"


def test_langchain(url: str) -> None:
    chat = ChatRKLLM(model="talker", base_url=url)
    message = chat.invoke([HumanMessage("Hi")])
    assert message.content == "Hello there."
    assert message.usage_metadata is not None
    assert "".join(str(chunk.content) for chunk in chat.stream("Hi")) == "Hello there."
    assert asyncio.run(chat.ainvoke("Hi")).content == "Hello there."
    chat.close()


def test_llama_index(url: str) -> None:
    llm = RKLLM(model="talker", base_url=url)
    assert llm.chat([ChatMessage("Hi")]).message.content == "Hello there."
    assert "".join(piece.delta or "" for piece in llm.stream_chat([ChatMessage("Hi")])) == "Hello there."
    assert asyncio.run(llm.achat([ChatMessage("Hi")])).message.content == "Hello there."
    llm.close()
