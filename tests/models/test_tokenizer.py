"""The tokenizer made from a GGUF head gives llama.cpp's own ids."""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.catalog import built_in_model
from rkllm_providers.models.gguf import read_head
from rkllm_providers.models.tokenizer import (
    VocabularyTokenizer,
    tokenizer_from_gguf,
    tokenizer_from_json,
)
from tests.llama_api import llama_api

TEXTS = [
    "",
    "Hello, world!",
    "  leading and trailing  ",
    "Zahlen 1234567890 und 3.14",
    "line\nbreaks\n\n\n and\ttabs\r\n",
    "don't can't I'll you've",
    "你好，世界。日本語テキスト 한국어",
    "emoji 👩‍👩‍👧 and ünïcödé",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "def f(x):\n    return x ** 2  # square\n",
]


@pytest.fixture(scope="module")
def built_in() -> Path:
    entry = built_in_model()
    if entry is None:
        pytest.skip("the cpu extra, which brings the model, is not installed")
    return entry.path


@pytest.fixture(scope="module")
def head(built_in: Path) -> dict[str, Any]:
    return read_head(built_in)


@pytest.fixture(scope="module")
def tokenizer(head: dict[str, Any]) -> VocabularyTokenizer:
    made = tokenizer_from_gguf(head)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def vocabulary(built_in: Path) -> Iterator[Any]:
    api = llama_api()
    parameters = api.llama_model_default_params()
    parameters.vocab_only = True
    model = api.llama_model_load_from_file(str(built_in).encode(), parameters)
    yield api.llama_model_get_vocab(model)
    api.llama_model_free(model)


@pytest.mark.real
@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_llama_cpp(tokenizer: VocabularyTokenizer, vocabulary: Any, text: str) -> None:
    raw = text.encode()
    ids = (ctypes.c_int32 * (len(raw) + 8))()
    count = llama_api().llama_tokenize(vocabulary, raw, len(raw), ids, len(ids), False, True)
    assert tokenizer.encode(text) == list(ids[:count])


@pytest.mark.real
def test_an_unknown_kind_of_vocabulary_is_not_guessed_at(head: dict[str, Any]) -> None:
    assert tokenizer_from_gguf({**head, "tokenizer.ggml.pre": "never-heard-of"}) is None
    assert tokenizer_from_gguf({**head, "tokenizer.ggml.model": "t5"}) is None


def test_a_tokenizer_json_gives_its_own_ids_under_any_names(tmp_path: Path) -> None:
    inner = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2, "<unk>": 3}, [("a", "b")], unk_token="<unk>"))
    inner.add_special_tokens(["<|end|>"])
    inner.add_tokens(["<think>", "plain"])
    path = tmp_path / "tokenizer.json"
    inner.save(str(path))
    made = tokenizer_from_json(path)
    end, think = inner.token_to_id("<|end|>"), inner.token_to_id("<think>")
    assert made.control_tokens == {"<|end|>": end, "<think>": think}
    assert made.encode("aab<|end|>plain") == inner.encode("aab<|end|>plain").ids
    renamed = made.renamed({"<|end|>": "\ufdd1\ufdd2\ufdd1", "<think>": "\ufdd1\ufdd3\ufdd1"})
    assert renamed.encode("ab\ufdd1\ufdd2\ufdd1") == [2, end]
    assert end not in renamed.encode("ab<|end|>")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"model": 3}', '{"model": {"type": "BPE"}, "added_tokens": [1]}']
)
def test_a_broken_tokenizer_json_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json|Expecting"):
        tokenizer_from_json(path)


def test_a_fault_of_the_library_is_an_error_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {})

    class Broken:
        def encode(self, text: str, add_special_tokens: bool) -> None:
            raise panic("index out of range")

    inner = Tokenizer(models.BPE({"a": 0}, []))
    tokenizer = tokenizer_from_json(inner.to_str())
    monkeypatch.setattr(tokenizer, "_inner", Broken())
    with pytest.raises(InvalidRequest, match="4 characters: index out of range"):
        tokenizer.encode("text")
