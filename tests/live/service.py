"""The service under test, and what it says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.live.processes import free_port, program, wait_for

ROOT: Final = Path(__file__).parents[2]
RKLLM: Final = ROOT / ".venv" / "bin" / "rkllm"
_START_SECONDS: Final = 120.0
_TOKENS: Final = ("prompt", "cached", "completion")


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures of ``/metrics``, of all models together."""

    prompt: int
    cached: int
    completion: int
    cancelled: int
    failed: int
    """Answers that ended with an error."""

    @property
    def prefilled(self) -> int:
        """Tokens of prompts that were read."""
        return self.prompt - self.cached

    def since(self, before: Counts) -> Counts:
        """What has been added."""
        return Counts(
            self.prompt - before.prompt,
            self.cached - before.cached,
            self.completion - before.completion,
            self.cancelled - before.cancelled,
            self.failed - before.failed,
        )


class Service:
    """A running service."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

    def counts(self) -> Counts:
        """What it has counted so far."""
        sums: dict[str, float] = {}
        for line in self._http.get("/metrics").raise_for_status().text.splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                name = name.split("{")[0]
                sums[name] = sums.get(name, 0.0) + float(value)
        prompt, cached, completion = (int(sums.get(f"rkllm_{name}_tokens_total", 0)) for name in _TOKENS)
        cancelled, failed = (int(sums.get(f"rkllm_answers_{name}_total", 0)) for name in ("cancelled", "failed"))
        return Counts(prompt, cached, completion, cancelled, failed)

    def at_work(self) -> bool:
        """Whether a request waits for a model or is answered by one."""
        return self._http.get("/health").raise_for_status().json()["active_request"] is not None

    def models(self) -> list[str]:
        """The ids of its models."""
        return [model["id"] for model in self._http.get("/v1/models").raise_for_status().json()["data"]]

    def is_up(self) -> bool | None:
        """Whether it answers; ``None`` if not yet."""
        try:
            return self._http.get("/health").is_success or None
        except httpx.TransportError:
            return None


@contextmanager
def running_service(models: Path, data: Path, log: Path, settings: Mapping[str, str]) -> Iterator[Service]:
    """Serve a folder of models on a port of its own, with the settings as they are shipped but for these."""
    port = free_port()
    data.mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RKLLM_", "RKNN_"))}
    environment |= {
        "XDG_CONFIG_HOME": str(data / "config"),
        "XDG_STATE_HOME": str(data / "state"),
        "RKLLM_NPU_LOCK": str(data / "npu.lock"),
        **settings,
    }
    if "RKLLM_EMULATOR_THREADS" in os.environ:
        environment["RKLLM_EMULATOR_THREADS"] = os.environ["RKLLM_EMULATOR_THREADS"]
    command = [str(RKLLM), "serve", "--port", str(port), "--models-dir", str(models)]
    with program("The service", command, environment, log):
        service = Service(port)
        wait_for(f"the service ({log})", _START_SECONDS, service.is_up)
        yield service
