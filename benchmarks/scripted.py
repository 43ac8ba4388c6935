"""Scripted models for measurements, opened and closed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rkllm_providers.chat import ChatMessage, Finish
from rkllm_providers.engine import EngineLimits, EngineRegistry, ModelClient
from rkllm_providers.models import Catalog

BOARD: Final = "prefill_base_ms 63\nprefill_ms 2.3\ndecode_ms 77\n"
"""A model of 1.7 billion parameters on an RK3588, by published figures."""
PREFILL_SECONDS: Final = 0.0023
"""What such a model takes for one token of a short prompt."""


@contextmanager
def scripted_model(
    text: str, version: str = "1.3.0", limits: EngineLimits | None = None, context_length: int | None = None
) -> Iterator[ModelClient]:
    """A client on a model of this script (without its first line), loaded already."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scripted.rkllm"
        path.write_text(f"#!rkllm-script 1\n{text}")
        registry = EngineRegistry()
        try:
            client = registry.acquire(
                Catalog(path.parent).find(path),
                runtime_version=version,
                limits=limits,
                context_length=context_length,
            )
            client.complete(ask("Hello!"))
            yield client
        finally:
            registry.close()


def ask(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


def prefilled(finish: Finish) -> int:
    """Prompt tokens that had to be read."""
    return finish.usage.prompt_tokens - finish.usage.cached_tokens
