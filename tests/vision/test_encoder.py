"""Encoders on the emulator: what they say of themselves, what they are given, and that nothing is left behind."""

from __future__ import annotations

import ctypes
import logging
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rkllm_providers.emulator import write_vision_encoder
from rkllm_providers.errors import EngineClosed, InvalidRequest, ModelLoadError, RknnError
from rkllm_providers.vision import EncoderFacts, RknnLibrary, VisionEncoder
from rkllm_providers.vision.abi import structs
from tests.vision.conftest import Counters, LoadEncoder


def picture(width: int = 28, height: int = 28, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def rows_of(pixels: NDArray[np.uint8], grid: tuple[int, int], n_embd: int, n_outputs: int) -> NDArray[np.float32]:
    """What a scripted encoder makes of a picture, worked out from the documentation."""
    height, width = pixels.shape[:2]
    n_tokens = grid[0] * grid[1]
    sum_ = zlib.crc32(pixels.tobytes())
    rows = np.zeros((n_tokens, n_outputs, n_embd // n_outputs), np.float32)
    for token in range(n_tokens):
        y, x = divmod(token, grid[1])
        part = pixels[
            height * y // grid[0] : height * (y + 1) // grid[0], width * x // grid[1] : width * (x + 1) // grid[1]
        ]
        colour = part.reshape(-1, 3).mean(0)
        for output in range(n_outputs):
            head = [4096 + output, n_outputs, token, n_tokens, width, height, sum_ >> 16, sum_ & 0xFFFF]
            rows[token, output, :11] = [*head, *colour]
    return rows.reshape(n_tokens, n_embd)


def test_facts(load_encoder: LoadEncoder) -> None:
    encoder = load_encoder(width=56, height=28, n_tokens=8, n_embd=96, n_outputs=3)
    told = "0.0.0 (emulator)"
    assert encoder.facts == EncoderFacts(56, 28, 3, 8, 96, 3, told, told)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize(("n_tokens", "grid"), [(4, (2, 2)), (6, (2, 3)), (7, (1, 7))])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_rows(load_encoder: LoadEncoder, n_outputs: int, n_tokens: int, grid: tuple[int, int], layout: str) -> None:
    encoder = load_encoder(width=30, height=20, n_tokens=n_tokens, n_embd=48, n_outputs=n_outputs, layout=layout)
    assert (encoder.facts.width, encoder.facts.height) == (30, 20)
    pixels = picture(30, 20)
    rows = encoder.encode(pixels)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, rows_of(pixels, grid, 48, n_outputs))


def test_rows_are_the_callers_own(load_encoder: LoadEncoder) -> None:
    encoder = load_encoder()
    first = encoder.encode(picture(seed=1))
    kept = first.copy()
    second = encoder.encode(picture(seed=2))
    encoder.close()
    np.testing.assert_array_equal(first, kept)
    assert not np.array_equal(first, second)


def test_pixels_in_any_order_of_memory(load_encoder: LoadEncoder) -> None:
    encoder = load_encoder()
    pixels = picture()
    np.testing.assert_array_equal(encoder.encode(np.asfortranarray(pixels)), encoder.encode(pixels))
    np.testing.assert_array_equal(encoder.encode(pixels[:, ::-1]), encoder.encode(pixels[:, ::-1].copy()))


def test_other_shapes_are_refused_before_the_library_sees_them(load_encoder: LoadEncoder) -> None:
    encoder = load_encoder(width=30, height=20)
    wrong: list[NDArray[Any]] = [picture(20, 30), picture(30, 20)[..., :1], picture(30, 20).astype(np.float32)]
    for pixels in wrong:
        with pytest.raises(InvalidRequest, match=r"takes bytes of the shape \(20, 30, 3\), not "):
            encoder.encode(pixels)


@pytest.mark.parametrize(("n_cores", "mask"), [(None, 0), (1, 0), (2, 3), (3, 7), (4, 0)])
def test_cores(load_encoder: LoadEncoder, counters: Counters, n_cores: int | None, mask: int) -> None:
    encoder = load_encoder(n_cores)
    assert encoder._context is not None
    assert counters.core_mask(encoder._context) == mask


def test_closing(load_encoder: LoadEncoder, counters: Counters) -> None:
    encoder = load_encoder()
    assert counters.contexts == 1
    with encoder as same:
        assert same is encoder
    assert counters.contexts == 0
    encoder.close()
    with pytest.raises(EngineClosed, match="was closed"):
        encoder.encode(picture())


def test_a_failing_end_is_logged(
    library: RknnLibrary, tmp_path: Path, caplog: pytest.LogCaptureFixture, counters: Counters
) -> None:
    path = write_vision_encoder(tmp_path / "e.rknn", faults=["rknn_destroy -1 1"])
    encoder = VisionEncoder.load(library, path)
    context = encoder._context
    with caplog.at_level(logging.WARNING):
        encoder.close()
    assert "could not be freed: rknn_destroy returned -1 (RKNN_ERR_FAIL)" in caplog.text
    library.call("rknn_destroy", context)


def test_two_encoders_at_once(load_encoder: LoadEncoder, library: RknnLibrary, tmp_path: Path) -> None:
    small = load_encoder()
    large_path = write_vision_encoder(tmp_path / "large.rknn", 56, 56)
    with VisionEncoder.load(library, large_path) as large:
        assert small.encode(picture())[0, 4] == 28
        assert large.encode(picture(56, 56))[0, 4] == 56


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("rknn_init -13", r"cannot be loaded: rknn_init returned -13 .*another chip"),
        ("rknn_set_core_mask -5", r"cannot be used: rknn_set_core_mask returned -5 \(RKNN_ERR_PARAM_INVALID\)"),
        ("rknn_query -1 1", r"cannot be used: rknn_query returned -1"),
        ("rknn_query -1 4", r"cannot be used: rknn_query returned -1"),
    ],
)
def test_failures_to_load(load_encoder: LoadEncoder, fault: str, told: str) -> None:
    with pytest.raises(ModelLoadError, match=rf"^The vision encoder .*scripted\.rknn {told}") as raised:
        load_encoder(3, faults=[fault])
    assert isinstance(raised.value.__cause__, RknnError)


def test_what_is_no_encoder_is_refused(library: RknnLibrary, counters: Counters, tmp_path: Path) -> None:
    path = tmp_path / "a.rknn"
    with pytest.raises(ModelLoadError, match=r"a\.rknn cannot be loaded: .*RKNN_ERR_MODEL_INVALID"):
        VisionEncoder.load(library, path)
    for text in (
        "RKNN",
        "#!rknn-script 1\nwidth 3",
        "#!rknn-script 1\nwidth x",
        "#!rknn-script 1\nfault rknn_fly -1",
    ):
        path.write_text(text)
        with pytest.raises(ModelLoadError, match="RKNN_ERR_MODEL_INVALID"):
            VisionEncoder.load(library, path)


@pytest.mark.parametrize("function", ["rknn_inputs_set", "rknn_run", "rknn_outputs_get", "rknn_outputs_release"])
def test_a_failing_run_leaves_nothing_and_the_next_one_works(
    load_encoder: LoadEncoder, counters: Counters, function: str
) -> None:
    encoder = load_encoder(n_outputs=3, n_embd=66, faults=[f"{function} -1 1"])
    with pytest.raises(RknnError) as raised:
        encoder.encode(picture())
    assert (raised.value.function, raised.value.code) == (function, -1)
    assert counters.outputs == 0
    np.testing.assert_array_equal(encoder.encode(picture()), rows_of(picture(), (2, 2), 66, 3))


def no_numbers(output: Any) -> None:
    ctypes.memset(output.buf, 0xFF, 8)


def too_small(output: Any) -> None:
    output.size -= 4


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_numbers, "2 of 256 numbers are infinite or none at all"),
        (too_small, "output 0 has 1020 bytes, and 1024 were told"),
    ],
)
def test_rows_that_cannot_be_used(
    load_encoder: LoadEncoder,
    counters: Counters,
    library: RknnLibrary,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Any], None],
    told: str,
) -> None:
    encoder = load_encoder()
    call = library.call

    def spoiling(name: str, *arguments: Any) -> None:
        call(name, *arguments)
        if name == "rknn_outputs_get":
            output: Any = structs()["rknn_output"]
            spoil(output.from_address(arguments[2]))

    monkeypatch.setattr(library, "call", spoiling)
    with pytest.raises(RknnError, match=f"cannot be used: {told}"):
        encoder.encode(picture())
    assert counters.outputs == 0


@pytest.mark.parametrize("code", [-1, 0])
def test_what_failed_first_is_told(
    load_encoder: LoadEncoder,
    library: RknnLibrary,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    encoder = load_encoder(faults=[f"rknn_outputs_release {code} 1"] if code else [])
    call = library.call

    def spoiling(name: str, *arguments: Any) -> None:
        call(name, *arguments)
        if name == "rknn_outputs_get":
            too_small(structs()["rknn_output"].from_address(arguments[2]))

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(library, "call", spoiling)
        with pytest.raises(RknnError, match="output 0 has 1020 bytes"):
            encoder.encode(picture())
    assert ("could not be freed: rknn_outputs_release returned -1" in caplog.text) is bool(code)
    np.testing.assert_array_equal(encoder.encode(picture()), rows_of(picture(), (2, 2), 64, 1))


@pytest.mark.parametrize(
    ("command", "changes", "told"),
    [
        ("RKNN_QUERY_IN_OUT_NUM", {"n_input": 2}, "it has 2 inputs and 2 outputs"),
        ("RKNN_QUERY_IN_OUT_NUM", {"n_output": 0}, "it has 1 inputs and 0 outputs"),
        ("RKNN_QUERY_INPUT_ATTR", {"n_dims": 3}, r"its input has the shape \[1, 28, 28\], not that of one picture"),
        ("RKNN_QUERY_INPUT_ATTR", {"dims": (1, 28, 28, 4)}, "not that of a picture with 3 channels"),
        ("RKNN_QUERY_INPUT_ATTR", {"dims": (2, 28, 28, 3)}, "not that of one picture"),
        ("RKNN_QUERY_OUTPUT_ATTR", {"n_dims": 2}, r"its output 0 has the shape \[1, 4\], not tokens x numbers"),
        ("RKNN_QUERY_OUTPUT_ATTR", {"dims": (1, 4, 16)}, "not tokens x numbers"),
        ("RKNN_QUERY_OUTPUT_ATTR", {"n_dims": 99}, "said to have 99 dimensions"),
        ("RKNN_QUERY_OUTPUT_ATTR", {1: (1, 8, 16)}, "its outputs have different shapes: 4 x 32, 8 x 16"),
    ],
)
def test_models_that_are_no_encoders(
    load_encoder: LoadEncoder,
    library: RknnLibrary,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    changes: dict[str | int, Any],
    told: str,
) -> None:
    query = library.query

    def changed(context: int, asked: str, struct: str, index: int = 0) -> Any:
        answer = query(context, asked, struct, index)
        for name, value in changes.items() if asked == command else ():
            if name in ("dims", index):
                answer.dims[:4] = (*value, 0)[:4]
            elif isinstance(name, str):
                setattr(answer, name, value)
        return answer

    monkeypatch.setattr(library, "query", changed)
    with pytest.raises(ModelLoadError, match=f"cannot be used: {told}" if told.startswith("it") else told):
        load_encoder(n_outputs=2)


def test_tokens_are_the_first_dimension_above_one(
    load_encoder: LoadEncoder, library: RknnLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = library.query

    def with_more_ones(context: int, asked: str, struct: str, index: int = 0) -> Any:
        answer = query(context, asked, struct, index)
        if asked == "RKNN_QUERY_OUTPUT_ATTR":
            answer.n_dims, answer.dims[:5] = 5, (1, 1, *answer.dims[1:3], 1)
        return answer

    monkeypatch.setattr(library, "query", with_more_ones)
    assert (load_encoder().facts.n_tokens, load_encoder().facts.n_embd) == (4, 64)


def test_runs_are_logged_for_other_processes(
    load_encoder: LoadEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "runs"
    monkeypatch.setenv("RKNN_EMULATOR_RUN_LOG", str(log))
    encoder = load_encoder()
    pixels = picture()
    encoder.encode(pixels)
    encoder.encode(pixels)
    assert log.read_text() == f"28x28 {zlib.crc32(pixels.tobytes()):08x}\n" * 2


def test_faults_of_the_environment(load_encoder: LoadEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RKNN_EMULATOR_FAULT", "rknn_run -2 1")
    encoder = load_encoder()
    with pytest.raises(RknnError, match=r"RKNN_ERR_TIMEOUT\)\. The NPU did not answer in time"):
        encoder.encode(picture())
    assert encoder.encode(picture()).shape == (4, 64)


def test_scripts_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "e.rknn"
    with pytest.raises(ValueError, match="n_outputs times at least 11, not 20 with 2"):
        write_vision_encoder(path, n_embd=20, n_outputs=2)
    with pytest.raises(ValueError, match="at least 2 tokens, not 1"):
        write_vision_encoder(path, n_tokens=1)
    assert not path.exists()
