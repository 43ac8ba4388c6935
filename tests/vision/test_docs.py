"""docs/vision.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import PIL.Image
import pytest

from rkllm_providers.emulator import write_vision_encoder
from rkllm_providers.vision import FORMATS, PictureLimits, RknnLibrary, VisionEncoder

PAGE = (Path(__file__).parents[2] / "docs" / "vision.md").read_text()


def test_the_example_runs(library_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "VisionEncoder" in code]
    assert len(examples) == 1
    monkeypatch.setenv("RKNN_LIB_PATH", str(library_path))
    monkeypatch.chdir(tmp_path)
    write_vision_encoder(tmp_path / "qwen2-vl-2b_vision_rk3588.rknn")
    PIL.Image.new("RGB", (40, 30)).save(tmp_path / "cat.jpg")
    values: dict[str, object] = {}
    exec(compile(examples[0], "docs/vision.md", "exec"), values)
    assert getattr(values["rows"], "shape", None) == (4, 64)


def test_the_scripted_encoder_works(library: RknnLibrary, tmp_path: Path) -> None:
    example = re.search(r"```\n(#!rknn-script 1\n.*?)```", PAGE, re.DOTALL)
    assert example is not None
    path = tmp_path / "written.rknn"
    path.write_text(example[1])
    with VisionEncoder.load(library, path) as encoder:
        assert (encoder.facts.n_tokens, encoder.facts.n_embd) == (4, 64)
    assert write_vision_encoder(path, faults=["rknn_run -1 2"]).read_text() == example[1]


def test_formats_and_limits_are_those_of_the_page() -> None:
    limits = PictureLimits()
    assert f"| {limits.max_bytes // 1024**2} MiB |" in PAGE
    assert f"| {limits.max_pixels:,}; a side 65,535 |" in PAGE
    assert f"| pictures of a request | {limits.max_pictures} |" in PAGE
    assert FORMATS == ("JPEG", "PNG", "WEBP", "GIF", "BMP")
    assert "format than JPEG, PNG, WebP, GIF and BMP" in re.sub(r"\s+", " ", PAGE)
