"""Text to token ids, for the models whose vocabulary is known.

A tokenizer here is made under *names* for its control tokens: the texts by which they are found. Under
their own texts they are found in everything; under names nobody can write they are found only where
somebody who knows the names put them (see ``control``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

from tokenizers import AddedToken, decoders, models, normalizers
from tokenizers import Tokenizer as HFTokenizer

from rkllm_providers.emulator.script import Script
from rkllm_providers.models.pre_tokenizers import WHOLE_WORD_RULES, pre_tokenizer

# Markers that frame thinking and tool use. They are control tokens for us even where a vocabulary calls
# them ordinary added tokens, as Qwen's does. Source: the families' tokenizer.json and chat templates.
MARKERS: Final = frozenset(
    {
        *("<think>", "</think>", "[THINK]", "[/THINK]", "<seed:think>", "</seed:think>"),
        *("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>"),
        *("[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
        *("<|python_tag|>", "<|tool_call|>", "<|/tool_call|>", "<|tool_response|>", "<|tool|>", "<|/tool|>"),
        *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
        *("<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>", "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"),
        "<｜tool▁sep｜>",
    }
)

# tokenizer.ggml.token_type values (llama.cpp).
_NORMAL_TYPE: Final = 1
_CONTROL_TYPE: Final = 3
_USER_DEFINED_TYPE: Final = 4
_END_TOKEN_KEYS: Final = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id")
_SPACE: Final = "▁"  # what SentencePiece writes for a blank


class Tokenizer(Protocol):
    """What the rest of the package needs of a tokenizer. Safe to share between threads."""

    @property
    def control_tokens(self) -> Mapping[str, int]:
        """Control tokens (special tokens and markers) and their ids."""
        ...

    def renamed(self, names: Mapping[str, str]) -> Tokenizer:
        """The same tokenizer with control tokens found under other texts: their ids and flags stay."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; control tokens are found in it, and nothing is put around it."""
        ...


class ScriptTokenizer:
    """The vocabulary of a scripted model."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.control_tokens: Mapping[str, int] = {**script.controls, **script.markers}
        self.encode = script.encode

    def renamed(self, names: Mapping[str, str]) -> ScriptTokenizer:
        """The same tokenizer with control tokens found under other texts."""
        tokens = list(self._script.tokens)
        for text, name in names.items():
            tokens[self.control_tokens[text]] = name.encode()
        return ScriptTokenizer(replace(self._script, tokens=tuple(tokens)))


@dataclass(frozen=True)
class _Added:
    """A token that is found in text before anything else happens to it."""

    text: str
    id: int
    special: bool
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    normalized: bool = False

    def named(self, name: str) -> AddedToken:
        return AddedToken(
            name,
            single_word=self.single_word,
            lstrip=self.lstrip,
            rstrip=self.rstrip,
            normalized=self.normalized,
            special=self.special,
        )


class _Vocabulary(Protocol):
    """Makes a tokenizer with control tokens under given names."""

    @property
    def added(self) -> Sequence[_Added]: ...

    def build(self, names: Mapping[str, str]) -> HFTokenizer: ...


class VocabularyTokenizer:
    """A tokenizer of the ``tokenizers`` library, built when it is first used."""

    def __init__(self, vocabulary: _Vocabulary, names: Mapping[str, str] | None = None) -> None:
        self._vocabulary = vocabulary
        self._names = dict(names or {})
        self._inner: HFTokenizer | None = None
        self.control_tokens: Mapping[str, int] = {
            token.text: token.id for token in vocabulary.added if token.special or token.text in MARKERS
        }

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same tokenizer with control tokens found under other texts."""
        return type(self)(self._vocabulary, names)

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; control tokens are found in it, and nothing is put around it."""
        if self._inner is None:
            self._inner = self._vocabulary.build(self._names)
        return self._inner.encode(text, add_special_tokens=False).ids


class _GGUFVocabulary:
    """A vocabulary from ``tokenizer.ggml.*``: byte-level BPE, or SentencePiece BPE with scores."""

    def __init__(self, head: Mapping[str, Any], added: Sequence[_Added]) -> None:
        self._tokens: list[str] = head["tokenizer.ggml.tokens"]
        self._types: list[int] = head["tokenizer.ggml.token_type"]
        self._merges: list[str] = head.get("tokenizer.ggml.merges") or []
        self._scores: list[float] = head.get("tokenizer.ggml.scores") or []
        self._rule = str(head.get("tokenizer.ggml.pre", ""))
        self._byte_level = head["tokenizer.ggml.model"] == "gpt2"
        self._unknown = int(head.get("tokenizer.ggml.unknown_token_id", 0))
        self._space_prefix = bool(head.get("tokenizer.ggml.add_space_prefix", True))
        self.added = added

    def build(self, names: Mapping[str, str]) -> HFTokenizer:
        ids = {names.get(token, token): index for index, token in enumerate(self._tokens)}
        inner = self._byte_level_bpe(ids) if self._byte_level else self._sentencepiece(ids, names)
        for special in (True, False):
            tokens = [
                token.named(names.get(token.text, token.text)) for token in self.added if token.special is special
            ]
            (inner.add_special_tokens if special else inner.add_tokens)(tokens)
        return inner

    def _byte_level_bpe(self, ids: dict[str, int]) -> HFTokenizer:
        pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in self._merges)]
        inner = HFTokenizer(models.BPE(ids, pairs, ignore_merges=self._rule in WHOLE_WORD_RULES))
        inner.pre_tokenizer = pre_tokenizer(self._rule)
        inner.decoder = decoders.ByteLevel()
        return inner

    def _sentencepiece(self, ids: dict[str, int], names: Mapping[str, str]) -> HFTokenizer:
        # SentencePiece always joins the neighbours whose whole has the best score; that is BPE with
        # every possible pair as a merge, ranked by the score of what it makes.
        ranked: list[tuple[float, tuple[str, str]]] = []
        for token, kind, score in zip(self._tokens, self._types, self._scores, strict=True):
            if kind != _NORMAL_TYPE:
                continue
            for cut in range(1, len(token)):
                pair = token[:cut], token[cut:]
                if pair[0] in ids and pair[1] in ids:
                    ranked.append((-score, pair))
        ranked.sort(key=lambda entry: entry[0])
        unknown = self._tokens[self._unknown]
        inner = HFTokenizer(
            models.BPE(
                ids,
                [pair for _, pair in ranked],
                byte_fallback=True,
                fuse_unk=True,
                unk_token=names.get(unknown, unknown),
            )
        )
        blanks = normalizers.Replace(" ", _SPACE)
        inner.normalizer = (
            normalizers.Sequence([normalizers.Prepend(_SPACE), blanks]) if self._space_prefix else blanks
        )
        return inner


class _JSONVocabulary:
    """A ``tokenizer.json`` of the ``tokenizers`` library."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self.added = [
            _Added(
                token["content"],
                token["id"],
                bool(token.get("special")),
                bool(token.get("lstrip")),
                bool(token.get("rstrip")),
                bool(token.get("single_word")),
                bool(token.get("normalized")),
            )
            for token in content.get("added_tokens", [])
        ]

    def build(self, names: Mapping[str, str]) -> HFTokenizer:
        content = dict(self._content)
        content["added_tokens"] = [
            {**token, "content": names.get(token["content"], token["content"])}
            for token in content.get("added_tokens", [])
        ]
        model = dict(content["model"])
        if isinstance(model.get("vocab"), dict):
            model["vocab"] = {names.get(token, token): index for token, index in model["vocab"].items()}
        if model.get("unk_token") in names:
            model["unk_token"] = names[model["unk_token"]]
        content["model"] = model
        # What is put around a text is the template's business here, and may name tokens by their texts.
        content["post_processor"] = None
        return HFTokenizer.from_str(json.dumps(content))


def tokenizer_from_gguf(head: Mapping[str, Any]) -> VocabularyTokenizer | None:
    """The tokenizer that a GGUF head describes.

    ``None`` where its kind is not supported (neither byte-level BPE with a known rule nor SentencePiece
    BPE) or where its parts do not fit together; such a model gets text, not tokens.
    """
    tokens = head.get("tokenizer.ggml.tokens")
    types = head.get("tokenizer.ggml.token_type")
    kind = head.get("tokenizer.ggml.model")
    if not tokens or not types or len(types) != len(tokens):
        return None
    if kind == "gpt2":
        if not head.get("tokenizer.ggml.merges") or pre_tokenizer(str(head.get("tokenizer.ggml.pre", ""))) is None:
            return None
    elif kind != "llama" or len(head.get("tokenizer.ggml.scores") or ()) != len(tokens):
        return None
    added = [
        _Added(token, index, special=kind == _CONTROL_TYPE)
        for index, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (_CONTROL_TYPE, _USER_DEFINED_TYPE)
    ]
    return VocabularyTokenizer(_GGUFVocabulary(head, added))


def tokenizer_from_json(path: Path) -> VocabularyTokenizer:
    """The tokenizer in a ``tokenizer.json``.

    Raises:
        ValueError: The file is not one.
        OSError: It cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
        vocabulary = _JSONVocabulary(content)
        HFTokenizer.from_str(json.dumps(content))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a tokenizer.json: {error!r}.") from error
    except ValueError:
        raise
    except Exception as error:  # the library raises bare Exception for what it cannot parse
        raise ValueError(f"{path} is not a tokenizer.json: {error}.") from error
    return VocabularyTokenizer(vocabulary)


def end_token_ids(head: Mapping[str, Any]) -> frozenset[int]:
    """The ids that end a generation, as far as a GGUF head names them."""
    return frozenset(int(head[key]) for key in _END_TOKEN_KEYS if key in head)
