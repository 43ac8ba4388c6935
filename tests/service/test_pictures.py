"""Pictures through the OpenAI API: data URLs in, answers by a model that sees."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from rkllm_providers.chat import ChatMessage, ImagePart
from rkllm_providers.chat.openai_forms import data_url
from rkllm_providers.emulator import write_vision_encoder
from rkllm_providers.remote import RemoteModel
from rkllm_providers.vision import PictureLimits
from tests.conftest import WriteModel, needs_llama
from tests.engine.pictures import GREEN, N_TOKENS, RED, TELLS, ask, write_seeing_model
from tests.openwebui.test_recordings import FOLDER
from tests.service.conftest import StartService

pytestmark = needs_llama

RECORDED = FOLDER / "requests" / "28_image_content_array__0094_chat.json"
BLIND = 'rule *\n  text "I see nothing."\nend\n'


@pytest.fixture
def models(write_model: WriteModel) -> Path:
    """A model that sees, and one that does not, of which the name comes first."""
    write_model(BLIND, "blind")
    return write_seeing_model(write_model).parent


def shown(picture: object) -> dict[str, Any]:
    return {"type": "image_url", "image_url": picture}


def post(url: str, messages: list[dict[str, Any]], model: str = "qwen2-vl-2b", route: str = "") -> httpx.Response:
    return httpx.post(f"{url}/v1/chat/completions{route}", json={"model": model, "messages": messages}, timeout=30)


def test_a_chat_about_two_pictures(start_service: StartService, models: Path) -> None:
    url = start_service()
    parts = [
        {"type": "text", "text": "Compare "},
        shown({"url": data_url(RED), "detail": "low"}),
        shown(data_url(GREEN)),
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": parts}]
    assert post(url, messages, route="/input_tokens").json()["estimated"] is True
    first = post(url, messages).json()
    text = first["choices"][0]["message"]["content"]
    assert [told.rpartition("=")[2] for told in text.split("; ")] == ["255,0,0", "0,255,0"]
    assert first["timings"]["encoded_pictures"] == 2
    assert first["timings"]["encode_ms"] > 0
    counted = post(url, messages, route="/input_tokens").json()
    assert counted["input_tokens"] == first["usage"]["prompt_tokens"] > 2 * N_TOKENS
    assert "estimated" not in counted
    messages += [{"role": "assistant", "content": text}, {"role": "user", "content": "Which came first?"}]
    second = post(url, messages).json()
    assert second["choices"][0]["message"]["content"] == text
    assert "encoded_pictures" not in second["timings"] or second["timings"]["encoded_pictures"] == 0
    assert second["usage"]["prompt_tokens_details"]["cached_tokens"] > 2 * N_TOKENS


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ({"url": "https://example.org/cat.png"}, "RKLLM_PICTURE_URLS=true"),
        ({"url": "cat.png"}, "must be a data URL"),
        ({"url": "data:image/png,abc"}, "must be a data URL"),
        ({"url": "data:text/plain;base64,aGk="}, "holds text/plain, and no picture"),
        ({"url": "data:image/png;base64,a!b"}, "not written in base64"),
        ({"url": "data:image/png;base64,"}, "holds no bytes"),
        ({}, "has no url"),
        ({"url": f"data:image/png;base64,{base64.b64encode(b'hi there').decode()}"}, "in no format that is read"),
    ],
)
def test_what_is_no_picture_is_a_400(start_service: StartService, models: Path, picture: object, said: str) -> None:
    answer = post(start_service(), [{"role": "user", "content": [shown(picture)]}])
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_limits_are_settings(start_service: StartService, models: Path) -> None:
    url = start_service(picture_count=1, picture_pixels=2000)
    two = post(url, [{"role": "user", "content": [shown(data_url(RED)), shown(data_url(GREEN))]}])
    assert (two.status_code, "at most 1" in two.json()["error"]["message"]) == (400, True)


def test_a_picture_of_the_largest_size_is_taken(start_service: StartService, models: Path) -> None:
    url, most = start_service(), PictureLimits().max_bytes
    # Bytes behind a picture's end are no part of it, but of its file.
    picture = ImagePart(RED.data + bytes(most - len(RED.data)), RED.media_type)
    answer = post(url, [{"role": "user", "content": [shown(data_url(picture))]}])
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"].startswith("1 seen: ")


def test_pictures_go_to_a_model_that_sees_and_text_stays(start_service: StartService, models: Path) -> None:
    url = start_service()
    seen = post(url, [{"role": "user", "content": [shown(data_url(RED))]}], "blind").json()
    assert (seen["model"], seen["choices"][0]["message"]["content"][:6]) == ("qwen2-vl-2b", "1 seen")
    text = post(url, [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "blind").json()
    assert (text["model"], text["choices"][0]["message"]["content"]) == ("blind", "I see nothing.")


def test_pictures_in_the_forms_of_other_apis_go_there_too(start_service: StartService, models: Path) -> None:
    url, data = start_service(), base64.b64encode(RED.data).decode()
    asked: dict[str, Any] = {"model": "blind", "stream": False}
    chat = {**asked, "messages": [{"role": "user", "content": "What is it?", "images": [data]}]}
    chatted = httpx.post(f"{url}/api/chat", json=chat, timeout=30).json()
    generated = httpx.post(f"{url}/api/generate", json={**asked, "prompt": "x", "images": [data]}, timeout=30).json()
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    message = {**asked, "max_tokens": 100, "messages": [{"role": "user", "content": [block]}]}
    told = httpx.post(f"{url}/v1/messages", json=message, timeout=30).json()
    counted = httpx.post(f"{url}/v1/messages/count_tokens", json=message, timeout=30).json()
    assert [one["model"] for one in (chatted, generated, told)] == ["qwen2-vl-2b"] * 3
    said = chatted["message"]["content"], generated["response"], told["content"][0]["text"]
    assert [text[:6] for text in said] == ["1 seen"] * 3
    assert counted["input_tokens"] > N_TOKENS
    metrics = httpx.get(f"{url}/metrics").text
    assert 'rkllm_answers_total{model="qwen2-vl-2b"} 3.0' in metrics


def test_which_model_sees_can_be_set(start_service: StartService, models: Path) -> None:
    (models / "qwen2-vl-7b.rkllm").write_text(f"#!rkllm-script 1\n{TELLS}")
    write_vision_encoder(models / "qwen2-vl-7b.rknn")
    picture = [{"role": "user", "content": [shown(data_url(RED))]}]
    assert post(start_service(picture_model="qwen2-vl-7b"), picture, "blind").json()["model"] == "qwen2-vl-7b"
    refused = post(start_service(picture_model="off"), picture, "blind")
    assert refused.status_code == 400
    assert "blind takes no pictures" in refused.json()["error"]["message"]


def test_without_a_model_that_sees_the_one_asked_says_what_it_lacks(
    start_service: StartService, write_model: WriteModel
) -> None:
    write_model(BLIND, "blind")
    refused = post(start_service(), [{"role": "user", "content": [shown(data_url(RED))]}], "blind")
    assert refused.status_code == 400
    assert "there is no vision encoder" in refused.json()["error"]["message"]


def test_a_remote_model_sends_pictures_on(start_service: StartService, models: Path) -> None:
    model = RemoteModel("qwen2-vl-2b", f"{start_service()}/v1")
    turns = [ChatMessage("user", ("Look: ", GREEN)), ChatMessage("assistant", "Yes?"), ask("And this?", RED)]
    try:
        result = model.complete(turns)
    finally:
        model.release()
    assert [told.rpartition("=")[2] for told in result.text.split("; ")] == ["0,255,0", "255,0,0"]
    assert result.finish.timings.encoded_pictures == 2


@pytest.mark.skipif(not RECORDED.exists(), reason=f"{RECORDED} is not there")
def test_the_picture_that_open_webui_sends(start_service: StartService, write_model: WriteModel) -> None:
    recorded = json.loads(RECORDED.read_text())
    headers = {name: value for name, value in recorded["headers"].items() if name.startswith("x-openwebui")}
    write_seeing_model(write_model, name=recorded["body"]["model"])
    answer = httpx.post(f"{start_service()}/v1/chat/completions", json=recorded["body"], headers=headers, timeout=30)
    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    # A load that takes long is told of by chunks without choices.
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", []))
    assert text.startswith(f"1 seen: tokens={N_TOKENS} size=28x28 ")
    assert sum(chunk.get("timings", {}).get("encoded_pictures", 0) for chunk in chunks) == 1
    assert chunks[-1]["usage"]["prompt_tokens"] > N_TOKENS
