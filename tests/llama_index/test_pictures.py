"""Pictures in LlamaIndex's messages: bytes, files and data URLs, and never the network."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from llama_index.core.base.llms.types import (
    ChatMessage,
    CitableBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)

from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.engine import shared_registry
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index import RKLLM
from rkllm_providers.llama_index import pictures as module
from rkllm_providers.llama_index.messages import to_chat_messages
from tests.conftest import WriteModel, needs_llama
from tests.engine.pictures import GREEN, RED, seen, write_seeing_model


@pytest.fixture
def llm(write_model: WriteModel) -> Iterator[RKLLM]:
    with RKLLM(model=str(write_seeing_model(write_model))) as model:
        yield model
    shared_registry().close()


def asked(*blocks: Any, role: MessageRole = MessageRole.USER, **more: Any) -> ChatMessage:
    return ChatMessage(role=role, blocks=list(blocks), **more)


def test_every_form_is_the_same_picture(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(RED.data)
    file = io.BytesIO(RED.data)
    file.seek(5)
    later = ImageBlock(url="https://a.test/cat.png")
    later.image = RED.data
    blocks = [
        ImageBlock(image=RED.data),
        ImageBlock(image=base64.b64encode(RED.data)),
        ImageBlock(image=file),
        ImageBlock(path=tmp_path / "red.png"),
        ImageBlock(url=data_url(RED)),
        later,
    ]
    for block in blocks:
        (message,) = to_chat_messages([asked(TextBlock(text="a"), TextBlock(text="b"), block, TextBlock(text="c"))])
        assert [part if isinstance(part, str) else part.data for part in message.content] == ["a\nb", RED.data, "c"]
    assert file.tell() == 5


def test_pictures_within_blocks_keep_their_places() -> None:
    citable = CitableBlock(title="x", source="y", content=[TextBlock(text="b"), ImageBlock(image=RED.data)])
    (message,) = to_chat_messages([asked(TextBlock(text="a"), citable)])
    assert message.content == ("a\nb", RED)


def test_an_address_is_for_the_service_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "get", lambda *_, **__: pytest.fail("it was fetched"))
    (message,) = to_chat_messages([asked(ImageBlock(url="https://a.test/cat.png"))])
    assert message.pictures == (ImagePart(url="https://a.test/cat.png", media_type=None),)


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 50)
    path = tmp_path / "large.png"
    path.write_bytes(bytes(51))
    empty = tmp_path / "empty.png"
    empty.touch()
    gone = tmp_path / "gone.png"
    gone.touch()
    missing = ImageBlock(path=gone)
    gone.unlink()
    for block, said in [
        (ImageBlock(path=path), "more than 50 bytes"),
        (ImageBlock(image=bytes(range(200, 255))), "more than 50 bytes"),
        (ImageBlock(image=io.BytesIO(bytes(51))), "more than 50 bytes"),
        (ImageBlock(path=empty), "without bytes"),
        (missing, "cannot be read"),
        (ImageBlock(), "without image, path or url"),
        (ImageBlock(url="file:///etc/passwd"), "must be a data URL"),
    ]:
        with pytest.raises(InvalidRequest, match=said):
            to_chat_messages([asked(block)])


@needs_llama
def test_two_pictures_and_a_follow_up(llm: RKLLM, tmp_path: Path) -> None:
    (tmp_path / "green.png").write_bytes(GREEN.data)
    question = asked(TextBlock(text="Compare "), ImageBlock(image=RED.data), ImageBlock(path=tmp_path / "green.png"))
    first = llm.chat([question])
    assert seen(first.message.content or "") == ["255,0,0", "0,255,0"]
    assert first.raw["timings"]["encoded_pictures"] == 2
    assert first.raw["usage"]["prompt_tokens"] == llm.count_tokens([question])
    *_, last = llm.stream_chat([question, first.message, ChatMessage("Which came first?")])
    assert last.message.content == first.message.content
    assert last.raw["timings"].get("encoded_pictures", 0) == 0


@needs_llama
async def test_without_blocking(llm: RKLLM) -> None:
    question = asked(ImageBlock(image=RED.data), TextBlock(text="?"))
    assert seen((await llm.achat([question])).message.content or "") == ["255,0,0"]
    pieces = [piece.delta or "" async for piece in await llm.astream_chat([question])]
    assert seen("".join(pieces)) == ["255,0,0"]


@needs_llama
def test_a_picture_from_a_tool(llm: RKLLM) -> None:
    call = ToolCallBlock(tool_call_id="1", tool_name="draw", tool_kwargs={})
    result = asked(ImageBlock(image=GREEN.data), role=MessageRole.TOOL, additional_kwargs={"tool_call_id": "1"})
    answer = llm.chat([ChatMessage("Draw."), asked(call, role=MessageRole.ASSISTANT), result])
    assert seen(answer.message.content or "") == ["0,255,0"]


@needs_llama
def test_nothing_is_fetched_on_this_machine(llm: RKLLM) -> None:
    with pytest.raises(InvalidRequest, match=r"address \(https://a\.test/cat\.png\)"):
        llm.chat([asked(ImageBlock(url="https://a.test/cat.png"))])


@needs_llama
def test_an_answer_with_a_picture_is_refused(llm: RKLLM) -> None:
    with pytest.raises(InvalidRequest, match="the role assistant"):
        llm.chat([ChatMessage("Hi"), asked(ImageBlock(image=RED.data), role=MessageRole.ASSISTANT)])
