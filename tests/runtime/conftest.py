from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.runtime import PATH_VARIABLE, VERSION_VARIABLE, InitParams, ModelHandle, RuntimeLibrary
from rkllm_providers.runtime.abi import group_of

HERE = Path(__file__).parent
NATIVE = HERE.parents[1] / "rkllm_providers" / "emulator" / "native"
ABI_NUMBERS = {"A": 1, "B0": 2, "B1": 3, "C": 4, "D": 5, "D1": 6}
BANNER = "RKLLM SDK (version: {} | target: Linux | build: 27637c95 2025-05-02 17:46:07)"
# One version per ABI group.
GROUP_VERSIONS = ("1.1.4", "1.2.0", "1.2.1b1", "1.2.3", "1.3.0", "1.3.1")

StubMaker = Callable[..., Path]


class Stub:
    """An opened stub library and what it recorded."""

    def __init__(self, path: Path, version: str | None = None) -> None:
        self.library = RuntimeLibrary.open(path, version)
        self._cdll = ctypes.CDLL(str(path))
        self._cdll.stub_record.restype = ctypes.c_char_p

    def load(self, **params: Any) -> ModelHandle:
        return ModelHandle(self.library, InitParams(**{"model_path": "/models/some.rkllm", **params}))

    @property
    def record(self) -> dict[str, Any]:
        """What the last call received; texts are decoded from hex."""
        fields = json.loads(self._cdll.stub_record())
        del fields["end"]
        return {k: bytes.fromhex(v).decode() if isinstance(v, str) else v for k, v in fields.items()}

    @property
    def aborts(self) -> int:
        return int(self._cdll.stub_aborts())

    @property
    def destroys(self) -> int:
        return int(self._cdll.stub_destroys())

    def drive(self, tokens: int) -> None:
        self._cdll.stub_drive(tokens)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (PATH_VARIABLE, VERSION_VARIABLE, "LD_LIBRARY_PATH"):
        monkeypatch.delenv(variable, raising=False)


def compile_cpp(arguments: list[str]) -> None:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    subprocess.run([compiler, "-std=c++17", "-O0", f"-I{NATIVE}", *arguments], check=True, timeout=60)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The stub of an ABI group, without a banner; compiled once."""
    folder = tmp_path_factory.mktemp("stub")

    def get(group: str) -> Path:
        path = folder / f"{group}.so"
        if not path.exists():
            source = str(HERE / "stub.cpp")
            compile_cpp(["-shared", "-fPIC", f"-DRKLLM_ABI={ABI_NUMBERS[group]}", source, "-o", str(path)])
        return path

    return get


@pytest.fixture
def make_library(compiled: Callable[[str], Path], tmp_path: Path) -> StubMaker:
    """A library file with the layouts of ``version`` and the given banners (its own by default)."""

    def make(version: str, *banners: str) -> Path:
        # A folder each: a library that is loaded must not be written over.
        path = Path(tempfile.mkdtemp(dir=tmp_path)) / "librkllmrt.so"
        shutil.copy(compiled(group_of(version)), path)
        with path.open("ab") as file:  # A loader ignores what is behind the last section.
            for banner in banners or (BANNER.format(version),):
                file.write(b"\0" + banner.encode() + b"\0")
        return path

    return make


@pytest.fixture
def open_stub(make_library: StubMaker) -> Callable[[str], Stub]:
    def get(version: str) -> Stub:
        return Stub(make_library(version), version if version == "1.3.1" else None)

    return get


@pytest.fixture(params=GROUP_VERSIONS)
def stub(request: pytest.FixtureRequest, open_stub: Callable[[str], Stub]) -> Stub:
    """A stub of each ABI group in turn."""
    return open_stub(request.param)


@pytest.fixture
def model(stub: Stub) -> Iterator[ModelHandle]:
    with stub.load() as handle:
        yield handle
