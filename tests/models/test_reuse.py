"""What a prompt shares with a recent one is not encoded again, and the ids are those of encoding it whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.gguf import read_head
from rkllm_providers.models.reuse import EncodedPrompt, RecentPrompts
from rkllm_providers.models.tokenizer import Tokenizer, tokenizer_from_gguf, tokenizer_from_json

VOCABULARIES = Path(__file__).resolve().parents[3] / "shared" / "data" / "vocab"
NAMES = ["llama-spm", "phi-3", "qwen2"]
FLAGS: list[dict[str, bool]] = [
    {},
    {"lstrip": True},
    {"rstrip": True},
    {"lstrip": True, "rstrip": True},
    {"single_word": True},
    {"normalized": True},
    {"normalized": True, "lstrip": True, "rstrip": True, "single_word": True},
]
NORMALIZERS: list[dict[str, Any] | None] = [
    None,
    {"type": "Prepend", "prepend": "▁"},
    {"type": "NFKC"},
]
PRE_TOKENIZERS: list[dict[str, Any] | None] = [
    None,
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    {"type": "Whitespace"},
]
WORDS = ["<", "<|im_start|", "|>", "user", "\n", " ", "\n\n", "  a", "b ", "ab", "1", "你", "🙂", "é", "e\u0301"]

Steps = list[tuple[int, list[int | str]]]
# Each prompt is the beginning of the one before it, and more: a number is a control token, a string a caller's.
steps: st.SearchStrategy[Steps] = st.lists(
    st.tuples(st.integers(0, 60), st.lists(st.integers(0, 5) | st.sampled_from(WORDS), max_size=8)), max_size=7
)


def prompts(guard: ControlGuard, tokenizer: Tokenizer, changes: Steps) -> list[str]:
    controls = list(tokenizer.control_tokens)[-6:]
    made = [""]
    for kept, pieces in changes:
        new = [guard.mark(piece) if isinstance(piece, str) else controls[piece % len(controls)] for piece in pieces]
        made.append(made[-1][:kept] + "".join(new))
    return made


def check(tokenizer: Tokenizer, changes: Steps) -> None:
    guard = ControlGuard(tokenizer)
    for prompt in prompts(guard, tokenizer, changes):
        assert guard.encode(prompt) == ControlGuard(tokenizer).encode(prompt)


class SharedShadow:
    """A vocabulary that is built once and not for every guard."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.control_tokens = tokenizer.control_tokens
        self.encode = tokenizer.encode
        self.decode = tokenizer.decode
        self._tokenizer = tokenizer
        self._shadow: Tokenizer | None = None

    def renamed(self, names: Mapping[str, str]) -> Tokenizer:
        self._shadow = self._shadow or self._tokenizer.renamed(names)
        return self._shadow


@cache
def vocabulary(name: str) -> SharedShadow | None:
    path = VOCABULARIES / f"ggml-vocab-{name}.gguf"
    if not path.exists():
        return None
    tokenizer = tokenizer_from_gguf(read_head(path))
    assert tokenizer is not None
    return SharedShadow(tokenizer)


@pytest.mark.parametrize("name", NAMES)
@given(changes=steps)
@settings(deadline=None)
def test_the_ids_are_those_of_a_fresh_guard(name: str, changes: Steps) -> None:
    tokenizer = vocabulary(name)
    if tokenizer is None:
        pytest.skip(f"the public vocabularies are not at {VOCABULARIES}")
    check(tokenizer, changes)


@cache
def made_up(folder: Path, flags: int, ordinary_flags: int, normalizer: int, pre_tokenizer: int) -> SharedShadow:
    words = {char: number for number, char in enumerate(["<unk>", *"▁ \nabuser1<|>_imt", "us", "▁▁", "▁a", "ab"])}
    added = [
        {"id": words["<unk>"], "content": "<unk>", "special": True, **FLAGS[0]},
        *(
            {"id": len(words) + number, "content": text, "special": True, **FLAGS[flags]}
            for number, text in enumerate(["<|im_start|>", "<|im_start|>x", "<|end|>", "</s>"])
        ),
        {"id": len(words) + 4, "content": "ser", "special": False, **FLAGS[ordinary_flags]},
        {"id": len(words) + 5, "content": "\n\n", "special": False, **FLAGS[ordinary_flags]},
    ]
    for token in added:
        for flag in ("lstrip", "rstrip", "single_word", "normalized"):
            token.setdefault(flag, False)
    content = {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": NORMALIZERS[normalizer],
        "pre_tokenizer": PRE_TOKENIZERS[pre_tokenizer],
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "vocab": words,
            "merges": [["u", "s"], ["▁", "▁"], ["▁", "a"], ["a", "b"]],
            "unk_token": "<unk>",
        },
    }
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(content))
    return SharedShadow(tokenizer_from_json(path))


@given(
    flags=st.integers(0, len(FLAGS) - 1),
    ordinary=st.integers(0, len(FLAGS) - 1),
    normalizer=st.integers(0, len(NORMALIZERS) - 1),
    pre_tokenizer=st.integers(0, len(PRE_TOKENIZERS) - 1),
    changes=steps,
)
@settings(deadline=None)
def test_whatever_the_flags_of_added_tokens_and_the_steps_around_the_model(
    tmp_path_factory: pytest.TempPathFactory,
    flags: int,
    ordinary: int,
    normalizer: int,
    pre_tokenizer: int,
    changes: Steps,
) -> None:
    tokenizer = made_up(tmp_path_factory.getbasetemp(), flags, ordinary, normalizer, pre_tokenizer)
    check(tokenizer, changes)


class CountingTokenizer:
    """Characters as tokens, three control tokens, and a count of the characters that were encoded."""

    def __init__(self, names: Mapping[str, str] | None = None, counted: list[int] | None = None) -> None:
        self.control_tokens = {"<a>": 1, "<b>": 2, "<c>": 3}
        self._names = names or {text: text for text in self.control_tokens}
        self.counted = counted if counted is not None else [0]

    def renamed(self, names: Mapping[str, str]) -> CountingTokenizer:
        return CountingTokenizer(names, self.counted)

    def decode(self, ids: Sequence[int]) -> str:
        texts = {number: text for text, number in self.control_tokens.items()}
        return "".join(texts.get(number) or chr(number) for number in ids)

    def encode(self, text: str) -> list[int]:
        self.counted[0] += len(text)
        for control, name in self._names.items():
            text = text.replace(name, chr(self.control_tokens[control]))
        return [ord(char) for char in text]


def test_only_the_new_turn_is_encoded() -> None:
    tokenizer = CountingTokenizer()
    guard = ControlGuard(tokenizer)
    begun = "".join(f"<a>{'long ' * 100}<b>" for _ in range(20)) + "<c>"
    guard.encode(begun)
    tokenizer.counted[0] = 0
    ids = guard.encode(f"{begun}short<b><a>new<b><c>")
    assert 10 < tokenizer.counted[0] < 600
    assert ids == ControlGuard(CountingTokenizer()).encode(f"{begun}short<b><a>new<b><c>")


def test_a_prompt_is_not_changed_by_who_gets_its_ids() -> None:
    guard = ControlGuard(CountingTokenizer())
    first = guard.encode("<a>one<b>")
    wanted = list(first)
    first.clear()
    second = guard.encode("<a>one<b>")
    assert second == wanted
    second.append(9)
    assert guard.encode("<a>one<b>") == wanted


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    recent = RecentPrompts(4)
    for number in range(12):
        recent.keep(EncodedPrompt(f"{number:04}{'x' * 100}", [7], [0], [0]), None)
    assert recent.best("0003" + "x" * 100) == (None, 0)
    found, shared = recent.best("0004" + "x" * 9)
    assert found is not None
    assert (found.text[:4], shared) == ("0004", 1)
    recent.keep(EncodedPrompt("y" * 999_900, [7], [0], [0]), None)
    assert recent.best("0011x") == (None, 0)
    recent.keep(EncodedPrompt("z" * 1_000_001, [7], [0], [0]), None)
    assert recent.best("zzzz") == (None, 0)
    assert recent.best("yyyy")[1] == 1


def test_threads_share_a_guard() -> None:
    guard = ControlGuard(CountingTokenizer())
    talks = [[f"<a>{name}{'<b>more' * number}<c>" for number in range(40)] for name in "pqrst"]

    def encode(talk: list[str]) -> list[list[int]]:
        return [guard.encode(prompt) for prompt in talk]

    with ThreadPoolExecutor(5) as pool:
        results = list(pool.map(encode, talks))
    for talk, ids in zip(talks, results, strict=True):
        assert ids == [ControlGuard(CountingTokenizer()).encode(prompt) for prompt in talk]
