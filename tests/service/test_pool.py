"""The models a service offers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.types import Message

from rag_service.addresses import base_url
from rag_service.api.openai.chat_request import ChatCompletionRequest
from rag_service.app import create_app
from rag_service.errors import answer_for
from rag_service.pool import ModelPool
from rag_service.settings import ServiceSettings
from rkllm_providers.chat import ChatMessage
from rkllm_providers.engine.environment import environment_limits
from rkllm_providers.engine.npu import shared_npu
from rkllm_providers.errors import InvalidRequest, NPUBusy
from rkllm_providers.models import BUILT_IN_MODEL
from rkllm_providers.vision import PictureLimits
from tests.conftest import needs_llama
from tests.service.conftest import StartService


async def test_broken_models_are_not_offered(tmp_path: Path) -> None:
    (tmp_path / "good.rkllm").write_text("#!rkllm-script 1\n")
    (tmp_path / "empty.rkllm").write_bytes(b"")
    pool = ModelPool(ServiceSettings(models_dir=tmp_path))
    assert [entry.id for entry in await pool.entries() if entry.id != BUILT_IN_MODEL] == ["good"]
    await pool.close()


@needs_llama
async def test_a_model_is_unloaded_and_loaded_again(tmp_path: Path) -> None:
    (tmp_path / "good.rkllm").write_text('#!rkllm-script 1\nrule *\n  text "Hello there."\nend\n')
    pool = ModelPool(ServiceSettings(models_dir=tmp_path))
    hello = [ChatMessage("user", "Hi!")]
    assert not await pool.unload("good")
    client = await pool.client("good")
    pids = []
    for _ in range(2):
        assert (await client.acomplete(hello)).text == "Hello there."
        pids.append(client.engine.worker_pid)
        assert await pool.unload("good")
    assert pids[0] != pids[1]
    assert await pool.client("good") is client
    await pool.close()


def test_settings_of_several_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RKLLM_MEMORY_BUDGET", "6G")
    monkeypatch.setenv("RKLLM_KEEP_ALIVE", "30m")
    monkeypatch.setenv("RKLLM_WORKER_MEMORY_LIMIT", "off")
    settings = ServiceSettings()
    assert settings.memory_budget == 6 << 30
    assert settings.engine_limits.keep_alive == 1800
    assert settings.engine_limits.worker_memory is None
    monkeypatch.setenv("RKLLM_PREFILL_CHUNK", "256")
    monkeypatch.setenv("RKLLM_KEPT_STATES", "auto")
    monkeypatch.setenv("RKLLM_KEPT_STATES_SIZE", "1G")
    limits = ServiceSettings().engine_limits
    assert limits.prefill_chunk == 256
    assert (limits.kept_states.mode, limits.kept_states.max_bytes) == ("auto", 1 << 30)
    # A program that makes its own engines is told the same by the same environment.
    own = environment_limits()
    assert (own.prefill_chunk, own.kept_states) == (limits.prefill_chunk, limits.kept_states)
    monkeypatch.setenv("RKLLM_PREFILL_CHUNK", "5")
    with pytest.raises(ValidationError, match="at least 32"):
        ServiceSettings()
    monkeypatch.delenv("RKLLM_PREFILL_CHUNK")
    monkeypatch.setenv("RKLLM_KEEP_ALIVE", "soon")
    with pytest.raises(ValidationError, match="number of seconds"):
        ServiceSettings()


def test_settings_of_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {"BYTES": "1M", "PIXELS": "5000", "COUNT": "2", "CACHE": "32M"}
    for name, value in written.items():
        monkeypatch.setenv(f"RKLLM_PICTURE_{name}", value)
    monkeypatch.setenv("RKLLM_LOAD_ENCODER", "true")
    for limits in (ServiceSettings().engine_limits, environment_limits()):
        assert limits.pictures == PictureLimits(1 << 20, 5000, 2)
        assert (limits.picture_cache, limits.load_encoder) == (32 << 20, True)
    monkeypatch.setenv("RKLLM_PICTURE_COUNT", "0")
    with pytest.raises(InvalidRequest, match="RKLLM_PICTURE_COUNT is '0'"):
        environment_limits()
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        ServiceSettings()


def test_a_request_s_keep_alive() -> None:
    messages = [{"role": "user", "content": "Hi!"}]
    for written, seconds in ((None, None), ("5m", 300), (0, 0), (2.5, 2.5), ("forever", float("inf"))):
        body = ChatCompletionRequest.model_validate({"messages": messages, "keep_alive": written})
        assert body.options().keep_alive == seconds
        assert body.ignored_fields() == []
    with pytest.raises(InvalidRequest, match="keep_alive"):
        ChatCompletionRequest.model_validate({"messages": messages, "keep_alive": "soon"}).options()


def test_an_npu_that_another_process_has_is_a_503_that_says_where_to_go() -> None:
    answer = answer_for(NPUBusy(4711, "http://127.0.0.1:8000/v1", ("qwen3",)))
    assert (answer.status, answer.code) == (503, "npu_busy")
    assert answer.headers() == {"Retry-After": "5"}
    assert "process 4711 (qwen3)" in answer.message
    assert "http://127.0.0.1:8000/v1" in answer.message


async def test_others_who_want_the_npu_find_the_service_s_address(npu_lock: Path, tmp_path: Path) -> None:
    app = create_app(ServiceSettings(models_dir=tmp_path))
    app.state.base_url = "http://127.0.0.1:8000/v1"
    async with app.router.lifespan_context(app):
        place = shared_npu().enter("qwen3")
        assert json.loads(await asyncio.to_thread(npu_lock.read_text))["base_url"] == "http://127.0.0.1:8000/v1"
        shared_npu().leave(place)


@needs_llama
def test_a_service_that_was_not_told_its_address_learns_it_from_a_request(
    npu_lock: Path, start_service: StartService
) -> None:
    """As under `uvicorn --workers 2`, where another process makes the socket."""
    url = start_service()
    place = shared_npu().enter("qwen3")
    try:
        assert json.loads(npu_lock.read_text())["base_url"] is None
        assert httpx.get(f"{url}/health").status_code == 200
        assert json.loads(npu_lock.read_text())["base_url"] == f"{url}/v1"
    finally:
        shared_npu().leave(place)


async def test_an_address_that_was_told_stays(npu_lock: Path, tmp_path: Path) -> None:
    app = create_app(ServiceSettings(models_dir=tmp_path))
    app.state.base_url = "http://board:8000/v1"
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as client:
        await client.get("http://127.0.0.1:8001/health")
        assert app.state.base_url == "http://board:8000/v1"


async def test_a_socket_without_a_port_has_no_address(npu_lock: Path, tmp_path: Path) -> None:
    app = create_app(ServiceSettings(models_dir=tmp_path))
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    for server in (("/run/rkllm.sock", None), None):
        scope = {"type": "http", "method": "GET", "path": "/health", "headers": [], "query_string": b""}
        async with app.router.lifespan_context(app):
            await app({**scope, "server": server}, receive, send)
        assert app.state.base_url is None
    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [200, 200]


def test_the_address_that_others_are_told() -> None:
    assert base_url("0.0.0.0", 8000) == "http://127.0.0.1:8000/v1"
    assert base_url("::", 8000) == "http://[::1]:8000/v1"
    assert base_url("192.168.1.5", 80) == "http://192.168.1.5:80/v1"


@needs_llama
async def test_a_prompt_is_read_ahead_at_start(tmp_path: Path) -> None:
    (tmp_path / "talker.rkllm").write_text('#!rkllm-script 1\nrule *\n  text "Hello."\nend\n')
    file = tmp_path / "system.txt"
    file.write_text("You are a helper. " * 40 + "\n")
    pool = ModelPool(ServiceSettings(models_dir=tmp_path, model="talker", warm_prompt=file))
    await pool.preload()
    messages = [ChatMessage("system", file.read_text().strip()), ChatMessage("user", "Hi")]
    usage = (await (await pool.client("talker")).acomplete(messages)).finish.usage
    assert usage.cached_tokens > 100
    assert usage.prompt_tokens - usage.cached_tokens < 20
    await pool.close()


@needs_llama
async def test_a_prompt_that_cannot_be_read_ahead_is_named(tmp_path: Path) -> None:
    (tmp_path / "talker.rkllm").write_text('#!rkllm-script 1\nrule *\n  text "Hello."\nend\n')
    pool = ModelPool(ServiceSettings(models_dir=tmp_path, model="talker", warm_prompt=tmp_path / "none.txt"))
    with pytest.raises(InvalidRequest, match=r"none\.txt"):
        await pool.preload()
    await pool.close()
