"""Which tokens end an answer: all that anybody names, and control tokens whose texts are known to.

A runtime was seen to read a wrong end token from models of an older toolkit, and then never to stop; so
what is listed here decides, and not what the runtime does by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rkllm_providers.models.families import Family
from rkllm_providers.models.families_table import END_TEXTS
from rkllm_providers.models.head import Head
from rkllm_providers.models.overrides import Overrides
from rkllm_providers.models.side_files import GENERATION_CONFIG, TOKENIZER_CONFIG
from rkllm_providers.models.tokenizer import MARKERS

_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class EndTokens:
    """End tokens by id, with who named each, and their texts as far as they are known."""

    sources: Mapping[int, str]
    texts: tuple[str, ...]


def find_end_tokens(
    overrides: Overrides,
    head: Head,
    generation: Mapping[str, Any],
    config_end: str | None,
    control_tokens: Mapping[str, int],
    size: int | None,
    family: Family | None,
    notes: list[str],
) -> EndTokens:
    """All end tokens of a model whose vocabulary has ``control_tokens`` and ``size`` tokens."""
    search = _Search(control_tokens, size, notes)
    for item in overrides.end_tokens:
        search.add(item, overrides.sources["end_tokens"])
    for token, key in head.end_tokens.items():
        search.add(token, key)
    named = generation.get("eos_token_id")
    for one in (named if isinstance(named, list) else [named])[:_MOST]:
        if one is not None:
            search.add(one if isinstance(one, int) else str(one), GENERATION_CONFIG)
    if config_end:
        search.add(config_end, TOKENIZER_CONFIG)
    for text in control_tokens:
        if text in END_TEXTS and text not in MARKERS:
            search.add(text, "its text")
    if family is not None and not search.texts:
        search.texts += family.end_texts
    return EndTokens(search.found, tuple(dict.fromkeys(search.texts)))


class _Search:
    def __init__(self, control_tokens: Mapping[str, int], size: int | None, notes: list[str]) -> None:
        self._ids = control_tokens
        self._texts = {token: text for text, token in control_tokens.items()}
        self._size = size if size is not None else 1 << 31
        self._notes = notes
        self.found: dict[int, str] = {}
        self.texts: list[str] = []

    def add(self, token: int | str, source: str) -> None:
        if isinstance(token, str):
            self.texts.append(token)
            if token in self._ids:
                self.found.setdefault(self._ids[token], source)
            elif self._ids:
                self.texts.pop()
                self._notes.append(f"{source} names the end token {token[:40]!r}, which is no control token here.")
        elif isinstance(token, bool) or not 0 <= token < self._size:
            self._notes.append(f"{source} names the end token {token}, and there are {self._size} tokens.")
        else:
            self.found.setdefault(token, source)
            if token in self._texts:
                self.texts.append(self._texts[token])
