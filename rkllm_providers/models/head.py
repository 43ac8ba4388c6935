"""What is believed of a model file's head: values whose types, ranges and lengths make sense together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rkllm_providers.models.overrides import LARGEST_CONTEXT

_MOST_TEMPLATE_CHARACTERS: Final = 1024 * 1024
_CONTROL_TYPE: Final = 3
_USER_DEFINED_TYPE: Final = 4
_VISION_PREFIXES: Final = ("rkllm.vision.", "clip.")
_POOLING_TO_RANK: Final = 4
_NO_TOKEN: Final = 0xFFFFFFFF  # how some writers say that there is no such token
END_TOKEN_KEYS: Final = (
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
    "tokenizer.ggml.eos_token_ids",
)
_SPECIAL_KEYS: Final = {
    "bos_token": "tokenizer.ggml.bos_token_id",
    "eos_token": "tokenizer.ggml.eos_token_id",
    "unk_token": "tokenizer.ggml.unknown_token_id",
    "pad_token": "tokenizer.ggml.padding_token_id",
}
# general.file_type of GGUF files. Source: the list of llama.cpp's file types.
_FILE_TYPES: Final = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    32: "BF16",
}


@dataclass(frozen=True, slots=True)
class Head:
    """A head's values that add up; ``notes`` has a sentence for each that does not.

    ``added_tokens`` are the ids of control tokens and others that are found in text before anything else,
    ``control_tokens`` those of the first kind. ``end_tokens`` has the key that named each.
    """

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    architecture: str | None = None
    context_limit: int | None = None
    context_key: str = ""
    vocabulary_size: int | None = None
    added_tokens: Mapping[str, int] = field(default_factory=dict)
    control_tokens: Mapping[str, int] = field(default_factory=dict)
    special_tokens: Mapping[str, str] = field(default_factory=dict)
    end_tokens: Mapping[int, str] = field(default_factory=dict)
    template: str | None = None
    template_source: str = "tokenizer.chat_template in the model's head"
    tokenizer_json: str | None = None
    toolkit_version: str | None = None
    npu_cores: int | None = None
    platform: str | None = None
    data_type: str | None = None
    embeds: str | None = None
    ranks: str | None = None
    sees: str | None = None
    notes: tuple[str, ...] = ()


def believed(values: Mapping[str, Any], *, is_gguf: bool) -> Head:
    """What makes sense of the values in a head."""
    judge = _Judge(values)
    architecture = judge.word("general.architecture")
    tokens = judge.tokens()
    types = judge.types(tokens)
    added = _of_types(tokens, types, (_CONTROL_TYPE, _USER_DEFINED_TYPE))
    size = len(tokens) if tokens is not None else None
    context_key = f"{architecture}.context_length" if is_gguf else "rkllm.max_context"
    pooling_key = f"{architecture}.pooling_type"
    pooling = judge.number(pooling_key, 0, 16)
    special = {name: judge.token(key, size) for name, key in _SPECIAL_KEYS.items()}
    file_type = judge.number("general.file_type", 0, 1 << 16)
    type_name = None
    if file_type is not None:
        type_name = _FILE_TYPES.get(file_type) if is_gguf else None
        type_name = type_name or f"file type {file_type}"
    template = judge.text("tokenizer.chat_template", _MOST_TEMPLATE_CHARACTERS)
    return Head(
        values,
        architecture,
        judge.number(context_key, 1, LARGEST_CONTEXT),
        context_key,
        size,
        added,
        _of_types(tokens, types, (_CONTROL_TYPE,)),
        {name: tokens[at] for name, at in special.items() if tokens is not None and at is not None},
        judge.end_tokens(size),
        template,
        tokenizer_json=judge.text("tokenizer.huggingface.json", 1 << 26),
        toolkit_version=judge.word("rkllm.version"),
        npu_cores=judge.number("rkllm.core_num", 1, 64),
        platform=judge.word("rkllm.target_platform"),
        data_type=judge.word("rkllm.model_dtype") or type_name,
        embeds=pooling_key if pooling not in (None, 0, _POOLING_TO_RANK) and template is None else None,
        ranks=pooling_key if pooling == _POOLING_TO_RANK else None,
        sees=next((key for key in sorted(values) if key.startswith(_VISION_PREFIXES)), None),
        notes=tuple(judge.notes),
    )


def _of_types(tokens: Sequence[str] | None, types: Sequence[int] | None, wanted: tuple[int, ...]) -> dict[str, int]:
    if tokens is None or types is None:
        return {}
    return {token: at for at, (token, kind) in enumerate(zip(tokens, types, strict=True)) if kind in wanted and token}


class _Judge:
    """Looks at one value after another, and notes what makes no sense."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.notes: list[str] = []

    def _refuse(self, key: str, why: str) -> None:
        self.notes.append(f"The value of {key} in the model's head is left out: {why}.")

    def number(self, key: str, least: int, most: int) -> int | None:
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._refuse(key, f"it is {_shown(value)}, and not a whole number from {least} to {most}")
            return None
        return value

    def text(self, key: str, most: int) -> str | None:
        value = self._values.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not value.strip():
            self._refuse(key, f"it is {_shown(value)}, and not a text")
            return None
        if len(value) > most:
            self._refuse(key, f"it has {len(value)} characters, more than {most}")
            return None
        return value

    def word(self, key: str) -> str | None:
        value = self.text(key, 100)
        if value is not None and not value.isprintable():
            self._refuse(key, f"it is {_shown(value)}, and not a word")
            return None
        return value

    def tokens(self) -> list[str] | None:
        key = "tokenizer.ggml.tokens"
        value = self._values.get(key)
        if value is None or value == []:
            return None
        if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
            self._refuse(key, "it is not a list of texts")
            return None
        return value

    def types(self, tokens: list[str] | None) -> list[int] | None:
        key = "tokenizer.ggml.token_type"
        value = self._values.get(key)
        if value is None or tokens is None:
            return None
        if not isinstance(value, list) or not all(isinstance(kind, int) for kind in value):
            self._refuse(key, "it is not a list of numbers")
            return None
        if len(value) != len(tokens):
            self._refuse(key, f"it has {len(value)} entries for {len(tokens)} tokens")
            return None
        return value

    def token(self, key: str, size: int | None) -> int | None:
        value = self._values.get(key)
        if value in (None, -1, _NO_TOKEN):
            return None
        return self._token_id(key, value, size)

    def end_tokens(self, size: int | None) -> dict[int, str]:
        found: dict[int, str] = {}
        for key in END_TOKEN_KEYS:
            value = self._values.get(key)
            for item in value if isinstance(value, list) else [value]:
                if item in (None, -1, _NO_TOKEN):
                    continue
                # What is wrong with the token of a template's variable was noted with that.
                quiet = key in _SPECIAL_KEYS.values()
                token = self._token_id(key, item, size, quiet=quiet)
                if token is not None:
                    found.setdefault(token, key)
        return found

    def _token_id(self, key: str, value: Any, size: int | None, *, quiet: bool = False) -> int | None:
        most = (size if size is not None else 1 << 31) - 1
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            if not quiet:
                self._refuse(key, f"it is {_shown(value)}, and not the id of a token, from 0 to {most}")
            return None
        return value


def _shown(value: object) -> str:
    text = f"a list of {len(value)}" if isinstance(value, list) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
