"""Tokens back to text: what was encoded, byte for byte, and control tokens as they are written."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from tokenizers.pre_tokenizers import ByteLevel

from rkllm_providers.emulator import load_script
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.tokenizer import ScriptTokenizer, tokenizer_from_gguf, tokenizer_from_json

# Noncharacters that mark callers' text are replaced before it is encoded.
MARKS = [chr(at) for at in range(0xFDD0, 0xFDE0)]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=MARKS))
PIECES = st.lists(TEXT | st.sampled_from(["<|im_end|>", "<|im_start|>", "<think>", "  "]), max_size=6).map("".join)


@cache
def byte_level() -> ControlGuard:
    """All bytes, as vocabularies of today have them, and control tokens."""
    inner = Tokenizer(models.BPE({char: at for at, char in enumerate(sorted(ByteLevel.alphabet()))}, []))
    inner.pre_tokenizer = ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    inner.add_tokens(["<think>"])
    return ControlGuard(tokenizer_from_json(inner.to_str()))


@given(PIECES)
@settings(deadline=None)
def test_a_byte_level_vocabulary_gives_every_text_back(text: str) -> None:
    guard = byte_level()
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
