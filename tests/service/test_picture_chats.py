"""A chat about two pictures and a follow-up, through each API of the service: which ones reached the decoder."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.emulator import write_vision_encoder
from tests.conftest import needs_llama
from tests.engine.pictures import N_TOKENS, TELLS, picture, seen
from tests.openwebui.test_recordings import FOLDER
from tests.service.conftest import serving

pytestmark = needs_llama

RECORDED = FOLDER / "requests" / "28_image_content_array__0094_chat.json"
BLIND = 'rule *\n  text "I see nothing."\nend\n'


@dataclass(frozen=True)
class Service:
    """A service with a model that sees and one that does not; ``log`` has a line for each encoded picture."""

    url: str
    log: Path
    folder: Path

    def encoded(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("models")
    log = tmp_path_factory.mktemp("log") / "runs"
    write_vision_encoder(folder / "qwen2-vl-2b.rknn", n_tokens=N_TOKENS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RKNN_EMULATOR_RUN_LOG", str(log))
        with serving(folder, **{"qwen2-vl-2b": TELLS, "blind": BLIND}) as url:
            yield Service(url, log, folder)


def in_base64(one: ImagePart) -> str:
    return base64.b64encode(one.data).decode()


def post(service: Service, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{service.url}{path}", json={"model": "qwen2-vl-2b", **body}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def by_openai(service: Service, first: ImagePart, second: ImagePart) -> Iterator[str]:
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as client:
        content: list[Any] = [
            {"type": "text", "text": "Compare "},
            {"type": "image_url", "image_url": {"url": data_url(first), "detail": "high"}},
            {"type": "text", "text": " and "},
            {"type": "image_url", "image_url": {"url": data_url(second)}},
        ]
        messages: list[Any] = [{"role": "user", "content": content}]
        answer = client.chat.completions.create(model="qwen2-vl-2b", messages=messages)
        text = answer.choices[0].message.content or ""
        yield text
        messages += [{"role": "assistant", "content": text}, {"role": "user", "content": "Which came first?"}]
        stream = client.chat.completions.create(model="qwen2-vl-2b", messages=messages, stream=True)
        yield "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)


def by_ollama(service: Service, first: ImagePart, second: ImagePart) -> Iterator[str]:
    messages: list[Any] = [{"role": "user", "content": "Compare.", "images": [in_base64(first), in_base64(second)]}]
    answer = post(service, "/api/chat", messages=messages, stream=False)["message"]["content"]
    yield answer
    messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": "Which came first?"}]
    yield post(service, "/api/chat", messages=messages, stream=False)["message"]["content"]


def by_anthropic(service: Service, first: ImagePart, second: ImagePart) -> Iterator[str]:
    content: list[Any] = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": in_base64(one)}}
        for one in (first, second)
    ]
    messages: list[Any] = [{"role": "user", "content": [*content, {"type": "text", "text": "Compare."}]}]
    answer = post(service, "/v1/messages", messages=messages, max_tokens=500)["content"][0]["text"]
    yield answer
    messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": "Which came first?"}]
    usage = post(service, "/v1/messages/count_tokens", messages=messages)
    told = post(service, "/v1/messages", messages=messages, max_tokens=500)
    assert usage["input_tokens"] == told["usage"]["input_tokens"] + told["usage"]["cache_read_input_tokens"]
    yield told["content"][0]["text"]


@pytest.mark.parametrize(
    ("talk", "shade"), [(by_openai, 10), (by_ollama, 20), (by_anthropic, 30)], ids=["openai", "ollama", "anthropic"]
)
def test_two_pictures_and_a_follow_up(service: Service, talk: Callable[..., Iterator[str]], shade: int) -> None:
    first, second = picture((shade, 0, 0)), picture((0, shade, 0))
    before = service.encoded()
    answers = talk(service, first, second)
    assert seen(next(answers)) == [f"{shade},0,0", f"0,{shade},0"]
    assert service.encoded() == before + 2
    assert seen(next(answers)) == [f"{shade},0,0", f"0,{shade},0"]
    assert service.encoded() == before + 2


def test_ollama_s_completions(service: Service) -> None:
    told = post(service, "/api/generate", prompt="What is it?", images=[in_base64(picture((1, 2, 3)))], stream=False)
    assert seen(told["response"]) == ["1,2,3"]


def test_a_picture_from_a_tool(service: Service) -> None:
    blue = in_base64(picture((0, 0, 90)))
    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": blue}}
    messages = [
        {"role": "user", "content": "Draw."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "draw", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [shown]}]},
    ]
    assert seen(post(service, "/v1/messages", messages=messages, max_tokens=500)["content"][0]["text"]) == ["0,0,90"]
    chat = [
        {"role": "user", "content": "Draw."},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "draw", "arguments": {}}}]},
        {"role": "tool", "tool_name": "draw", "content": "", "images": [blue]},
    ]
    assert seen(post(service, "/api/chat", messages=chat, stream=False)["message"]["content"]) == ["0,0,90"]


def test_pictures_go_to_a_model_that_sees(service: Service) -> None:
    data = in_base64(picture((9, 9, 9)))
    chat = [{"role": "user", "content": "x", "images": [data]}]
    told = post(service, "/api/chat", model="blind:latest", messages=chat, stream=False)
    assert (told["model"], seen(told["message"]["content"])) == ("qwen2-vl-2b", ["9,9,9"])
    told = post(service, "/api/chat", model="qwen2-vl-2b:latest", messages=chat, stream=False)
    assert told["model"] == "qwen2-vl-2b:latest"
    text = [{"role": "user", "content": "x"}]
    told = post(service, "/api/chat", model="blind:latest", messages=text, stream=False)
    assert (told["model"], told["message"]["content"]) == ("blind:latest", "I see nothing.")
    source = {"type": "base64", "media_type": "image/png", "data": data}
    message = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    told = post(service, "/v1/messages", model="blind", messages=message, max_tokens=500)
    assert (told["model"], seen(told["content"][0]["text"])) == ("qwen2-vl-2b", ["9,9,9"])


@pytest.mark.skipif(not RECORDED.exists(), reason=f"{RECORDED} is not there")
def test_open_webui_s_request_with_another_picture_and_a_follow_up(service: Service) -> None:
    recorded = json.loads(RECORDED.read_text())
    body = {**recorded["body"], "model": "qwen2-vl-2b"}
    headers = {name: value for name, value in recorded["headers"].items() if name.startswith("x-openwebui")}
    content = next(message["content"] for message in body["messages"] if isinstance(message["content"], list))
    content.append({"type": "image_url", "image_url": {"url": data_url(picture((7, 0, 7)))}})

    def answer() -> str:
        told = httpx.post(f"{service.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
        chunks = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: {")]
        return "".join(
            choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", ())
        )

    before = service.encoded()
    first = answer()
    assert (len(seen(first)), seen(first)[1]) == (2, "7,0,7")
    assert service.encoded() == before + 2
    body["messages"] += [{"role": "assistant", "content": first}, {"role": "user", "content": "And now?"}]
    assert seen(answer()) == seen(first)
    assert service.encoded() == before + 2
