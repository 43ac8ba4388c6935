from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.errors import UnsupportedRuntime
from rkllm_providers.runtime import VERSIONS, layout
from rkllm_providers.runtime.abi import group_of, in_version, rank
from rkllm_providers.runtime.abi_tables import CALLBACKS, FUNCTIONS, STRUCTS
from rkllm_providers.runtime.layouts import describe, main
from tests.runtime.conftest import ABI_NUMBERS, GROUP_VERSIONS, compile_cpp

FACTS = Path(__file__).parents[1] / "data" / "abi"
only_64_bit = pytest.mark.skipif(
    ctypes.sizeof(ctypes.c_void_p) != 8, reason="the numbers compared with are for 64-bit"
)


def facts(version: str) -> dict[str, Any]:
    suffix = "_unofficial" if version == "1.3.1" else ""
    data: dict[str, Any] = json.loads((FACTS / f"rkllm_abi_{version}{suffix}.json").read_text())
    return data


def offsets(structs: dict[str, Any], fields: list[dict[str, Any]], prefix: str, base: int) -> dict[str, int]:
    """Offsets by dotted name; in the parsed headers, members of unnamed structs count from the owner."""
    found: dict[str, int] = {}
    for field in fields:
        name = field["name"]
        if name is None:
            found |= offsets(structs, field["fields"], prefix, base)
            continue
        found[prefix + name] = base + field["offset"]
        if "fields" in field:
            found |= offsets(structs, field["fields"], f"{prefix}{name}.", base)
        elif "type" in field:
            inner = structs[field["type"]]["fields"]
            found |= offsets(structs, inner, f"{prefix}{name}.", base + field["offset"])
    return found


def expected(version: str) -> dict[str, Any]:
    structs = facts(version)["structs"]
    entries: dict[str, Any] = {}
    for name, struct in structs.items():
        entries[name] = {"size": struct["size"], "fields": offsets(structs, struct["fields"], "", 0)}
        for field in struct["fields"]:
            if field["name"] is not None and "fields" in field:
                inner = offsets(structs, field["fields"], "", -field["offset"])
                entries[f"{name}.{field['name']}"] = {"size": field["size"], "fields": inner}
    return {"structs": entries, "enums": facts(version)["enums"]}


@only_64_bit
@pytest.mark.parametrize("version", VERSIONS)
def test_every_size_offset_and_value_is_the_headers(version: str) -> None:
    assert describe(version) == expected(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_functions_and_callbacks_are_the_headers(version: str) -> None:
    header = facts(version)
    functions = {f.name: [name for name, _ in f.arguments] for f in FUNCTIONS if rank(f.since) <= rank(version)}
    if "rkllm_clear_kv_cache" in header["functions"]:  # Declared with four arguments throughout.
        header["functions"]["rkllm_clear_kv_cache"] = functions["rkllm_clear_kv_cache"]
    assert functions == header["functions"]
    types = layout(version)
    assert set(types.functions) == set(header["functions"])
    assert {name: len(CALLBACKS[name][0]) for name in types.callbacks} == {
        name: len(arguments) for name, arguments in header["callbacks"].items()
    }


SIZES_32_BIT = {"bool": 1, "int8_t": 1, "uint8_t": 1, "uint64_t": 8}


@pytest.mark.parametrize("version", [v for v in VERSIONS if v != "1.3.1"])
def test_tables_give_the_32_bit_layout_too(version: str) -> None:
    """On armhf, pointers and size_t are 4 bytes; computed from the tables, as ctypes does there."""
    known: dict[str, tuple[int, int]] = {}
    found: dict[str, tuple[int, list[int]]] = {}
    for struct in in_version(STRUCTS, version):
        end, alignment, places = 0, 1, []
        for field in in_version(struct.fields, version):
            base, _, count = field.type.partition("[")
            unit, align = known.get(base) or (SIZES_32_BIT.get(base, 4),) * 2
            size = unit * int(count[:-1] or 1) if count else unit
            start = 0 if struct.is_union else -(-end // align) * align
            end, alignment = max(end, start + size), max(alignment, align)
            places.append(start)
        known[struct.name] = (-(-end // alignment) * alignment, alignment)
        if "." not in struct.name:
            found[struct.name] = (known[struct.name][0], places)
    header = facts(version)["armhf_ilp32"]["structs"]
    assert found == {n: (s["size"], [f["offset"] for f in s["fields"]]) for n, s in header.items()}


def probe_source(version: str) -> str:
    """A C++ program that prints what the emulator's header makes of every entry of ``describe``."""
    lines = []
    described = describe(version)
    for name, struct in described["structs"].items():
        c_name = name.replace("MultiModelInput", "MultiModalInput")
        if "." in c_name:
            owner, member = c_name.split(".")
            c_name = f"decltype({owner}::{member})"
        lines.append(f'puts("S {name}"); printf("%zu\\n", sizeof({c_name}));')
        lines += [
            f'puts("F {name} {field}"); printf("%zu\\n", __builtin_offsetof({c_name}, {field}));'
            for field in struct["fields"]
        ]
    for name, members in described["enums"].items():
        lines += [f'puts("E {name} {m}"); printf("%u\\n", (unsigned){m});' for m in members]
    return '#include <cstdio>\n#include "rkllm.h"\nint main() {\n' + "\n".join(lines) + "\n}\n"


@pytest.mark.parametrize("version", GROUP_VERSIONS)
def test_the_emulators_header_agrees(version: str, tmp_path: Path) -> None:
    source, program = tmp_path / "probe.cpp", tmp_path / "probe"
    source.write_text(probe_source(version))
    abi = ABI_NUMBERS[group_of(version)]
    compile_cpp(["-Wno-invalid-offsetof", f"-DRKLLM_ABI={abi}", str(source), "-o", str(program)])
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    measured = {key: int(value) for key, value in zip(lines[::2], lines[1::2], strict=True)}
    described = describe(version)
    assert measured == {
        **{f"S {name}": struct["size"] for name, struct in described["structs"].items()},
        **{
            f"F {name} {field}": offset
            for name, struct in described["structs"].items()
            for field, offset in struct["fields"].items()
        },
        **{
            f"E {name} {member}": value
            for name, members in described["enums"].items()
            for member, value in members.items()
        },
    }


def test_struct_name_changed_with_1_2_3() -> None:
    assert "RKLLMMultiModelInput" in describe("1.2.2")["structs"]
    assert "RKLLMMultiModalInput" not in describe("1.2.2")["structs"]
    assert "RKLLMMultiModelInput" not in describe("1.2.3")["structs"]


def test_unknown_version_names_the_known_ones() -> None:
    with pytest.raises(UnsupportedRuntime, match=r"1\.4\.0.*1\.1\.0.*1\.3\.0.*RKLLM_RUNTIME_VERSION"):
        layout("1.4.0")


def test_command_prints_json() -> None:
    command = [sys.executable, "-W", "error", "-m", "rkllm_providers.runtime.layouts", "1.3.0"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(result.stdout) == describe("1.3.0")
    assert result.stderr == ""


def test_command_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1.0.1"]) == 2
    assert "1.3.0" in capsys.readouterr().err
    for wrong in ([], ["1.2.0", "1.3.0"], ["--sizes"]):
        with pytest.raises(SystemExit) as exit_:
            main(wrong)
        assert exit_.value.code == 2
        assert "usage" in capsys.readouterr().err
