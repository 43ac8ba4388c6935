"""Pictures of the frameworks' messages, to a model behind a base URL."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain import ChatRKLLM
from rkllm_providers.llama_index import RKLLM
from tests.conftest import WriteModel, needs_llama
from tests.engine.pictures import GREEN, RED, seen, write_seeing_model
from tests.service.conftest import StartService
from tests.service.test_picture_urls import serving_album

pytestmark = needs_llama


@pytest.fixture
def url(start_service: StartService, write_model: WriteModel) -> str:
    write_seeing_model(write_model)
    return f"{start_service()}/v1"


def block(data: bytes) -> dict[str, Any]:
    return {"type": "image", "base64": base64.b64encode(data).decode(), "mime_type": "image/png"}


def test_langchain(url: str) -> None:
    with ChatRKLLM(model="qwen2-vl-2b", base_url=url) as chat:
        assert (chat.profile or {})["image_inputs"] is True
        question = HumanMessage(["Compare ", block(RED.data), " and ", block(GREEN.data)])
        first = chat.invoke([question])
        assert seen(str(first.content)) == ["255,0,0", "0,255,0"]
        assert first.response_metadata["timings"]["encoded_pictures"] == 2
        second = asyncio.run(chat.ainvoke([question, first, HumanMessage("Which came first?")]))
        assert second.content == first.content
        assert second.response_metadata["timings"].get("encoded_pictures", 0) == 0
        call = {"name": "draw", "args": {}, "id": "1", "type": "tool_call"}
        drawn = ToolMessage([block(GREEN.data)], tool_call_id="1")
        told = chat.invoke([HumanMessage("Draw."), AIMessage("", tool_calls=[call]), drawn])
        assert seen(str(told.content)) == ["0,255,0"]


def test_llama_index(url: str) -> None:
    with RKLLM(model="qwen2-vl-2b", base_url=url) as llm:
        blocks = [TextBlock(text="Compare "), ImageBlock(image=RED.data), ImageBlock(image=GREEN.data)]
        question = ChatMessage(role="user", blocks=blocks)
        first = llm.chat([question])
        assert seen(first.message.content or "") == ["255,0,0", "0,255,0"]
        assert first.raw["timings"]["encoded_pictures"] == 2
        second = asyncio.run(llm.achat([question, first.message, ChatMessage("Which came first?")]))
        assert second.message.content == first.message.content
        assert second.raw["timings"].get("encoded_pictures", 0) == 0


def test_an_address_is_fetched_by_the_service_that_may(
    url: str, start_service: StartService, write_model: WriteModel
) -> None:
    fetching = start_service(picture_urls=True, web_loader_networks="127.0.0.0/8")
    with serving_album() as album:
        question = [HumanMessage([{"type": "image_url", "image_url": f"{album}/red.png"}])]
        with ChatRKLLM(model="qwen2-vl-2b", base_url=f"{fetching}/v1") as chat:
            assert seen(str(chat.invoke(question).content)) == ["255,0,0"]
        with (
            ChatRKLLM(model="qwen2-vl-2b", base_url=url) as chat,
            pytest.raises(InvalidRequest, match="RKLLM_PICTURE_URLS"),
        ):
            chat.invoke(question)
