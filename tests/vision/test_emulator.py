"""The emulator's ``librknnrt.so`` by its C interface: what it refuses, and what the binding never does."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.emulator import build, build_vision_library, write_vision_encoder
from rkllm_providers.errors import LibraryNotFound, RknnError
from rkllm_providers.vision import RknnLibrary
from rkllm_providers.vision.abi import CONTEXT, functions, structs
from tests.vision.conftest import Counters

PIXELS = (ctypes.c_uint8 * (28 * 28 * 3))()


@pytest.fixture
def context(library: RknnLibrary, counters: Counters, tmp_path: Path) -> Iterator[int]:
    content = write_vision_encoder(tmp_path / "e.rknn", n_outputs=2).read_bytes()
    handle = CONTEXT()
    # By memory, which the binding does not do.
    library.call("rknn_init", ctypes.addressof(handle), content, len(content), 0, None)
    yield int(handle.value)
    library.call("rknn_destroy", handle)


def input_of(**changes: Any) -> Any:
    given: Any = structs()["rknn_input"](buf=ctypes.addressof(PIXELS), size=28 * 28 * 3, type=3, fmt=1)
    for name, value in changes.items():
        setattr(given, name, value)
    return given


def set_input(library: RknnLibrary, context: int) -> None:
    given = input_of()
    library.call("rknn_inputs_set", context, 1, ctypes.addressof(given))


def refuses(library: RknnLibrary, code: int, name: str, *arguments: Any) -> None:
    with pytest.raises(RknnError) as raised:
        library.call(name, *arguments)
    assert raised.value.code == code


@pytest.mark.parametrize(
    "changes", [{"index": 1}, {"buf": None}, {"size": 1}, {"pass_through": 1}, {"type": 0}, {"fmt": 0}]
)
def test_wrong_inputs(library: RknnLibrary, context: int, changes: dict[str, Any]) -> None:
    set_input(library, context)
    given = input_of(**changes)
    refuses(library, -8, "rknn_inputs_set", context, 1, ctypes.addressof(given))
    refuses(library, -8, "rknn_inputs_set", context, 2, ctypes.addressof(given))


def test_the_order_of_calls(library: RknnLibrary, context: int) -> None:
    outputs: Any = (structs()["rknn_output"] * 2)()
    for index, output in enumerate(outputs):
        output.index, output.want_float = index, 1
    address = ctypes.addressof(outputs)
    refuses(library, -1, "rknn_run", context, None)
    set_input(library, context)
    refuses(library, -1, "rknn_outputs_get", context, 2, address, None)
    library.call("rknn_run", context, None)
    refuses(library, -9, "rknn_outputs_get", context, 1, address, None)
    outputs[0].want_float = 0
    refuses(library, -9, "rknn_outputs_get", context, 2, address, None)


def test_outputs_in_buffers_of_the_callers_own(library: RknnLibrary, context: int, counters: Counters) -> None:
    set_input(library, context)
    library.call("rknn_run", context, None)
    buffers = [(ctypes.c_float * (4 * 32))() for _ in range(2)]
    outputs: Any = (structs()["rknn_output"] * 2)()
    for index, output in enumerate(outputs):
        output.index, output.want_float, output.is_prealloc = index, 1, 1
        output.buf, output.size = ctypes.addressof(buffers[index]), ctypes.sizeof(buffers[index])
    library.call("rknn_outputs_get", context, 2, ctypes.addressof(outputs), None)
    assert [buffer[0] for buffer in buffers] == [4096, 4097]
    assert counters.outputs == 0
    outputs[1].size -= 1
    refuses(library, -9, "rknn_outputs_get", context, 2, ctypes.addressof(outputs), None)


def test_released_outputs_hold_nothing(library: RknnLibrary, context: int, counters: Counters) -> None:
    set_input(library, context)
    library.call("rknn_run", context, None)
    outputs: Any = (structs()["rknn_output"] * 2)()
    for index, output in enumerate(outputs):
        output.index, output.want_float = index, 1
    address = ctypes.addressof(outputs)
    library.call("rknn_outputs_get", context, 2, address, None)
    assert counters.outputs == 2
    library.call("rknn_outputs_release", context, 2, address)
    assert counters.outputs == 0
    assert [output.buf for output in outputs] == [None, None]


def test_wrong_queries_and_cores(library: RknnLibrary, context: int) -> None:
    attr: Any = structs()["rknn_tensor_attr"](index=2)
    address, size = ctypes.addressof(attr), ctypes.sizeof(attr)
    refuses(library, -5, "rknn_query", context, 2, address, size)
    attr.index = 1
    library.call("rknn_query", context, 2, address, size)
    refuses(library, -5, "rknn_query", context, 1, address, size)
    refuses(library, -5, "rknn_query", context, 2, address, size - 1)
    refuses(library, -5, "rknn_query", context, 99, address, size)
    refuses(library, -5, "rknn_set_core_mask", context, 8)
    library.call("rknn_set_core_mask", context, 0xFFFF)


def test_contexts_that_are_gone(library: RknnLibrary, context: int) -> None:
    for name, arguments in {
        "rknn_run": (None,),
        "rknn_destroy": (),
        "rknn_set_core_mask": (0,),
        "rknn_outputs_release": (0, None),
        "rknn_outputs_get": (0, None, None),
    }.items():
        refuses(library, -7, name, context + 1, *arguments)
    refuses(library, -5, "rknn_init", None, None, 0, 0, None)


def test_exports_are_the_functions_and_what_is_for_tests(library_path: Path) -> None:
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", str(library_path)], capture_output=True, text=True, check=True
    )
    names = {line.split()[-1] for line in listed.stdout.splitlines()}
    counters = {f"rknn_emulator_{name}" for name in ("live_contexts", "unreleased_outputs", "core_mask")}
    assert names == set(functions()) | counters


def test_built_once_without_llama_cpp(library_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("llama.cpp is not needed for it")

    monkeypatch.setattr(build, "_find_llama", never)
    stamp = library_path.stat().st_mtime_ns
    assert build_vision_library() == library_path
    assert library_path.stat().st_mtime_ns == stamp
    monkeypatch.setenv("RKLLM_EMULATOR_CACHE", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(LibraryNotFound, match="'no-such-compiler' was not found"):
        build_vision_library()
