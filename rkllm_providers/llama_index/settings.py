"""What one answer of ``RKLLM`` may be asked for, as settings of the object and as arguments of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field, ValidationError, field_validator

from rkllm_providers.chat import GenerateOptions, Sampling
from rkllm_providers.chat.types import Effort, OldReasoning, Priority, ResponseFormat
from rkllm_providers.engine import parse_keep_alive
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index.connection import warn_of_unknown
from rkllm_providers.llama_index.tools import ToolWishes

_SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
)
_TOOLS: Final = ("tools", "tool_choice", "allow_parallel_tool_calls")
# Reuse of the KV cache goes by the prompt, so a session needs no name; callers of other models give one.
_WITHOUT_MEANING: Final = ("session_id",)


class GenerationSettings(BaseModel):
    """How to answer. Each is a setting of the object too, and an argument of any call, where it wins."""

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
    """Texts that end the answer and are not part of it; one of them may be given as a text."""
    thinking: bool | None = None
    """Whether the model thinks before it answers; ``None`` leaves that to its chat template."""
    reasoning_effort: Effort | None = None
    """How much it thinks."""
    thinking_budget: int | None = Field(default=None, ge=0)
    """Most tokens of thinking."""
    keep_reasoning: OldReasoning = "tool_turns"
    """Which thinking of earlier turns the model is shown, as far as its template shows any."""
    lora: str | None = None
    """Name of a LoRA adapter of the model."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for a whole request, the wait in the queue included."""
    first_token_timeout: float | None = Field(default=None, gt=0)
    """Seconds to the first token, the wait in the queue included."""
    priority: Priority = "chat"
    """Whose turn it is where several wait: ``chat``, then ``background``, then ``bulk``."""
    volatile_system: Literal["move", "keep"] = "move"
    """Whether a clock in the system message moves to the newest turn, which keeps the rest in the KV cache."""
    keep_alive: float | str | None = None
    """How long the model stays loaded after its last request: seconds, ``"5m"`` or ``"forever"``."""

    @field_validator("stop", mode="before")
    @classmethod
    def _list_stops(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @classmethod
    def of_call(cls, own: GenerationSettings, arguments: Mapping[str, Any]) -> Self:
        """The settings of an object with the arguments of one call over them; one that is there wins, also ``None``.

        Raises:
            InvalidRequest: An argument is out of bounds, or of the wrong type.
        """
        names = GenerationSettings.model_fields
        values = {name: getattr(own, name) for name in names}
        values.update({name: value for name, value in arguments.items() if name in names})
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            raise InvalidRequest(f"{name} is {first['input']!r}: {first['msg']}.", name) from error

    def options(self, wishes: ToolWishes, response_format: ResponseFormat | None) -> GenerateOptions:
        """The same in the engine's terms."""
        return GenerateOptions(
            max_tokens=self.max_tokens,
            stop=tuple(self.stop or ()),
            sampling=Sampling(**{name: getattr(self, name) for name in _SAMPLING}),
            tools=wishes.tools,
            tool_choice=wishes.choice,
            forced_tool=wishes.forced,
            response_format=response_format,
            thinking=self.thinking,
            effort=self.reasoning_effort,
            thinking_budget=self.thinking_budget,
            old_reasoning=self.keep_reasoning,
            volatile_system=self.volatile_system,
            timeout=self.timeout,
            first_token_timeout=self.first_token_timeout,
            priority=self.priority,
            keep_alive=None if self.keep_alive is None else parse_keep_alive(self.keep_alive),
            lora=self.lora,
        )


def warn_of_arguments(owner: str, arguments: Mapping[str, Any]) -> None:
    """Name the arguments of a call that mean nothing in a warning."""
    known = (*GenerationSettings.model_fields, *_TOOLS, "response_format", *_WITHOUT_MEANING)
    warn_of_unknown(owner, "arguments", arguments, known)
