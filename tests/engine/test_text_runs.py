"""Bounds on what a run on text may take of the window, on a library that puts much around a text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rkllm_providers.engine.text_runs import TextRuns
from rkllm_providers.runtime import Feature, PromptInput
from rkllm_providers.runtime.features import supports


class WordyHandle:
    """Counts a token for each byte, and those of a template around them."""

    def __init__(self, version: str, around: int) -> None:
        self.library = SimpleNamespace(supports=lambda feature: supports(version, feature))
        self._around = around
        self._size = 0

    def clear_kv_cache(self) -> None:
        self._size = 0

    def kv_cache_size(self) -> int:
        return self._size

    def run(self, content: PromptInput, on_event: object, max_new_tokens: int | None, lora: str | None) -> Any:
        self._size = self.tokens(content.text)
        return SimpleNamespace(perf=SimpleNamespace(prefill_tokens=self._size))

    def hidden_states(self, content: PromptInput, lora: str | None) -> Any:
        return SimpleNamespace(shape=(self.tokens(content.text), 8))

    def tokens(self, text: str) -> int:
        return len(text.encode()) + self._around


@pytest.mark.parametrize("version", ["1.1.4", "1.2.0", "1.2.3", "1.3.0"])
@pytest.mark.parametrize("max_tokens", [None, 10, 900, 4000])
@pytest.mark.parametrize("size", [1, 300, 700, 1500])
def test_a_template_s_own_text_counts(version: str, max_tokens: int | None, size: int) -> None:
    around = 300 if supports(version, Feature.CHAT_TEMPLATE) else 1
    handle = WordyHandle(version, around)
    runs = TextRuns(handle, 2048, raw=False)  # type: ignore[arg-type]
    order = {"max_tokens": max_tokens, "bound": size, "fingerprint": "x", "newest": None, "enable_thinking": None}
    run = runs.prepare(order, "a" * size)
    assert run.limit >= 1
    assert handle.tokens(run.content.text) + run.limit <= 2048
    if max_tokens == 10:
        assert run.limit == 10
