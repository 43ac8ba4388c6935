"""What objects of either framework can be told: one home for the settings that both have.

Needs pydantic, which either framework brings. Nothing else of this package imports it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field, PrivateAttr

from rkllm_providers.chat import GenerateOptions, Sampling
from rkllm_providers.chat.types import Effort, OldReasoning, Priority
from rkllm_providers.engine import parse_keep_alive
from rkllm_providers.engine.leases import ModelLeases

_SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
)


class CompletionSettings(BaseModel):
    """How a model writes."""

    max_tokens: int | None = Field(default=None, gt=0)
    """Most tokens to generate; what the prompt leaves of the context window where it is ``None``."""
    temperature: float | None = Field(default=None, ge=0)
    """Sampling temperature; 0 always takes the likeliest token."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling: the least set of tokens with this probability mass is drawn from."""
    top_k: int | None = Field(default=None, gt=0)
    """Only so many of the likeliest tokens are drawn from."""
    repeat_penalty: float | None = Field(default=None, gt=0)
    """Divides the logits of recent tokens; 1 is off."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted from a token's logit for each time it occurred."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted from a token's logit once it occurred."""
    stop: list[str] | None = None
    """Texts that end the answer and are not part of it."""
    lora: str | None = None
    """A LoRA adapter of the model, by its name."""
    priority: Priority = "chat"
    """Requests of a higher priority are answered first: ``chat``, then ``background``, then ``bulk``."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for a whole request, the wait in the queue included."""
    first_token_timeout: float | None = Field(default=None, gt=0)
    """Seconds to the first token, the wait in the queue included."""
    keep_alive: float | str | None = None
    """How long the model stays loaded after its last request: seconds, ``"5m"`` or ``"forever"``."""


class ThinkingSettings(CompletionSettings):
    """How a model writes and thinks in a chat."""

    reasoning_effort: Effort | None = None
    """How much to think: ``none``, ``minimal``, ``low``, ``medium`` or ``high``."""
    thinking_budget: int | None = Field(default=None, ge=0)
    """Most tokens of thinking."""
    keep_reasoning: OldReasoning = "tool_turns"
    """Which reasoning of the history the model is shown: ``none``, that of the turn under way, or ``all``."""
    volatile_system: Literal["move", "keep"] = "move"
    """Whether a clock in the system message moves to the newest turn, or stays and costs the KV cache."""


def completion_options(settings: Mapping[str, Any]) -> GenerateOptions:
    """The settings of ``CompletionSettings``, by their names, in the engine's terms.

    Raises:
        InvalidRequest: One of them cannot be.
    """
    stop, keep_alive = settings["stop"], settings["keep_alive"]
    return GenerateOptions(
        max_tokens=settings["max_tokens"],
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        sampling=Sampling(**{name: settings[name] for name in _SAMPLING}),
        timeout=settings["timeout"],
        first_token_timeout=settings["first_token_timeout"],
        priority=settings["priority"],
        keep_alive=None if keep_alive is None else parse_keep_alive(keep_alive),
        lora=settings["lora"],
    )


class ModelHolder(BaseModel):
    """An object that has models open, and gives them back. Copies open their own."""

    _leases: ModelLeases = PrivateAttr(default_factory=ModelLeases)

    def __copy__(self) -> Self:
        # A copy may get other settings, so it opens the model they name for itself.
        copied = super().__copy__()
        copied._leases = ModelLeases()
        return copied

    def close(self) -> None:
        """Give the model back, for good. It is unloaded when nobody else in this process uses it."""
        self._leases.close()

    async def aclose(self) -> None:
        """``close`` for event loops: the end of the model's process is waited for on a thread."""
        await asyncio.to_thread(self.close)
