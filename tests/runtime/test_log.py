from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rkllm_providers.runtime as runtime
from rkllm_providers.runtime import explain, recognise
from rkllm_providers.runtime.log import LOG_PATTERNS

# Lines as quoted in public issue reports, unless marked as a guess at the wording.
LINES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "error: prompt gather than max context (prompt: 1299 tokens, max context: 1020)",
        "prompt_too_long",
        {"n_prompt_tokens": 1299, "n_ctx": 1020},
    ),
    (
        "E rkllm: prompt tokens (5000) is greater than max_context_len (4096)",  # a guess
        "prompt_too_long",
        {"n_prompt_tokens": 5000, "n_ctx": 4096},
    ),
    (
        "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]",
        "context_above_limit",
        {"requested": 16384, "limit": 4096},
    ),
    ("E rkllm: invalid rknn llm model magic", "invalid_magic", {}),
    (
        "Warning: The model version is too old, please use the latest toolkit to reconvert the model!",
        "model_too_old",
        {},
    ),
    ("The model target_platform does not match!", "platform_mismatch", {}),
    ("Query platform error!", "platform_unknown", {}),
    (
        "E rkllm: The number of enabled CPUs must be greater than or equal to the number of NPU cores.",
        "cpu_count",
        {},
    ),
    (
        "E rkllm: Mismatch between enabled CPUs mask and expected count. Please check the configuration.",
        "cpu_mask",
        {},
    ),
    ("E rkllm: n_batch must be between 1 and 100, but got 0", "n_batch", {"given": 0}),
    (
        "E RKNN: [04:40:30.107] failed to allocate handle, ret: -1, errno: 14, errstr: Bad address",
        "out_of_memory",
        {},
    ),
    (
        "E RKNN: [04:40:30.107] failed to malloc npu memory, size: 3087138816, flags: 0x2",
        "out_of_memory",
        {"size": 3087138816},
    ),
    ("E rkllm: matmul(w8a8) run failed", "matmul_failed", {"dtype": "w8a8"}),
    (
        "W rkllm: Warning: Your rknpu driver version is too low, please upgrade to 0.9.7.",
        "driver_too_old",
        {"required": "0.9.7"},
    ),
    ("set affinity failed", "cpu_affinity", {}),
    ("E rkllm: rkllm_init failed", "load_failed", {}),
    (
        "I rkllm: rkllm-runtime version: 1.2.1b1, rknpu driver version: 0.9.8, platform: RK3588",
        "runtime_version",
        {"version": "1.2.1b1", "driver": "0.9.8", "platform": "RK3588"},
    ),
    ("rkllm-runtime version: 1.0.1", "runtime_version", {"version": "1.0.1"}),
    (
        "I rkllm: rkllm-toolkit version: 1.2.0, max_context_limit: 4096, npu_core_num: 3, "
        "target_platform: RK3588, model_dtype: W8A8",
        "model_info",
        {"toolkit": "1.2.0", "limit": 4096, "npu_cores": 3, "platform": "RK3588", "dtype": "W8A8"},
    ),
    (
        "I rkllm: rkllm-toolkit version: unknown, max_context_limit: 4096, npu_core_num: 3",
        "model_info",
        {"toolkit": "unknown", "limit": 4096, "npu_cores": 3},
    ),
    (
        "I rkllm: kv cache matches 120 / 150 tokens of prompt",
        "cache_matched",
        {"cached": 120, "n_prompt_tokens": 150},
    ),
]


@pytest.mark.parametrize(("line", "kind", "values"), LINES)
def test_known_lines(line: str, kind: str, values: dict[str, Any]) -> None:
    notice = recognise(f"  {line}\n")
    assert notice is not None
    assert (notice.kind, notice.values) == (kind, values)
    assert "{" not in notice.advice


@pytest.mark.parametrize(
    "line", ["", "hello", "I rkllm: loading rkllm model from /m.rkllm", "Enabled cpus: [4, 5, 6, 7]"]
)
def test_other_lines(line: str) -> None:
    assert recognise(line) is None


def test_explain_prefers_causes_and_errors() -> None:
    driver = "W rkllm: Warning: Your rknpu driver version is too low, please upgrade to 0.9.7"
    limit = "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]"
    failed = "E rkllm: rkllm_init failed"
    explanation = explain([driver, limit, failed])
    assert explanation is not None
    assert "16384" in explanation
    assert "at most 4096" in explanation
    assert "driver" in (explain([driver, failed]) or "")
    assert explain([failed, "I rkllm: rkllm-runtime version: 1.3.0"]) is None
    assert explain([]) is None


def test_explain_takes_the_last_of_a_kind() -> None:
    lines = [f"prompt gather than max context (prompt: {n} tokens, max context: 512)" for n in (600, 700)]
    assert "700" in (explain(lines) or "")


@given(st.lists(st.text() | st.sampled_from([line for line, _, _ in LINES]), max_size=5))
def test_no_line_raises(lines: list[str]) -> None:
    explanation = explain(lines)
    assert explanation is None or explanation.endswith(".")
    assert all(
        re.search(r"\d{30}", str(notice.values)) is None for notice in map(recognise, lines) if notice is not None
    )


@given(
    st.sampled_from(LINES),
    st.integers(0, 60),
    st.text(alphabet="0123456789 prompt(){}[]%\x00\ud800é", max_size=40),
)
def test_damaged_lines_do_not_raise(known: tuple[str, str, Any], at: int, noise: str) -> None:
    line = known[0]
    advice = explain([line[:at] + noise + line[at:], line[:at], noise + line[at:]])
    assert advice is None or advice.strip()


@pytest.mark.parametrize("text", ["prompt ", "prompt 1", "n_keep", "kv cache reus ", "32 bit ", "1" * 50, "("])
def test_long_lines_take_no_time(text: str) -> None:
    begun = time.thread_time()  # others that keep the machine busy do not count
    recognise(text * 100_000)
    assert time.thread_time() - begun < 1


def test_endless_numbers_are_harmless() -> None:
    notice = recognise(f"n_batch must be between 1 and 100, but got {'9' * 1500}")
    assert notice is not None
    assert notice.values["given"] == int("9" * 18)


def test_each_advice_names_only_what_its_pattern_always_captures() -> None:
    for pattern in LOG_PATTERNS:
        for name in re.findall(r"{(\w+)}", pattern.advice):
            assert f"(?P<{name}>" in pattern.expression.pattern


# --- standard output


def run_python(code: str) -> str:
    # This variable would take away C's buffer, too.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    return process.stdout


WRITE = "import ctypes, os; libc = ctypes.CDLL(None); libc.printf(b'%s\\n', b'last words');"


def test_lines_of_a_crash_are_lost_without_line_buffering() -> None:
    assert run_python(WRITE + "os._exit(1)") == ""


def test_line_buffering_saves_them() -> None:
    set_up = "from rkllm_providers.runtime import line_buffer_stdout; line_buffer_stdout();"
    assert run_python(set_up + WRITE + "os._exit(1)") == "last words\n"


def test_flush_writes_them() -> None:
    after = "from rkllm_providers.runtime import flush; flush(); os._exit(1)"
    assert run_python(WRITE + after) == "last words\n"


# --- the package


def test_public_names() -> None:
    assert sorted(runtime.__all__) == sorted(set(runtime.__all__))
    for name in runtime.__all__:
        assert getattr(runtime, name) is not None
