"""Text to token ids and back, for the models whose files carry their vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as HFTokenizer

_GPT2_WORDS: Final = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
_BYTES_ONLY: Final = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
_QWEN2: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_LLAMA3: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _split(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), _BYTES_ONLY])


# tokenizer.ggml.pre -> how text is cut before merging. Source: llama.cpp's llama-vocab.cpp, which
# names these rules, and the tokenizer.json files of the families they stand for.
_PRE_TOKENIZERS: Final[Mapping[str, pre_tokenizers.PreTokenizer]] = {
    "gpt-2": _GPT2_WORDS,
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), _GPT2_WORDS]),
    "qwen2": _split(_QWEN2),
    "llama-bpe": _split(_LLAMA3),
}

# tokenizer.ggml.token_type values (llama.cpp): control tokens, and tokens the model's user defined.
_CONTROL_TYPE: Final = 3
_USER_DEFINED_TYPE: Final = 4
_END_TOKEN_KEYS: Final = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id")


class Tokenizer(Protocol):
    """What the rest of the package needs of a tokenizer. Safe to share between threads."""

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``, control tokens in it recognised, nothing added around it."""
        ...


class BytePairTokenizer:
    """A byte-level BPE vocabulary from a GGUF head, on the ``tokenizers`` library."""

    def __init__(self, inner: HFTokenizer) -> None:
        self._inner = inner

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``, control tokens in it recognised, nothing added around it."""
        return self._inner.encode(text, add_special_tokens=False).ids


def tokenizer_from_gguf(head: Mapping[str, Any]) -> BytePairTokenizer | None:
    """Build the tokenizer that a GGUF head describes.

    Returns ``None`` where the vocabulary is of a kind that is not supported (anything but
    byte-level BPE with a known pre-tokenizer); such a model gets text, not tokens.
    """
    pre_tokenizer = _PRE_TOKENIZERS.get(str(head.get("tokenizer.ggml.pre", "")))
    tokens = head.get("tokenizer.ggml.tokens")
    merges = head.get("tokenizer.ggml.merges")
    if head.get("tokenizer.ggml.model") != "gpt2" or pre_tokenizer is None or not tokens or merges is None:
        return None
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    inner = HFTokenizer(models.BPE(vocabulary, pairs, ignore_merges=head["tokenizer.ggml.pre"] == "llama-bpe"))
    inner.pre_tokenizer = pre_tokenizer
    inner.decoder = decoders.ByteLevel()
    types = head.get("tokenizer.ggml.token_type") or []
    control = [token for token, kind in zip(tokens, types, strict=False) if kind == _CONTROL_TYPE]
    defined = [token for token, kind in zip(tokens, types, strict=False) if kind == _USER_DEFINED_TYPE]
    inner.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    inner.add_tokens([AddedToken(token, normalized=False) for token in defined])
    return BytePairTokenizer(inner)


def end_token_ids(head: Mapping[str, Any]) -> frozenset[int]:
    """The ids that end a generation, as far as a GGUF head names them."""
    return frozenset(int(head[key]) for key in _END_TOKEN_KEYS if key in head)
