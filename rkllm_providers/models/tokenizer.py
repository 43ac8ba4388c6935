"""Text to token ids, for the models whose vocabulary is known.

A tokenizer here is made under *names* for its control tokens: the texts by which they are found. Under
their own texts they are found in everything; under names nobody can write they are found only where
somebody who knows the names put them (see ``control``).
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from tokenizers import AddedToken, decoders, models, normalizers
from tokenizers import Tokenizer as HFTokenizer

from rkllm_providers.emulator.script import Script
from rkllm_providers.errors import InvalidRequest
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
        *("<|channel>", "<channel|>", "<|think|>", "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", '<|"|>'),
        *("<|tool_response>", "<tool_response|>"),
    }
)

# tokenizer.ggml.token_type values (llama.cpp).
_NORMAL_TYPE: Final = 1
_CONTROL_TYPE: Final = 3
_USER_DEFINED_TYPE: Final = 4
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

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens as the texts they are found by."""
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

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; what is no whole character becomes U+FFFD.

        Raises:
            InvalidRequest: There is no such token.
        """
        _check_ids(ids, len(self._script.tokens))
        return self._script.decode(ids).decode(errors="replace")


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


def _check_ids(ids: Sequence[int], size: int) -> None:
    wrong = next((token for token in ids if not 0 <= token < size), None)
    if wrong is not None:
        raise InvalidRequest(f"There is no token {wrong}: the vocabulary has the ids 0 to {size - 1}.", "ids")


@contextmanager
def _faults_of_library(what: str) -> Iterator[None]:
    """Faults of the library itself are no Exceptions, and would pass every handler above."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise InvalidRequest(
            f"The model's tokenizer failed on {what}: {error}. "
            f"Its tokenizer.json combines parts that the tokenizers library cannot handle."
        ) from error


class _Vocabulary(Protocol):
    """Makes a tokenizer with control tokens under given names."""

    @property
    def added(self) -> Sequence[_Added]: ...

    @property
    def size(self) -> int: ...

    @property
    def post_processor(self) -> object: ...

    def build(self, names: Mapping[str, str]) -> HFTokenizer: ...

    def ordinary(self) -> dict[str, int]: ...


class VocabularyTokenizer:
    """A tokenizer of the ``tokenizers`` library, built when it is first used, which takes up to seconds."""

    def __init__(self, vocabulary: _Vocabulary, names: Mapping[str, str] | None = None) -> None:
        self._vocabulary = vocabulary
        self._names = dict(names or {})
        self._inner: HFTokenizer | None = None
        self._renamed: VocabularyTokenizer | None = None
        self._original = self  # lives as long as what was made of it, so that others find that
        self._lock = threading.Lock()
        self.control_tokens: Mapping[str, int] = {
            token.text: token.id for token in vocabulary.added if token.special or token.text in MARKERS
        }
        self.added_texts = frozenset(token.text for token in vocabulary.added)
        self.size = vocabulary.size
        self.post_processor = vocabulary.post_processor

    def renamed(self, names: Mapping[str, str]) -> VocabularyTokenizer:
        """The same tokenizer with control tokens found under other texts; one for all who ask for the same."""
        with self._lock:
            if self._renamed is None or self._renamed._names != names:
                self._renamed = VocabularyTokenizer(self._vocabulary, names)
                self._renamed._original = self
            return self._renamed

    def ordinary_tokens(self) -> dict[str, int]:
        """Ids by text of the tokens that are made out of text, in the vocabulary's own spelling; made anew."""
        return self._vocabulary.ordinary()

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; control tokens are found in it, and nothing is put around it.

        Raises:
            InvalidRequest: The tokenizer fails on the text.
        """
        inner = self._built()
        with _faults_of_library(f"a text of {len(text)} characters"):
            return inner.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; what is no whole character becomes U+FFFD.

        Raises:
            InvalidRequest: There is no such token, or the tokenizer fails on them.
        """
        _check_ids(ids, self.size)
        inner = self._built()
        with _faults_of_library(f"{len(ids)} tokens"):
            return inner.decode(list(ids), skip_special_tokens=False)

    def _built(self) -> HFTokenizer:
        inner = self._inner
        if inner is None:
            with self._lock:
                if self._inner is None:
                    self._inner = self._vocabulary.build(self._names)
                inner = self._inner
        return inner


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
        self.size = len(self._tokens)
        self.post_processor = None

    def build(self, names: Mapping[str, str]) -> HFTokenizer:
        ids = {names.get(token, token): index for index, token in enumerate(self._tokens)}
        inner = self._byte_level_bpe(ids) if self._byte_level else self._sentencepiece(ids, names)
        for special in (True, False):
            tokens = [
                token.named(names.get(token.text, token.text)) for token in self.added if token.special is special
            ]
            (inner.add_special_tokens if special else inner.add_tokens)(tokens)
        return inner

    def ordinary(self) -> dict[str, int]:
        kinds = zip(self._tokens, self._types, strict=True)
        return {token: at for at, (token, kind) in enumerate(kinds) if kind == _NORMAL_TYPE}

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
        parts = [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
        inner.decoder = decoders.Sequence(parts + ([decoders.Strip(" ", 1, 0)] if self._space_prefix else []))
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
            for token in content.get("added_tokens") or []
        ]
        self.size = max(len(content["model"]["vocab"]), *(token.id + 1 for token in self.added), 0)
        self.post_processor = content.get("post_processor")

    def build(self, names: Mapping[str, str]) -> HFTokenizer:
        content = dict(self._content)
        content["added_tokens"] = [
            {**token, "content": names.get(token["content"], token["content"])}
            for token in content.get("added_tokens") or []
        ]
        model = dict(content["model"])
        if isinstance(model.get("vocab"), dict):
            model["vocab"] = {names.get(token, token): index for token, index in model["vocab"].items()}
        elif isinstance(model.get("vocab"), list):
            model["vocab"] = [[names.get(token, token), score] for token, score in model["vocab"]]
        if model.get("unk_token") in names:
            model["unk_token"] = names[model["unk_token"]]
        content["model"] = model
        # What is put around a text is the template's business here, and may name tokens by their texts.
        content["post_processor"] = None
        # Some files still hold the limits of the training run; a prompt is never cut.
        content["truncation"] = content["padding"] = None
        inner = HFTokenizer.from_str(json.dumps(content))
        if inner.decoder is None:
            inner.decoder = decoders.Fuse()  # without one, tokens would be joined with blanks
        return inner

    def ordinary(self) -> dict[str, int]:
        vocab = self._content["model"]["vocab"]
        ids = dict(vocab) if isinstance(vocab, dict) else {token: at for at, (token, _) in enumerate(vocab)}
        for added in self.added:
            ids.pop(added.text, None)
        return ids


def tokenizer_from_gguf(head: Mapping[str, Any]) -> VocabularyTokenizer | None:
    """The tokenizer that a GGUF head describes.

    ``None`` where its kind is not supported (neither byte-level BPE with a known rule nor SentencePiece
    BPE) or where its parts do not fit together; such a model gets text, not tokens.
    """
    try:
        return None if gguf_tokenizer_problem(head) else VocabularyTokenizer(_gguf_vocabulary(head))
    except (TypeError, ValueError, OverflowError):
        return None


def _gguf_vocabulary(head: Mapping[str, Any]) -> _GGUFVocabulary:
    added = [
        _Added(token, index, special=kind == _CONTROL_TYPE)
        for index, (token, kind) in enumerate(
            zip(head["tokenizer.ggml.tokens"], head["tokenizer.ggml.token_type"], strict=True)
        )
        if kind in (_CONTROL_TYPE, _USER_DEFINED_TYPE) and token
    ]
    return _GGUFVocabulary(head, added)


def gguf_tokenizer_problem(head: Mapping[str, Any]) -> str | None:
    """Why no tokenizer can be made of a GGUF head: how its parts do not add up; ``None`` where one can."""
    tokens = head.get("tokenizer.ggml.tokens")
    types = head.get("tokenizer.ggml.token_type")
    kind = head.get("tokenizer.ggml.model")
    if not tokens:
        return "it has no list of tokens"
    if not _holds(tokens, str):
        return "its tokens are no texts"
    if not _holds(types, int) or _count(types) != len(tokens):
        return f"it has {len(tokens)} tokens and {_count(types)} types of tokens"
    if kind == "gpt2":
        return _bpe_problem(head, tokens)
    if kind != "llama":
        return f"a vocabulary of the kind {str(kind)[:40]!r} is not supported"
    scores = head.get("tokenizer.ggml.scores")
    if not _holds(scores, float) or _count(scores) != len(tokens) or not all(map(math.isfinite, scores or ())):
        return f"it has {len(tokens)} tokens and {_count(scores)} scores that are numbers"
    unknown = head.get("tokenizer.ggml.unknown_token_id", 0)
    if not isinstance(unknown, int) or not 0 <= unknown < len(tokens):
        return f"its token for the unknown is {str(unknown)[:40]}, and it has {len(tokens)} tokens"
    return None


def _bpe_problem(head: Mapping[str, Any], tokens: list[str]) -> str | None:
    merges = head.get("tokenizer.ggml.merges")
    rule = str(head.get("tokenizer.ggml.pre", ""))
    if pre_tokenizer(rule) is None:
        return f"its rule for cutting text, {rule[:40]!r}, is not known"
    if not merges or not _holds(merges, str):
        return "it has no merges"
    known = set(tokens)
    for merge in merges:
        left, blank, right = merge.partition(" ")
        if not blank or left not in known or right not in known or left + right not in known:
            return f"its merge {merge[:40]!r} is of tokens it does not have"
    return None


def _holds(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _count(values: object) -> int:
    return len(values) if isinstance(values, list) else 0


def tokenizer_from_json(source: Path | bytes | str) -> VocabularyTokenizer:
    """The tokenizer in a ``tokenizer.json``, which is read from its path or given as content.

    Raises:
        ValueError: It is not one.
        OSError: The file cannot be read.
    """
    what = str(source) if isinstance(source, Path) else "The text"
    content = source.read_bytes() if isinstance(source, Path) else source
    text = content if isinstance(content, str) else content.decode("utf-8", errors="replace")
    try:
        vocabulary = _JSONVocabulary(json.loads(text))
        inner = HFTokenizer.from_str(text)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{what} is not a tokenizer.json: {error!r}.") from error
    except ValueError:
        raise
    except Exception as error:  # the library raises bare Exception for what it cannot parse
        raise ValueError(f"{what} is not a tokenizer.json: {error}.") from error
    for token in vocabulary.added:
        if inner.token_to_id(token.text) != token.id:
            found = inner.token_to_id(token.text)
            raise ValueError(f"{what} gives the token {token.text!r} the ids {token.id!r} and {found!r}.")
    return VocabularyTokenizer(vocabulary)
