"""`rkllm serve` as a process: how it ends, and what it reads anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from rkllm_providers.models import ModelCard, ModelEntry, read_card
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

pytestmark = needs_llama

SCRIPT = """
word " la"
decode_ms 5
rule "endless"
  forever " la"
end
rule "stuck"
  text "stuck"
  hang
end
rule *
  text "Hello there."
end
"""
_END_SECONDS = 5.0


class Service:
    """The command in a process of its own, with its log."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "rag_service.cli", "serve", "--port", "0", "--models-dir", str(folder)]
        self.process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        self.log: list[str] = []
        self._changed = threading.Condition()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.url = self.wait_for("serving").split(" at ")[1].strip().removesuffix("/v1")
        self.wait_for("startup complete")

    def _read(self) -> None:
        for line in self.process.stderr or ():
            with self._changed:
                self.log.append(line)
                self._changed.notify_all()

    def wait_for(self, words: str) -> str:
        """The first line of the log with these words."""

        def found() -> str | None:
            return next((line for line in self.log if words in line), None)

        with self._changed:
            assert self._changed.wait_for(found, 60), f"no {words!r} in {''.join(self.log)}"
        line = found()
        assert line is not None
        return line

    def end(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait(60)
        self._reading.join(60)
        if self.process.stderr is not None:
            self.process.stderr.close()

    def seconds_to_end(self) -> float:
        """Have it end, and see how long that takes."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return time.monotonic() - began


@pytest.fixture
def folder(write_model: WriteModel) -> Path:
    return write_model(SCRIPT, "talker").parent


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Service]:
    service = Service(folder, *options)
    try:
        yield service
    finally:
        service.end()


def body(text: str, **fields: object) -> dict[str, object]:
    return {"model": "talker", "messages": [{"role": "user", "content": text}], **fields}


@contextmanager
def streaming(url: str, text: str) -> Iterator[Iterator[str]]:
    """An answer under way, of which the first words have come."""
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body(text, stream=True), timeout=60) as response:
        lines = response.iter_lines()
        while '"content":"' not in (line := next(lines)) or '"content":""' in line:
            continue
        yield lines


@pytest.mark.parametrize("text", ["endless", "stuck"])
def test_failure_14_queued_requests_block_neither_health_nor_the_end(folder: Path, text: str) -> None:
    with served(folder) as service, ExitStack() as stack:
        lines = stack.enter_context(streaming(service.url, text))
        answers: list[int | str] = []

        def wait_in_queue() -> None:
            try:
                answers.append(
                    httpx.post(f"{service.url}/v1/chat/completions", json=body("Hi"), timeout=60).status_code
                )
            except httpx.TransportError as error:
                answers.append(type(error).__name__)

        waiting = [threading.Thread(target=wait_in_queue) for _ in range(8)]
        for thread in waiting:
            thread.start()
        queued = 'rkllm_queue_length{model="talker"} 8.0'
        deadline = time.monotonic() + 60
        while queued not in httpx.get(f"{service.url}/metrics", timeout=10).text:
            assert time.monotonic() < deadline
        for path in ("/health", "/ready", "/v1/models"):
            assert httpx.get(f"{service.url}{path}", timeout=10).status_code == 200
        assert service.seconds_to_end() < _END_SECONDS
        last = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")][-1]
        assert last["error"]["code"] == "unavailable"
        for thread in waiting:
            thread.join(10)
        assert answers == [503] * 8


def test_failure_09_the_tokenizer_is_read_once(
    start_service: StartService, folder: Path, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counting(entry: ModelEntry) -> ModelCard:
        read.append(entry.id)
        return read_card(entry)

    monkeypatch.setattr("rkllm_providers.engine.registry.read_card", counting)
    write_model(SCRIPT, "other")
    url = start_service()
    for _ in range(3):
        for model in ("talker", "other", "Talker"):
            answer = httpx.post(f"{url}/v1/chat/completions", json={**body("Hi"), "model": model}, timeout=60)
            assert answer.status_code == 200
        assert httpx.post(f"{url}/v1/tokenize", json={"model": "talker", "content": "Hi"}).status_code == 200
        assert httpx.get(f"{url}/v1/models").status_code == 200
    assert sorted(name for name in read if name in ("talker", "other")) == ["other", "talker"]


def test_a_service_at_rest_ends_at_once(folder: Path) -> None:
    with served(folder, "--model", "talker") as service:
        service.wait_for("loaded in")
        assert service.seconds_to_end() < _END_SECONDS
        service.wait_for("shutdown complete")


def test_a_service_that_loads_ends(folder: Path, write_model: WriteModel) -> None:
    write_model("prefill_ms 1000\n" + SCRIPT.replace("decode_ms 5", "decode_ms 1000"), "slow")
    with served(folder, "--model", "slow") as service:
        assert service.seconds_to_end() < _END_SECONDS


def test_keys_and_models_are_read_anew_and_no_request_is_dropped(
    folder: Path, write_model: WriteModel, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("first = rk-0123456789abcdef\n")
    keys.chmod(0o600)
    first, second = {"api-key": "rk-0123456789abcdef"}, {"api-key": "rk-fedcba9876543210"}
    with served(folder, "--api-keys-file", str(keys)) as service, ExitStack() as stack:
        request = {"json": body("endless", stream=True, max_tokens=400), "headers": first, "timeout": 60}
        response = stack.enter_context(
            httpx.stream("POST", f"{service.url}/v1/chat/completions", **request)  # type: ignore[arg-type]
        )
        lines = response.iter_lines()
        next(lines)
        assert httpx.get(f"{service.url}/v1/models", headers=second).status_code == 401
        keys.write_text("second = rk-fedcba9876543210\n")
        write_model(SCRIPT.replace("Hello", "Goodbye"), "talker")
        service.process.send_signal(signal.SIGHUP)
        service.wait_for("read 1 API keys")
        service.wait_for("models in")
        assert httpx.get(f"{service.url}/v1/models", headers=first).status_code == 401
        answer = httpx.post(f"{service.url}/v1/chat/completions", json=body("Hi"), headers=second, timeout=60)
        assert answer.json()["choices"][0]["message"]["content"] == "Goodbye there."
        ends = [line for line in lines if '"finish_reason":"length"' in line]
        assert len(ends) == 1
        assert service.process.poll() is None
