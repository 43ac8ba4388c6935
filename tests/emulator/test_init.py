from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.clib import Library, RefusedError
from tests.emulator.conftest import WriteScript

Captured = pytest.CaptureFixture[str]


def refuse(library: Library, model: Path | None, capfd: Captured, **params: Any) -> str:
    with pytest.raises(RefusedError):
        library.open(model, **params)
    out = capfd.readouterr().out
    assert out.endswith("E rkllm: rkllm_init failed\n")
    return out


def test_the_log_of_a_successful_init(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    model = write_script("context 2048\n")
    with library.open(model):
        pass
    lines = capfd.readouterr().out.splitlines()
    v = library.version
    assert lines[0] == f"I rkllm: rkllm-runtime version: {v}, rknpu driver version: 0.9.8, platform: CPU"
    if library.layout.group == "A":
        assert len(lines) == 1
        return
    assert lines[1] == f"I rkllm: loading rkllm model from {model}"
    assert lines[2] == (
        f"I rkllm: rkllm-toolkit version: {v}, max_context_limit: 2048, npu_core_num: 1, "
        f"target_platform: CPU, model_dtype: SCRIPT"
    )
    assert lines[3] in ("I rkllm: Enabled cpus: [0, 1, 2, 3]", "I rkllm: Enabled cpus: [4, 5, 6, 7]")
    assert lines[4:] == ["I rkllm: Enabled cpus num: 4"]


@pytest.mark.parametrize("content", [b"", b"#!rkllm-scrip", b"GGU", bytes(64), b"\x7fELF"])
def test_a_foreign_file_is_refused(library: Library, tmp_path: Path, capfd: Captured, content: bytes) -> None:
    path = tmp_path / "model.rkllm"
    path.write_bytes(content)
    assert "invalid rknn llm model magic" in refuse(library, path, capfd)


def test_a_broken_gguf_is_refused(library: Library, tmp_path: Path, capfd: Captured) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    assert "could not load the model" in refuse(library, path, capfd)


def test_a_missing_file_is_refused(library: Library, tmp_path: Path, capfd: Captured) -> None:
    assert "could not open" in refuse(library, tmp_path / "none", capfd)
    assert "model_path is NULL" in refuse(library, None, capfd)
    assert "invalid rknn llm model magic" in refuse(library, tmp_path, capfd)


def test_a_malformed_script_is_refused_with_its_line(
    library: Library, write_script: WriteScript, capfd: Captured
) -> None:
    model = write_script("\nnonsense 1\n")
    assert f"{model}:3: unknown keyword 'nonsense'" in refuse(library, model, capfd)


def test_limits_are_checked_with_both_numbers(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    model = write_script("context 100\n")
    out = refuse(library, model, capfd, max_context_len=101)
    assert "max_context[101] must be less than the model's max_context_limit[100]" in out
    library.open(model, max_context_len=100).destroy()


def test_sampling_parameters_are_checked(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    model = write_script("")
    assert "mirostat must be" in refuse(library, model, capfd, mirostat=3)
    assert "repeat_penalty must be" in refuse(library, model, capfd, repeat_penalty=0)
    assert "not a finite number" in refuse(library, model, capfd, top_p=float("nan"))


def test_cpu_settings_are_checked(chat_library: Library, write_script: WriteScript, capfd: Captured) -> None:
    model = write_script("npu_cores 3\n")
    mismatch = "Mismatch between enabled CPUs mask and expected count"
    assert mismatch in refuse(chat_library, model, capfd, enabled_cpus_num=3, enabled_cpus_mask=0xF0)
    out = refuse(chat_library, model, capfd, enabled_cpus_num=2, enabled_cpus_mask=3)
    assert "The number of enabled CPUs must be greater than or equal to the number of NPU cores." in out
    assert "between 1 and 8, but got 0" in refuse(chat_library, model, capfd, enabled_cpus_num=0)
    chat_library.open(model, enabled_cpus_num=3, enabled_cpus_mask=0x70).destroy()
    assert "Enabled cpus: [4, 5, 6]" in capfd.readouterr().out


def test_n_keep_must_be_below_the_window(chat_library: Library, write_script: WriteScript, capfd: Captured) -> None:
    model = write_script("")
    out = refuse(chat_library, model, capfd, max_context_len=64, n_keep=64)
    assert "n_keep 64 is not below max_context_len 64" in out
    chat_library.open(model, max_context_len=64, n_keep=63).destroy()


@pytest.mark.parametrize(("n_batch", "line"), [(0, "between 1 and 100, but got 0"), (101, "got 101"), (2, "got 2")])
def test_n_batch_is_checked(
    newest: Library, write_script: WriteScript, capfd: Captured, n_batch: int, line: str
) -> None:
    assert line in refuse(newest, write_script(""), capfd, n_batch=n_batch)


def test_bad_environment_is_refused(newest: Library, write_script: WriteScript, capfd: Captured) -> None:
    os.environ["RKLLM_EMULATOR_SEED"] = "many"
    out = refuse(newest, write_script(""), capfd)
    assert "RKLLM_EMULATOR_SEED must be a whole number between 0 and 4294967295, but is 'many'" in out


def test_an_unknown_template_is_warned_of(chat_library: Library, write_script: WriteScript, capfd: Captured) -> None:
    model = write_script('template <<X\n{{ messages }}\nX\nrule *\n  text "{n_prompt}"\nend\n')
    with chat_library.open(model) as handle:
        assert "W rkllm: the chat template of this model cannot be parsed" in capfd.readouterr().out
        assert handle.run("abcd").text == b"4"
