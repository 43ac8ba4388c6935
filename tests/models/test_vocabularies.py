"""Every vocabulary gives llama.cpp's own ids, on its test strings and on text in many scripts."""

from __future__ import annotations

import ctypes
import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.gguf import read_head
from rkllm_providers.models.tokenizer import VocabularyTokenizer, tokenizer_from_gguf
from tests.llama_api import llama_api

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NAMES = ["deepseek-llm", "gpt-2", "llama-bpe", "llama-spm", "phi-3", "qwen2"]
SEPARATOR = "\n__ggml_vocab_test__\n"

pytestmark = pytest.mark.skipif(not (DATA / "vocab").is_dir(), reason=f"the public vocabularies are not at {DATA}")


@pytest.fixture(scope="module", params=NAMES)
def path(request: pytest.FixtureRequest) -> Path:
    found = DATA / "vocab" / f"ggml-vocab-{request.param}.gguf"
    if not found.exists():
        pytest.skip(f"{found.name} is not there")
    return found


@pytest.fixture(scope="module")
def tokenizer(path: Path) -> VocabularyTokenizer:
    made = tokenizer_from_gguf(read_head(path))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def reference(path: Path) -> Iterator[Any]:
    api = llama_api()
    parameters = api.llama_model_default_params()
    parameters.vocab_only = True
    model = api.llama_model_load_from_file(str(path).encode(), parameters)
    vocabulary = api.llama_model_get_vocab(model)

    def encode(text: str) -> list[int]:
        raw = text.encode()
        ids = (ctypes.c_int32 * (len(raw) + 16))()
        count = api.llama_tokenize(vocabulary, raw, len(raw), ids, len(ids), False, False)
        return list(ids[:count])

    yield encode
    api.llama_model_free(model)


def test_the_test_strings(path: Path, tokenizer: VocabularyTokenizer) -> None:
    texts = Path(f"{path}.inp").read_bytes().decode().split(SEPARATOR)[:-1]
    wanted = [[int(number) for number in line.split()] for line in Path(f"{path}.out").read_text().splitlines()]
    assert len(texts) == len(wanted) > 40
    for text, ids in zip(texts, wanted, strict=True):
        assert tokenizer.encode(text) == ids, text


@cache
def large_text() -> list[str]:
    """Passages in four languages, then every assigned character of the first three planes."""
    passages: list[str] = []
    for language in ("en", "de", "es", "zh"):
        content = json.loads((DATA / "xquad" / f"xquad.{language}.json").read_text())
        articles = content["data"][:12]
        passages += [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]
    # Control and format characters, unassigned ones, surrogates and private ones are left out: only C0
    # control characters are known to differ between tokenizers.
    characters = [chr(code) for code in range(0x20, 0x30000) if unicodedata.category(chr(code))[0] != "C"]
    words = ["".join(characters[at : at + 7]) for at in range(0, len(characters), 7)]
    return passages + [" ".join(words[at : at + 40]) for at in range(0, len(words), 40)]


def test_a_large_text_in_many_scripts(tokenizer: VocabularyTokenizer, reference: Any) -> None:
    different = [text for text in large_text() if tokenizer.encode(text) != reference(text)]
    assert different == []


def test_the_renamed_tokenizer_gives_the_same(tokenizer: VocabularyTokenizer) -> None:
    guard = ControlGuard(tokenizer)
    for text in large_text()[::25]:
        assert guard.encode(guard.mark(text)) == tokenizer.encode(text)
    for control, number in tokenizer.control_tokens.items():
        assert guard.encode(control) == [number]
        assert number not in guard.encode(guard.mark(f"a {control} b"))
