"""Tokens back to text: what was encoded, byte for byte, and control tokens as they are written."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkllm_providers.emulator import load_script
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.catalog import built_in_model
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.gguf import read_head
from rkllm_providers.models.tokenizer import ScriptTokenizer, tokenizer_from_gguf, tokenizer_from_json

# Noncharacters that mark callers' text are replaced before it is encoded.
# The built-in model's vocabulary has no tokens for the bytes that begin characters of the planes from 4 on.
MARKS = [chr(at) for at in range(0xFDD0, 0xFDE0)]
TEXT = st.text(st.characters(max_codepoint=0x3FFFF, exclude_categories=["Cs"], exclude_characters=MARKS))
PIECES = st.lists(TEXT | st.sampled_from(["<|im_end|>", "<|im_start|>", "<think>", "  "]), max_size=6).map("".join)


@cache
def byte_level() -> ControlGuard | None:
    entry = built_in_model()
    tokenizer = tokenizer_from_gguf(read_head(entry.path)) if entry is not None else None
    return ControlGuard(tokenizer) if tokenizer is not None else None


@given(PIECES)
@settings(deadline=None)
def test_a_byte_level_vocabulary_gives_every_text_back(text: str) -> None:
    guard = byte_level()
    if guard is None:
        pytest.skip("the cpu extra, which brings the model, is not installed")
    assert guard.decode(guard.encode(guard.mark(text))) == text
    assert guard.decode(guard.encode(guard.trust(text))) == text


@given(PIECES)
@settings(deadline=None)
def test_a_scripted_model_does_too(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "decoding.script"
    if not path.exists():
        path.write_text("#!rkllm-script 1\nwords hello\n")
    guard = ControlGuard(ScriptTokenizer(load_script(path)))
    assert guard.decode(guard.encode(guard.mark(text))) == text


def sentencepiece(space_prefix: bool) -> dict[str, Any]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "b", "▁a", "ab", "▁ab"]
    types = [2, 3, 3, *[6] * 256, *[1] * 6]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.scores": [0.0] * 259 + [-float(at) for at in range(6)],
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_space_prefix": space_prefix,
    }


@pytest.mark.parametrize("space_prefix", [True, False])
@pytest.mark.parametrize("text", ["ab a", " a", "a  b", "é你", "ab</s>"])
def test_a_sentencepiece_vocabulary_too(space_prefix: bool, text: str) -> None:
    tokenizer = tokenizer_from_gguf(sentencepiece(space_prefix))
    assert tokenizer is not None
    guard = ControlGuard(tokenizer)
    assert guard.decode(guard.encode(guard.mark(text))) == text


def test_a_file_without_a_decoder_gets_no_blanks_between_tokens() -> None:
    content: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []},
    }
    guard = ControlGuard(tokenizer_from_json(json.dumps(content)))
    assert guard.decode(guard.encode("abba")) == "abba"
    for wrong in ([0, 2], [-1]):
        with pytest.raises(InvalidRequest, match=f"no token {wrong[-1]}: the vocabulary has the ids 0 to 1"):
            guard.decode(wrong)


def test_control_tokens_have_their_own_texts_again(tmp_path: Path) -> None:
    path = tmp_path / "m.script"
    path.write_text("#!rkllm-script 1\n")
    script = load_script(path)
    guard = ControlGuard(ScriptTokenizer(script))
    for text, token in {**script.controls, **script.markers}.items():
        assert guard.decode([token]) == text
