"""The parameters of one run as the library's struct, with everything that struct points to."""

from __future__ import annotations

import ctypes
from dataclasses import fields
from typing import Any

from rkllm_providers.runtime.abi import Layout
from rkllm_providers.runtime.events import RunMode
from rkllm_providers.runtime.library import oversized
from rkllm_providers.runtime.parameters import SamplingParams, store


class InferParam:
    """``struct`` may be passed to the library while this object lives."""

    def __init__(self, layout: Layout, mode: RunMode) -> None:
        self._layout = layout
        self._kept: list[object] = []
        self.struct: Any = oversized(layout.structs["RKLLMInferParam"])
        self.struct.mode = layout.enums["RKLLMInferMode"][mode.value]

    def use_lora(self, name: bytes) -> None:
        """Run with a loaded adapter."""
        part = self._point("lora_params", "RKLLMLoraParam", name)
        part.lora_adapter_name = name

    def save_to(self, path: bytes) -> None:
        """Write the KV cache to a file at the end."""
        part = self._point("prompt_cache_params", "RKLLMPromptCacheParam", path)
        part.save_prompt_cache, part.prompt_cache_path = 1, path

    def sample(self, sampling: SamplingParams, default: Any) -> None:
        """Sample by these values; those that are ``None`` come from ``default``, a ``RKLLMParam``."""
        part = self._point("sampling_params", "RKLLMSamplingParam", None)
        # The struct replaces all nine values at once, so those not given are the handle's own.
        for field in fields(SamplingParams):
            setattr(part, field.name, getattr(default, field.name))
        store(part, sampling)

    def _point(self, member: str, type_name: str, data: object) -> Any:
        part = oversized(self._layout.structs[type_name])
        self._kept += [part, data]
        setattr(self.struct, member, ctypes.addressof(part))
        return part
