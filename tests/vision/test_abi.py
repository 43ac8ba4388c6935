"""The layouts of ``librknnrt.so`` are those of the vendor's header, and the emulator's header has the same."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.emulator import build
from rkllm_providers.vision.abi import error_name, functions, structs
from rkllm_providers.vision.abi_tables import ENUMS, ERROR_ADVICE, ERROR_CODES, FUNCTIONS, STRUCTS

HEADER: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "abi" / "rknn_abi.json").read_text())
NATIVE = Path(build.__file__).parent / "native"
only_64_bit = pytest.mark.skipif(
    ctypes.sizeof(ctypes.c_void_p) != 8, reason="the numbers compared with are for 64-bit"
)


def offsets(struct: Any) -> dict[str, int]:
    return {name: getattr(struct, name).offset for name, _ in struct._fields_}


@only_64_bit
def test_every_size_and_offset_is_the_headers() -> None:
    assert len(structs()) == 5
    for name, struct in structs().items():
        expected = HEADER["structs"][name]
        assert ctypes.sizeof(struct) == expected["size"]
        assert offsets(struct) == {field["name"]: field["offset"] for field in expected["fields"]}
        sizes = {field: getattr(struct, field).size for field in offsets(struct)}
        assert sizes == {field["name"]: field["size"] for field in expected["fields"]}


def test_types_are_the_headers() -> None:
    for struct in STRUCTS:
        assert [(field.name, field.type) for field in struct.fields] == [
            (field["name"], field["ctype"]) for field in HEADER["structs"][struct.name]["fields"]
        ]


def test_tables_give_the_32_bit_layout_too() -> None:
    """On armhf a pointer has 4 bytes; computed from the tables, as ctypes does there."""
    sizes = {"char": 1, "int8_t": 1, "uint8_t": 1}
    for struct in STRUCTS:
        end, places = 0, []
        for field in struct.fields:
            base, _, count = field.type.partition("[")
            unit = sizes.get(base, 4)
            start = -(-end // unit) * unit
            places.append(start)
            end = start + unit * int(count[:-1] or 1 if count else 1)
        expected = HEADER["armhf_ilp32"]["structs"][struct.name]
        assert places == [field["offset"] for field in expected["fields"]]
        assert -(-end // expected["align"]) * expected["align"] == expected["size"]


def test_values_and_codes_are_the_headers() -> None:
    for name, members in ENUMS.items():
        assert members.items() <= HEADER["enums"][name]["values"].items()
        assert HEADER["enums"][name]["size"] == 4
    assert HEADER["error_codes"] == ERROR_CODES
    assert set(ERROR_ADVICE) <= set(ERROR_CODES)
    assert error_name(-6) == "RKNN_ERR_MODEL_INVALID"
    assert error_name(-99) == "an unknown error"


def test_functions_are_the_headers() -> None:
    for function in FUNCTIONS:
        expected = HEADER["functions"][function.name]
        assert function.returns == expected["returns"]
        assert list(function.arguments) == [(each["name"], each["type"]) for each in expected["args"]]
    assert set(functions()) == {function.name for function in FUNCTIONS}
    context = ctypes.c_uint64 if ctypes.sizeof(ctypes.c_void_p) == 8 else ctypes.c_uint32
    assert functions()["rknn_destroy"] == ((context,), ctypes.c_int)


def test_the_emulators_header_agrees(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    lines = []
    for name, struct in structs().items():
        lines.append(f"static_assert(sizeof({name}) == {ctypes.sizeof(struct)});")
        lines += [
            f"static_assert(__builtin_offsetof({name}, {field}) == {offset});"
            for field, offset in offsets(struct).items()
        ]
    lines += [f"static_assert({member} == {value});" for each in ENUMS.values() for member, value in each.items()]
    source = tmp_path / "probe.cpp"
    source.write_text('#include "rknn.h"\n' + "\n".join(lines))
    command = ["g++", "-std=c++17", "-fsyntax-only", f"-I{NATIVE}", str(source)]
    subprocess.run(command, check=True, timeout=60)
