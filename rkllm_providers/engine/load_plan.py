"""What a worker is told to load, and what is changed about it where the library does not agree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rkllm_providers.chat.types import Sampling
from rkllm_providers.engine.run import EngineLimits, LoadSpec
from rkllm_providers.models import PromptForm
from rkllm_providers.models.observations import observe
from rkllm_providers.runtime.log import recognise

logger = logging.getLogger(__name__)

CHECK_TEXT: Final = (
    "In 1969, Neil walked 3.5 hours on it; unbelievably, antidisestablishmentarianism isn't $12,345.67\n"
    "    return {x_1: [n - 1]}  # e-mail@example.org"
)
"""What is counted by both sides. ASCII only: raw prompts with Chinese were reported to crash a runtime."""


class LoadPlan:
    """How one engine's workers load the model. Belongs to the engine's thread; others may read it."""

    def __init__(self, spec: LoadSpec, limits: EngineLimits | None = None) -> None:
        self.spec = spec
        self._limits = limits or EngineLimits()
        self.form = spec.form
        self.context_length = spec.context_length
        self._learned_limit = False

    def order(self, sampling: Sampling) -> dict[str, Any]:
        """The content of a ``LOAD`` frame."""
        spec = self.spec
        by_tokens = self.form is PromptForm.TOKENS
        # A tokenizer that was found to be another model's has taken its ids with it.
        ids_hold = self.form is spec.form
        return {
            "model": str(spec.model_path),
            "emulated": spec.emulated,
            "library": spec.library,
            "version": spec.runtime_version,
            "context_length": self.context_length,
            "sampling": asdict(sampling),
            # Their text is wanted wherever it can be told from the answer's: some are markers of thinking
            # and tool calls, and some end the answer.
            "skip_special_tokens": self.form is PromptForm.RUNTIME,
            # Prompts with pictures are text, rendered here as the others are.
            "raw": self.form is PromptForm.RAW
            or (spec.plain_text and self.form is PromptForm.RUNTIME)
            or (spec.vision is not None and self.form is PromptForm.TOKENS),
            "vision": None if spec.vision is None else spec.vision.order(),
            "picture_limits": asdict(self._limits.pictures),
            "picture_cache": self._limits.picture_cache,
            "load_encoder": self._limits.load_encoder,
            "check_text": spec.check_text if by_tokens else None,
            "check_tokens": spec.check_tokens,
            "end_tokens": sorted(spec.end_tokens) if ids_hold else [],
        }

    def revise(self, failure: dict[str, Any], lines: Sequence[str]) -> bool:
        """Change the plan after a failed load; whether another load can do better."""
        if failure["error"] == "TokenizerMismatch" and self.form is PromptForm.TOKENS:
            self.form = self.spec.fallback_form
            observe(self.spec.model_path, "tokenizer", str(failure["message"]))
            logger.warning(
                "%s: %s Prompts are given as %s from now on.", self.spec.name, failure["message"], self.form.value
            )
            return True
        for line in lines:
            notice = recognise(line)
            if notice is None or notice.kind != "context_above_limit":
                continue
            limit = int(notice.values.get("limit", 0))
            if 0 < limit < self.context_length and not self._learned_limit:
                self._learned_limit = True
                logger.warning(
                    "%s: the model was made for %d tokens, not %d; it is loaded with %d.",
                    self.spec.name,
                    limit,
                    self.context_length,
                    limit,
                )
                self.context_length = limit
                return True
        return False
