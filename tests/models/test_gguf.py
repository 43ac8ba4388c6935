"""Heads of GGUF files, whole and broken, and whether the tensors they describe are there."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkllm_providers.models.gguf import GGUFError, head_problem, read_head
from tests.models import gguf_files

PAIRS = {
    "general.name": ("str", "Tiny ÄÖ 你"),
    "llama.context_length": ("u32", 8192),
    "scale": ("f32", 0.5),
    "flag": ("bool", True),
    "big": ("u64", 1 << 40),
    "tokens": ("str[]", ["a", "b", ""]),
    "types": ("i32[]", [1, -3, 4]),
}


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_files.head(PAIRS) + b"tensor data")
    assert read_head(path) == {key: content for key, (_, content) in PAIRS.items()}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04", "magic"),
        (gguf_files.head({}, version=9), "version 9"),
        (gguf_files.head(PAIRS)[:60], "left"),
        (b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\xff" * 8, "keys"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(GGUFError, match=message):
        read_head(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_never_give_anything_but_an_error(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(gguf_files.head(PAIRS))
    for at in data.draw(st.lists(st.integers(4, len(raw) - 1), min_size=1, max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(raw[: data.draw(st.integers(4, len(raw)))]))
    head_problem(path)
    with contextlib.suppress(GGUFError):
        assert isinstance(read_head(path), dict)


def write_tensors(path: Path, *tensors: bytes, present: int, alignment: int | None = None) -> str | None:
    """What is wrong with a file that has so many bytes of tensor data."""
    pairs = {**PAIRS, **({"general.alignment": ("u32", alignment)} if alignment else {})}
    front = gguf_files.head(pairs, tensors=len(tensors)) + b"".join(tensors)
    step = alignment or 32
    path.write_bytes(front.ljust(-(-len(front) // step) * step, b"\0") + bytes(present))
    return head_problem(path)


@pytest.mark.parametrize(
    ("kind", "dimensions", "size"),
    [(0, [10, 3], 120), (1, [5], 10), (2, [64, 2], 72), (12, [256, 4], 576), (30, [], 2), (39, [32], 17)],
)
def test_a_file_that_ends_before_its_tensors_is_cut_short(
    tmp_path: Path, kind: int, dimensions: list[int], size: int
) -> None:
    first, last = gguf_files.tensor("a", [8], 0, 0), gguf_files.tensor("b", dimensions, kind, 64)
    for order in ((first, last), (last, first)):
        assert write_tensors(tmp_path / "m.gguf", *order, present=64 + size) is None
        problem = write_tensors(tmp_path / "m.gguf", *order, present=64 + size - 1)
        length = (tmp_path / "m.gguf").stat().st_size
        assert problem is not None
        assert f"is cut short: its tensors need {length + 1} bytes, and it has {length}." in problem


def test_tensors_are_aligned_as_the_head_says(tmp_path: Path) -> None:
    only = gguf_files.tensor("a", [8], 0, 0)
    assert write_tensors(tmp_path / "m.gguf", only, present=32, alignment=4096) is None
    assert "cut short" in str(write_tensors(tmp_path / "m.gguf", only, present=31, alignment=4096))


def test_of_a_type_that_is_not_known_only_the_beginning_must_be_there(tmp_path: Path) -> None:
    unknown = gguf_files.tensor("a", [1 << 40], 77, 64)
    assert write_tensors(tmp_path / "m.gguf", unknown, present=64) is None
    assert "cut short" in str(write_tensors(tmp_path / "m.gguf", unknown, present=63))


@pytest.mark.parametrize("odd", [gguf_files.tensor("a", [1] * 9, 0, 1 << 40), b"\xff" * 60, b"", b"ab"])
def test_tensors_that_cannot_be_read_are_left_to_the_library(tmp_path: Path, odd: bytes) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf_files.head(PAIRS, tensors=1) + odd)
    assert head_problem(tmp_path / "m.gguf") is None
    assert write_tensors(tmp_path / "m.gguf", present=0) is None
