import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkllm_providers.models.gguf import GGUFError, read_head
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_never_give_anything_but_an_error(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(gguf_files.head(PAIRS))
    for at in data.draw(st.lists(st.integers(4, len(raw) - 1), min_size=1, max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(raw[: data.draw(st.integers(4, len(raw)))]))
    with contextlib.suppress(GGUFError):
        assert isinstance(read_head(path), dict)
