from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rkllm_providers.emulator import build_library
from tests.emulator.clib import GROUPS, Library

WriteScript = Callable[[str], Path]


@pytest.fixture(scope="session")
def toolchain() -> None:
    """Whatever the build needs, or a skip that says what is missing."""
    if importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed: pip install 'rkllm-providers[cpu]'")
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")


@pytest.fixture(scope="session")
def open_library(toolchain: None) -> Callable[[str], Library]:
    opened: dict[str, Library] = {}

    def open_version(version: str) -> Library:
        if version not in opened:
            opened[version] = Library(build_library(version), version)
        return opened[version]

    return open_version


@pytest.fixture(params=list(GROUPS))
def library(request: pytest.FixtureRequest, open_library: Callable[[str], Library]) -> Library:
    """The library of each ABI group in turn."""
    return open_library(request.param)


@pytest.fixture(params=["1.2.0", "1.2.3", "1.3.0"])
def chat_library(request: pytest.FixtureRequest, open_library: Callable[[str], Library]) -> Library:
    """Those that have a chat template and a cache."""
    return open_library(request.param)


@pytest.fixture
def newest(open_library: Callable[[str], Library]) -> Library:
    return open_library("1.3.0")


@pytest.fixture
def write_script(tmp_path: Path) -> WriteScript:
    def write(body: str) -> Path:
        path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.script"
        path.write_text("#!rkllm-script 1\n" + body)
        return path

    return write


@pytest.fixture(autouse=True)
def plain_environment() -> Iterator[None]:
    """One thread, a fixed seed and the default log level, whatever the developer has set.

    The library reads the process's own environment, which ``os.environ`` writes through to.
    """
    names = ("RKLLM_LOG_LEVEL", "RKLLM_EMULATOR_SEED", "RKLLM_EMULATOR_THREADS", "RKLLM_EMULATOR_VERSION")
    saved = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(RKLLM_EMULATOR_SEED="1", RKLLM_EMULATOR_THREADS="1")
    yield
    for name, value in saved.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
