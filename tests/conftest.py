"""Scripted models, and clients on emulators of every ABI group."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rkllm_providers.engine import EngineLimits, EngineRegistry, ModelClient
from rkllm_providers.models import Catalog
from rkllm_providers.models.catalog import built_in_model

ABI_VERSIONS = ("1.1.4", "1.2.0", "1.2.3", "1.3.0")
"""One runtime version of each ABI group: A, B, C, D."""

needs_llama = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None,
    reason="the emulator is built on llama-cpp-python, which the cpu extra installs",
)

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

OpenModel = Callable[..., ModelClient]
WriteModel = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted of models in a test is not noted for the user who runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))


@pytest.fixture
def write_model(tmp_path: Path) -> WriteModel:
    """Write a scripted model: its lines without the first, which tells what it is."""

    def write(text: str, name: str = "scripted") -> Path:
        path = tmp_path / "models" / f"{name}.rkllm"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!rkllm-script 1\n{text}")
        return path

    return write


@pytest.fixture(autouse=True)
def npu_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An NPU of each test's own, also for the processes it starts."""
    path = tmp_path / "npu.lock"
    monkeypatch.setenv("RKLLM_NPU_LOCK", str(path))
    for setting in ("RKLLM_MEMORY_BUDGET", "RKLLM_KEEP_ALIVE", "RKLLM_WORKER_MEMORY_LIMIT"):
        monkeypatch.delenv(setting, raising=False)
    return path


@pytest.fixture
def registry() -> Iterator[EngineRegistry]:
    made = EngineRegistry()
    yield made
    made.close()


@pytest.fixture
def open_model(registry: EngineRegistry) -> OpenModel:
    """Open a model file on an emulator of a version."""

    def opened(
        path: Path,
        version: str = "1.3.0",
        limits: EngineLimits | None = None,
        context_length: int | None = None,
    ) -> ModelClient:
        entry = Catalog(path.parent).find(path)
        return registry.acquire(entry, runtime_version=version, limits=limits, context_length=context_length)

    return opened


@pytest.fixture
def real_model() -> Path:
    entry = built_in_model()
    if entry is None or importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("the cpu extra, which brings the real small model, is not installed")
    return entry.path
