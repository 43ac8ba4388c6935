"""Rockchip NPU models for LlamaIndex. Needs the ``llama-index`` extra.

The names are imported when they are first used: LlamaIndex takes seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rkllm_providers.llama_index.embedding import RKLLMEmbedding
    from rkllm_providers.llama_index.llm import RKLLM
    from rkllm_providers.llama_index.rerank import RKLLMRerank

_HOMES = {"RKLLM": "llm", "RKLLMEmbedding": "embedding", "RKLLMRerank": "rerank"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith(("llama_index", "pydantic")):
            raise
        raise ModuleNotFoundError(
            "rkllm_providers.llama_index needs llama-index-core: pip install 'rkllm-providers[llama-index]'",
            name=error.name,
        ) from error
    return getattr(home, name)


__all__ = ["RKLLM", "RKLLMEmbedding", "RKLLMRerank"]
