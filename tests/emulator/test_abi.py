from __future__ import annotations

import ctypes
import subprocess

import pytest

from rkllm_providers.emulator import VERSIONS, build_library
from tests.emulator.clib import Library
from tests.emulator.conftest import WriteScript

ALWAYS = "createDefaultParam init destroy run run_async abort is_running"
ALWAYS += " load_lora load_prompt_cache release_prompt_cache"
SYMBOLS = {
    "A": ALWAYS,
    "B": ALWAYS + " set_chat_template clear_kv_cache",
    "C": ALWAYS + " set_chat_template clear_kv_cache get_kv_cache_size set_function_tools set_cross_attn_params",
}
SYMBOLS["D"] = SYMBOLS["C"]


def test_exports_exactly_the_functions_of_its_group(library: Library) -> None:
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", str(library.path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    exported = {line.split()[0] for line in listed.splitlines()}
    assert exported == {f"rkllm_{name}" for name in SYMBOLS[library.layout.group].split()}


def test_embeds_a_banner_with_its_version(library: Library) -> None:
    banner = f"RKLLM SDK (version: {library.version} | target: Linux | build: emulator ".encode()
    assert library.path.read_bytes().count(banner) == 1


@pytest.mark.parametrize("version", list(VERSIONS))
def test_every_listed_version_builds(version: str, toolchain: None) -> None:
    assert f"version: {version} |".encode() in build_library(version).read_bytes()


def test_struct_sizes_are_the_documented_ones(library: Library) -> None:
    sizes = {"A": (200, 24, 32), "B": (208, 32, 48), "C": (208, 32, 72), "D": (184, 40, 72)}
    layout = library.layout
    measured = tuple(ctypes.sizeof(part) for part in (layout.param, layout.infer, layout.result))
    assert measured == sizes[layout.group]


def test_default_parameters(library: Library) -> None:
    param = library.default()
    assert (param.max_context_len, param.max_new_tokens, param.top_k) == (512, -1, 40)
    assert [round(getattr(param, name), 3) for name in ("top_p", "temperature", "repeat_penalty")] == [
        0.9,
        0.8,
        1.1,
    ]
    assert (param.frequency_penalty, param.presence_penalty, param.mirostat) == (0, 0, 0)
    assert [round(param.mirostat_tau, 3), round(param.mirostat_eta, 3)] == [5, 0.1]
    assert param.skip_special_token is True
    assert param.is_async is False
    assert param.model_path is None
    if library.layout.group != "A":
        assert param.n_keep == -1
        assert (param.extend.embed_flash, param.extend.enabled_cpus_num) == (1, 4)
        assert param.extend.enabled_cpus_mask in (0xF0, 0x0F)
    assert param.extend.base_domain_id == 0
    if library.layout.group in "CD":
        assert param.extend.n_batch == 1
    if library.layout.group == "D":
        assert param.ignore_eos_token is False
    else:
        assert (param.img_start, param.img_end, param.img_content) == (b"", b"", b"")


def test_default_parameters_leave_the_bytes_after_the_struct_alone(library: Library) -> None:
    big = type("Big", (ctypes.Structure,), {"_fields_": [("raw", ctypes.c_uint8 * 512)]})
    create = ctypes.CDLL(str(library.path))["rkllm_createDefaultParam"]
    create.restype = big
    raw = bytes(create().raw)
    top_p_at = 20 if library.layout.group == "A" else 24
    assert ctypes.c_float.from_buffer_copy(raw, top_p_at).value == pytest.approx(0.9)


@pytest.mark.parametrize("name", ["destroy", "run", "run_async", "abort", "is_running"])
def test_a_null_handle_is_refused(library: Library, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    arguments: list[None] = [None] * (4 if name.startswith("run") else 1)
    assert library.c[f"rkllm_{name}"](*arguments) == -1
    assert f"E rkllm: rkllm_{name} failed" in capfd.readouterr().out


def test_functions_refuse_null_and_say_so(
    library: Library, write_script: WriteScript, capfd: pytest.CaptureFixture[str]
) -> None:
    calls = {
        "load_lora": (1, "the LoRA adapter, its path or its name is NULL"),
        "load_prompt_cache": (1, "the path of the prompt cache is NULL"),
    }
    if library.layout.group in "CD":
        calls["set_function_tools"] = (3, "the tools must be a JSON array of at least one function")
        calls["set_cross_attn_params"] = (1, "the emulator has no cross attention")
    with library.open(write_script("")) as model:
        capfd.readouterr()
        for name, (n_more, line) in calls.items():
            assert model.call(name, *[None] * n_more) == -1
            assert capfd.readouterr().out == f"E rkllm: {line}\nE rkllm: rkllm_{name} failed\n"
