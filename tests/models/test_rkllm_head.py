"""Typed pairs in .rkllm files, whose exact head is not published: files made for the purpose."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkllm_providers.models.gguf import read_rkllm_head
from tests.models import gguf_files

PAIRS = {
    "general.architecture": ("str", "qwen3"),
    "rkllm.version": ("str", "1.2.1"),
    "rkllm.max_context": ("u32", 16384),
    "tokenizer.ggml.tokens": ("str[]", ["a", "b", "<|im_end|>"]),
    "tokenizer.ggml.eos_token_id": ("i32", 2),
    "tokenizer.chat_template": ("str", "{{ messages }}"),
}
WANTED = {key: content for key, (_, content) in PAIRS.items()}


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.rkllm"
    path.write_bytes(content)
    return path


def test_the_same_pairs_behind_another_magic(tmp_path: Path) -> None:
    content = b"RKxx" + gguf_files.head(PAIRS)[4:] + bytes(1000)
    assert read_rkllm_head(write(tmp_path, content)) == WANTED


@pytest.mark.parametrize("front", [0, 3, 4096])
def test_pairs_in_an_unknown_order_of_things(tmp_path: Path, front: int) -> None:
    scattered = b"".join(
        bytes(7) + gguf_files.string(key) + gguf_files.value(kind, content) for key, (kind, content) in PAIRS.items()
    )
    assert read_rkllm_head(write(tmp_path, b"\x01" * front + scattered + bytes(100))) == WANTED


def test_a_name_in_a_text_is_no_key(tmp_path: Path) -> None:
    content = b"The key rkllm.max_context holds the context window." + struct.pack("<II", 4, 77)
    assert read_rkllm_head(write(tmp_path, content)) == {}


def test_a_key_whose_value_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    broken = gguf_files.string("tokenizer.chat_template") + struct.pack("<IQ", 8, 1 << 60)
    good = gguf_files.string("rkllm.max_context") + gguf_files.value("u32", 4096)
    assert read_rkllm_head(write(tmp_path, broken + good)) == {"rkllm.max_context": 4096}


@pytest.mark.parametrize("content", [b"", b"RK", b"\x00" * 5000, b"GGUF"])
def test_a_file_without_pairs_gives_none(tmp_path: Path, content: bytes) -> None:
    assert read_rkllm_head(write(tmp_path, content)) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_raises(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(b"RKxx" + gguf_files.head(PAIRS)[4:])
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=6)):
        raw[at] = data.draw(st.integers(0, 255))
    found = read_rkllm_head(write(tmp_path, bytes(raw[: data.draw(st.integers(0, len(raw)))])))
    assert all(isinstance(key, str) for key in found)
