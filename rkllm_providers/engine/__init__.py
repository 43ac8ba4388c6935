"""A model at work: its worker process, its queue, and clients for threads and event loops.

The names are imported when they are first used: the worker process lives in this package too, and
should not pay for tokenizers and templates that only its parent needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rkllm_providers.durations import FOREVER, parse_keep_alive

if TYPE_CHECKING:
    from rkllm_providers.engine.async_answer import AsyncAnswer
    from rkllm_providers.engine.client import ModelClient
    from rkllm_providers.engine.engine import Engine
    from rkllm_providers.engine.kept_states import KeptStateSettings
    from rkllm_providers.engine.language_model import LanguageModel, ModelFacts, collect
    from rkllm_providers.engine.lease import ModelAddress, ModelLease
    from rkllm_providers.engine.memory import Budget, parse_budget, parse_size
    from rkllm_providers.engine.registry import EngineRegistry, open_model, shared_registry
    from rkllm_providers.engine.residency import Residency
    from rkllm_providers.engine.row_uses import EmbeddingResult, RerankScore
    from rkllm_providers.engine.run import EngineLimits, LoadSpec, RunDone, RunRequest, RuntimeInfo

_HOMES = {
    "ModelClient": "client",
    "AsyncAnswer": "async_answer",
    "Engine": "engine",
    "KeptStateSettings": "kept_states",
    "LanguageModel": "language_model",
    "ModelFacts": "language_model",
    "collect": "language_model",
    "ModelAddress": "lease",
    "ModelLease": "lease",
    "Budget": "memory",
    "parse_budget": "memory",
    "parse_size": "memory",
    "EngineRegistry": "registry",
    "open_model": "registry",
    "shared_registry": "registry",
    "Residency": "residency",
    "EmbeddingResult": "row_uses",
    "RerankScore": "row_uses",
    "EngineLimits": "run",
    "LoadSpec": "run",
    "RunDone": "run",
    "RunRequest": "run",
    "RuntimeInfo": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "FOREVER",
    "AsyncAnswer",
    "Budget",
    "EmbeddingResult",
    "Engine",
    "EngineLimits",
    "EngineRegistry",
    "KeptStateSettings",
    "LanguageModel",
    "LoadSpec",
    "ModelAddress",
    "ModelClient",
    "ModelFacts",
    "ModelLease",
    "RerankScore",
    "Residency",
    "RunDone",
    "RunRequest",
    "RuntimeInfo",
    "collect",
    "open_model",
    "parse_budget",
    "parse_keep_alive",
    "parse_size",
    "shared_registry",
]
