"""What one answer of ``RKLLM`` may be asked for, as settings of the object and as arguments of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Self

from pydantic import ValidationError, field_validator

from rkllm_providers.chat import GenerateOptions
from rkllm_providers.chat.types import ResponseFormat
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index.connection import warn_of_unknown
from rkllm_providers.llama_index.tools import ToolWishes
from rkllm_providers.provider_settings import ThinkingSettings, completion_options

_TOOLS: Final = ("tools", "tool_choice", "allow_parallel_tool_calls")
# Reuse of the KV cache goes by the prompt, so a session needs no name; callers of other models give one.
_WITHOUT_MEANING: Final = ("session_id",)


class GenerationSettings(ThinkingSettings):
    """How to answer. Each is a setting of the object too, and an argument of any call, where it wins.

    One stop sequence may be given as a text.
    """

    thinking: bool | None = None
    """Whether the model thinks before it answers; ``None`` leaves that to its chat template."""

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
        return replace(
            completion_options(dict(self)),
            tools=wishes.tools,
            tool_choice=wishes.choice,
            forced_tool=wishes.forced,
            response_format=response_format,
            thinking=self.thinking,
            effort=self.reasoning_effort,
            thinking_budget=self.thinking_budget,
            old_reasoning=self.keep_reasoning,
            volatile_system=self.volatile_system,
        )


def warn_of_arguments(owner: str, arguments: Mapping[str, Any]) -> None:
    """Name the arguments of a call that mean nothing in a warning."""
    known = (*GenerationSettings.model_fields, *_TOOLS, "response_format", *_WITHOUT_MEANING)
    warn_of_unknown(owner, "arguments", arguments, known)
