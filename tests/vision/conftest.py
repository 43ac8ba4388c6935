"""The emulator's ``librknnrt.so`` and scripted encoders."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.emulator import build_vision_library, write_vision_encoder
from rkllm_providers.vision import RknnLibrary, VisionEncoder

LoadEncoder = Callable[..., VisionEncoder]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RKNN_LIB_PATH", "RKNN_EMULATOR_FAULT", "RKNN_EMULATOR_RUN_MS", "RKNN_EMULATOR_RUN_LOG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def library_path() -> Path:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    return build_vision_library()


@pytest.fixture(scope="session")
def library(library_path: Path) -> RknnLibrary:
    return RknnLibrary.open(library_path)


class Counters:
    """What the emulator counts, and the core mask of a context."""

    def __init__(self, path: Path) -> None:
        self._cdll = ctypes.CDLL(str(path))
        self._cdll.rknn_emulator_core_mask.argtypes = [ctypes.c_uint64]

    @property
    def contexts(self) -> int:
        return int(self._cdll.rknn_emulator_live_contexts())

    @property
    def outputs(self) -> int:
        return int(self._cdll.rknn_emulator_unreleased_outputs())

    def core_mask(self, context: int) -> int:
        return int(self._cdll.rknn_emulator_core_mask(context))


@pytest.fixture
def counters(library_path: Path) -> Iterator[Counters]:
    """The counters; whatever a test does, nothing may be left when it ends."""
    counted = Counters(library_path)
    assert (counted.contexts, counted.outputs) == (0, 0)
    yield counted
    assert (counted.contexts, counted.outputs) == (0, 0)


@pytest.fixture
def load_encoder(library: RknnLibrary, counters: Counters, tmp_path: Path) -> Iterator[LoadEncoder]:
    """Load a scripted encoder; it is closed when the test ends."""
    loaded: list[VisionEncoder] = []

    def load(n_cores: int | None = None, **script: Any) -> VisionEncoder:
        path = write_vision_encoder(tmp_path / "scripted.rknn", **script)
        loaded.append(VisionEncoder.load(library, path, n_cores))
        return loaded[-1]

    yield load
    for encoder in loaded:
        encoder.close()
